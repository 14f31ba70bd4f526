"""Gunicorn as it runs in the container: its log, its end, and the connections it does not keep."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import pytest
from sqlalchemy import text

from tests.conftest import ROOT
from tests.integration.postgres import Database
from tests.ports import free_port
from tests.waiting import eventually
from tests.web_app import SECRET_KEY

SERVE = """
import sys
from common import logs
from web.server import Server
from web.settings import Settings
logs.configure("web", "DEBUG")
Server(Settings.read(), sys.argv[1]).run()
"""


class Running:
    """A server in a process of its own."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = folder / "log"
        environment = {
            "PATH": os.defpath,
            "HOME": "/nonexistent",
            "DATABASE_URL": database.url("web"),
            "SECRET_KEY": SECRET_KEY,
            "SESSION_FILE_DIR": str(folder / "sessions"),
        }
        command = [sys.executable, "-c", SERVE, self.url.removeprefix("http://")]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
            )

    def answers(self) -> bool:
        """Return whether it serves requests yet."""
        try:
            with build_opener().open(f"{self.url}/healthz", timeout=5):
                return True
        except URLError:
            return False

    def lines(self) -> list[dict[str, Any]]:
        """Return the log; a line that is not JSON is an error."""
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def server(database: Database, tmp_path: Path) -> Iterator[Running]:
    running = Running(database, tmp_path)
    try:
        eventually(running.answers)
        yield running
    finally:
        running.process.kill()
        running.process.wait()


def subscribe(server: Running, browser: OpenerDirector) -> int:
    with browser.open(f"{server.url}/subscribe") as page:
        token = page.read().decode().split('name="csrf_token" type="hidden" value="')[1]
    fields = {"csrf_token": token.partition('"')[0], "email": "ada@example.org"}
    with browser.open(f"{server.url}/subscribe", urlencode(fields).encode()) as answer:
        status: int = answer.status
        return status


def waits_for_a_lock(database: Database) -> bool:
    statement = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with database.engine("owner").connect() as connection:
        return bool(connection.scalar(statement))


def test_every_line_of_the_log_is_json(server: Running) -> None:
    server.process.terminate()

    assert server.process.wait(timeout=30) == 0
    lines = server.lines()
    assert {line["service"] for line in lines} == {"web"}
    assert {line["level"] for line in lines} <= {"debug", "info"}
    assert any(line["event"].startswith("Listening at") for line in lines)
    assert any(line["event"] == "request" and line["path"] == "/healthz" for line in lines)


def test_connection_ends_with_its_answer(server: Running) -> None:
    connection = HTTPConnection(server.url.removeprefix("http://"))
    connection.request("GET", "/healthz")

    answer = connection.getresponse()

    assert (answer.version, answer.status) == (11, 200)
    assert answer.headers["Connection"] == "close"
    connection.close()


def test_request_under_way_is_finished_before_the_end(server: Running, database: Database) -> None:
    browser = build_opener(HTTPCookieProcessor(CookieJar()))

    with ThreadPoolExecutor(1) as pool, database.engine("owner").connect() as blocker:
        blocker.execute(text("LOCK TABLE subscribers IN ACCESS EXCLUSIVE MODE"))
        answer = pool.submit(subscribe, server, browser)
        eventually(lambda: waits_for_a_lock(database))
        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: any("Handling signal: term" in line["event"] for line in server.lines()))
        blocker.rollback()

    assert server.process.wait(timeout=30) == 0
    with database.engine("owner").connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM outbox")) == 1
    assert answer.done()
