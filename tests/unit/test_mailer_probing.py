"""What is measured: what each answer means, and what becomes of it while the database is away."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from sqlalchemy.exc import OperationalError

from common.condition import Beat, Facts, State
from mailer.probing import prober
from mailer.probing.meaning import Answer, States, states
from mailer.probing.prober import Prober
from mailer.probing.records import Minute
from mailer.probing.web import Web

NOON = datetime(2026, 1, 1, 12, 0, 1, tzinfo=UTC)
WELL = Facts(beats={"mailer": Beat(NOON), "backup": Beat(NOON)}, last_proven_at=NOON)
READY = Answer(True, {"database": True, "schema": True, "sessions": True})
EDGE_IS_WELL = Answer(True, {"edge": True})
ALL_UP = dict.fromkeys(["Website", "Edge", "Database", "Mail", "Backup", "Sessions"], State.UP)


def without(*parts: str, **changed: State) -> States:
    """Return all parts as up but those that are not measured, or changed."""
    return {name: state for name, state in (ALL_UP | changed).items() if name not in parts}


@pytest.mark.parametrize(
    ("facts", "readiness", "edge", "found"),
    [
        pytest.param(WELL, READY, EDGE_IS_WELL, ALL_UP, id="all is well"),
        pytest.param(
            Facts(), READY, EDGE_IS_WELL, without(Mail=State.DOWN, Backup=State.DOWN), id="no beats"
        ),
        pytest.param(
            None,
            Answer(False, {"database": False, "schema": False, "sessions": True}),
            EDGE_IS_WELL,
            without("Mail", "Backup", Database=State.DOWN, Website=State.DEGRADED),
            id="of mail and backup the database alone could tell",
        ),
        pytest.param(
            WELL, None, None, without("Sessions", "Edge", Website=State.DOWN), id="no web, no word"
        ),
        pytest.param(WELL, READY, None, without("Edge"), id="web can't say how edge is"),
        pytest.param(
            WELL,
            Answer(False, {"sessions": False}),
            Answer(False, {"edge": False}),
            without(Website=State.DEGRADED, Sessions=State.DOWN, Edge=State.DOWN),
            id="web answers, and says what is wrong",
        ),
    ],
)
def test_state_of_each_part_is_what_was_learnt_of_it(
    facts: Facts | None, readiness: Answer | None, edge: Answer | None, found: States
) -> None:
    assert states(facts, readiness, edge, NOON) == found


class FakeRecords:
    """Keeps what is written, unless it is away."""

    def __init__(self) -> None:
        self.away = False
        self.written: list[list[Minute]] = []

    def write(self, minutes: Sequence[Minute], _now: datetime) -> None:
        """Keep them, or fail as the database does."""
        if self.away:
            raise OperationalError("", None, Exception("connection refused"))
        self.written.append(list(minutes))


class Clock:
    """A time that goes on by itself, a minute each time."""

    def __init__(self) -> None:
        self.time = NOON - timedelta(minutes=1)

    def __call__(self) -> datetime:
        """Return it."""
        self.time += timedelta(minutes=1)
        return self.time


def a_prober(records: FakeRecords) -> Prober:
    return Prober(lambda _now: {"Website": State.UP}, records.write, Clock())


def minute(number: int) -> datetime:
    return datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(minutes=number)


def test_measurement_is_written_under_its_minute() -> None:
    records = FakeRecords()

    a_prober(records).measure()

    assert records.written == [[Minute(minute(0), {"Website": State.UP})]]


def test_what_could_not_be_written_is_written_once_the_database_is_back() -> None:
    records = FakeRecords()
    ours = a_prober(records)
    records.away = True
    ours.measure()
    ours.measure()
    records.away = False

    ours.measure()
    ours.measure()

    assert [[one.at for one in batch] for batch in records.written] == [
        [minute(0), minute(1), minute(2)],
        [minute(3)],
    ]


def test_of_a_longer_outage_the_last_day_is_kept() -> None:
    records = FakeRecords()
    ours = a_prober(records)
    records.away = True
    for _ in range(24 * 60 + 10):
        ours.measure()
    records.away = False

    ours.measure()

    (batch,) = records.written
    assert (len(batch), batch[0].at) == (24 * 60, minute(11))


@pytest.mark.parametrize(
    ("second", "seconds"),
    [(0.0, 61.0), (1.0, 60.0), (59.5, 1.5)],
)
def test_each_measurement_begins_just_after_the_minute(second: float, seconds: float) -> None:
    moment = NOON.replace(second=0) + timedelta(seconds=second)

    assert prober.seconds_to_next(moment) == pytest.approx(seconds)


@contextmanager
def a_web(status: int, body: bytes) -> Iterator[str]:
    """Answer every request with this, and give the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("status", [200, 503])
def test_web_is_asked_what_is_wrong_with_it(status: int) -> None:
    body = b'{"ready": false, "checks": {"sessions": {"ok": true, "ms": 1, "problem": null}}}'

    with a_web(status, body) as url:
        assert Web(url).readiness() == Answer(False, {"sessions": True})


@pytest.mark.parametrize("body", [b"", b"<h1>not found</h1>", b'{"ready": 7}'])
def test_answer_that_is_none_of_ours_is_no_answer(body: bytes) -> None:
    with a_web(404, body) as url:
        assert Web(url).edge() is None


def test_web_that_is_not_there_gives_no_answer() -> None:
    with a_web(200, b"") as url:
        pass

    assert Web(url).readiness() is None
