"""What operators ask of the mailer: a trial told live, and what becomes of jobs whose mailer dies."""

from pydantic import SecretStr

from common import jobs
from mailer.operator.commands import Means
from mailer.smtp.credentials import Credentials
from mailer.smtp.relay import Relay
from mailer.smtp.trial import trial
from tests.integration.errand_boy import answer, ask, at_work, ended, job_of, said
from tests.integration.mail_rows import do
from tests.integration.postgres import Database
from tests.integration.smtp_server import PASSWORD, USER
from tests.stack.smtp.server import SmtpServer


def test_trial_tells_each_step_of_smtp_with_its_milliseconds(
    database: Database, relay: Relay, server: SmtpServer
) -> None:
    means = means_with(database, relay)

    with at_work(database, means):
        job = answer(database, "trial", to="ada@example.net", sender="us@example.org")

    assert job.state == "done"
    assert len(job.steps) > 8
    assert all(step.endswith(" ms)") for step in said(job))
    assert said(job)[0].startswith("connection: connected to ")
    assert PASSWORD not in repr(job.steps)
    assert [one.recipients for one in server.state.messages] == [["ada@example.net"]]


def test_trial_that_fails_says_at_which_step_and_what_to_do(
    database: Database, relay: Relay
) -> None:
    means = means_with(database, relay, password="wrong")

    with at_work(database, means):
        job = answer(database, "trial", to="ada@example.net", sender="us@example.org")

    assert job.state == "failed"
    assert [step["ok"] for step in job.steps][-1] is False
    assert "check MAIL_USERNAME" in job.answer["error"]


def means_with(database: Database, relay: Relay, password: str = PASSWORD) -> Means:
    def credentials() -> Credentials:
        return Credentials(USER, SecretStr(password))

    return Means(
        database.engine("mailer"),
        0,
        USER,
        credentials,
        lambda mail: trial(relay, credentials, mail),
    )


def test_what_a_mailer_left_running_that_is_gone_fails_at_anothers_next_look(
    database: Database,
) -> None:
    number = ask(database, "pause", reason="x")
    connection = database.engine("mailer").connect().execution_options(isolation_level="AUTOCOMMIT")
    taken = jobs.take_and_hold(connection, "mailer")
    with at_work(database):
        other = answer(database, "resume", kind="")  # it has looked, and left alone what lives
        alive = job_of(database, number).state

        connection.invalidate()
        connection.close()
        ask(database, "resume", kind="")  # what wakes it
        lost = ended(database, number)

    assert taken
    assert (alive, other.state) == ("running", "failed")
    assert (lost.state, lost.answer) == ("failed", {"error": jobs.LOST})


def test_of_several_mailers_each_job_is_done_by_one(database: Database) -> None:
    with at_work(database), at_work(database), at_work(database):
        numbers = [ask(database, "pause", kind=f"kind{n}", reason="x") for n in range(20)]
        found = [ended(database, number) for number in numbers]

    assert [len(job.steps) for job in found] == [1] * 20
    assert {job.state for job in found} == {"done"}


def test_database_that_goes_away_does_not_end_it(database: Database) -> None:
    with at_work(database):
        answer(database, "pause", reason="x")
        do(
            database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'keelson_mailer'",
        )

        assert answer(database, "resume", kind="").state == "done"
