"""Gunicorn, told by our settings alone: no command line, no configuration file, no environment."""

from typing import Any

from flask import Flask
from gunicorn import glogging
from gunicorn.app.base import BaseApplication

from web.app import create_app
from web.settings import Settings

ADDRESS = "0.0.0.0:8000"  # in a network that edge alone can reach
GRACEFUL_SECONDS = 30


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
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Build the application, in the worker: connections do not survive a fork."""
        return create_app(self._settings)
