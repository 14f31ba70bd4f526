"""Query results, and what voids them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from flask import Flask
from prometheus_client import REGISTRY
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from tests.cached_site import CachedSite, a_site
from web.caching.data import remember
from web.caching.tags import invalidate, invalidate_after_commit


@dataclass(frozen=True)
class Row:
    """A query's result."""

    name: str
    at: datetime


ROW = Row("Ada", datetime(2027, 1, 15, 8, tzinfo=UTC))


@pytest.fixture
def site() -> Iterator[CachedSite]:
    site = a_site()
    with site.app.app_context():
        yield site


@pytest.fixture
def session() -> Iterator[Session]:
    """A session on a database in memory."""
    engine = create_engine("sqlite://")
    with Session(engine) as session:
        yield session
    engine.dispose()


class Query:
    """A query that counts how often it is asked."""

    def __init__(self) -> None:
        self.times = Counter[str]()

    def __call__(self) -> list[Row]:
        """Return two rows."""
        self.times["asked"] += 1
        return [ROW, ROW]

    def remembered(self, name: str = "rows", **terms: object) -> list[Row]:
        """Return what is remembered of it."""
        return remember(name, list[Row], self, **{"fresh_seconds": 60, **terms})  # type: ignore[arg-type] # by name

    @property
    def asked(self) -> int:
        """Return how often."""
        return self.times["asked"]


@pytest.mark.usefixtures("site")
def test_result_is_computed_once_and_comes_back_as_what_it_was() -> None:
    query = Query()

    results = [query.remembered() for _ in range(3)]

    assert results == [[ROW, ROW]] * 3
    assert query.asked == 1


@pytest.mark.usefixtures("site")
def test_who_changes_what_they_got_changes_nobody_elses() -> None:
    query = Query()

    query.remembered().clear()

    assert query.remembered() == [ROW, ROW]


def test_result_is_computed_anew_after_its_time(site: CachedSite) -> None:
    query = Query()
    query.remembered()

    site.now += 60
    query.remembered()

    assert query.asked == 2


@pytest.mark.usefixtures("site")
def test_tag_voids_what_was_made_with_it_and_nothing_else() -> None:
    with_tag, other, both = Query(), Query(), Query()
    queries = {"a": (with_tag, ("a",)), "b": (other, ("b",)), "ab": (both, ("a", "b"))}

    for _ in range(2):
        for name, (query, tags) in queries.items():
            query.remembered(name, on=tags)
    invalidate("a")
    for name, (query, tags) in queries.items():
        query.remembered(name, on=tags)

    assert (with_tag.asked, other.asked, both.asked) == (2, 1, 2)


@pytest.mark.usefixtures("site")
def test_commit_voids(session: Session) -> None:
    query = Query()
    query.remembered(on=("rows",))

    session.execute(text("SELECT 1"))
    invalidate_after_commit(session, "rows")
    query.remembered(on=("rows",))
    before = query.asked
    session.commit()
    query.remembered(on=("rows",))

    assert (before, query.asked) == (1, 2)


@pytest.mark.usefixtures("site")
def test_rollback_voids_nothing_and_nor_does_a_commit_after_it(session: Session) -> None:
    query = Query()
    query.remembered(on=("rows",))

    session.execute(text("SELECT 1"))
    invalidate_after_commit(session, "rows")
    session.rollback()
    session.execute(text("SELECT 1"))
    session.commit()

    query.remembered(on=("rows",))
    assert query.asked == 1


@pytest.mark.usefixtures("site")
def test_savepoint_voids_only_once_the_whole_transaction_is_committed(session: Session) -> None:
    query = Query()
    query.remembered(on=("rows",))

    with session.begin_nested():
        invalidate_after_commit(session, "rows")
    query.remembered(on=("rows",))
    before = query.asked
    with session.begin_nested() as savepoint:
        savepoint.rollback()
    session.commit()
    query.remembered(on=("rows",))

    assert (before, query.asked) == (1, 2)


def test_session_of_the_application_will_do_and_the_commit_may_be_elsewhere() -> None:
    site, query = a_site(), Query()
    engine = create_engine("sqlite://")
    sessions = scoped_session(sessionmaker(engine))
    with site.app.app_context():
        query.remembered(on=("rows",))
        invalidate_after_commit(sessions, "rows")

    sessions.commit()

    with site.app.app_context():
        query.remembered(on=("rows",))
    assert query.asked == 2
    sessions.remove()
    engine.dispose()


def figure(what: str, name: str) -> float:
    return REGISTRY.get_sample_value(f"keelson_cache_{what}_total", {"name": name}) or 0


def test_figures_tell_how_much_the_cache_saves(site: CachedSite) -> None:
    query, name = Query(), "figures of a test"
    for _ in range(3):
        query.remembered(f"{name}:7", stale_seconds=60)
    site.now += 61
    query.remembered(f"{name}:7", stale_seconds=60)

    told = {what: figure(what, name) for what in ("hits", "misses", "refreshes", "bypassed")}
    assert told == {"hits": 2, "misses": 1, "refreshes": 1, "bypassed": 0}


def test_pages_count_under_their_view(site: CachedSite) -> None:
    site.add("/counted", lambda: "page")
    client = ask_as_somebody_with_a_session(site.app)

    assert client == 200
    assert figure("bypassed", "tests.cached_site.view/counted") == 1


def ask_as_somebody_with_a_session(app: Flask) -> int:
    client = app.test_client()
    client.set_cookie("session", "x")
    return client.get("/counted").status_code
