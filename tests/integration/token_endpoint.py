"""A place that gives access tokens for a refresh token (RFC 6749), as a real HTTP server."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

GOOD = {"access_token": "token-1", "expires_in": 3599, "token_type": "Bearer"}


class TokenEndpoint(ThreadingHTTPServer):
    """Answers with `status` and `answer`; `forms` is what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.answer: object = GOOD
        self.location = ""
        self.forms: list[dict[str, str]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/token"


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
        self.wfile.write(content)

    def do_GET(self) -> None:
        """Answer one who was sent here from elsewhere."""
        self.do_POST()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def token_endpoint() -> Iterator[TokenEndpoint]:
    """Run one on a free port."""
    with TokenEndpoint() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
