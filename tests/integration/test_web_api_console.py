"""What operators' programs are told, and may do."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from tests.integration.postgres import Database
from tests.integration.queries import counted
from tests.integration.web_people import let_people_in, somebody, token
from tests.web_app import SECRET_KEY, an_app

BOSS, ADA = "boss@example.org", "ada@example.org"
CONSOLE = "/api/v1/console"
PATHS = [
    f"{CONSOLE}/{name}"
    for name in (
        "overview",
        "people",
        "people/1",
        "people/sessions",
        "people/1/sessions",
        "invitations",
        "limits",
        "cache",
        "database",
        "configuration",
        "audit-log",
    )
]


@pytest.fixture
def app(database: Database) -> Flask:
    app = an_app(database_url=database.url("web"), ratelimit_enabled=False)
    let_people_in(app)
    return app


@pytest.fixture
def boss(app: Flask, database: Database) -> FlaskClient:
    found = somebody(app, BOSS)
    do(database, "UPDATE accounts SET role = 'operator'")
    return found


def do(database: Database, statement: str) -> None:
    with database.engine("owner").begin() as connection:
        connection.execute(text(statement))


def audited(database: Database) -> list[tuple[str, str]]:
    with database.engine("owner").connect() as connection:
        rows = connection.execute(text("SELECT action, subject FROM audit_entries ORDER BY id"))
        return [(row.action, row.subject) for row in rows]


@pytest.mark.parametrize("path", PATHS)
def test_operators_are_told_and_others_are_not(app: Flask, boss: FlaskClient, path: str) -> None:
    boss.get("/api/v1/me")  # it gets its new session here
    with counted(app) as sent:
        answer = boss.get(path)

    assert answer.status_code == 200, answer.text
    assert len(sent) <= 4
    assert somebody(app, ADA).get(path).status_code == 404
    assert app.test_client().get(path).status_code == 401


def test_secrets_are_not_told(boss: FlaskClient) -> None:
    answer = boss.get(f"{CONSOLE}/configuration")

    assert answer.json
    (key,) = [one for one in answer.json["settings"] if one["name"] == "SECRET_KEY"]
    assert key["value"] == f"set, {len(SECRET_KEY)} characters"
    assert SECRET_KEY not in answer.text


def test_somebody_is_locked_and_unlocked(app: Flask, database: Database, boss: FlaskClient) -> None:
    ada, headers = somebody(app, ADA), token(boss)

    locked = boss.post(f"{CONSOLE}/people/2/lock", headers=headers)
    told = boss.get(f"{CONSOLE}/people/2").json
    unlocked = boss.post(f"{CONSOLE}/people/2/unlock", headers=headers)

    assert (locked.status_code, unlocked.status_code) == (204, 204)
    assert told
    assert told["locked_at"]
    assert ada.get("/api/v1/me").status_code == 401
    assert audited(database) == [("account.lock", ADA), ("account.unlock", ADA)]


def test_own_account_is_not_locked(database: Database, boss: FlaskClient) -> None:
    answer = boss.post(f"{CONSOLE}/people/1/lock", headers=token(boss))

    assert answer.status_code == 409
    assert audited(database) == []


def test_sessions_are_ended_one_by_one_and_all(
    app: Flask, database: Database, boss: FlaskClient
) -> None:
    first, second, headers = somebody(app, ADA), somebody(app, ADA), token(boss)
    listed = boss.get(f"{CONSOLE}/people/2/sessions").json
    assert listed
    newest, oldest = (one["id"] for one in listed["items"])

    one = boss.delete(f"{CONSOLE}/people/2/sessions/{oldest}", headers=headers)
    again = boss.delete(f"{CONSOLE}/people/2/sessions/{oldest}", headers=headers)
    states = [each.get("/api/v1/me").status_code for each in (first, second)]
    everything = boss.delete(f"{CONSOLE}/people/2/sessions", headers=headers)

    assert newest > oldest
    assert (one.status_code, again.status_code, everything.status_code) == (204, 404, 204)
    assert states == [401, 200]
    assert second.get("/api/v1/me").status_code == 401
    assert audited(database) == [("account.end_sign_in", ADA), ("account.end_sign_ins", ADA)]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "people/1/lock"),
        ("POST", "people/1/unlock"),
        ("DELETE", "people/1/sessions"),
        ("POST", "people/1/role"),
        ("DELETE", "people/1/sessions/1"),
        ("POST", "invitations"),
        ("DELETE", "invitations/1"),
        ("POST", "limits/clear"),
        ("POST", "cache/clear"),
        ("POST", "cache/void"),
    ],
)
def test_members_change_nothing_and_operators_need_the_token(
    app: Flask, database: Database, boss: FlaskClient, method: str, path: str
) -> None:
    ada = somebody(app, ADA)

    answer = ada.open(f"{CONSOLE}/{path}", method=method, headers=token(ada))
    without = boss.open(f"{CONSOLE}/{path}", method=method)

    assert (answer.status_code, without.status_code) == (404, 403)
    assert audited(database) == []


def test_lists_go_on_where_the_page_before_ended(app: Flask, boss: FlaskClient) -> None:
    somebody(app, ADA)

    first = boss.get(f"{CONSOLE}/people?limit=1&q=example").json
    assert first
    second = boss.get(first["next"]).json

    assert [one["email"] for one in first["items"]] == [ADA]
    assert second
    assert [one["email"] for one in second["items"]] == [BOSS]
    assert second["next"] is None


def test_role_is_given_but_the_last_operator_stays_one(
    app: Flask, database: Database, boss: FlaskClient
) -> None:
    ada, headers = somebody(app, ADA), token(boss)

    last = boss.post(f"{CONSOLE}/people/1/role", json={"role": "member"}, headers=headers)
    given = boss.post(f"{CONSOLE}/people/2/role", json={"role": "operator"}, headers=headers)
    unknown = boss.post(f"{CONSOLE}/people/2/role", json={"role": "owner"}, headers=headers)

    assert (last.status_code, given.status_code, unknown.status_code) == (409, 204, 422)
    assert ada.get(f"{CONSOLE}/people").status_code == 200
    assert audited(database) == [("account.role", ADA)]


def test_invitation_is_sent_listed_and_withdrawn(
    app: Flask, database: Database, boss: FlaskClient
) -> None:
    somebody(app, ADA)
    path, headers = f"{CONSOLE}/invitations", token(boss)

    taken = boss.post(path, json={"email": ADA}, headers=headers)
    sent = boss.post(path, json={"email": "bob@example.org"}, headers=headers)
    listed = boss.get(path).json
    withdrawn = [boss.delete(f"{path}/1", headers=headers).status_code for _ in range(2)]

    assert (taken.status_code, sent.status_code) == (409, 204)
    assert listed
    (one,) = listed["items"]
    assert (one["email"], one["role"], one["invited_by"]) == ("bob@example.org", "member", BOSS)
    assert withdrawn == [204, 404]
    assert audited(database) == [
        ("invitation.send", "bob@example.org"),
        ("invitation.withdraw", "bob@example.org"),
    ]


def test_cache_and_limits_are_cleared(database: Database, boss: FlaskClient) -> None:
    headers, limit = token(boss), {"who": "203.0.113.7", "rule": "site"}

    answers = [
        boss.post(f"{CONSOLE}/cache/clear", headers=headers),
        boss.post(f"{CONSOLE}/cache/void", json={"tag": "numbers"}, headers=headers),
        boss.post(f"{CONSOLE}/limits/clear", json=limit, headers=headers),
        boss.post(f"{CONSOLE}/limits/clear", json={**limit, "rule": "no"}, headers=headers),
    ]

    assert [answer.status_code for answer in answers] == [204, 204, 200, 422]
    assert answers[2].json == {"cleared": True}
    assert audited(database) == [
        ("cache.clear", "all"),
        ("cache.void", "numbers"),
        ("limit.clear", "203.0.113.7"),
    ]
