"""The console's pages of the database and the configuration."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from common.schema import HEAD
from tests.integration.account_site import Site
from tests.integration.postgres import Database
from tests.waiting import eventually
from tests.web_app import SECRET_KEY

BOSS = "boss@example.org"
PAGE = "/console/database"
SLEEPS = text("SELECT pg_sleep(60), 'a secret' AS told")
UNDER_WAY = text(
    "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"
)


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


@pytest.fixture
def boss(site: Site) -> FlaskClient:
    return site.signed_in(BOSS, "operator")


@contextmanager
def sleeping(database: Database, part: str) -> Iterator[None]:
    """Have a statement under way in the role of this part."""

    def sleep() -> None:
        with database.engine(part).connect() as connection, pytest.raises(DBAPIError):
            connection.execute(SLEEPS)

    def pids() -> list[int]:
        with database.engine(part).connect() as connection:
            return list(connection.scalars(UNDER_WAY))

    thread = Thread(target=sleep)
    thread.start()
    try:
        eventually(pids)
        yield
    finally:
        with database.engine(part).connect() as connection:
            for pid in pids():
                connection.execute(text("SELECT pg_cancel_backend(:pid)"), {"pid": pid})
        thread.join(30)


def test_page_shows_connections_with_their_tls_sizes_and_the_schema(boss: FlaskClient) -> None:
    page = boss.get(PAGE).text

    assert "TLSv1.3" in page
    assert "<strong>none</strong>" not in page
    assert f"<td>{HEAD}, which is what web needs</td>" in page
    assert '<th scope="row">outbox</th>' in page
    assert "of 30, this page" in page
    assert "Nothing but this question." in page


def test_statement_that_takes_long_is_shown_without_its_values(
    database: Database, boss: FlaskClient
) -> None:
    with sleeping(database, "web"):
        page = boss.get(PAGE).text

    assert "SELECT pg_sleep(?), ? AS told" in page
    assert "a secret" not in page


def test_statements_of_other_roles_are_not_shown(database: Database, boss: FlaskClient) -> None:
    with sleeping(database, "mailer"):
        page = boss.get(PAGE).text

    assert "pg_sleep" not in page
    assert "keelson_mailer" in page


def test_no_secret_is_among_the_settings(site: Site, boss: FlaskClient) -> None:
    page = boss.get("/console/configuration").text

    assert f"set, {len(SECRET_KEY)} characters" in page
    assert SECRET_KEY not in page
    assert site.database.password("web") not in page
    assert "BASE_URL: http://localhost:8000 is not https" in page
