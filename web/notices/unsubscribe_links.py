"""Links that end a subscription: signed, so that nobody needs to sign in, and without the address."""

from dataclasses import dataclass

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer

PATH = "/unsubscribe"


@dataclass(frozen=True, slots=True)
class WayOut:
    """Who stops to get which kind of mail."""

    subscriber: int
    kind: str


class Links:
    """The links of this application; they work for as long as its SECRET_KEY stays the same."""

    def __init__(self) -> None:
        self._site = current_app.config["BASE_URL"] + PATH
        self._serializer = URLSafeSerializer(current_app.secret_key or "", salt="unsubscribe")

    def url(self, way_out: WayOut) -> str:
        """Return the address to open, or to post to."""
        return f"{self._site}/{self.token(way_out)}"

    def token(self, way_out: WayOut) -> str:
        """Return the part of the address that nobody else can make."""
        return str(self._serializer.dumps([way_out.subscriber, way_out.kind]))

    def read(self, token: str) -> WayOut | None:
        """Return what the token stands for, or None where it is not one of ours."""
        try:
            subscriber, kind = self._serializer.loads(token)
        except BadData:
            return None
        return WayOut(subscriber, kind)
