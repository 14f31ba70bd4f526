"""Query results against the database: kept, and read again once a write is committed."""

import pytest
from flask import Flask
from sqlalchemy import text

from tests.integration.postgres import Database
from tests.web_app import an_app
from web.caching.data import remember
from web.caching.tags import invalidate_after_commit
from web.extensions import db

INSERT = text(
    "INSERT INTO subscribers (email, token_hash, token_expires_at) VALUES (:email, :email, now())"
)


@pytest.fixture
def app(database: Database) -> Flask:
    return an_app(database_url=database.url("web"))


def addresses() -> list[str]:
    return list(db.session.scalars(text("SELECT email FROM subscribers ORDER BY email")))


def remembered() -> list[str]:
    return remember("addresses", list[str], addresses, fresh_seconds=3600, on=("subscribers",))


def add(email: str) -> None:
    db.session.execute(INSERT, {"email": email})
    invalidate_after_commit(db.session, "subscribers")


def test_write_shows_once_it_is_committed_and_not_before(app: Flask, database: Database) -> None:
    with app.app_context():
        at_first = remembered()
        with database.engine("owner").begin() as connection:
            connection.execute(INSERT, {"email": "bob@example.org"})  # past us
        kept = remembered()
        add("ada@example.org")
        uncommitted = remembered()
        db.session.commit()
        committed = remembered()

    assert (at_first, kept, uncommitted) == ([], [], [])
    assert committed == ["ada@example.org", "bob@example.org"]


def test_write_that_is_rolled_back_costs_no_query(app: Flask, database: Database) -> None:
    with app.app_context():
        remembered()
        add("ada@example.org")
        db.session.rollback()
        with database.engine("owner").begin() as connection:
            connection.execute(
                INSERT, {"email": "bob@example.org"}
            )  # which only a query would show

        assert remembered() == []


def test_writes_own_request_may_fail_without_the_next_one_seeing_what_it_read(app: Flask) -> None:
    def overtaken() -> list[str]:
        found = addresses()
        add("ada@example.org")
        db.session.commit()  # somebody's, while we compute
        return found

    with app.app_context():
        old = remember("addresses", list[str], overtaken, on=("subscribers",))

        assert old == []
        assert remembered() == ["ada@example.org"]
