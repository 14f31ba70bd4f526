"""The console's page of the cache: what is kept, how well that serves, and an end to it."""

import pytest
from flask.testing import FlaskClient

from tests.integration.account_site import ADA, Site, press
from tests.integration.postgres import Database
from web.caching.data import remember

BOSS = "boss@example.org"
PAGE = "/console/cache"


@pytest.fixture(params=["SimpleCache", "RedisCache"])
def site(
    request: pytest.FixtureRequest, database: Database, monkeypatch: pytest.MonkeyPatch
) -> Site:
    store: dict[str, str] = {}
    if request.param == "RedisCache":
        store = {"cache_redis_url": request.getfixturevalue("valkey").url}
    return Site(database, monkeypatch, cache_type=request.param, **store)


@pytest.fixture
def boss(site: Site) -> FlaskClient:
    return site.signed_in(BOSS, "operator")


def remembered(site: Site, value: int) -> int:
    with site.app.app_context():
        return remember("number:7", int, lambda: value, fresh_seconds=600, on=("numbers",))


def audited(site: Site) -> list[tuple[str, str]]:
    rows = site.rows("SELECT action, subject FROM audit_entries ORDER BY id")
    return [(row.action, row.subject) for row in rows]


def test_page_shows_what_is_kept_and_how_often_it_served(site: Site, boss: FlaskClient) -> None:
    site.browser().get("/")
    site.browser().get("/")
    remembered(site, 1)

    page = boss.get(PAGE).text

    assert "data number:7" in page
    assert '<th scope="row">web.status.page.show</th>' in page
    assert '<th scope="row">number</th>' in page


def test_everything_is_forgotten_and_it_is_written_down(site: Site, boss: FlaskClient) -> None:
    remembered(site, 1)

    answer = press(boss, PAGE, f"{PAGE}/clear")

    assert (answer.status_code, answer.location) == (303, PAGE)
    assert "data number:7" not in boss.get(PAGE).text
    assert remembered(site, 2) == 2
    assert audited(site) == [("cache.clear", "all")]


def test_what_was_made_on_a_tag_is_forgotten_and_nothing_else(
    site: Site, boss: FlaskClient
) -> None:
    remembered(site, 1)

    press(boss, PAGE, f"{PAGE}/void", tag="others")
    kept = remembered(site, 2)
    press(boss, PAGE, f"{PAGE}/void", tag=" numbers ")

    assert kept == 1
    assert remembered(site, 3) == 3
    assert audited(site) == [("cache.void", "others"), ("cache.void", "numbers")]


def test_no_tag_is_refused(site: Site, boss: FlaskClient) -> None:
    press(boss, PAGE, f"{PAGE}/void", tag=" ")

    assert "Please name a tag." in boss.get(PAGE).text
    assert audited(site) == []


@pytest.mark.parametrize("what", ["clear", "void"])
def test_members_forget_nothing(site: Site, what: str) -> None:
    remembered(site, 1)
    member = site.signed_in(ADA)

    answer = press(member, "/account", f"{PAGE}/{what}", tag="numbers")

    assert answer.status_code == 404
    assert remembered(site, 2) == 1


def test_store_that_is_away_is_told(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    away = Site(
        database, monkeypatch, cache_type="RedisCache", cache_redis_url="valkey://localhost:1"
    )
    boss = away.signed_in(BOSS, "operator")

    press(boss, PAGE, f"{PAGE}/clear")

    assert "store is away" in boss.get(PAGE).text
    assert audited(away) == []
