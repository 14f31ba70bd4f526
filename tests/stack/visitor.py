"""A person with a browser that runs no JavaScript: forms are filled in and sent as they stand on the page."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape

import requests

CSRF = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
LINK = re.compile(r"https?://\S+/(?:confirm|invitation|old|new)/[A-Za-z0-9_-]{43}")
PASSWORD = "seven green kites over Delft"


class Visitor:
    """Somebody who opens pages and sends forms, cookies kept."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()

    def open(self, path: str) -> requests.Response:
        """Open a page by its path or its whole address."""
        return self._session.get(path if "://" in path else self._url + path, timeout=30)

    def send(self, path: str, *, to: str = "", **fields: str) -> requests.Response:
        """Open the page with the form and send it filled in, to the page itself or where it says."""
        page = self.open(path)
        token = CSRF.search(page.text)
        if token:
            fields["csrf_token"] = unescape(token[1])
        target = self._url + to if to else page.url
        return self._session.post(target, data=fields, headers={"Referer": page.url}, timeout=30)

    def subscribe(self, email: str) -> requests.Response:
        """Ask for notices by e-mail."""
        return self.send("/subscribe", email=email)

    def sign_up(self, email: str) -> requests.Response:
        """Ask for an account."""
        return self.send("/account/sign-up", email=email)

    def choose_password(self, link: str, password: str = PASSWORD) -> requests.Response:
        """Follow a mailed link, and choose a password there."""
        return self.send(link, password=password, password_again=password)

    def sign_in(self, email: str, password: str = PASSWORD) -> requests.Response:
        """Sign in."""
        return self.send("/account/sign-in", email=email, password=password)

    def sign_out(self) -> requests.Response:
        """Sign out."""
        return self.send("/account", to="/account/sign-out")

    @property
    def is_signed_in(self) -> bool:
        """Return whether this browser's account is shown to it."""
        return self.open("/account").url == f"{self._url}/account"


def link_in(raw: bytes) -> str:
    """Return the link that a mail holds."""
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(preferencelist=("plain",))
    assert body is not None
    found = LINK.search(body.get_content())
    assert found is not None, body.get_content()
    return found[0]
