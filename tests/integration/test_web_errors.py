"""Our own mistakes, as PostgreSQL finds them."""

import pytest
from sqlalchemy import text

from tests.integration.postgres import Database
from tests.web_app import an_app
from web.extensions import db

ADA = "ada@example.org"


def test_wrong_statement_is_a_page_and_a_traceback_without_what_was_typed(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> str:
        statement = text("SELECT nothing FROM subscribers WHERE email = :email")
        return str(db.session.scalar(statement, {"email": ADA}))

    app = an_app(database_url=database.url("web"))
    app.add_url_rule("/broken", "broken", broken)

    answer = app.test_client().get("/broken")

    assert answer.status_code == 500
    assert "has been logged" in answer.text
    assert "psycopg2.errors.UndefinedColumn" in caplog.text
    assert "Traceback" in caplog.text
    assert ADA not in caplog.text
