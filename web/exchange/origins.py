"""Whether a request comes from our own pages, as the browser tells it."""

from urllib.parse import urlsplit

from flask import request


def is_ours() -> bool:
    """Return whether one of our own pages has sent this request.

    A browser always says so; what says nothing, or is another site's, is not ours.
    """
    fetched_from = request.headers.get("Sec-Fetch-Site")
    if fetched_from is not None:
        return fetched_from == "same-origin"
    sender = request.headers.get("Origin") or request.referrer
    return sender is not None and origin_of(sender) == origin_of(request.host_url)


def origin_of(url: str) -> tuple[str, str | None, int | None] | None:
    """Return scheme, host and port, or None where this is no address."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None
