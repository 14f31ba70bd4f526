"""A client that has the page already is told so, and not sent it again."""

import pytest
from werkzeug.test import TestResponse

from tests.cached_site import CachedSite, a_site


@pytest.fixture
def site() -> CachedSite:
    site = a_site()
    site.add("/page", lambda: f"made {site.made['/page']}", fresh_seconds=60)
    return site


@pytest.fixture
def page(site: CachedSite) -> TestResponse:
    return site.get("/page")


def test_kept_page_says_what_it_is_and_of_when(site: CachedSite, page: TestResponse) -> None:
    site.now += 30

    kept = site.get("/page").headers

    assert kept["ETag"] == page.headers["ETag"]
    assert kept["Last-Modified"] == page.headers["Last-Modified"] == "Fri, 15 Jan 2027 08:00:00 GMT"


def test_client_that_has_the_page_gets_no_body(site: CachedSite, page: TestResponse) -> None:
    tag = page.headers["ETag"]

    told = site.get("/page", If_None_Match=f'"another", {tag}')

    assert (told.status_code, told.data) == (304, b"")
    assert told.headers["ETag"] == tag
    assert told.headers["Cache-Control"] == page.headers["Cache-Control"]
    assert not {"Content-Type", "Content-Length"} & set(told.headers.keys())


def test_proxy_may_have_weakened_the_tag(site: CachedSite, page: TestResponse) -> None:
    assert site.get("/page", If_None_Match=f"W/{page.headers['ETag']}").status_code == 304


def test_head_is_conditional_too(site: CachedSite, page: TestResponse) -> None:
    told = site.client().head("/page", headers={"If-None-Match": page.headers["ETag"]})

    assert told.status_code == 304


def test_client_without_a_tag_may_ask_by_time(site: CachedSite, page: TestResponse) -> None:
    since = page.headers["Last-Modified"]

    assert site.get("/page", If_Modified_Since=since).status_code == 304


def test_tag_counts_more_than_time(site: CachedSite, page: TestResponse) -> None:
    since = page.headers["Last-Modified"]

    told = site.get("/page", If_Modified_Since=since, If_None_Match='"another"')

    assert told.status_code == 200


def test_client_of_an_older_page_gets_the_new_one(site: CachedSite, page: TestResponse) -> None:
    site.now += 60

    for asked in (
        site.get("/page", If_None_Match=page.headers["ETag"]),
        site.get("/page", If_Modified_Since=page.headers["Last-Modified"]),
    ):
        assert (asked.status_code, asked.text) == (200, "made 2")
    assert asked.headers["ETag"] != page.headers["ETag"]


@pytest.mark.parametrize("nonsense", ["", '"', "W/", 'W/"', "*garbage", "\x80"])
def test_client_that_asks_nonsense_gets_the_page(
    site: CachedSite, page: TestResponse, nonsense: str
) -> None:
    asked = site.get("/page", If_None_Match=nonsense, If_Modified_Since=nonsense)

    assert (asked.status_code, asked.text) == (200, page.text)
