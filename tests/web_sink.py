"""A web server that keeps what it is asked, and answers as it is told."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Sink:
    """What was asked; `status` is the next answers'."""

    address: str = ""
    status: int = 200
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    drips: bool = False  # a byte of the answer every while, and never its end


@contextmanager
def running_sink(context: ssl.SSLContext | None = None) -> Iterator[Sink]:
    """Run one on a free port, with TLS where a context is given."""
    sink = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(None)

        def do_POST(self) -> None:
            self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def answer(self, document: Any) -> None:
            sink.asked.append((self.command, self.path, document))
            while sink.drips and not sink.release.wait(0.2):
                self.wfile.write(b"H")
            self.send_response(sink.status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("localhost", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    sink.address = f"http{'s' if context else ''}://localhost:{server.server_port}/s3cret?q=1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        sink.release.set()
        server.shutdown()
        server.server_close()
