"""The HTTP port through which the stack tests set the server's behaviour and read its mail.

GET    /messages     all mail so far: sender, recipients, raw (base64), tls, user
GET    /logins       all tries to log in so far: user, accepted
DELETE /messages     forget both
PUT    /behaviour    {"auth": "535 5.7.8 no", "rcpt": "drop"}: what each stage is to answer
DELETE /behaviour    be well again
"""

import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.stack.smtp.behaviour import State


def control_server(state: State, host: str, port: int) -> ThreadingHTTPServer:
    """Return the server, bound to its port; `serve_forever` runs it."""

    class Control(BaseHTTPRequestHandler):
        """One request."""

        def do_GET(self) -> None:
            """Show what was seen."""
            shown = {
                "/messages": lambda: [message.as_json() for message in state.messages],
                "/logins": lambda: state.logins,
            }
            if self.path in shown:
                self._answer(HTTPStatus.OK, shown[self.path]())
            else:
                self._answer(HTTPStatus.NOT_FOUND, {"error": f"there are {', '.join(shown)}"})

        def do_PUT(self) -> None:
            """Change the behaviour."""
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            try:
                state.behave(**json.loads(body))
            except (ValueError, TypeError) as error:
                self._answer(HTTPStatus.BAD_REQUEST, {"error": str(error)})
            else:
                self._answer(HTTPStatus.OK, {})

        def do_DELETE(self) -> None:
            """Be well again, or forget what was seen."""
            {"/behaviour": state.behave, "/messages": state.forget}[self.path]()
            self._answer(HTTPStatus.OK, {})

        def log_message(self, *_: object) -> None:
            """Say nothing: the tests poll."""

        def _answer(self, status: HTTPStatus, body: object) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return ThreadingHTTPServer((host, port), Control)
