"""A database that restarts under load, and services that are told to end."""

import threading
import time
from collections import Counter
from typing import Self

import pytest
import requests

from tests.stack.stack import Stack
from tests.waiting import eventually


class Load:
    """Visitors who keep asking for a page that needs the database, and count the answers."""

    def __init__(self, url: str, visitors: int = 4) -> None:
        self.answers: Counter[int] = Counter()
        self.bodies_of_errors: set[str] = set()
        self.last_error_begun = 0.0  # when the last request that failed was sent, monotonic
        self._url = url
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._visit) for _ in range(visitors)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _visit(self) -> None:
        with requests.Session() as session:
            while not self._stop.is_set():
                begun = time.monotonic()
                answer = session.get(self._url, timeout=60)
                self.answers[answer.status_code] += 1
                if not answer.ok:
                    self.bodies_of_errors.add(answer.text)
                    self.last_error_begun = begun


def started_at(stack: Stack, service: str) -> str:
    moment: str = stack.inspect(service)["State"]["StartedAt"]
    return moment


def test_database_restart_under_load_costs_clean_503s_and_nothing_else(stack: Stack) -> None:
    before = started_at(stack, "web")

    with Load(f"{stack.url}/dev/inbox") as load:
        eventually(lambda: load.answers[200] >= 20, 30, "the load is on")
        stack.compose("restart", "db")
        eventually(lambda: stack.healthy("db"), 60, "the database is back")
        answered = load.answers[200]
        eventually(lambda: load.answers[200] >= answered + 20, 30, "pages are answered again")
        recovered, again = time.monotonic(), load.answers[200]
        eventually(lambda: load.answers[200] >= again + 20, 30, "and go on being answered")

    assert set(load.answers) <= {200, 503}
    assert load.answers[503] > 0
    assert load.last_error_begun < recovered
    assert all("Traceback" not in body and "psycopg2" not in body for body in load.bodies_of_errors)
    assert started_at(stack, "web") == before


def test_workers_outlive_a_database_restart(stack: Stack) -> None:
    before = {service: started_at(stack, service) for service in ("mailer", "backup")}

    stack.compose("restart", "db")
    eventually(lambda: stack.healthy("db"), 60, "the database is back")
    seen = stack.sql("SELECT max(beat_at) FROM heartbeats")
    eventually(
        lambda: stack.sql(f"SELECT count(*) FROM heartbeats WHERE beat_at > '{seen}'") == "2",
        60,
        "both beat again",
    )

    assert {service: started_at(stack, service) for service in before} == before


@pytest.mark.parametrize("service", ["web", "mailer", "backup", "edge", "db"])
def test_sigterm_ends_each_cleanly_within_its_grace_period(stack: Stack, service: str) -> None:
    stack.compose("stop", service)
    state = stack.inspect(service)["State"]
    stack.compose("start", service)
    stack.wait_until_well()

    assert state["ExitCode"] == 0
    assert state["OOMKilled"] is False
