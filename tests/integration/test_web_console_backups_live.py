"""From a button of the console to the worker's container and back."""

import json
from contextlib import closing
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from common import jobs
from tests.integration.account_site import Site, press
from tests.integration.backups import Backups
from tests.integration.postgres import Database
from tests.waiting import eventually

HOME = "/console/backups"


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


@pytest.fixture
def operator(site: Site) -> FlaskClient:
    return site.signed_in("op@example.org", "operator")


def at_work(backups: Backups) -> None:
    """Put the worker in the place of the container that waits for verbs."""
    backups.container.remove(force=True)
    backups.start("python", "-m", "backup", BACKUP_POINT_IN_TIME="false")


def asked(browser: FlaskClient, action: str, **fields: str) -> str:
    """Press a button, and return the job's page."""
    answer = press(browser, HOME, f"{HOME}/{action}", **fields)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def watched(browser: FlaskClient, job: str) -> list[dict[str, Any]]:
    """Watch a job to its end, as the page's script does, which comes back where a stream ends."""
    events: list[dict[str, Any]] = []
    while not events or not events[-1]["ended"]:
        with closing(browser.get(f"{job}/events")) as stream:  # unclosed, it would keep its place
            told = [line for line in stream.text.split("\n\n") if line.startswith("data: ")]
        events += [json.loads(line.removeprefix("data: ")) for line in told]
    return events


def state(site: Site, job: str) -> Any:
    (found,) = site.rows("SELECT * FROM jobs WHERE id = :id", id=int(job.rpartition("/")[2]))
    return found


def test_a_backup_is_asked_for_watched_and_seen_proven(
    backups: Backups, site: Site, operator: FlaskClient
) -> None:
    first = backups.take()
    at_work(backups)

    job = asked(operator, "take")
    events = watched(operator, job)

    assert len(events) > 2  # it was seen while it went on
    done = state(site, job)
    begun = [step["said"].partition(":")[0] for step in done.steps]
    expected = ["definitions", "dump", "fingerprint", "fetch", "restore", "compare", "proven"]
    assert [name for name in begun if name in expected] == expected
    taken = done.answer["id"]
    assert taken > first
    assert f'<a href="{HOME}/runs/{taken}">{taken}</a> is proven' in operator.get(job).text
    assert "restored and found equal" in operator.get(f"{HOME}/runs/{taken}").text
    assert site.rows("SELECT FROM audit_entries WHERE action = 'backup.take'")


def test_a_backup_is_proven_again(backups: Backups, site: Site, operator: FlaskClient) -> None:
    known = backups.take()
    at_work(backups)
    eventually(lambda: site.rows("SELECT FROM backup_plans WHERE verb = 'take'"), 30, "its tick")
    (before,) = site.rows("SELECT verified_at FROM backups WHERE id = :id", id=known)

    job = asked(operator, "verify", id=known, target="local")
    watched(operator, job)

    assert state(site, job).answer["id"] == known
    later = "SELECT FROM backups WHERE id = :id AND verified_at > :before"
    eventually(lambda: site.rows(later, id=known, before=before.verified_at), 30, "the next tick")
    assert "found equal" in operator.get(job).text


def test_what_fails_says_why(backups: Backups, site: Site, operator: FlaskClient) -> None:
    at_work(backups)
    with site.database.engine("web").begin() as connection:
        number = jobs.ask(connection, "backup", "verify", {"id": "20200101-000000"})

    watched(operator, f"/console/jobs/{number}")

    failed = state(site, f"/{number}")
    assert (failed.state, failed.answer["code"]) == ("failed", 1)
    assert "20200101-000000" in failed.answer["error"]
    assert failed.answer["error"].partition(";")[0] in operator.get(f"/console/jobs/{number}").text


def test_a_job_waits_while_another_one_runs(
    backups: Backups, site: Site, operator: FlaskClient
) -> None:
    known = backups.take()
    at_work(backups)
    with backups.no_pg_dump_gets_on() as lock:
        taking = asked(operator, "take")
        eventually(lambda: backups.waits_for_a_lock("pg_dump"), 120, "the first one is under way")
        verifying = asked(operator, "verify", id=known)
        later = "SELECT FROM heartbeats WHERE beat_at > (SELECT max(asked_at) FROM jobs)"
        eventually(lambda: site.rows(later), 30, "the worker ticks meanwhile")
        assert (state(site, taking).state, state(site, verifying).state) == ("running", "waiting")
        assert "Waits for its turn" in operator.get(verifying).text

        lock.rollback()
        watched(operator, verifying)

    one, other = state(site, taking), state(site, verifying)
    assert (one.state, other.state) == ("done", "done")
    assert other.began_at >= one.ended_at


def test_the_job_of_a_worker_that_was_killed_has_failed_at_its_next_start(
    backups: Backups, site: Site, operator: FlaskClient
) -> None:
    backups.take()
    at_work(backups)
    with backups.no_pg_dump_gets_on():
        job = asked(operator, "take")
        eventually(lambda: backups.waits_for_a_lock("pg_dump"), 60, "it is under way")
        backups.container.kill()
        assert state(site, job).state == "running"
        at_work(backups)
        watched(operator, job)

    assert (state(site, job).state, state(site, job).answer) == ("failed", {"error": jobs.LOST})
    assert jobs.LOST in operator.get(job).text


def test_the_history_of_the_schema_is_read_and_compared(
    backups: Backups, site: Site, operator: FlaskClient
) -> None:
    backups.take()
    owner = site.database.engine("owner")
    with owner.begin() as connection:
        connection.execute(text("CREATE TABLE added_later (n int)"))
    try:
        backups.take()
    finally:
        with owner.begin() as connection:
            connection.execute(text("DROP TABLE added_later"))
    at_work(backups)

    watched(operator, asked(operator, "schema"))
    former, newest = (change["commit"] for change in reversed(latest_changes(site)))
    job = asked(operator, "schema/differences", one=former, other=newest)
    watched(operator, job)

    assert newest[:12] in operator.get(f"{HOME}/schema").text
    assert "<ins>+CREATE TABLE public.added_later (</ins>" in operator.get(job).text


def latest_changes(site: Site) -> list[dict[str, str]]:
    (row,) = site.rows("SELECT answer FROM jobs WHERE verb = 'schema-log'")
    found: list[dict[str, str]] = row.answer
    return found
