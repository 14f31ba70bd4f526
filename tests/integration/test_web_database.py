"""What the database may do to a request, and what the request makes of it."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from tests.integration.postgres import Database
from tests.web_app import an_app, some_settings
from web.extensions import db
from web.models import Subscriber
from web.server import Server

ADA = "ada@example.org"
HASH = bytes(32)


@pytest.fixture
def app(database: Database) -> Flask:
    """The application with one connection, so that each request gets the one of the last."""
    return an_app(
        database_url=database.url("web"),
        ratelimit_enabled=False,
        cache_type="NullCache",
        db_pool_size=1,
        db_max_overflow=0,
    )


def shown(name: str) -> str:
    return str(db.session.scalar(text(f"SHOW {name}")))


def subscribe() -> None:
    """Write a row, in the transaction of this request."""
    values = {"email": ADA, "token_hash": HASH, "token_expires_at": text("now()")}
    db.session.execute(insert(Subscriber).values(values))


def sleep_too_long() -> str:
    """Wait in the database for longer than a statement may take here."""
    db.session.execute(text("SET LOCAL statement_timeout = '50ms'"))
    return str(db.session.scalar(text("SELECT pg_sleep(60) WHERE :email <> ''"), {"email": ADA}))


def end_own_connection(database: Database) -> None:
    """Have the database end the connection of this request."""
    process = db.session.scalar(text("SELECT pg_backend_pid()"))
    with database.engine("owner").begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": process})


def subscribers(database: Database) -> int:
    with database.engine("owner").connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM subscribers")) or 0)


def test_no_statement_of_a_request_takes_longer_than_ten_seconds(app: Flask) -> None:
    with app.app_context():
        assert shown("statement_timeout") == "10s"


def test_connection_notices_a_server_that_is_gone(app: Flask) -> None:
    with app.app_context():
        connection: Any = db.session.connection().connection.driver_connection
        told = connection.get_dsn_parameters()

    names = ("connect_timeout", "keepalives_idle", "keepalives_interval", "keepalives_count")
    assert [told[name] for name in names] == ["5", "10", "5", "3"]
    assert told["tcp_user_timeout"] == "20000"


@pytest.mark.parametrize(
    ("path", "mimetype"),
    [("/slow", "text/html"), ("/api/slow", "application/problem+json")],
)
def test_statement_that_takes_too_long_is_a_503_and_one_line(
    app: Flask, path: str, mimetype: str
) -> None:
    app.add_url_rule(path, "slow", sleep_too_long)
    client = app.test_client()

    with capture_logs() as lines:
        answer = client.get(path)

    assert (answer.status_code, answer.mimetype) == (503, mimetype)
    assert answer.headers["Retry-After"] == "5"
    assert "takes too long" in answer.text
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert line["event"] == "query cancelled"
    assert line["reason"] == "canceling statement due to statement timeout"
    assert line["statement"].startswith("SELECT pg_sleep(60)")
    assert ADA not in str(lines)


def test_next_request_has_its_own_time_and_works(app: Flask) -> None:
    app.add_url_rule("/slow", "slow", sleep_too_long)
    app.add_url_rule("/time", "time", lambda: shown("statement_timeout"))
    client = app.test_client()
    client.get("/slow")

    answers = [client.get("/time"), client.get("/api/v1/status")]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].text == "10s"


def test_request_that_took_too_long_has_written_nothing(app: Flask, database: Database) -> None:
    def write_and_wait() -> str:
        subscribe()
        return sleep_too_long()

    app.add_url_rule("/write", "write", write_and_wait)

    answer = app.test_client().get("/write")

    assert (answer.status_code, subscribers(database)) == (503, 0)


def test_connection_that_breaks_amid_a_transaction_is_a_503_and_leaves_nothing(
    app: Flask, database: Database
) -> None:
    def write_and_break() -> str:
        subscribe()
        end_own_connection(database)
        subscribe()
        return "written"

    app.add_url_rule("/write", "write", write_and_break)
    client = app.test_client()

    with capture_logs() as lines:
        broken = client.get("/write")
    again = client.get("/api/v1/status")

    assert (broken.status_code, broken.headers["Retry-After"]) == (503, "5")
    assert again.status_code == 200
    assert subscribers(database) == 0
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["database away"]


def test_view_that_goes_on_after_a_break_harms_no_later_request(
    app: Flask, database: Database
) -> None:
    def go_on() -> str:
        end_own_connection(database)
        try:
            subscribe()
        except DBAPIError:
            return "went on"
        return "unbroken"

    app.add_url_rule("/write", "write", go_on)
    client = app.test_client()

    answers = [client.get("/write"), client.get("/write"), client.get("/api/v1/status")]

    assert [answer.text for answer in answers[:2]] == ["went on", "went on"]
    assert answers[2].status_code == 200


def test_commit_on_a_broken_connection_is_no_success(app: Flask, database: Database) -> None:
    def commit_in_vain() -> str:
        subscribe()
        end_own_connection(database)
        db.session.commit()
        return "written"

    app.add_url_rule("/write", "write", commit_in_vain)

    answer = app.test_client().get("/write")

    assert (answer.status_code, subscribers(database)) == (503, 0)


def test_waiting_for_a_row_that_somebody_holds_ends_too(app: Flask, database: Database) -> None:
    def wait_for_the_table() -> str:
        db.session.execute(text("SET LOCAL statement_timeout = '100ms'"))
        subscribe()
        return "written"

    app.add_url_rule("/write", "write", wait_for_the_table)

    with database.engine("owner").begin() as holder:
        holder.execute(text("LOCK TABLE subscribers"))
        answer = app.test_client().get("/write")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_used_up_pool_is_a_problem_under_the_api_with_one_line(database: Database) -> None:
    app = an_app(
        database_url=database.url("web"), db_pool_size=1, db_max_overflow=0, db_pool_timeout=1
    )
    with app.app_context():
        engine = db.engine

    with engine.connect(), capture_logs() as lines:
        answer = app.test_client().get("/api/v1/status")

    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.headers["Retry-After"] == "5"
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["database away"]
    assert app.test_client().get("/api/v1/status").status_code == 200


def test_connection_of_web_is_verified_and_of_the_newest_tls(app: Flask) -> None:
    statement = text("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")

    with app.app_context():
        assert db.session.scalar(statement) == "TLSv1.3"
        assert db.engine.url.query["sslmode"] == "verify-full"
        assert db.engine.dialect.driver == "psycopg2"


def test_server_builds_its_application_after_the_fork(database: Database) -> None:
    server = Server(some_settings(database_url=database.url("web")))

    assert (
        server.cfg.preload_app is False
    )  # a connection that two processes share is broken by both
