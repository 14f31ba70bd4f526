"""Web in a process of its own, with a few views that use sessions: what several replicas are."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

from tests.conftest import ROOT
from tests.ports import free_port
from tests.waiting import eventually
from tests.web_app import NO_DATABASE, SECRET_KEY

SERVE = """
import os, sys
from flask import current_app
from common import logs
from tests.session_app import meanwhile, with_views
from web.server import Server
from web.settings import Settings

class Tested(Server):
    def load(self):
        app = with_views(super().load())
        # A slow view opens the pipe, which waits until the test does so too, and then until it lets go.
        meanwhile(app, lambda: open(os.path.join(sys.argv[2], "pipe")).read())
        return app

logs.configure("web", "WARNING")
Tested(Settings.read(), sys.argv[1]).run()
"""


class Replica:
    """A web server that shares its sessions with others."""

    def __init__(self, folder: Path, **given: str) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self.log = folder / f"log-{self.address.rpartition(':')[2]}"
        environment = {
            "PATH": os.defpath,
            "HOME": "/nonexistent",
            "DATABASE_URL": NO_DATABASE,
            "SECRET_KEY": SECRET_KEY,
            "SESSION_FILE_DIR": str(folder / "sessions"),
            "RATELIMIT_ENABLED": "false",
            "CACHE_TYPE": "NullCache",
            "WEB_WORKERS": "2",
            **given,
        }
        command = [sys.executable, "-c", SERVE, self.address, str(folder)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
            )

    def answers(self) -> bool:
        """Return whether it serves requests yet."""
        try:
            return ask(build_opener(), self, "healthz") == (200, "ok\n")
        except URLError:
            return False


@contextmanager
def replicas(folder: Path, **given: str) -> Iterator[tuple[Replica, Replica]]:
    """Start two servers on one store, and stop them afterwards."""
    os.mkfifo(folder / "pipe")
    both = Replica(folder, **given), Replica(folder, **given)
    try:
        for replica in both:
            eventually(replica.answers)
        yield both
    finally:
        for replica in both:
            replica.process.kill()
            replica.process.wait()


def a_browser() -> tuple[OpenerDirector, CookieJar]:
    """Return a browser and its cookies."""
    jar = CookieJar()
    return build_opener(HTTPCookieProcessor(jar)), jar


def with_cookie(sid: str) -> OpenerDirector:
    """Return a client that brings this session's cookie, whatever is answered."""
    client = build_opener()
    client.addheaders = [("Cookie", f"session={sid}")]
    return client


def ask(browser: OpenerDirector, replica: Replica, view: str) -> tuple[int, str]:
    """Return status and text of a page."""
    try:
        with browser.open(f"http://{replica.address}/{view}", timeout=10) as page:
            return page.status, page.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def sid_of(jar: CookieJar) -> str:
    """Return the id of the session whose cookie the browser holds."""
    (sid,) = [cookie.value for cookie in jar if cookie.name == "session"]
    assert sid
    return sid
