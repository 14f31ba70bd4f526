"""What operators ask of the mailer, by a row: the effect of each verb."""

from collections.abc import Iterator
from email import message_from_bytes, policy

import pytest
from sqlalchemy import text

from mailer.operator import jobs as asked_jobs
from tests.integration.errand_boy import answer, at_work, job_of, said
from tests.integration.mail_rows import do
from tests.integration.mails import ago, ahead, close_gate, gates, mail_of, put_body, put_mail
from tests.integration.postgres import Database
from tests.waiting import eventually


@pytest.fixture(autouse=True)
def mailer(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One that is at work, and looks often."""
    monkeypatch.setattr(asked_jobs, "LOOK_SECONDS", 0.2)
    with at_work(database):
        yield


def test_retry_queues_mail_again_and_says_so(database: Database) -> None:
    mail = put_mail(database, state="dead", done_at=ago(days=1))

    job = answer(database, "retry", ids=[mail])

    assert (job.state, job.answer) == ("done", {"done": [mail], "refused": {}})
    assert said(job) == [f"mail {mail} is queued again"]
    assert mail_of(database, mail).state == "queued"


def test_retry_of_what_was_sent_is_refused_with_the_reason(database: Database) -> None:
    mail = put_mail(database, state="sent", done_at=ago(days=1))

    job = answer(database, "retry", ids=[mail])

    assert (job.state, job.answer) == (
        "failed",
        {"error": "it was sent, and nothing is sent twice"},
    )
    assert [step["ok"] for step in job.steps] == [False]


def test_cancel_ends_mail_that_waits(database: Database) -> None:
    mail = put_mail(database)

    assert answer(database, "cancel", ids=[mail]).state == "done"
    assert mail_of(database, mail).state == "cancelled"


def test_mail_that_there_is_not_is_told(database: Database) -> None:
    assert answer(database, "cancel", ids=[99]).answer == {"error": "there is no such mail"}
    assert answer(database, "resend", id=99).answer == {"error": "there is no mail 99"}
    assert "no such mail" in answer(database, "preview", id=99).answer["error"]


def test_resend_queues_a_copy_with_an_id_of_its_own(database: Database) -> None:
    end = ahead(hours=1)
    mail = put_mail(
        database, state="sent", done_at=ago(hours=1), kind="code", priority=1, expires_at=end,
        dedupe_key="once", head=b"To: ada@example.net\r\nMessage-ID: <old@example.org>\r\n",
    )  # fmt: skip

    job = answer(database, "resend", id=mail)

    copy = mail_of(database, job.answer["id"])
    assert (copy.state, copy.kind, copy.priority, copy.expires_at) == ("queued", "code", 1, end)
    assert (copy.recipient, copy.dedupe_key) == (mail_of(database, mail).recipient, None)
    assert mail_of(database, mail).state == "sent"
    with database.engine("owner").connect() as connection:
        raw = connection.scalar(text("SELECT content FROM mail_bodies ORDER BY id DESC LIMIT 1"))
    message = message_from_bytes(bytes(raw), policy=policy.default)
    assert message["Message-ID"] == copy.message_id != "<old@example.org>"
    assert message.get_content().startswith("hello")


def test_resend_refuses_what_must_not_arrive_twice(database: Database) -> None:
    mail = put_mail(database, state="sent", done_at=ago(hours=1), when_unsure="hold")

    job = answer(database, "resend", id=mail)

    assert "must not arrive twice" in job.answer["error"]
    assert mail_of(database, mail + 1) is None


def test_pause_holds_mail_back_until_resume(database: Database) -> None:
    paused = answer(database, "pause", kind="news", reason="a wrong text")
    held = gates(database)
    resumed = answer(database, "resume", kind="news")

    assert (paused.state, resumed.state) == ("done", "done")
    assert held["pause:news"].reason == "a wrong text"
    assert gates(database) == {}
    assert answer(database, "resume", kind="").answer == {"error": "all mail is not paused"}


def test_probe_has_a_gate_tried_at_once(database: Database) -> None:
    close_gate(database, "relay", next_probe_at=ahead(hours=1))

    assert answer(database, "probe", gate="relay").state == "done"
    assert gates(database)["relay"].next_probe_at < ahead(minutes=1)
    assert answer(database, "probe", gate="quota").answer == {"error": "the gate quota is open"}


def test_address_is_suppressed_and_let_through(database: Database) -> None:
    answer(database, "suppress", address="Ada@example.net", scope="*", reason="asked us to")
    with database.engine("owner").connect() as connection:
        listed = connection.execute(
            text("SELECT address, scope, reason FROM mail_suppressions")
        ).all()
    job = answer(database, "unsuppress", address="ada@example.net", scope="*")

    assert [tuple(row) for row in listed] == [("ada@example.net", "*", "asked us to")]
    assert (job.state, job.answer["ended"]) == ("done", 1)
    assert (
        "was not suppressed"
        in answer(database, "unsuppress", address="ada@example.net").answer["error"]
    )
    assert "not an address" in answer(database, "suppress", address="ada").answer["error"]


def test_preview_is_what_the_mail_says_and_is_forgotten_after_an_hour(database: Database) -> None:
    mail = put_mail(database)

    job = answer(database, "preview", id=mail)

    assert job.answer["text"].startswith("hello")
    assert ["X-Head", "yes"] in job.answer["headers"]
    do(database, f"UPDATE jobs SET asked_at = now() - interval '61 minutes' WHERE id = {job.id}")
    eventually(lambda: "error" in job_of(database, job.id).answer, seconds=10)
    assert "text" not in job_of(database, job.id).answer


def test_preview_takes_what_the_database_would_not(database: Database) -> None:
    body = put_body(database)
    do(
        database,
        f"UPDATE mail_bodies SET content = '\\x5375626a6563743a20780d0a0d0a610062' WHERE id = {body}",
    )

    job = answer(database, "preview", id=put_mail(database, body_id=body, head=b""))

    assert job.answer["text"] == "a\ufffdb"


@pytest.mark.parametrize(
    ("verb", "arguments", "error"),
    [
        ("fly", {}, "this mailer can't 'fly'; is it older than the web?"),
        ("retry", {}, "retry was asked without 'ids'"),
        ("retry", {"ids": [2**70]}, "the database says: "),
        ("retry", {"ids": ["x"]}, "something went wrong that nobody foresaw"),
    ],
)
def test_what_can_not_be_done_fails_and_the_next_is_done(
    database: Database, verb: str, arguments: dict[str, object], error: str
) -> None:
    job = answer(database, verb, **arguments)

    assert job.state == "failed"
    assert job.answer["error"].startswith(error)
    assert answer(database, "pause", kind="", reason="x").state == "done"
