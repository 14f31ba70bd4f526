"""What a monitoring system is told."""

from contextlib import ExitStack, suppress

import pytest
from flask.testing import FlaskClient
from prometheus_client import REGISTRY, Metric
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Table, insert
from sqlalchemy.exc import OperationalError

from common.schema import backup_drills, backup_targets, backups
from tests.conftest import ROOT
from tests.integration.mails import ago, ahead, close_gate, living_mailer, put_mail
from tests.integration.postgres import Database
from tests.web_app import an_app
from web.extensions import db


@pytest.fixture
def client(database: Database) -> FlaskClient:
    return an_app(database_url=database.url("web"), ratelimit_default="1 per hour").test_client()


def families(client: FlaskClient) -> dict[str, Metric]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def values(client: FlaskClient, name: str) -> dict[tuple[str, ...], float]:
    """Return the metric's values by the values of its labels, in the order of their names."""
    samples = families(client)[name].samples
    return {tuple(sample.labels.values()): sample.value for sample in samples}


def test_waiting_mail_is_told_by_kind(client: FlaskClient, database: Database) -> None:
    put_mail(database, kind="code", due_at=ago(seconds=30), lease_by=7)
    put_mail(database, kind="code", due_at=ahead(hours=1), attempts=1)

    assert values(client, "keelson_mail_queued") == {("code",): 2}
    assert values(client, "keelson_mail_due") == {("code",): 1}
    assert values(client, "keelson_mail_in_hand") == {("code",): 1}
    oldest = values(client, "keelson_mail_oldest_due_seconds")
    assert oldest == {("code",): pytest.approx(30, abs=20)}
    retries = values(client, "keelson_mail_retries")
    assert (retries[("1800",)], retries[("7200",)], retries[("+Inf",)]) == (0, 1, 1)


def test_what_was_done_and_what_asks_for_attention_are_told(
    client: FlaskClient, database: Database
) -> None:
    put_mail(database, kind="code", state="dead", done_at=ago(days=3))
    done_at = ago(seconds=10)
    put_mail(
        database, state="sent", created_at=ago(seconds=12), due_at=ago(seconds=12), done_at=done_at
    )

    assert values(client, "keelson_mail_attention") == {("code", "dead"): 1}
    assert values(client, "keelson_mail_done_24h") == {("news", "sent"): 1}
    assert values(client, "keelson_mail_sent_per_second")[("60",)] == pytest.approx(1 / 60)
    accepted = values(client, "keelson_mail_accept_seconds")
    assert accepted == {(q,): pytest.approx(2, abs=0.5) for q in ("0.5", "0.95", "0.99")}


def test_gates_are_told_open_and_closed(client: FlaskClient, database: Database) -> None:
    close_gate(database, "relay", cause="login", since=ago(seconds=60))
    close_gate(database, "pause:news", cause="operator")

    closed = values(client, "keelson_mail_gate_closed")

    assert closed == {
        ("relay",): 1,
        ("quota",): 0,
        ("allowance",): 0,
        ("pause",): 0,
        ("pause:news",): 1,
    }
    since = values(client, "keelson_mail_gate_closed_seconds")
    assert since[("login", "relay")] == pytest.approx(60, abs=20)


@pytest.mark.parametrize("gate", ["pause", "pause:news"])
def test_alert_on_late_mail_can_leave_out_what_is_paused(
    client: FlaskClient, database: Database, gate: str
) -> None:
    put_mail(database, kind="news")
    put_mail(database, kind="code")
    close_gate(database, gate, cause="operator")
    close_gate(database, "relay")

    paused = values(client, "keelson_mail_paused")

    assert paused == {("news",): 1, ("code",): gate == "pause"}


def test_mailers_that_live_are_counted(client: FlaskClient, database: Database) -> None:
    assert values(client, "keelson_mail_mailers") == {(): 0}
    with living_mailer(database):
        assert values(client, "keelson_mail_mailers") == {(): 1}


def put(database: Database, table: Table, *rows: dict[str, object]) -> None:
    with database.engine("owner").begin() as connection:
        for row in rows:
            connection.execute(insert(table).values(row))


def test_age_of_the_last_proven_backup_and_the_runs_are_told(
    client: FlaskClient, database: Database
) -> None:
    assert values(client, "keelson_backup_age_seconds") == {}
    put(
        database,
        backups,
        {"id": "1", "state": "proven", "started_at": ago(hours=25)},
        {"id": "2", "state": "proven", "started_at": ago(hours=1)},
        {"id": "3", "state": "failed", "started_at": ago(seconds=5)},
        {"id": "4", "kind": "base", "state": "stored", "started_at": ago(seconds=5)},
    )

    assert values(client, "keelson_backup_age_seconds") == {(): pytest.approx(3600, abs=20)}
    assert values(client, "keelson_backup_runs") == {
        ("logical", "proven"): 2,
        ("logical", "failed"): 1,
        ("base", "stored"): 1,
    }


