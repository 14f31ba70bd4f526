"""Several processes of web, as WEB_WORKERS=2 starts them: what they count and limit together."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from tests.conftest import ROOT
from tests.integration.postgres import Database
from tests.integration.valkey import Valkey
from tests.ports import free_port
from tests.waiting import eventually
from tests.web_app import SECRET_KEY

SERVE = """
import sys
from common import logs
from web.__main__ import serve
from web.settings import Settings
logs.configure("web", "DEBUG")
serve(Settings.read(), sys.argv[1])
"""
CONNECTIONS_OF_EACH = 3


class Processes:
    """A gunicorn of two workers."""

    def __init__(self, database: Database, valkey: Valkey, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = folder / "log"
        environment = {
            "PATH": os.defpath,
            "HOME": "/nonexistent",
            "TMPDIR": str(folder),
            "DATABASE_URL": database.url("web"),
            "DB_POOL_SIZE": str(CONNECTIONS_OF_EACH),
            "SECRET_KEY": SECRET_KEY,
            "VALKEY_URL": valkey.url,
            "SESSION_TYPE": "valkey",
            "CACHE_TYPE": "RedisCache",
            "RATELIMIT_STORAGE_URI": "valkey://",
            "RATELIMIT_DEFAULT": "20 per hour",
            "WEB_WORKERS": "2",
            "WEB_THREADS": "2",
        }
        command = [sys.executable, "-c", SERVE, self.url.removeprefix("http://")]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
            )

    def status(self, path: str) -> int:
        """Return how a page is answered."""
        return requests.get(self.url + path, timeout=10).status_code

    def answers(self) -> bool:
        """Return whether it serves requests yet."""
        try:
            return self.status("/healthz") == 200
        except requests.ConnectionError:
            return False

    def workers(self) -> list[int]:
        """Return the processes that serve."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text(encoding="ascii").split()]

    def figures(self, name: str) -> dict[tuple[str, ...], float]:
        """Return a metric's values by those of its labels, in the order of their names."""
        page = requests.get(f"{self.url}/metrics", timeout=10).text
        return {
            tuple(value for _, value in sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(page)
            for sample in family.samples
            if sample.name == name
        }

    def served(self, route: str) -> float:
        """Return how many requests of this route were answered well."""
        return self.figures("keelson_http_request_seconds_count").get(("GET", route, "2xx"), 0)

    def lines(self) -> list[dict[str, Any]]:
        """Return the log; a line that is not JSON is an error."""
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def processes(database: Database, valkey: Valkey, tmp_path: Path) -> Iterator[Processes]:
    running = Processes(database, valkey, tmp_path)
    try:
        eventually(running.answers, what="the processes answer")
        eventually(lambda: len(running.workers()) == 2, what="both processes serve")
        yield running
    finally:
        running.process.terminate()
        try:
            running.process.wait(30)
        finally:
            running.process.kill()


def process_ids(server: Processes) -> set[int]:
    """Return which processes have counted requests."""
    folder = server.log.parent / "keelson-web-figures"
    counted = {int(path.stem.rpartition("_")[2]) for path in folder.glob("histogram_*.db")}
    return counted & set(server.workers())


def test_a_scrape_tells_of_all_processes(processes: Processes) -> None:
    before = processes.served("health.healthz")

    def both_have_served() -> bool:
        processes.status("/healthz")
        return len(process_ids(processes)) == 2

    eventually(both_have_served)
    at_once = [processes.served("health.healthz") for _ in range(10)]

    assert at_once == [at_once[0]] * 10
    assert at_once[0] > before


def test_what_a_dead_process_counted_stays_and_what_it_had_in_hand_goes(
    processes: Processes,
) -> None:
    eventually(lambda: processes.status("/readyz") == 200 and len(process_ids(processes)) == 2)
    served = processes.served("health.readyz")
    size = {(): 2.0 * CONNECTIONS_OF_EACH}
    assert processes.figures("keelson_database_pool_size") == size
    victim = processes.workers()[0]
    assert served > 0

    os.kill(victim, signal.SIGKILL)

    eventually(lambda: len(processes.workers()) == 2 and victim not in processes.workers())
    eventually(lambda: processes.figures("keelson_database_pool_size") == size)
    assert processes.served("health.readyz") == served


def test_limit_is_one_for_all_processes_and_its_breaches_are_written(
    processes: Processes, database: Database
) -> None:
    answers = [processes.status("/nowhere") for _ in range(30)]

    assert answers == [404] * 20 + [429] * 10
    assert processes.figures("keelson_rate_limit_breaches_total") == {("unknown", "site"): 10}
    processes.process.terminate()
    assert processes.process.wait(30) == 0
    with database.engine("owner").connect() as connection:
        rows = connection.execute(text("SELECT sum(times), min(route) FROM limit_breaches")).one()
    assert tuple(rows) == (10, "unknown")


def test_counts_begin_anew_with_the_server(
    processes: Processes, database: Database, valkey: Valkey, tmp_path: Path
) -> None:
    eventually(lambda: processes.served("health.healthz") > 0)
    processes.process.terminate()
    processes.process.wait(30)

    again = Processes(database, valkey, tmp_path)
    try:
        eventually(again.answers)
        assert again.figures("keelson_http_request_seconds_count").keys() <= {
            ("GET", "health.healthz", "2xx")
        }
    finally:
        again.process.terminate()
        again.process.wait(30)
