"""What one part asks of another."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from common import jobs
from mailer.upkeep import asked as upkeep
from tests.integration.postgres import Database
from tests.waiting import eventually


def asked(database: Database, verb: str, part: str = "backup", **arguments: object) -> int:
    with database.engine("web").begin() as connection:
        return jobs.ask(connection, part, verb, arguments)


def found(database: Database, number: int) -> tuple[str, list[str], object]:
    with database.engine("web").connect() as connection:
        query = text("SELECT state, steps, answer FROM jobs WHERE id = :id")
        row = connection.execute(query, {"id": number}).one()
        return row.state, [step["said"] for step in row.steps], row.answer


def taken(connection: Connection, part: str) -> jobs.Job:
    job = jobs.take(connection, part)
    assert job
    return job


def test_what_is_asked_is_taken_told_of_and_answered(database: Database) -> None:
    number = asked(database, "verify", id="20261122-120000")
    with database.engine("backup").begin() as connection:
        job = taken(connection, "backup")
    for said in ("fetch", "restore"):
        with database.engine("backup").begin() as connection:
            jobs.step(connection, job.id, said)
    assert found(database, number) == ("running", ["fetch", "restore"], None)

    with database.engine("backup").begin() as connection:
        jobs.end(connection, job.id, json.dumps({"verified": True}), ok=True)

    assert job == jobs.Job(number, "verify", {"id": "20261122-120000"})
    assert found(database, number) == ("done", ["fetch", "restore"], {"verified": True})


def test_of_several_at_work_one_gets_it(database: Database) -> None:
    numbers = {asked(database, "retry", "mailer", ids=[number]) for number in range(8)}

    def take(_: int) -> int:
        with database.engine("mailer").begin() as connection:
            return taken(connection, "mailer").id

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(take, range(8))) == numbers


def test_what_is_asked_of_one_part_is_not_for_another(database: Database) -> None:
    asked(database, "take")

    with database.engine("mailer").begin() as connection:
        assert jobs.take(connection, "mailer") is None


def test_what_a_part_left_running_has_failed(database: Database) -> None:
    with database.engine("backup").begin() as connection:
        while jobs.take(connection, "backup"):
            continue
        jobs.lose(connection, "backup")
    number = asked(database, "take")
    with database.engine("backup").begin() as connection:
        taken(connection, "backup")

    with database.engine("backup").begin() as connection:
        assert jobs.lose(connection, "backup") == 1

    state, _, answer = found(database, number)
    assert (state, answer) == ("failed", {"error": jobs.LOST})


def asked_once(
    database: Database, verb: str, once: str | None = None, **arguments: object
) -> jobs.Asked:
    with database.engine("web").begin() as connection:
        return jobs.ask_once(connection, "mailer", verb, arguments, once)


def settle(database: Database) -> None:
    """Do all that waits."""
    with database.engine("mailer").begin() as connection:
        while job := jobs.take(connection, "mailer"):
            jobs.end(connection, job.id, "{}", ok=True)


def test_what_waits_or_runs_already_is_not_asked_twice(database: Database) -> None:
    settle(database)
    first = asked_once(database, "retry", ids=[1])
    second = asked_once(database, "retry", ids=[1])
    with database.engine("mailer").begin() as connection:
        taken(connection, "mailer")
    third = asked_once(database, "retry", ids=[1])

    assert first.is_new
    assert second == third == jobs.Asked(first.id, is_new=False, by_this_form=False)


def test_what_has_ended_is_asked_again(database: Database) -> None:
    first = asked_once(database, "retry", ids=[2])
    settle(database)

    assert asked_once(database, "retry", ids=[2]).id != first.id


def test_with_something_else_in_between_it_is_not_the_same_any_more(database: Database) -> None:
    """Or a pause between two resumes would have the last word."""
    first = asked_once(database, "resume", kind="notice")
    asked_once(database, "pause", kind="notice", reason="a test")

    assert asked_once(database, "resume", kind="notice").id != first.id


def test_other_arguments_are_another_job(database: Database) -> None:
    assert asked_once(database, "retry", ids=[3]).is_new
    assert asked_once(database, "retry", ids=[4]).is_new


def test_form_that_is_sent_again_finds_what_it_has_asked_even_when_that_has_ended(
    database: Database,
) -> None:
    first = asked_once(database, "resend", "form 1", id=5)
    settle(database)

    again = asked_once(database, "resend", "form 1", id=5)
    another_mail = asked_once(database, "resend", "form 1", id=6)
    another_form = asked_once(database, "resend", "form 2", id=5)

    assert again == jobs.Asked(first.id, is_new=False, by_this_form=True)
    assert another_mail.is_new
    assert another_form.is_new


def test_of_two_that_ask_the_same_at_once_the_second_finds_what_the_first_has_asked(
    database: Database,
) -> None:
    settle(database)
    with ThreadPoolExecutor(1) as pool:
        with database.engine("web").begin() as connection:
            first = jobs.ask_once(connection, "mailer", "resend", {"id": 7}, "form 3")
            second = pool.submit(asked_once, database, "resend", "form 3", id=7)
            eventually(lambda: waits_for_its_turn(database) or second.done())

        assert second.result(10) == jobs.Asked(first.id, is_new=False, by_this_form=True)


def waits_for_its_turn(database: Database) -> bool:
    waits = text("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    with database.engine("owner").connect() as connection:
        return bool(connection.execute(waits).all())


@pytest.mark.parametrize("part", ["mailer", "backup"])
def test_who_does_it_cannot_change_what_was_asked(database: Database, part: str) -> None:
    asked(database, "take")

    with database.engine(part).connect() as connection, pytest.raises(ProgrammingError):
        connection.execute(text("UPDATE jobs SET arguments = '{}'"))


def test_web_cannot_answer_what_it_asks(database: Database) -> None:
    statement = (
        "INSERT INTO jobs (part, verb, state, answer) VALUES ('backup', 'verify', 'done', '{}')"
    )

    for refused in (statement, "DELETE FROM jobs", "UPDATE jobs SET state = 'done'"):
        with database.engine("web").connect() as connection, pytest.raises(ProgrammingError):
            connection.execute(text(refused))


def test_what_has_ended_goes_after_ninety_days_and_what_waits_stays(database: Database) -> None:
    settle(database)
    with database.engine("owner").begin() as connection:
        connection.execute(text("DELETE FROM jobs"))
        connection.execute(
            text(
                "INSERT INTO jobs (part, verb, state, asked_at)"
                " SELECT 'backup', state, state, now() - days * interval '1 day'"
                " FROM unnest(ARRAY['waiting', 'running', 'done', 'failed']) AS state,"
                " unnest(ARRAY[89, 91]) AS days"
            )
        )

    removed = upkeep.prune(database.engine("mailer"))

    with database.engine("owner").begin() as connection:
        left = connection.scalars(text("DELETE FROM jobs RETURNING state")).all()
    assert removed == 2
    assert sorted(left) == ["done", "failed", "running", "running", "waiting", "waiting"]
