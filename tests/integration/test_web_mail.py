"""Mail in the database: there when its transaction is, once, and never half."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from select import select
from typing import Any

import psycopg2
import pytest
from flask import Flask
from flask_mail import Message
from sqlalchemy import make_url, text
from sqlalchemy.orm import Session

from common.outbox import CHANNEL, LETTERS_AT_ONCE, BadMailError
from tests.integration.postgres import Database
from tests.waiting import eventually
from tests.web_app import an_app
from web.mail import mail
from web.mail.kinds import CONFIRM, NOTICE
from web.mail.mail import Reader

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
ADA, BOB = "ada@example.org", "bob@example.org"


@pytest.fixture(scope="module")
def app() -> Flask:
    return an_app()


@pytest.fixture(autouse=True)
def request_context(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        yield


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with Session(database.engine("web")) as opened:
        yield opened


def rows(database: Database, table: str = "outbox") -> list[Any]:
    with database.engine("owner").connect() as connection:
        return list(connection.execute(text(f"SELECT * FROM {table} ORDER BY id")))


def hello(*recipients: str) -> Message:
    return Message("Hello", [*recipients], "Hello")


def suppress(database: Database, address: str, scope: str) -> None:
    statement = text("INSERT INTO mail_suppressions VALUES (:address, :scope, 'test')")
    with database.engine("owner").begin() as connection:
        connection.execute(statement, {"address": address, "scope": scope})


def test_each_recipient_is_a_row_and_all_share_one_body(
    session: Session, database: Database
) -> None:
    number = mail.queue(session, hello(ADA, BOB), CONFIRM, now=NOON)
    session.commit()

    (body,) = rows(database, "mail_bodies")
    assert number == 2
    assert [(row.recipient, row.state, row.body_id) for row in rows(database)] == [
        (ADA, "queued", body.id),
        (BOB, "queued", body.id),
    ]
    assert bytes(body.content).endswith(b"\r\n\r\nHello\r\n")


def test_mail_that_is_rolled_back_leaves_nothing(session: Session, database: Database) -> None:
    mail.queue(session, hello(ADA), CONFIRM, now=NOON)
    session.rollback()

    assert rows(database) == rows(database, "mail_bodies") == []


def test_refused_mail_leaves_the_transaction_as_it_was(
    session: Session, database: Database
) -> None:
    mail.queue(session, hello(ADA), CONFIRM, now=NOON)
    with pytest.raises(BadMailError):
        mail.queue(session, hello(BOB, "nobody"), CONFIRM, now=NOON)
    session.commit()

    assert [row.recipient for row in rows(database)] == [ADA]


def test_kind_and_terms_are_in_the_row(session: Session, database: Database) -> None:
    later = NOON + timedelta(hours=1)
    mail.queue(session, hello(ADA), CONFIRM, now=NOON)
    mail.queue(session, hello(BOB), CONFIRM, now=NOON, send_after=later, dedupe_key="b")
    session.commit()

    ada, bob = rows(database)
    assert (ada.kind, ada.priority, ada.when_unsure) == ("confirm", 1, "resend")
    assert ada.expires_at == NOON + timedelta(hours=48)
    assert ada.due_at <= ada.created_at
    assert (bob.due_at, bob.expires_at) == (later, later + timedelta(hours=48))
    assert bob.dedupe_key == "b"


def test_one_mail_for_one_key(session: Session, database: Database) -> None:
    numbers = [
        mail.queue(session, hello(*to), CONFIRM, now=NOON, dedupe_key="day 1")
        for to in ([ADA], [ADA], [ADA, BOB])
    ]
    session.commit()

    assert numbers == [1, 0, 1]
    assert [row.recipient for row in rows(database)] == [ADA, BOB]
    assert len(rows(database, "mail_bodies")) == 2


def test_key_is_free_again_once_the_mail_has_failed(session: Session, database: Database) -> None:
    mail.queue(session, hello(ADA), CONFIRM, now=NOON, dedupe_key="day 1")
    session.commit()
    with database.engine("owner").begin() as connection:
        connection.execute(text("UPDATE outbox SET state = 'dead'"))

    assert mail.queue(session, hello(ADA), CONFIRM, now=NOON, dedupe_key="day 1") == 1


def test_two_transactions_at_once_make_one_mail_for_one_key(
    app: Flask, session: Session, database: Database
) -> None:
    def second() -> int:
        with app.test_request_context(), Session(database.engine("web")) as another:
            number = mail.queue(another, hello(ADA), CONFIRM, now=NOON, dedupe_key="day 1")
            another.commit()
        return number

    with ThreadPoolExecutor(1) as pool:
        first = mail.queue(session, hello(ADA), CONFIRM, now=NOON, dedupe_key="day 1")
        waiting = pool.submit(second)
        eventually(lambda: waits_for_a_lock(database), 30, "the second waits for the first")
        session.commit()

        assert [first, waiting.result()] == [1, 0]
    assert len(rows(database)) == 1


def test_second_transaction_queues_it_when_the_first_gives_up(
    app: Flask, session: Session, database: Database
) -> None:
    def second() -> int:
        with app.test_request_context(), Session(database.engine("web")) as another:
            number = mail.queue(another, hello(ADA), CONFIRM, now=NOON, dedupe_key="day 1")
            another.commit()
        return number

    with ThreadPoolExecutor(1) as pool:
        mail.queue(session, hello(ADA), CONFIRM, now=NOON, dedupe_key="day 1")
        waiting = pool.submit(second)
        eventually(lambda: waits_for_a_lock(database), 30, "the second waits for the first")
        session.rollback()

        assert waiting.result() == 1
    assert len(rows(database)) == 1


def waits_for_a_lock(database: Database) -> bool:
    with database.engine("owner").connect() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def test_mailer_is_woken_by_the_commit_and_not_before(session: Session, database: Database) -> None:
    listener = psycopg2.connect(
        make_url(database.url("mailer")).render_as_string(False).replace("+psycopg2", "")
    )
    listener.autocommit = True
    with listener.cursor() as cursor:
        cursor.execute(f"LISTEN {CHANNEL}")

        mail.queue(session, hello(ADA), CONFIRM, now=NOON)
        cursor.execute("SELECT 1")  # would bring what has been notified already
        before = list(listener.notifies)
        session.commit()
        readable, _, _ = select([listener], [], [], 10)
        listener.poll()

    assert before == []
    assert readable
    assert [one.channel for one in listener.notifies] == [CHANNEL]
    listener.close()


def test_bulk_mail_shares_one_body_over_all_portions(session: Session, database: Database) -> None:
    readers = [Reader(n, f"reader-{n}@example.org") for n in range(LETTERS_AT_ONCE + 10)]

    number = mail.queue_each(session, Message("Hello", body="Hello"), NOTICE, readers, now=NOON)
    session.commit()

    mails = rows(database)
    (body,) = rows(database, "mail_bodies")
    assert number == len(mails) == len(readers)
    assert {row.body_id for row in mails} == {body.id}
    assert len({row.message_id for row in mails}) == len({bytes(row.head) for row in mails})
    assert {row.priority for row in mails} == {9}
    assert {row.expires_at for row in mails} == {NOON + timedelta(days=1)}


def test_bulk_mail_leaves_out_who_gets_no_more_of_its_kind(
    session: Session, database: Database
) -> None:
    suppress(database, ADA, "notice")
    suppress(database, BOB, "*")
    suppress(database, "carol@example.org", "another kind")
    readers = [Reader(n, f"{name}@example.org") for n, name in enumerate(["Ada", "bob", "carol"])]

    number = mail.queue_each(session, Message("Hello", body="Hello"), NOTICE, readers, now=NOON)
    session.commit()

    assert number == 1
    assert [row.recipient for row in rows(database)] == ["carol@example.org"]


def test_bulk_mail_that_nobody_gets_leaves_no_body(session: Session, database: Database) -> None:
    suppress(database, ADA, "notice")

    for readers in ([Reader(1, ADA)], []):
        assert mail.queue_each(session, Message("Hi", body=""), NOTICE, readers, now=NOON) == 0
    session.commit()

    assert rows(database, "mail_bodies") == []


def test_other_mail_is_queued_for_the_mailer_to_close(session: Session, database: Database) -> None:
    suppress(database, ADA, "*")

    assert mail.queue(session, hello(ADA), CONFIRM, now=NOON) == 1


def test_mail_is_queued_also_where_flask_mail_would_be_silent(database: Database) -> None:
    app = an_app(database_url=database.url("web"))
    app.testing = True  # Flask-Mail sends nothing then, and says nothing
    with app.test_request_context(), Session(database.engine("web")) as session:
        mail.queue(session, hello(ADA), CONFIRM, now=NOON)
        session.commit()

    assert len(rows(database)) == 1
