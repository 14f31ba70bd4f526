"""The backups' pages on rows that are as the worker writes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, insert

from common.schema import (
    backup_drills,
    backup_plans,
    backup_sizes,
    backup_targets,
    backups,
    heartbeats,
    jobs,
)
from tests.integration.account_site import Site, press
from tests.integration.postgres import Database
from web.extensions import db

OPERATOR = "op@example.org"
NOW = datetime.now(UTC).replace(microsecond=0)
ID = "20261122-030000"
PAGES = ["", "/runs", f"/runs/{ID}", "/drills", "/schema", "/restore", f"/restore?at={ID}"]
ENDPOINTS = ["", "/runs", f"/runs/{ID}", "/drills", "/schema", "/restore", "/jobs/1"]
ACTIONS = ["/take", "/copy", "/drill", "/verify", "/schema", "/schema/differences"]


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    site = Site(database, monkeypatch)
    for table, rows in SEEN.items():
        with database.engine("owner").begin() as connection:
            connection.execute(insert(table), rows)
    site.do("UPDATE heartbeats SET beat_at = now()")
    return site


@pytest.fixture
def operator(site: Site) -> FlaskClient:
    return site.signed_in(OPERATOR, "operator")


def a_run(backup_id: str, **given: Any) -> dict[str, Any]:
    return {
        "id": backup_id,
        "kind": "logical",
        "state": "proven",
        "started_at": NOW - timedelta(hours=3),
        "finished_at": NOW - timedelta(hours=2),
        "verified_at": NOW - timedelta(hours=2),
        "bytes": 51_200_000,
        "bytes_stored": 1_200_000,
        "tables": {"public.accounts": 1200, "public.outbox": 34},
        "steps": {"dump": 12.5, "restore": 30.0},
        "copies": {"local": NOW.isoformat(), "sftp": NOW.isoformat()},
        "reason": None,
        **given,
    }


NOTHING: dict[str, Any] = dict.fromkeys(("finished_at", "verified_at", "bytes", "bytes_stored"))
SEEN: dict[Any, list[dict[str, Any]]] = {
    heartbeats: [{"part": "backup", "beat_at": NOW, "trouble": None}],
    backup_plans: [{"verb": "take", "next_at": NOW + timedelta(hours=21)}],
    backups: [
        a_run(ID),
        a_run(
            "20261121-030000",
            **NOTHING | {"tables": None, "steps": {}, "copies": {}},
            state="failed",
            started_at=NOW - timedelta(days=1),
            reason="the disk is full",
        ),
        a_run("20261120-040000", kind="base", state="stored", tables=None, verified_at=None),
    ],
    backup_targets: [
        {
            "name": "local",
            "location": "local",
            "off_site": False,
            "seen_at": NOW,
            "trouble": None,
            "bytes": 900_000_000,
            "bytes_limit": 1_000_000_000,
            "recoverable_from": NOW - timedelta(days=2),
            "recoverable_until": NOW,
        }
    ],
    backup_sizes: [
        {
            "target": "local",
            "day": (NOW - timedelta(days=n)).date(),
            "bytes": 900_000_000 - n * 10**7,
        }
        for n in range(5)
    ],
    backup_drills: [
        {
            "id": "20261122-050000-read-local",
            "kind": "read",
            "target": "local",
            "started_at": NOW,
            "finished_at": NOW + timedelta(seconds=4),
            "passed": False,
            "detail": "part 3 of 7 is damaged",
        }
    ],
    jobs: [
        {
            "part": "backup",
            "verb": "schema-log",
            "state": "done",
            "ended_at": NOW,
            "answer": [
                {"commit": "b" * 40, "at": NOW.isoformat(), "message": "outbox has a column more"},
                {"commit": "a" * 40, "at": NOW.isoformat(), "message": "the first"},
            ],
        }
    ],
}


@contextmanager
def counted(site: Site) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        statements.append(statement)

    with site.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_overview_says_what_is_good_what_comes_and_how_full_it_gets(operator: FlaskClient) -> None:
    page = operator.get("/console/backups").text

    assert "Backups are well" in page
    assert f"{ID}</a>, 3 h old" in page
    assert (NOW + timedelta(hours=21)).isoformat() in page
    assert "900.0 MB of 1.0 GB" in page
    assert "+10.0 MB a day, full in 10 days" in page
    assert (NOW - timedelta(days=2)).isoformat() in page
    assert "860 MB" in page  # of the fifth day


def test_overview_says_what_is_wrong_in_the_workers_words(
    site: Site, operator: FlaskClient
) -> None:
    site.do("UPDATE heartbeats SET trouble = 'the slot is lost'")

    page = operator.get("/console/backups").text

    assert "Something needs attention" in page
    assert "the slot is lost" in page


def test_an_empty_stack_has_pages_too(site: Site, operator: FlaskClient) -> None:
    site.do("TRUNCATE heartbeats, backup_plans, backups, backup_targets, backup_sizes, jobs")

    answers = [operator.get(f"/console/backups{path}") for path in PAGES]

    assert [answer.status_code for answer in answers] == [200, 200, 404, 200, 200, 200, 200]
    assert "has never been seen" in answers[0].text
    assert "There is no backup yet" in answers[1].text


def test_runs_are_listed_with_what_they_took_and_why_they_failed(operator: FlaskClient) -> None:
    page = operator.get("/console/backups/runs").text

    for said in ("51.2 MB", "1.2 MB", "42 s", "2 tables, 1,234 rows", "local, sftp"):
        assert said in page
    assert "the disk is full" in page
    assert '<span class="tag">base</span>' in page


def test_runs_are_shown_in_pages(site: Site, operator: FlaskClient) -> None:
    with site.database.engine("owner").begin() as connection:
        connection.execute(insert(backups), [a_run(f"20261023-0300{n:02}") for n in range(30)])

    first = operator.get("/console/backups/runs").text
    rest = operator.get("/console/backups/runs?before=20261023-030013").text

    assert "?before=20261023-030013" in first
    assert "20261023-030012" not in first
    assert "20261023-030012" in rest
    assert "20261023-030013<" not in rest


def test_one_backup_is_shown_whole(operator: FlaskClient) -> None:
    page = operator.get(f"/console/backups/runs/{ID}").text

    for said in (
        "restored and found equal",
        'dump</th><td class="number">12 s',
        "public.accounts",
        "1,200",
    ):
        assert said in page
    assert f'href="/console/backups/restore?at={ID}"' in page
    assert '<option value="sftp">' in page


def test_drills_are_listed_with_what_was_found(operator: FlaskClient) -> None:
    page = operator.get("/console/backups/drills").text

    assert "part 3 of 7 is damaged" in page
    assert "failed</span>" in page


def test_history_is_shown_as_the_worker_told_it_last(operator: FlaskClient) -> None:
    page = operator.get("/console/backups/schema").text

    assert "outbox has a column more" in page
    assert f'name="one" value="{"a" * 40}"' in page


def test_differences_are_asked_for_and_what_is_no_moment_is_said_beside_its_field(
    site: Site, operator: FlaskClient
) -> None:
    path = "/console/backups/schema"
    wrong = press(operator, path, f"{path}/differences", one="yesterday", other="<b>")
    right = press(operator, path, f"{path}/differences", one=ID, other="")

    assert wrong.status_code == 400
    assert 'value="yesterday"' in wrong.text
    assert 'value="&lt;b&gt;"' in wrong.text
    assert wrong.text.count("Write a backup&#39;s id") == 2
    assert right.status_code == 303
    ((verb, arguments),) = site.rows("SELECT verb, arguments FROM jobs WHERE state = 'waiting'")
    assert (verb, arguments) == ("schema-diff", {"one": ID})


def test_difference_is_marked_without_colour_too(site: Site, operator: FlaskClient) -> None:
    patch = "@@ -1 +1 @@\\n-old <i>\\n+new\\n same"
    site.do(
        f"INSERT INTO jobs (id, part, verb, state, answer) VALUES (77, 'backup', 'schema-diff', 'done',"
        f' CAST(\'{{"same": false, "patch": "{patch}"}}\' AS jsonb))'
    )

    page = operator.get("/console/jobs/77").text

    assert "<del>-old &lt;i&gt;</del>" in page
    assert "<ins>+new</ins>" in page


def test_restore_is_shown_as_commands_with_what_comes_of_them_and_has_no_button(
    operator: FlaskClient,
) -> None:
    instant = (NOW - timedelta(days=1)).strftime("%Y-%m-%d %H:%M:%SZ")
    of_backup = operator.get(f"/console/backups/restore?at={ID}").text
    of_instant = operator.get(f"/console/backups/restore?at={instant}").text
    wrong = operator.get("/console/backups/restore?at=$(reboot)").text

    assert f"<code>make restore AT={ID}</code>" in of_backup
    assert "gone from the live database" in of_backup
    assert "neither the owner&#39;s password" in of_backup
    assert 'method="post"' not in of_backup
    assert f"<code>make restore AT={instant.replace(' ', 'T')}</code>" in of_instant
    assert "<td>yes</td>" in of_instant
    assert "Write an instant such as" in wrong
    assert "make restore" not in wrong


@pytest.mark.parametrize(
    ("action", "verb", "fields"),
    [
        ("take", "take", {}),
        ("copy", "copy", {}),
        ("drill", "drill", {}),
        ("verify", "verify", {}),
        ("verify", "verify", {"id": ID, "target": "sftp"}),
    ],
)
def test_a_button_asks_the_worker_writes_it_down_and_leads_to_the_job(
    site: Site, operator: FlaskClient, action: str, verb: str, fields: dict[str, str]
) -> None:
    answer = press(operator, "/console/backups", f"/console/backups/{action}", **fields)

    ((number, arguments),) = site.rows("SELECT id, arguments FROM jobs WHERE state = 'waiting'")
    ((who, what, detail),) = site.rows("SELECT email, action, detail FROM audit_entries")
    assert (answer.status_code, answer.location) == (303, f"/console/jobs/{number}")
    assert arguments == fields
    assert (who, what, detail) == (OPERATOR, f"backup.{verb}", {"job": number, **fields})
    assert f">{verb}</a>: waits for its turn" in operator.get("/console/backups").text


@pytest.mark.parametrize(
    "fields", [{"id": "20200101-000000"}, {"id": ID, "target": "s3"}, {"id": "x"}]
)
def test_what_is_not_there_is_not_verified(
    site: Site, operator: FlaskClient, fields: dict[str, str]
) -> None:
    answer = press(operator, "/console/backups", "/console/backups/verify", **fields)

    assert answer.status_code == 404
    assert site.rows("SELECT FROM jobs WHERE state = 'waiting'") == []


def test_for_members_there_is_nothing_of_it(site: Site) -> None:
    bob = site.signed_in("bob@example.org")
    api = "/api/v1/console/backups"
    token = {"X-CSRFToken": bob.get("/api/v1/me").json["csrf_token"]}  # type: ignore[index] # it is JSON

    pages = [bob.get(f"/console/backups{path}").status_code for path in PAGES]
    actions = [press(bob, "/account/password", f"/console/backups{path}") for path in ACTIONS]
    endpoints = [bob.get(f"{api}{path}").status_code for path in ENDPOINTS]
    asked = bob.post(f"{api}/jobs", json={"verb": "take"}, headers=token).status_code

    assert {*pages, *endpoints, asked, *(answer.status_code for answer in actions)} == {404}
    assert site.browser().get(f"{api}/runs").status_code == 401
    assert site.rows("SELECT FROM jobs WHERE state = 'waiting'") == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_asks_little_of_the_database_and_is_small(
    site: Site, operator: FlaskClient, path: str
) -> None:
    operator.get("/console/backups")
    with counted(site) as statements:
        page = operator.get(f"/console/backups{path}")

    assert len(statements) < 5, statements
    assert len(page.data) < 30_000


def test_the_api_tells_the_same(operator: FlaskClient) -> None:
    api = "/api/v1/console/backups"
    told: list[Any] = [operator.get(f"{api}{path}").json for path in ENDPOINTS[:-1]]
    overview, runs, run, drills, history, restore = told

    assert (overview["proven_id"], overview["wrong"]) == (ID, None)
    assert overview["targets"][0]["days_left"] == pytest.approx(10)
    assert len(overview["sizes"]) == 5
    assert [one["id"] for one in runs["items"]] == [ID, "20261121-030000", "20261120-040000"]
    assert run == runs["items"][0]
    assert run["tables"] == {"public.accounts": 1200, "public.outbox": 34}
    assert [one["passed"] for one in drills["items"]] == [False]
    assert [one["commit"][0] for one in history["changes"]] == ["b", "a"]
    assert restore["commands"][0]["line"] == "make restore"


def test_the_api_lists_page_by_page(operator: FlaskClient) -> None:
    first: Any = operator.get("/api/v1/console/backups/runs?limit=2").json
    rest: Any = operator.get(first["next"].removeprefix("http://localhost:8000")).json

    assert [one["id"] for one in first["items"] + rest["items"]] == [
        ID,
        "20261121-030000",
        "20261120-040000",
    ]
    assert rest["next"] is None


def test_the_api_asks_the_worker_and_tells_how_far_it_is(site: Site, operator: FlaskClient) -> None:
    api = "/api/v1/console/backups/jobs"
    token = {"X-CSRFToken": operator.get("/api/v1/me").json["csrf_token"]}  # type: ignore[index] # it is JSON

    asked = operator.post(api, json={"verb": "verify", "id": ID}, headers=token)
    wrong = [
        operator.post(api, json=body, headers=token).status_code
        for body in (
            {"verb": "restore"},
            {"verb": "schema-diff"},
            {"verb": "verify", "id": "20200101-000000"},
        )
    ]

    assert asked.status_code == 202
    assert asked.json
    job: Any = operator.get(f"{api}/{asked.json['job']}").json
    assert (job["verb"], job["arguments"], job["state"]) == ("verify", {"id": ID}, "waiting")
    assert wrong == [422, 422, 404]
    assert [row.action for row in site.rows("SELECT action FROM audit_entries")] == [
        "backup.verify"
    ]
