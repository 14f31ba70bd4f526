"""The link that makes the first operator: shown until it is used, and used once."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.pool import QueuePool
from structlog.testing import capture_logs

from tests.conftest import ROOT
from tests.integration.account_site import (
    ADA,
    ANOTHER,
    BOB,
    PASSWORD,
    Site,
    choose,
    is_signed_in,
    let_both_come_here,
)
from tests.integration.postgres import Database
from tests.web_app import SECRET_KEY, an_app, form_token, send_form
from web.accounts import announcement, first_operator
from web.extensions import db

BASE = "http://localhost:8000"


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


def printed(site: Site) -> str | None:
    return announcement.link(site.app)


def link(site: Site) -> str:
    found = printed(site)
    assert found
    assert found.startswith(f"{BASE}/account/first-operator/")
    return found.removeprefix(BASE)


def operators(site: Site) -> list[str]:
    return [row.email for row in site.rows("SELECT email FROM accounts WHERE role = 'operator'")]


def test_link_makes_an_operator_and_signs_them_in(site: Site) -> None:
    browser = site.browser()

    with capture_logs() as lines:
        answer = choose(browser, link(site), email=" Ada@Example.org")

    assert (answer.status_code, answer.location) == (303, "/account")
    assert operators(site) == ["Ada@example.org"]
    assert browser.get("/console/people").status_code == 200
    (line,) = [line for line in lines if line["event"] == "account made"]
    assert (line["account"], line["role"]) == (1, "operator")


def test_link_is_the_same_until_it_is_used_and_then_there_is_none(site: Site) -> None:
    first, again = printed(site), printed(site)
    path = link(site)

    choose(site.browser(), path, email=ADA)

    assert first == again == f"{BASE}{path}"
    assert printed(site) is None
    assert len(site.rows("SELECT FROM account_tokens")) == 1


def test_every_process_that_starts_at_once_shows_the_same_link(site: Site) -> None:
    apps = [an_app(database_url=site.database.url("web")) for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        shown = set(pool.map(announcement.link, apps))

    assert len(shown) == 1


def test_link_that_expired_is_replaced(site: Site) -> None:
    older = link(site)
    site.do("UPDATE account_tokens SET expires_at = now()")

    newer = link(site)

    assert newer != older
    assert site.browser().get(older).status_code == 410
    assert site.browser().get(newer).status_code == 200


def test_link_that_is_only_opened_makes_nobody_an_operator(site: Site) -> None:
    path = link(site)

    assert [site.browser().get(path).status_code for _ in range(2)] == [200, 200]
    assert operators(site) == []


def test_used_link_makes_no_second_operator(site: Site) -> None:
    path = link(site)
    late = site.browser()
    token = form_token(late.get(path))
    choose(site.browser(), path, email=ADA)

    fields = {"csrf_token": token, "email": BOB, "password": ANOTHER, "password_again": ANOTHER}
    answer = late.post(path, data=fields)

    assert answer.status_code == 410
    assert operators(site) == [ADA]
    assert not is_signed_in(late)


def test_link_is_worth_nothing_once_there_is_an_operator_however_they_became_one(
    site: Site,
) -> None:
    path = link(site)
    site.account(ADA, "operator")

    assert site.browser().get(path).status_code == 410


def test_account_that_is_deleted_meanwhile_becomes_no_operator_and_the_link_works_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = link(site)
    site.account(ADA)
    use = first_operator.use

    def late(*given: Any) -> None:
        use(*given)
        site.do("DELETE FROM accounts")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(first_operator, "use", late)
        refused = choose(site.browser(), path, email=ADA)

    assert refused.status_code == 422
    assert "has just been deleted" in refused.text
    assert choose(site.browser(), path, email=ADA).status_code == 303


def test_of_two_who_use_it_at_once_one_becomes_the_operator(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_both_come_here(monkeypatch, first_operator, "use")
    path = link(site)
    browsers = [site.browser() for _ in range(2)]
    tokens = [form_token(browser.get(path)) for browser in browsers]

    def use(number: int) -> int:
        fields = {"email": [ADA, BOB][number], "password": PASSWORD, "password_again": PASSWORD}
        sent = {"csrf_token": tokens[number], **fields}
        return browsers[number].post(path, data=sent).status_code

    with ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(use, range(2)))

    assert sorted(statuses) == [303, 410]
    assert operators(site) == [[ADA, BOB][statuses.index(303)]]
    assert len(site.rows("SELECT FROM accounts")) == 1


def test_member_becomes_the_operator_with_their_password(site: Site) -> None:
    site.account(ADA)

    answer = choose(site.browser(), link(site), email=ADA)

    assert answer.status_code == 303
    assert operators(site) == [ADA]


def test_nobody_becomes_the_operator_as_a_member_whose_password_they_lack(site: Site) -> None:
    site.account(ADA)
    path = link(site)

    answer = choose(site.browser(), path, ANOTHER, email=ADA)

    assert answer.status_code == 422
    assert "this is not its password" in answer.text
    assert f'value="{ADA}"' in answer.text
    assert operators(site) == []
    assert site.browser().get(path).status_code == 200


def test_what_is_wrong_is_said_beside_the_fields(site: Site) -> None:
    path = link(site)

    answer = send_form(
        site.browser(), path, email="ada", password="ada", password_again="something else"
    )

    assert answer.status_code == 422
    assert 'id="email-error"' in answer.text
    assert 'id="password-error"' in answer.text
    assert answer.text.count("autofocus") == 1


def test_database_and_log_of_requests_do_not_give_the_link_away(site: Site) -> None:
    path = link(site)
    token = path.rpartition("/")[2]

    with capture_logs() as lines:
        site.browser().get(path)
        choose(site.browser(), path, email=ADA)

    (row,) = site.rows("SELECT account_tokens::text AS everything FROM account_tokens")
    assert token not in row.everything
    assert token not in str(lines)


def test_other_secret_key_makes_another_link(site: Site) -> None:
    path = link(site)
    other = an_app(database_url=site.database.url("web"), secret_key=SECRET_KEY[::-1])

    found = announcement.link(other)

    assert found != f"{BASE}{path}"


def settings_of(site: Site, folder: Path) -> dict[str, str]:
    """Return what a web of its own needs."""
    return {
        "PATH": os.defpath,
        "DATABASE_URL": site.database.url("web"),
        "SECRET_KEY": SECRET_KEY,
        "SESSION_FILE_DIR": str(folder),
    }


def run(settings: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "web", *arguments],
        cwd=ROOT,
        env=settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_command_prints_the_link_alone_and_says_when_there_is_an_operator(
    site: Site, tmp_path: Path
) -> None:
    settings = settings_of(site, tmp_path)

    shown = run(settings, "operator-link")
    same = printed(site)
    site.account(ADA, "operator")
    after = run(settings, "operator-link")

    assert (shown.returncode, shown.stdout) == (0, f"{same}\n")
    assert (after.returncode, after.stdout) == (0, "")
    assert "There is an operator already" in after.stderr


def test_link_is_logged_at_the_start_as_long_as_there_is_no_operator(site: Site) -> None:
    with capture_logs() as before:
        announcement.announce(site.app)
    shown = link(site)
    site.account(ADA, "operator")
    with capture_logs() as after:
        announcement.announce(site.app)

    (line,) = before
    assert (line["event"], line["link"]) == ("no operator yet", f"{BASE}{shown}")
    assert after == []


def test_web_starts_without_a_database_to_ask() -> None:
    with capture_logs() as lines:
        announcement.announce(an_app())

    (line,) = lines
    assert line["event"] == "no telling whether there is an operator"
    assert "/nonexistent" in line["reason"]


def test_asking_leaves_no_connection_that_a_fork_could_share(site: Site) -> None:
    printed(site)

    with site.app.app_context():
        pool = db.engine.pool
        assert isinstance(pool, QueuePool)
        assert (pool.checkedin(), pool.checkedout()) == (0, 0)
