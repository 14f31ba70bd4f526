"""What is done while the store of the limits is away."""

import pytest
from prometheus_client import REGISTRY
from redis.exceptions import ConnectionError as AwayError
from structlog.testing import capture_logs

from tests.ports import free_port
from tests.waiting import eventually
from tests.web_app import an_app
from web import outage
from web.limits.figures import STORE_ERRORS
from web.outage import Outage


class Store:
    """A store that is there or away, and knows how often it was asked."""

    def __init__(self) -> None:
        self.away = False
        self.asked = 0

    def __call__(self) -> str:
        """Count, if it is there."""
        self.asked += 1
        if self.away:
            raise AwayError("refused")
        return "counted"


def an_outage() -> Outage:
    return Outage(STORE_ERRORS, "it is away", "it is back")


def errors() -> float:
    return REGISTRY.get_sample_value("keelson_rate_limit_store_errors_total") or 0


@pytest.fixture(autouse=True)
def _no_second_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "PAUSE_SECONDS", 3600)


@pytest.fixture
def _quickly(monkeypatch: pytest.MonkeyPatch, _no_second_try: None) -> None:
    monkeypatch.setattr(outage, "PAUSE_SECONDS", 0.01)


def test_store_that_is_well_is_asked_each_time() -> None:
    store, limits = Store(), an_outage()

    assert [limits.ask(store, "passed") for _ in range(3)] == ["counted"] * 3


def test_store_that_is_away_makes_one_request_wait() -> None:
    store, limits, before = Store(), an_outage(), errors()
    store.away = True

    answers = [limits.ask(store, "passed") for _ in range(10)]

    assert answers == ["passed"] * 10
    assert store.asked == 1
    assert errors() == before + 1


@pytest.mark.usefixtures("_quickly")
def test_store_that_is_back_is_asked_again() -> None:
    store, limits = Store(), an_outage()
    store.away = True
    limits.ask(store, "passed")
    eventually(lambda: store.asked > 3, what="it is tried in the background")

    store.away = False

    eventually(lambda: limits.ask(store, "passed") == "counted")
    asked = store.asked
    assert [limits.ask(store, "passed") for _ in range(3)] == ["counted"] * 3
    assert store.asked == asked + 3


@pytest.mark.usefixtures("_quickly")
def test_outage_is_logged_once_and_so_is_its_end() -> None:
    store, limits, before = Store(), an_outage(), errors()
    store.away = True

    with capture_logs() as lines:
        limits.ask(store, "passed")
        eventually(lambda: store.asked > 5)
        store.away = False
        eventually(lambda: len(lines) == 2)

    assert [(line["log_level"], line["event"]) for line in lines] == [
        ("error", "it is away"),
        ("info", "it is back"),
    ]
    assert errors() >= before + 5


def test_our_own_mistake_is_not_taken_for_an_outage() -> None:
    def mistaken() -> str:
        raise TypeError("ours")

    with pytest.raises(TypeError):
        an_outage().ask(mistaken, "passed")


def test_application_starts_and_serves_without_its_store() -> None:
    nowhere = f"valkey://localhost:{free_port()}"
    app = an_app(ratelimit_default="1 per hour", ratelimit_storage_uri=nowhere)
    client, before = app.test_client(), errors()

    answers = [client.get("/api/v1/status"), *(client.get("/subscribe") for _ in range(5))]

    assert [answer.status_code for answer in answers[1:]] == [200] * 5
    assert errors() == before + 1
