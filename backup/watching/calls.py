"""Asking an address of somebody else's: for seconds at most, and without ever naming it, as it is a secret."""

import http.client
import ssl
import threading
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    Request,
)

LIMIT_SECONDS = 10


class CallError(Exception):
    """It gave no good answer; the message does not name the address."""


def ask(address: str, document: bytes | None = None, authority: Path | None = None) -> None:
    """GET the address, or POST a JSON document there; raise a CallError but for a 2xx in time.

    A thread, as the time limit of a socket begins anew with each byte that comes.
    """
    attempt = Attempt(address, document, authority)
    thread = threading.Thread(target=attempt.run, daemon=True)
    thread.start()
    thread.join(LIMIT_SECONDS)
    if thread.is_alive():
        message = f"no answer within {LIMIT_SECONDS} s"
        raise CallError(message)
    if attempt.failure:
        raise CallError(attempt.failure)


@dataclass(slots=True)
class Attempt:
    """One request, and why it failed."""

    address: str = field(repr=False)
    document: bytes | None
    authority: Path | None
    failure: str | None = None

    def run(self) -> None:
        """Ask, and keep the reason where there is no good answer."""
        try:
            headers = {"User-Agent": "keelson-backup", "Content-Type": "application/json"}
            request = Request(self.address, data=self.document, headers=headers)  # noqa: S310 the opener knows no other scheme
            opener(self.authority).open(request, timeout=LIMIT_SECONDS).close()
        except HTTPError as error:
            self.failure = f"it answered {error.code}"
        except URLError as error:
            self.failure = reason_of(error.reason)
        except (OSError, ValueError, http.client.HTTPException) as error:
            self.failure = reason_of(error)


def opener(authority: Path | None) -> OpenerDirector:
    """Return what asks by http and https alone: no file, no proxy, and no redirect to elsewhere."""
    context = ssl.create_default_context()
    if authority:
        context.load_verify_locations(authority)
    made = OpenerDirector()
    for handler in (
        HTTPHandler(),
        HTTPSHandler(context=context),
        HTTPErrorProcessor(),
        HTTPDefaultErrorHandler(),
    ):
        made.add_handler(handler)
    return made


def reason_of(error: object) -> str:
    """Return what happened; of errors that quote the address, their kind alone."""
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
