"""A git server over HTTPS: git's own program behind Python's web server, for one token."""

import base64
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TOKEN = "t0ken with a 'quote' and $HOME"
HEADERS = {"Content-Type": "CONTENT_TYPE", "Content-Encoding": "HTTP_CONTENT_ENCODING"}


@dataclass(frozen=True)
class GitHttps:
    """A running server with one empty repository."""

    address: str
    repository: Path
    tokens: list[str] = field(default_factory=list)  # that it was given

    def log(self) -> list[str]:
        """Return what the commits of the repository say, oldest first."""
        log = ["git", "-C", str(self.repository), "log", "--reverse", "--format=%s", "main"]
        return subprocess.run(log, capture_output=True, check=True, text=True).stdout.splitlines()


@contextmanager
def running_git_https(folder: Path, context: ssl.SSLContext) -> Iterator[GitHttps]:
    """Run it on a free port; who has no token is turned away."""
    repository = folder / "history.git"
    subprocess.run(["git", "init", "--quiet", "--bare", repository], check=True)
    subprocess.run(["git", "-C", repository, "config", "http.receivepack", "true"], check=True)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer(b"")

        def do_POST(self) -> None:
            self.answer(self.rfile.read(int(self.headers["Content-Length"])))

        def answer(self, asked: bytes) -> None:
            account = base64.b64decode((self.headers["Authorization"] or "").removeprefix("Basic "))
            token = account.decode().partition(":")[2]
            running.tokens.extend([token] if token else [])
            if token != TOKEN:
                self.send_response(401)
                self.send_header("WWW-Authenticate", "Basic")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            head, _, body = git(self, folder, asked).partition(b"\r\n\r\n")
            lines = dict(line.split(": ", 1) for line in head.decode().splitlines())
            self.send_response(int(lines.pop("Status", "200").split()[0]))
            for name, value in lines.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("localhost", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    running = GitHttps(f"https://localhost:{server.server_port}/history.git", repository)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()


def git(request: BaseHTTPRequestHandler, folder: Path, asked: bytes) -> bytes:
    """Have git answer a request, as it does behind any web server."""
    path, _, query = request.path.partition("?")
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(folder),
        "GIT_HTTP_EXPORT_ALL": "1",
        "REMOTE_USER": "keelson",
        "REQUEST_METHOD": request.command,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(asked)),
        **{variable: request.headers.get(name, "") for name, variable in HEADERS.items()},
    }
    backend = ["git", "http-backend"]
    return subprocess.run(
        backend, input=asked, env=environment, capture_output=True, check=True
    ).stdout