def test_targets_of_the_backups_are_told(client: FlaskClient, database: Database) -> None:
    known = {"location": "x", "seen_at": ago(seconds=1)}
    local = {"name": "local", "off_site": False, "bytes": 7, **known}
    full = {"bytes_limit": 100, "recoverable_until": ago(seconds=60), "trouble": "away"}
    put(database, backup_targets, local, {"name": "sftp", "off_site": True, **full, **known})

    assert values(client, "keelson_backup_target_up") == {("local",): 1, ("sftp",): 0}
    assert values(client, "keelson_backup_bytes") == {("local",): 7}
    assert values(client, "keelson_backup_bytes_limit") == {("sftp",): 100}
    behind = values(client, "keelson_backup_log_age_seconds")
    assert behind == {("true", "sftp"): pytest.approx(60, abs=20)}


def test_the_last_drills_are_told(client: FlaskClient, database: Database) -> None:
    def drill(number: int, kind: str, passed: bool, hours: int) -> dict[str, object]:
        times = {"started_at": ago(hours=hours), "finished_at": ago(hours=hours)}
        ids = {"id": str(number), "kind": kind, "target": "local"}
        return {**ids, **times, "passed": passed, "detail": ""}

    put(
        database,
        backup_drills,
        drill(1, "read", passed=False, hours=9),
        drill(2, "read", passed=True, hours=1),
        drill(3, "instant", passed=False, hours=1),
    )

    passed = values(client, "keelson_backup_drill_passed")
    assert passed == {("read", "local"): 1, ("instant", "local"): 0}
    age = values(client, "keelson_backup_drill_age_seconds")
    assert age[("read", "local")] == pytest.approx(3600, abs=20)


def test_database_that_is_away_is_told_and_nothing_of_its_mail() -> None:
    client = an_app().test_client()

    assert values(client, "keelson_database_up") == {(): 0}
    told = families(client)
    assert not [name for name in told if name.startswith(("keelson_mail", "keelson_backup"))]
    assert "keelson_http_request_seconds" in told


def test_database_that_answers_is_up(client: FlaskClient) -> None:
    assert values(client, "keelson_database_up") == {(): 1}


def requests(client: FlaskClient, route: str, method: str, status: str) -> float:
    """Return how many such requests were answered."""
    samples = families(client)["keelson_http_request_seconds"].samples
    labels = {"route": route, "method": method, "status": status}
    return sum(s.value for s in samples if s.name.endswith("_count") and s.labels == labels)


def test_requests_are_counted_by_route_method_and_status(database: Database) -> None:
    client = an_app(database_url=database.url("web")).test_client()
    asked = [
        ("subscribe.asked", "GET", "2xx"),
        ("unknown", "other", "4xx"),
        ("subscribe.form", "HEAD", "2xx"),
    ]
    before = [requests(client, *labels) for labels in asked]

    client.get("/subscribe/asked")
    client.open("/nowhere", method="BREW")
    client.head("/subscribe")

    assert [requests(client, *labels) for labels in asked] == [number + 1 for number in before]


def test_duration_of_requests_is_told(client: FlaskClient) -> None:
    client.get("/healthz")

    samples = families(client)["keelson_http_request_seconds"].samples
    edges = {
        s.labels["le"]
        for s in samples
        if s.labels.get("route") == "health.healthz" and "le" in s.labels
    }
    assert {"0.005", "0.1", "1.0", "+Inf"} <= edges
    assert not [s for s in samples if s.name.endswith("_created")]


def test_breaches_of_limits_are_told(client: FlaskClient) -> None:
    labels = {"route": "subscribe.form", "rule": "site"}

    def told() -> float:
        samples = families(client)["keelson_rate_limit_breaches"].samples
        return sum(sample.value for sample in samples if sample.labels == labels)

    before = told()
    for _ in range(3):
        client.get("/subscribe")

    assert told() == before + 2


def test_pool_is_told_as_it_is(database: Database) -> None:
    given = {"db_pool_size": 2, "db_max_overflow": 3}
    app = an_app(database_url=database.url("web"), **given)

    def told() -> tuple[float, ...]:
        names = ("size", "most", "open", "in_use", "overflow")
        values = [REGISTRY.get_sample_value(f"keelson_database_pool_{name}") for name in names]
        return tuple(value for value in values if value is not None)

    assert told()[:2] == (2, 5)
    with app.app_context(), ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(db.engine.connect())
        assert told() == (2, 5, 4, 4, 2)
    assert told() == (2, 5, 2, 0, 0)
    with app.app_context():
        db.engine.dispose()
    assert told() == (2, 5, 0, 0, 0)


def test_connection_that_broke_is_not_counted_for_ever(database: Database) -> None:
    app = an_app(database_url=database.url("web"))
    with app.app_context(), db.engine.connect() as connection:
        connection.invalidate()

    assert REGISTRY.get_sample_value("keelson_database_pool_open") == 0
    assert REGISTRY.get_sample_value("keelson_database_pool_in_use") == 0


def test_database_that_is_away_is_no_connection() -> None:
    app = an_app()
    with app.app_context(), suppress(OperationalError):
        db.engine.connect()

    assert REGISTRY.get_sample_value("keelson_database_pool_open") == 0
    assert REGISTRY.get_sample_value("keelson_database_pool_in_use") == 0


def test_asking_costs_no_session_and_is_not_limited(client: FlaskClient) -> None:
    answers = [client.get("/metrics") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert not any("Set-Cookie" in answer.headers for answer in answers)


def test_every_metric_is_in_the_runbook(client: FlaskClient) -> None:
    runbook = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

    told = set(families(client))

    assert len(told) > 10
    assert [name for name in sorted(told) if f"`{name}" not in runbook] == []
