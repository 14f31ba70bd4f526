"""Gunicorn, told by our settings alone: no command line, no configuration file, no environment."""

from threading import Event, Thread
from typing import Any

from flask import Flask
from gunicorn import glogging
from gunicorn.app.base import BaseApplication

from web.app import create_app
from web.limits import breach_rows
from web.operation import figures
from web.settings import Settings

ADDRESS = "0.0.0.0:8000"  # on the networks of the stack alone
GRACEFUL_SECONDS = 30
LAST_WRITING_SECONDS = 2


class Logs(glogging.Logger):  # type: ignore[misc] # the library ships no types
    """Gunicorn's lines, in the log of all others; requests are logged by web.tracing."""

    def setup(self, cfg: Any) -> None:
        """Leave the writing to the handlers of the root logger."""
        self.cfg = cfg
        self.error_log.propagate = True


class Server(BaseApplication):  # type: ignore[misc] # the library ships no types
    """Serves the application that the settings describe; each process builds its own."""

    def __init__(self, settings: Settings, address: str = ADDRESS) -> None:
        self._settings = settings
        self._address = address
        self._stop = Event()
        self._writing: Thread | None = None  # the worker's, once it has one
        super().__init__()

    def load_config(self) -> None:
        """Set what differs from gunicorn's defaults."""
        options: dict[str, Any] = {
            "bind": self._address,
            "worker_class": "gthread",
            "workers": self._settings.web_workers,
            "threads": self._settings.web_threads,
            "graceful_timeout": GRACEFUL_SECONDS,
            "keepalive": 0,  # edge opens a connection for each request and ends it with the answer
            "worker_tmp_dir": "/dev/shm",  # noqa: S108 memory: a slow disk would look like a stuck worker
            "control_socket_disable": True,  # anyone with our user id could stop us through it
            "logger_class": Logs,
            "worker_exit": self.end,
            "child_exit": bury,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Build the application, in the worker: connections do not survive a fork."""
        app = create_app(self._settings)
        self._writing = breach_rows.keep_writing(app, self._stop)
        return app

    def end(self, _arbiter: object, _worker: object) -> None:
        """Let the worker's own thread finish, at the end of the worker."""
        if self._writing:
            self._stop.set()
            self._writing.join(LAST_WRITING_SECONDS)


def bury(_arbiter: object, worker: Any) -> None:
    """Forget what a worker that ended had in hand."""
    figures.forget(worker.pid)
