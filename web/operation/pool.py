"""How many connections to the database are in use, and how many more there may be."""

from threading import Lock
from typing import Any, cast

from flask import Flask, current_app
from prometheus_client import Gauge
from sqlalchemy import Engine, QueuePool, event

from web.extensions import db
from web.settings import Settings


def gauge(name: str, meaning: str) -> Gauge:
    """Return a figure that is the sum of those of the processes that live."""
    return Gauge(f"keelson_database_pool_{name}", meaning, multiprocess_mode="livesum")


SIZE = gauge("size", "Connections that are kept open.")
MOST = gauge("most", "Connections there may be; who wants one more waits.")
OPEN = gauge("open", "Connections that are open.")
IN_USE = gauge("in_use", "Connections that requests have in hand.")
OVERFLOW = gauge("overflow", "Open connections beyond those that are kept.")


class Watch:
    """The connections of one pool, by what the pool tells of them."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._open: set[int] = set()
        self._in_use: set[int] = set()
        self._lock = Lock()

    def listen(self, engine: Engine) -> None:
        """Hear of each connection from now on."""
        event.listen(engine, "connect", self.connected)
        event.listen(engine, "close", self.closed)
        event.listen(engine, "checkout", self.taken)
        event.listen(engine, "checkin", self.given_back)

    def connected(self, _connection: Any, record: object) -> None:
        """Note that there is a new one."""
        with self._lock:
            self._open.add(id(record))
            self._tell()

    def closed(self, _connection: Any, record: object) -> None:
        """Note that it is no more."""
        with self._lock:
            self._open.discard(id(record))
            self._tell()

    def taken(self, _connection: Any, record: object, _proxy: object) -> None:
        """Note that a request has it."""
        with self._lock:
            self._in_use.add(id(record))
            self._tell()

    def given_back(self, _connection: Any, record: object) -> None:
        """Note that it waits for the next."""
        with self._lock:
            self._in_use.discard(id(record))
            self._tell()

    def _tell(self) -> None:
        OPEN.set(len(self._open))
        IN_USE.set(len(self._in_use))
        OVERFLOW.set(max(0, len(self._open) - self._size))


def init_app(app: Flask, settings: Settings) -> None:
    """Watch the pool of this application."""
    SIZE.set(settings.db_pool_size)
    MOST.set(settings.db_pool_size + settings.db_max_overflow)
    with app.app_context():
        Watch(settings.db_pool_size).listen(db.engine)


def in_use() -> tuple[int, int]:
    """Return how many connections this process has in use, the asking one too, and how many it may have."""
    options = current_app.config["SQLALCHEMY_ENGINE_OPTIONS"]
    watched = cast("QueuePool", db.engine.pool)
    return watched.checkedout(), options["pool_size"] + options["max_overflow"]
