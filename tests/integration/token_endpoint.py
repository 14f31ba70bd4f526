"""A place that gives access tokens for a refresh token (RFC 6749), as a real HTTP server."""

import contextlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from tests.stack.smtp.certificates import Certificate

GOOD = {"access_token": "token-1", "expires_in": 3599, "token_type": "Bearer"}


class TokenEndpoint(ThreadingHTTPServer):
    """Answers with `status` and `answer`; `forms` is what it was asked.

    `held_back` holds this many bytes of each answer back, until `released` is set.
    """

    daemon_threads = True

    def __init__(self, certificate: Certificate | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.answer: object = GOOD
        self.location = ""
        self.held_back = 0
        self.released = threading.Event()
        self.forms: list[dict[str, str]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/token"
        if certificate is not None:
            self.socket = certificate.server_context().wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
            self.url = f"https://localhost:{self.server_address[1]}/token"

    def handle_error(self, *_: object) -> None:
        """Say nothing of one who hung up, as who does not trust us does."""


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: TokenEndpoint

    def do_POST(self) -> None:
        """Give a token, or what we are told to."""
        form = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self.server.forms.append(dict(parse_qsl(form)))
        answer = self.server.answer
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        sent = len(content) - self.server.held_back
        self.wfile.write(content[:sent])
        if self.server.held_back:
            self.server.released.wait()
            with contextlib.suppress(OSError):  # who asked may be gone
                self.wfile.write(content[sent:])

    def do_GET(self) -> None:
        """Answer one who was sent here from elsewhere."""
        self.do_POST()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def token_endpoint(certificate: Certificate | None = None) -> Iterator[TokenEndpoint]:
    """Run one on a free port, over TLS where it has a certificate for localhost."""
    with TokenEndpoint(certificate) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join()
