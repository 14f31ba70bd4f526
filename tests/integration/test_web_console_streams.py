"""Watching live, in a server of its own: how many may, and what becomes of a stream that nobody reads."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.account_site import Site
from tests.integration.postgres import Database
from tests.integration.session_server import Replica, ask, with_cookie
from tests.waiting import eventually
from tests.web_app import session_folder

MOST = 4  # half of the threads


class Watcher:
    """A browser that shows a job live."""

    def __init__(self, web: Replica, cookie: str, job: int) -> None:
        host, _, port = web.address.partition(":")
        self.connection = socket.create_connection((host, int(port)), timeout=20)
        path = f"/console/jobs/{job}/events"
        self.connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {web.address}\r\nCookie: session={cookie}\r\n\r\n".encode()
        )
        self.reader = self.connection.makefile("rb")
        self.status = int(self.reader.readline().split()[1])

    def told(self) -> bytes:
        """Return the next event; nothing where the stream has ended."""
        return next((line for line in self.reader if line.startswith(b"data: ")), b"")

    def close(self) -> None:
        """Go away."""
        self.reader.close()
        self.connection.close()


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


@pytest.fixture
def cookie(site: Site) -> str:
    """Return what an operator's browser sends."""
    found = site.signed_in("boss@example.org", "operator").get_cookie("session")
    assert found
    return found.value


@pytest.fixture
def web(site: Site, tmp_path: Path) -> Iterator[Replica]:
    """A server with one process of eight threads."""
    server = Replica(
        tmp_path,
        DATABASE_URL=site.database.url("web"),
        SESSION_FILE_DIR=str(session_folder()),
        WEB_WORKERS="1",
    )
    try:
        eventually(server.answers)
        yield server
    finally:
        server.process.kill()
        server.process.wait()


@pytest.fixture
def job(site: Site) -> int:
    """A job that runs for as long as the test likes."""
    site.do("INSERT INTO jobs (part, verb, state) VALUES ('mailer', 'trial', 'running')")
    (row,) = site.rows("SELECT max(id) AS id FROM jobs")
    number: int = row.id
    return number


def end(site: Site, job: int) -> None:
    site.do("UPDATE jobs SET state = 'done', answer = '{}' WHERE id = :id", id=job)


def test_one_too_many_is_told_to_come_back_and_pages_are_still_served(
    web: Replica, site: Site, cookie: str, job: int
) -> None:
    with ExitStack() as opened:
        watching = [Watcher(web, cookie, job) for _ in range(MOST + 1)]
        for one in watching:
            opened.callback(one.close)
        statuses = [one.status for one in watching]
        page, _ = ask(with_cookie(cookie), web, f"console/jobs/{job}")
        end(site, job)
        last = [[one.told(), one.told(), one.told()] for one in watching[:MOST]]

    assert statuses == [200] * MOST + [503]
    assert page == 200
    assert all(b'"ended": true' in second and third == b"" for _, second, third in last)


def test_browser_that_goes_away_makes_room(web: Replica, cookie: str, job: int) -> None:
    for one in [Watcher(web, cookie, job) for _ in range(MOST)]:
        one.close()

    def has_room() -> bool:
        another = Watcher(web, cookie, job)
        another.close()
        return another.status == 200

    eventually(has_room, 30, "there is room")
