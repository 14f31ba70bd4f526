"""A mailer's life in the database: how it proves it, and how others see that it is over."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from mailer.delivery import session as session_module
from mailer.delivery.session import Session, SessionLostError
from mailer.stop import Stop
from tests.integration.postgres import Database
from tests.integration.smtp_server import queue_mail
from tests.waiting import eventually

ALICE = "alice@example.net"


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """One life, with the mailer's role."""
    session = Session(database.engine("mailer"))
    yield session
    session.close()


@pytest.fixture
def stop() -> Iterator[Stop]:
    """What ends a wait."""
    stop = Stop()
    yield stop
    stop.close()


def do(database: Database, statement: str) -> None:
    with database.engine("owner").begin() as connection:
        connection.execute(text(statement))


def cut_off(database: Database, session: Session) -> None:
    driver = session.connection.connection.driver_connection
    assert driver is not None
    do(database, f"SELECT pg_terminate_backend({driver.info.backend_pid})")


def test_mailers_see_that_the_others_live(database: Database, session: Session) -> None:
    other = Session(database.engine("mailer"))

    assert session.leases().keys() == other.leases().keys() == {session.number, other.number}

    other.leave()


def test_mailer_that_left_is_seen_no_more(database: Database, session: Session) -> None:
    Session(database.engine("mailer")).leave()

    assert session.leases().keys() == {session.number}


def test_mailer_that_was_cut_off_is_dead_at_once(database: Database, session: Session) -> None:
    other = Session(database.engine("mailer"))

    cut_off(database, other)

    eventually(lambda: session.leases().keys() == {session.number}, 10)
    other.close()


def test_others_see_each_renewal(session: Session) -> None:
    before = session.leases()[session.number]

    session.renew()

    assert session.leases()[session.number] > before


def test_nothing_is_sent_after_a_lease_that_was_not_renewed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "LEASE_SECONDS", 0.1)
    session = Session(database.engine("mailer"))
    time.sleep(0.2)  # the lease itself is what is awaited

    with pytest.raises(SessionLostError):
        session.check()
    with pytest.raises(SessionLostError):
        session.renew()

    session.close()


def test_nothing_is_sent_after_the_end(session: Session) -> None:
    session.check()

    session.close()

    with pytest.raises(SessionLostError):
        session.check()


def test_database_that_was_restored_ends_the_life(database: Database, session: Session) -> None:
    do(database, "DELETE FROM mailers")

    with pytest.raises(SessionLostError, match="no longer knows this mailer"):
        session.renew()


def test_new_mail_ends_the_wait(database: Database, session: Session, stop: Stop) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(session.wait, stop, 60)
        queue_mail(database, ALICE)
        waiting.result(timeout=10)


def test_mail_that_came_during_a_statement_ends_the_next_wait(
    database: Database, session: Session, stop: Stop
) -> None:
    queue_mail(database, ALICE)
    session.leases()

    started = time.monotonic()
    session.wait(stop, 60)

    assert time.monotonic() - started < 10


def test_mail_that_was_heard_of_does_not_wake_twice(
    database: Database, session: Session, stop: Stop
) -> None:
    queue_mail(database, ALICE)
    session.wait(stop, 60)

    started = time.monotonic()
    session.wait(stop, 0.3)

    assert time.monotonic() - started >= 0.3


def test_being_told_to_stop_ends_the_wait(session: Session, stop: Stop) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(session.wait, stop, 60)
        stop.set()
        waiting.result(timeout=10)
