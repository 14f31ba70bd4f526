"""The public page and its JSON, against what the parts really write."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, text, update

from common.outbox import Handling, Letter, enqueue
from common.presence import record
from common.schema import HEAD, backups, heartbeats, outbox
from tests.integration.measurements import put_minute
from tests.integration.postgres import Database
from tests.web_app import an_app, send_form


@pytest.fixture
def client(database: Database) -> FlaskClient:
    return an_app(database_url=database.url("web")).test_client()


def beat(database: Database, part: str, trouble: str | None = None) -> None:
    with database.engine("owner").begin() as connection:
        record(connection, part, datetime.now(UTC), trouble)


def prove_a_backup(database: Database) -> None:
    now = datetime.now(UTC)
    run = {"id": "1", "state": "proven", "started_at": now, "finished_at": now}
    with database.engine("owner").begin() as connection:
        connection.execute(insert(backups).values(run))


def states(client: FlaskClient) -> dict[str, str]:
    answer = client.get("/api/v1/status")
    assert answer.status_code == 200
    assert answer.json
    return {part["name"]: part["state"] for part in answer.json["parts"]}


def test_all_parts_work(client: FlaskClient, database: Database) -> None:
    beat(database, "mailer")
    beat(database, "backup")
    prove_a_backup(database)
    for part in ("Edge", "Sessions"):
        put_minute(database, part, datetime.now(UTC))

    page = client.get("/")

    assert page.status_code == 200
    assert "All parts work" in page.text
    assert set(states(client).values()) == {"up"}


def test_a_later_base_backup_hides_no_failed_dump(client: FlaskClient, database: Database) -> None:
    beat(database, "backup")
    prove_a_backup(database)
    later = datetime.now(UTC) + timedelta(seconds=1)
    with database.engine("owner").begin() as connection:
        for kind, state in (("logical", "failed"), ("base", "stored")):
            later += timedelta(seconds=1)
            run = {"id": kind, "kind": kind, "state": state, "started_at": later}
            connection.execute(insert(backups).values(run))

    assert states(client)["Backup"] == "degraded"


def page_in_production(database: Database) -> str:
    app = an_app(
        app_env="production",
        base_url="https://status.example.org",
        cors_origins="https://status.example.org",
        database_url=database.url("web"),
    )
    return app.test_client().get("/").text


def test_page_shows_what_is_wrong_and_the_reason_to_developers_alone(
    client: FlaskClient, database: Database
) -> None:
    beat(database, "mailer", trouble="535 5.7.8 from smtp.internal: login refused")
    beat(database, "backup")
    send_form(client, "/subscribe", email="ada@example.org")

    page = client.get("/")

    assert "Some parts need attention" in page.text
    assert "1 waiting; nothing is lost." in page.text
    assert "535" not in page_in_production(database)
    assert "535 5.7.8 from smtp.internal: login refused" in page.text  # a developer can mend it
    assert states(client) == {
        "Website": "up",
        "Edge": "unknown",
        "Database": "up",
        "Mail": "degraded",
        "Backup": "degraded",
        "Sessions": "unknown",
    }


def wait_in_the_outbox(database: Database, *, days_old: int, due_in: timedelta) -> None:
    now = datetime.now(UTC)
    with database.engine("owner").begin() as connection:
        enqueue(
            connection,
            Handling(kind="confirm"),
            sender="keelson@example.org",
            subject="Hello",
            content=b"",
            letters=[Letter("ada@example.org", "<1@example.org>")],
        )
        times = {"created_at": now - timedelta(days=days_old), "due_at": now + due_in}
        connection.execute(update(outbox).values(times))


@pytest.mark.parametrize(
    ("due_in", "state"),
    [
        pytest.param(timedelta(hours=4), "up", id="its next try is later, say a full mailbox"),
        pytest.param(timedelta(minutes=-4), "up", id="due, and its turn comes"),
        pytest.param(timedelta(minutes=-6), "degraded", id="due, and nobody takes it"),
    ],
)
def test_mail_is_late_once_it_is_due_whatever_its_age(
    client: FlaskClient, database: Database, due_in: timedelta, state: str
) -> None:
    beat(database, "mailer")
    wait_in_the_outbox(database, days_old=3, due_in=due_in)

    assert states(client)["Mail"] == state


def test_mail_that_a_mailer_has_taken_is_not_late(client: FlaskClient, database: Database) -> None:
    beat(database, "mailer")
    wait_in_the_outbox(database, days_old=3, due_in=timedelta(hours=-1))
    with database.engine("owner").begin() as connection:
        connection.execute(update(outbox).values(lease_by=1))

    assert states(client)["Mail"] == "up"


def test_part_that_is_not_seen_is_down(client: FlaskClient, database: Database) -> None:
    beat(database, "mailer")
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    with database.engine("owner").begin() as connection:
        connection.execute(update(heartbeats).values(beat_at=an_hour_ago))

    assert states(client)["Mail"] == "down"


def test_data_is_read_once_in_a_while(client: FlaskClient, database: Database) -> None:
    before = states(client)
    beat(database, "mailer")

    assert states(client) == before
    assert states(an_app(database_url=database.url("web")).test_client()) != before


def test_page_is_the_same_for_all_and_may_be_kept_a_moment(client: FlaskClient) -> None:
    client.get("/subscribe")

    page = client.get("/")

    assert page.headers["Cache-Control"] == "public, max-age=5"
    assert "Set-Cookie" not in page.headers
    assert "Cookie" not in page.headers.get("Vary", "")


def test_page_says_as_of_when_its_facts_are(client: FlaskClient) -> None:
    before = datetime.now(UTC).replace(microsecond=0)

    pages = [client.get("/").text for _ in range(2)]

    told = [re.search(r'<time datetime="([^"]+)"', page) for page in pages]
    (at,) = {datetime.fromisoformat(found.group(1)) for found in told if found}
    assert before <= at <= datetime.now(UTC)


def test_browser_that_has_the_page_is_told_so(client: FlaskClient) -> None:
    page = client.get("/")

    told = client.get("/", headers={"If-None-Match": page.headers["ETag"]})

    assert (told.status_code, told.data) == (304, b"")
    assert told.headers["Cache-Control"] == "public, max-age=5"


def test_head_is_the_page_without_its_text(client: FlaskClient) -> None:
    page, head = client.get("/"), client.head("/")

    assert (head.status_code, head.data) == (200, b"")
    for name in ("Content-Type", "Content-Length", "Cache-Control"):
        assert head.headers[name] == page.headers[name]


def test_ready_where_database_schema_and_sessions_are(client: FlaskClient) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json
    assert answer.json["ready"] is True


@pytest.fixture
def newer_schema(database: Database) -> Iterator[None]:
    """Another revision, for the time of one test: this table is not emptied after it."""
    statement = text("UPDATE alembic_version SET version_num = :revision")
    with database.engine("owner").begin() as connection:
        connection.execute(statement, {"revision": "9999"})
    yield
    with database.engine("owner").begin() as connection:
        connection.execute(statement, {"revision": HEAD})


@pytest.mark.usefixtures("newer_schema")
def test_not_ready_where_the_schema_is_another(client: FlaskClient) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json
    assert answer.json["checks"]["database"]["ok"] is True
    problem = answer.json["checks"]["schema"]["problem"]
    assert problem == f"at revision 9999, this code needs {HEAD}; run migrate"
