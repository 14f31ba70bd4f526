"""Old sign-ins and links: cleared away a few at a time, and in nobody's way."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from tests.integration.account_site import ADA, BOB, PASSWORD, Site
from tests.integration.postgres import Database
from tests.web_app import send_form
from web.accounts import leftovers

EXPIRED = (
    "INSERT INTO sign_ins (account_id, key_hash, epoch, started_at, seen_at, expires_at, address, agent)"
    " SELECT 1, sha256(n::text::bytea), 0, now(), now(), now(), '', '' FROM generate_series(1, {}) n"
)
LONG_OVER = (
    "INSERT INTO account_tokens (purpose, token_hash, email, created_at, expires_at)"
    " SELECT 'sign_up', sha256(n::text::bytea), '', now(), now() - interval '31 days'"
    " FROM generate_series(1, {}) n"
)


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


def a_sign_in(site: Site) -> str | None:
    fields = {"email": BOB, "password": PASSWORD}
    return send_form(site.browser(), "/account/sign-in", **fields).location


def a_link(site: Site) -> str | None:
    return send_form(site.browser(), "/account/sign-up", email=ADA).location


@pytest.mark.parametrize(
    ("rows", "table", "act", "done"),
    [
        pytest.param(EXPIRED, "sign_ins", a_sign_in, "/account", id="sign-in"),
        pytest.param(LONG_OVER, "account_tokens", a_link, "/account/sign-up/asked", id="link"),
    ],
)
def test_nobody_waits_for_old_rows_that_another_request_holds(
    site: Site, rows: str, table: str, act: Callable[[Site], str | None], done: str
) -> None:
    site.account(ADA)
    site.account(BOB)
    site.do(rows.format(2))

    with site.database.engine("owner").begin() as other:
        other.execute(text(f"SELECT FROM {table} WHERE id = 2 FOR UPDATE"))
        location = act(site)

    assert location == done
    assert [row.id for row in site.rows(f"SELECT id FROM {table} ORDER BY id")] == [2, 3]


@pytest.mark.parametrize(
    ("rows", "table", "act"),
    [
        pytest.param(EXPIRED, "sign_ins", a_sign_in, id="sign-in"),
        pytest.param(LONG_OVER, "account_tokens", a_link, id="link"),
    ],
)
def test_each_request_clears_so_many_old_rows_away_and_no_more(
    site: Site, rows: str, table: str, act: Callable[[Site], str | None]
) -> None:
    site.account(ADA)
    site.account(BOB)
    site.do(rows.format(leftovers.AT_ONCE + 10))

    act(site)
    left = len(site.rows(f"SELECT FROM {table}"))
    act(site)

    assert (left, len(site.rows(f"SELECT FROM {table}"))) == (11, 2)


def test_new_link_does_not_wait_for_one_that_has_expired(site: Site) -> None:
    a_link(site)
    site.do("UPDATE account_tokens SET expires_at = now()")

    with site.database.engine("owner").begin() as other:
        other.execute(text("SELECT FROM account_tokens FOR UPDATE"))
        location = a_link(site)

    assert location == "/account/sign-up/asked"
