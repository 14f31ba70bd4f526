"""Every page that there is: what the URL map lists, and what those pages link to."""

import re
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import APIRequestContext
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map

LINK = re.compile(r'<a\b[^>]*?\bhref="([^"#]+)')
ENDLESS = ("/events",)  # streams


def paths_of(urls: Map) -> list[str]:
    """Return every address that takes a GET and has nothing in it that varies."""
    rules = [rule for rule in urls.iter_rules() if "GET" in (rule.methods or ())]
    return [rule.rule for rule in rules if not rule.arguments]


def kind_of(urls: Map, path: str) -> str | None:
    """Return what tells a page from others of its kind; one page of each is enough."""
    parts = urlsplit(path)
    try:
        endpoint, _ = urls.bind("").match(parts.path)
    except HTTPException:  # a redirect is one too
        return None
    names = sorted(name for name, _ in parse_qsl(parts.query))
    return " ".join([endpoint, *names])


def walk(
    asker: APIRequestContext, urls: Map, home: str, known: Iterable[str] = ()
) -> dict[str, str]:
    """Return one page of each kind that this visitor reaches, by kind; `known` are more to begin with."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    waiting = [*known, *paths_of(urls)]
    while waiting:
        path = waiting.pop(0)
        kind = kind_of(urls, path)
        if kind is None or kind in seen or path.endswith(ENDLESS):
            continue
        seen.add(kind)
        answer = asker.get(path, headers={"Accept": "text/html"})
        if not answer.ok or not is_page(answer.headers):
            continue
        reached = answer.url.removeprefix(home)
        found.setdefault(kind_of(urls, reached) or kind, reached)
        waiting += links(answer.text(), home)
    return found


def is_page(headers: Mapping[str, str]) -> bool:
    """Return whether people come there: a mail in a sandbox is in a frame of its page, and nothing runs in it.

    Not even what looks for mistakes: it would wait for ever.
    """
    in_sandbox = "sandbox" in headers.get("content-security-policy", "")
    return "text/html" in headers.get("content-type", "") and not in_sandbox


def links(html: str, home: str) -> Iterator[str]:
    """Yield where a page leads to on this site."""
    for link in LINK.findall(html):
        path = unescape(link).removeprefix(home)
        if path.startswith("/"):
            yield path
