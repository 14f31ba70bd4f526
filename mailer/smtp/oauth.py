"""Access tokens for XOAUTH2, bought with a refresh token (RFC 6749, section 6)."""

import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from mailer.smtp.credentials import Token
from mailer.smtp.errors import DeliveryError, Scope, Stage
from mailer.smtp.form_post import post_form
from mailer.smtp.replies import legible

EARLY_SECONDS = 60.0  # renewed before its end, so that it does not end on its way
USUAL_SECONDS = 3600.0  # its life, where the answer does not say (RFC 6749, 5.1)
LONGEST_SECONDS = 86_400.0  # whatever it says: once a day is not too often
GIVEN = 200
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
            if self._token in {"", refused}:  # else another thread was faster
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
        token, seconds = answer.get("access_token"), lifetime(answer)
        if not isinstance(token, str) or not token or seconds is None:
            raise self._trouble("its answer holds no access token")
        self._token, self._ends_at = token, self._now() + seconds - EARLY_SECONDS

    def _ask(self, form: Mapping[str, str]) -> dict[str, Any]:
        try:
            answer = post_form(self._url, form, self._timeout_seconds, self._context)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._trouble(legible(str(error) or repr(error))) from error
        found = as_object(answer.content)
        if answer.status == GIVEN:
            return found
        code = found.get("error")
        known = code if isinstance(code, str) else ""  # Google's own errors have an object there
        secrets = (form["client_secret"], form["refresh_token"])
        reason = legible(f"{answer.status} {known or answer.reason}", secrets)
        raise self._trouble(reason, is_ours=known in OUR_FAULT)

    def _trouble(self, reason: str, *, is_ours: bool = False) -> DeliveryError:
        message = f"{self._url} gave no access token: {reason}"
        if is_ours:
            message += (
                "; check MAIL_OAUTH_CLIENT_ID and MAIL_OAUTH_CLIENT_SECRET, "
                "and get a new MAIL_OAUTH_REFRESH_TOKEN"
            )
            return DeliveryError(message, Stage.CREDENTIALS, Scope.ACCOUNT, cause="login")
        return DeliveryError(message, Stage.CREDENTIALS, Scope.SERVER, cause="server")


def lifetime(answer: Mapping[str, Any]) -> float | None:
    """Return how many seconds the token lasts, or None where that is no number."""
    seconds = answer.get("expires_in", USUAL_SECONDS)
    if not isinstance(seconds, int | float):
        return None
    return float(max(seconds, 0)) if seconds <= LONGEST_SECONDS else LONGEST_SECONDS


def as_object(text: bytes) -> dict[str, Any]:
    """Return the JSON object, or an empty one where there is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # the latter for brackets without end
        return {}
    return found if isinstance(found, dict) else {}


def revealed(secret: SecretStr | None) -> str:
    """Return the secret itself."""
    return secret.get_secret_value() if secret else ""
