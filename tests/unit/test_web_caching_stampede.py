"""Many want the same page at once. Threads meet at events, never after some time."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs
from werkzeug.exceptions import ServiceUnavailable
from werkzeug.test import TestResponse

from tests.cached_site import a_site
from tests.waiting import eventually
from web.caching import flights, keeper
from web.caching.extension import NAME
from web.caching.flights import Flight

Answers = list[Future[TestResponse]]


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> list[Flight]:
    """Who waits for another's computation, one item each."""
    who: list[Flight] = []
    wait = Flight.wait

    def noted(flight: Flight, seconds: float) -> bool:
        who.append(flight)
        return wait(flight, seconds)

    monkeypatch.setattr(flights.Flight, "wait", noted)
    return who


class SlowPage:
    """A page that takes until a test lets it go on."""

    def __init__(self, **terms: object) -> None:
        self.site = a_site()
        self.is_slow, self.go_on = True, Event()
        self.outcomes: list[str | Exception] = []
        self.gates: list[Event] = []  # of the first ones, in place of go_on
        self.site.add("/page", self.view, **terms)
        self.pool = ThreadPoolExecutor(8)

    def view(self) -> str:
        """Answer, or fail, as the test says."""
        number = self.site.made["/page"]
        outcome = self.outcomes.pop(0) if self.outcomes else f"made {number}"
        gate = self.gates.pop(0) if self.gates else self.go_on
        if self.is_slow:
            assert gate.wait(30)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def ask(self, times: int = 1) -> Answers:
        """Ask from as many threads."""
        return [self.pool.submit(self.site.get, "/page") for _ in range(times)]

    def lead(self) -> Future[TestResponse]:
        """Ask as the first, and return once the page is being made."""
        before = self.site.made["/page"]
        (answer,) = self.ask()
        eventually(lambda: self.site.made["/page"] > before)
        return answer


def texts(answers: Answers) -> list[str]:
    return [answer.result(30).text for answer in answers]


def statuses(answers: Answers) -> list[int]:
    return [answer.result(30).status_code for answer in answers]


@pytest.fixture
def page() -> Iterator[SlowPage]:
    slow = SlowPage(fresh_seconds=60, stale_seconds=30, stale_on_error_seconds=600, on=("tag",))
    slow.site.app.config["PROPAGATE_EXCEPTIONS"] = False
    yield slow
    slow.go_on.set()
    slow.pool.shutdown()


def test_eight_who_ask_at_once_have_it_made_once(page: SlowPage, waiting: list[Flight]) -> None:
    leader = page.lead()
    followers = page.ask(7)
    eventually(lambda: len(waiting) == 7)
    page.go_on.set()

    assert texts([leader, *followers]) == ["made 1"] * 8
    assert page.site.made["/page"] == 1


def test_stale_page_is_shown_at_once_while_one_request_makes_it_anew(page: SlowPage) -> None:
    page.is_slow = False
    page.site.get("/page")
    page.site.now += 61
    page.is_slow = True
    leader = page.lead()

    meanwhile = [page.site.get("/page") for _ in range(3)]
    page.go_on.set()

    assert [(answer.text, answer.headers["Age"]) for answer in meanwhile] == [("made 1", "61")] * 3
    assert leader.result(30).text == "made 2"
    assert page.site.get("/page").text == "made 2"


def test_page_past_its_stale_time_is_waited_for(page: SlowPage, waiting: list[Flight]) -> None:
    page.is_slow = False
    page.site.get("/page")
    page.site.now += 91
    page.is_slow = True
    leader = page.lead()
    followers = page.ask(2)
    eventually(lambda: len(waiting) == 2)
    page.go_on.set()

    assert texts([leader, *followers]) == ["made 2"] * 3


def test_error_is_that_of_all_who_wait_and_the_next_one_tries(
    page: SlowPage, waiting: list[Flight]
) -> None:
    page.outcomes = [ValueError("broken once")]
    leader = page.lead()
    followers = page.ask(3)
    eventually(lambda: len(waiting) == 3)
    page.go_on.set()

    assert statuses([leader, *followers]) == [500] * 4
    assert page.site.made["/page"] == 1
    assert texts(page.ask()) == ["made 2"]


def test_answer_for_one_reader_is_shared_with_nobody_and_none_waits_for_another(
    page: SlowPage, waiting: list[Flight]
) -> None:
    first = Event()
    page.outcomes, page.gates = [ServiceUnavailable()], [first]
    leader = page.lead()
    followers = page.ask(3)
    eventually(lambda: len(waiting) == 3)

    first.set()
    eventually(lambda: page.site.made["/page"] == 4, keeper.WAIT_SECONDS / 2)  # all three at once
    page.go_on.set()

    assert statuses([leader]) == [503]
    assert statuses(followers) == [200] * 3


def test_nobody_waits_for_ever(page: SlowPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "WAIT_SECONDS", 0.1)
    leader = page.lead()
    page.is_slow = False

    assert page.site.get("/page").text == "made 2"
    page.go_on.set()
    assert leader.result(30).text == "made 1"


def test_page_that_a_write_overtook_is_given_to_nobody_who_asked_after_it(
    page: SlowPage, waiting: list[Flight]
) -> None:
    page.is_slow = False
    page.site.get("/page")
    page.site.now += 91
    page.is_slow = True
    leader = page.lead()  # it has read the old data by now
    with page.site.app.app_context():
        page.site.app.extensions[NAME].store.void("tag")
    followers = page.ask(2)
    eventually(lambda: len(waiting) == 2)
    page.go_on.set()

    assert leader.result(30).text == "made 2"
    assert texts(followers) == ["made 3"] * 2
    assert page.site.get("/page").text == "made 3"


DATABASE_AWAY = OperationalError("SELECT", None, Exception("gone"))


def test_older_page_is_shown_while_the_database_is_away(page: SlowPage) -> None:
    page.is_slow = False
    page.site.get("/page")
    page.site.now += 300
    page.outcomes = [DATABASE_AWAY]

    with capture_logs() as lines:
        answers = [page.site.get("/page") for _ in range(3)]
    page.site.now += 2
    back = page.site.get("/page")

    assert [(answer.text, answer.headers["Age"]) for answer in answers] == [("made 1", "300")] * 3
    assert [line["event"] for line in lines if line["log_level"] == "warning"] == [
        "database away, an older answer is shown"
    ]
    assert back.text == "made 3"


@pytest.mark.parametrize(
    ("error", "later", "status"),
    [
        pytest.param(DATABASE_AWAY, 661, 503, id="it is older than promised"),
        pytest.param(ValueError("ours"), 300, 500, id="it is our own mistake"),
    ],
)
def test_older_page_is_not_shown_where(
    page: SlowPage, error: Exception, later: int, status: int
) -> None:
    page.is_slow = False
    page.site.get("/page")
    page.site.now += later
    page.outcomes = [error]

    assert page.site.get("/page").status_code == status


def test_older_page_of_data_that_has_changed_is_not_shown(page: SlowPage) -> None:
    page.is_slow = False
    page.site.get("/page")
    page.site.app.extensions[NAME].store.void("tag")
    page.outcomes = [DATABASE_AWAY]

    assert page.site.get("/page").status_code == 503
