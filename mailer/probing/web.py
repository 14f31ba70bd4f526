"""What web says of itself, and of edge, which is on a network that only web reaches."""

import http.client
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

from pydantic import BaseModel, ValidationError

from mailer.probing.meaning import Answer

READY, EDGE = "/readyz", "/edgez"
TIMEOUT_SECONDS = 15.0  # longer than web waits for a database that hangs, and than it gives edge
MOST_BYTES = 64 * 1024


class Check(BaseModel):
    """One of web's checks."""

    ok: bool


class Told(BaseModel):
    """What web answers; there may be more in it."""

    ready: bool
    checks: dict[str, Check]


class Web:
    """Asks web at this address; it tells nothing secret, and so needs no TLS."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._opener = build_opener(ProxyHandler({}))  # never past a proxy: it is next door

    def readiness(self) -> Answer | None:
        """Return whether it can do its work; None where it gives no answer that can be read."""
        return self._ask(READY)

    def edge(self) -> Answer | None:
        """Return whether edge answers it; None where it can't say."""
        return self._ask(EDGE)

    def _ask(self, path: str) -> Answer | None:
        try:
            told = Told.model_validate_json(self._read(self._url + path))
        except (URLError, OSError, http.client.HTTPException, ValidationError):
            return None
        return Answer(told.ready, {name: check.ok for name, check in told.checks.items()})

    def _read(self, url: str) -> bytes:
        """Return the answer's body, of whatever status: 503 says what is wrong."""
        try:
            with self._opener.open(url, timeout=TIMEOUT_SECONDS) as answer:
                body: bytes = answer.read(MOST_BYTES)
        except HTTPError as error:
            with error:
                body = error.read(MOST_BYTES)
        return body
