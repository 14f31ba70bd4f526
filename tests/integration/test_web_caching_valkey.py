"""Several processes with one Valkey: applications that share nothing but it stand for them."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from structlog.testing import capture_logs

from tests.cached_site import CachedSite, a_site
from tests.integration.valkey import Valkey
from tests.waiting import eventually
from web.caching import store
from web.caching.tags import invalidate

Sites = tuple[CachedSite, CachedSite]


@pytest.fixture
def sites(valkey: Valkey) -> Sites:
    """Two processes of one site."""
    given: dict[str, object] = {"cache_type": "RedisCache", "valkey_url": valkey.url}
    return a_site(**given), a_site(**given)


def add_page(sites: Sites, **terms: object) -> None:
    for name, site in zip("ab", sites, strict=True):
        site.add("/page", lambda name=name, site=site: f"{name}{site.made['/page']} é", **terms)


def texts(sites: Sites) -> list[str]:
    return [site.get("/page").text for site in sites]


def test_page_that_one_process_made_is_shown_by_all(sites: Sites) -> None:
    add_page(sites)
    one, other = sites

    first, second = one.get("/page"), other.get("/page")

    assert first.text == second.text == "a1 é"
    assert first.headers["ETag"] == second.headers["ETag"]
    assert first.headers["Content-Type"] == second.headers["Content-Type"]
    assert other.get("/page", If_None_Match=first.headers["ETag"]).status_code == 304
    assert other.made["/page"] == 0


def test_change_that_one_process_tells_voids_the_pages_of_all(sites: Sites) -> None:
    add_page(sites, on=("notices",))
    before = texts(sites)

    with sites[1].app.app_context():
        invalidate("notices")

    assert before == ["a1 é"] * 2
    assert texts(sites) == ["a2 é"] * 2


def test_nothing_in_the_store_is_a_pickle_and_all_of_it_has_an_end(
    sites: Sites, valkey: Valkey
) -> None:
    add_page(sites, on=("notices",))
    sites[0].get("/page")

    client = valkey.client
    keys = [key for key in client.scan_iter() if b"keelson:cache:" in key]
    assert len(keys) == 2  # the page and its tag; the lease is given back
    for key in keys:
        value = client.get(key)
        assert isinstance(value, bytes)
        assert value[:1] in {b"e", b"v"}
        assert b"\x80" not in value[:3]
        assert client.ttl(key) > 0


@pytest.fixture
def held() -> Iterator[tuple[Event, Event]]:
    """Whether the page is being made, and whether it may be finished."""
    begun, go_on = Event(), Event()
    yield begun, go_on
    go_on.set()


def add_slow_page(sites: Sites, held: tuple[Event, Event], **terms: object) -> None:
    begun, go_on = held

    def slow() -> str:
        begun.set()
        assert go_on.wait(30)
        return "made by one"

    sites[0].add("/page", slow, **terms)
    sites[1].add("/page", lambda: "made by the other", **terms)


def test_one_process_makes_the_page_while_the_other_waits(
    sites: Sites, held: tuple[Event, Event], valkey: Valkey
) -> None:
    add_slow_page(sites, held)
    begun, go_on = held
    with ThreadPoolExecutor(2) as pool:
        leader = pool.submit(sites[0].get, "/page")
        assert begun.wait(30)
        reads = commands(valkey)
        follower = pool.submit(sites[1].get, "/page")
        eventually(lambda: commands(valkey) >= reads + 3)  # it has looked more than once
        go_on.set()

        assert [leader.result(30).text, follower.result(30).text] == ["made by one"] * 2
    assert sites[1].made["/page"] == 0


def commands(valkey: Valkey) -> int:
    """Return how often anybody looked for a page."""
    told = valkey.client.info("commandstats")
    assert isinstance(told, dict)
    return int(told.get("cmdstat_mget", {}).get("calls", 0))


def test_stale_page_is_shown_by_all_processes_while_one_makes_it_anew(
    sites: Sites, held: tuple[Event, Event]
) -> None:
    begun, go_on = held
    go_on.set()
    add_slow_page(sites, held, stale_seconds=60)
    sites[0].get("/page")
    go_on.clear()
    begun.clear()
    for site in sites:
        site.now += 61
    with ThreadPoolExecutor(1) as pool:
        leader = pool.submit(sites[0].get, "/page")
        assert begun.wait(30)

        meanwhile = sites[1].get("/page")
        go_on.set()
        leader.result(30)

    assert (meanwhile.text, meanwhile.headers["Age"]) == ("made by one", "61")
    assert sites[1].made["/page"] == 0


def test_process_that_died_while_it_made_a_page_holds_nobody_up_for_long(
    sites: Sites, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "LEASE_SECONDS", 1)
    add_page(sites)
    dead, alive = sites
    keeper = dead.app.extensions["cache_keeper"]

    assert keeper.store.lease("page  /page")
    text = alive.get("/page").text

    assert text == "b1 é"


def test_without_valkey_pages_are_made_for_each_request_at_once_and_it_is_told_once(
    sites: Sites, valkey: Valkey
) -> None:
    add_page(sites, on=("notices",))
    site = sites[0]
    site.get("/page")

    with capture_logs() as lines:
        valkey.stop()
        try:
            site.get("/page")  # learns that it is away
            began = time.monotonic()
            answers = [site.get("/page") for _ in range(50)]
            took = time.monotonic() - began
            with site.app.app_context():
                invalidate("notices")
        finally:
            valkey.start()
        eventually(lambda: site.get("/page").text == site.get("/page").text)

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 50
    assert took < 2
    events = [line["event"] for line in lines if line["log_level"] in {"error", "info"}]
    told = [event for event in events if "cache" in event]
    assert told == ["the cache is away, pages are made for each request", "the cache is back"]


def test_valkey_that_says_nothing_holds_up_one_request_in_two_seconds(
    sites: Sites, valkey: Valkey
) -> None:
    add_page(sites)
    site = sites[0]
    site.get("/page")

    valkey.pause()
    try:
        began = time.monotonic()
        answers = [site.get("/page") for _ in range(20)]
        took = time.monotonic() - began
    finally:
        valkey.unpause()

    assert {answer.status_code for answer in answers} == {200}
    assert took < 2


def test_change_while_valkey_was_away_voids_what_it_kept_from_before(
    sites: Sites, valkey: Valkey
) -> None:
    add_page(sites, on=("notices",), fresh_seconds=3600)
    before = texts(sites)
    valkey.stop()
    try:
        with sites[0].app.app_context():
            invalidate("notices")
    finally:
        valkey.start()

    eventually(lambda: sites[0].get("/page").text == sites[1].get("/page").text != before[0])
