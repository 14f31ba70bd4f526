"""Access tokens for XOAUTH2, bought with a refresh token (RFC 6749, section 6)."""

import http.client
import json
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from mailer.smtp.credentials import Token
from mailer.smtp.errors import DeliveryError, Scope, Stage

EARLY_SECONDS = 60.0  # renewed before its end, so that it does not end on its way
USUAL_SECONDS = 3600.0  # its life, where the answer does not say (RFC 6749, 5.1)
LONGEST_ANSWER = 65_536
# RFC 6749, 5.2: those that a person must put right; all else may pass by itself.
OUR_FAULT = {"invalid_grant", "invalid_client", "unauthorized_client", "invalid_scope"}


@dataclass(frozen=True, slots=True)
class Client:
    """What the endpoint knows us by; the secrets are read anew for each token."""

    username: str
    client_id: str
    client_secret: Callable[[], SecretStr | None]
    refresh_token: Callable[[], SecretStr | None]


class Tokens:
    """Gives the access token, which all threads share, and a new one shortly before its end."""

    def __init__(
        self,
        url: str,
        client: Client,
        timeout_seconds: float,
        context: ssl.SSLContext,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._client = client
        self._timeout_seconds = timeout_seconds
        self._context = context
        self._now = now
        self._lock = threading.Lock()
        self._token = ""
        self._ends_at = 0.0

    def current(self) -> Token:
        """Return the token, new or still good; raises DeliveryError."""
        with self._lock:
            if not self._token or self._now() >= self._ends_at:
                self._fetch()
            return self._as_token()

    def renewed(self, refused: str) -> Token:
        """Return a newer token than the one that the relay refused; raises DeliveryError."""
        with self._lock:
            if self._token == refused:  # else another thread was faster
                self._fetch()
            return self._as_token()

    def _as_token(self) -> Token:
        value = self._token
        return Token(self._client.username, SecretStr(value), lambda: self.renewed(value))

    def _fetch(self) -> None:
        self._token = ""
        answer = self._ask(
            {
                "grant_type": "refresh_token",
                "client_id": self._client.client_id,
                "client_secret": revealed(self._client.client_secret()),
                "refresh_token": revealed(self._client.refresh_token()),
            }
        )
        token, seconds = answer.get("access_token"), answer.get("expires_in", USUAL_SECONDS)
        if not isinstance(token, str) or not token or not isinstance(seconds, int | float):
            raise self._trouble("its answer holds no access token")
        self._token, self._ends_at = token, self._now() + seconds - EARLY_SECONDS

    def _ask(self, form: Mapping[str, str]) -> dict[str, Any]:
        # The URL is a setting, of which only http and https pass.
        request = urllib.request.Request(  # noqa: S310 see above
            self._url, data=urllib.parse.urlencode(form).encode()
        )
        opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=self._context), NoRedirects()
        )
        try:
            with opener.open(request, timeout=self._timeout_seconds) as response:
                return as_object(response.read(LONGEST_ANSWER))
        except urllib.error.HTTPError as error:
            with error:
                code = as_object(error.read(LONGEST_ANSWER)).get("error")
            reason = f"{error.code} {code or error.reason}"
            raise self._trouble(reason, code) from None
        except (OSError, http.client.HTTPException) as error:
            raise self._trouble(str(error)) from error

    def _trouble(self, reason: str, code: object = None) -> DeliveryError:
        if code in OUR_FAULT:
            message = (
                f"{self._url} gave no access token: {reason}; check MAIL_OAUTH_CLIENT_ID and "
                "MAIL_OAUTH_CLIENT_SECRET, and get a new MAIL_OAUTH_REFRESH_TOKEN"
            )
            return DeliveryError(message, Stage.CREDENTIALS, Scope.ACCOUNT, cause="login")
        message = f"{self._url} gave no access token: {reason}"
        return DeliveryError(message, Stage.CREDENTIALS, Scope.SERVER, cause="server")


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows none: the secrets are for the endpoint alone."""

    def redirect_request(self, *_: object) -> None:
        """Refuse."""


def as_object(text: bytes) -> dict[str, Any]:
    """Return the JSON object, or an empty one where there is none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def revealed(secret: SecretStr | None) -> str:
    """Return the secret itself."""
    return secret.get_secret_value() if secret else ""
