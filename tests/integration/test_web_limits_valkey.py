"""Limits that several processes count together, in the project's own Valkey."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from limits import RateLimitItemPerHour
from limits.strategies import MovingWindowRateLimiter
from structlog.testing import capture_logs

from tests.integration.valkey import Valkey
from tests.waiting import eventually
from tests.web_app import an_app
from web.limits import shared
from web.limits.shared import PREFIX, SharedStore

ITEM = RateLimitItemPerHour(50)


def a_process(valkey: Valkey) -> MovingWindowRateLimiter:
    """Return what one process of web counts with."""
    return MovingWindowRateLimiter(
        SharedStore(PREFIX + valkey.url.replace("valkeys://", "rediss://"))
    )


def left(process: MovingWindowRateLimiter) -> int:
    """Return how many more requests the address may make."""
    return process.get_window_stats(ITEM, "203.0.113.9").remaining


def test_processes_count_together(valkey: Valkey) -> None:
    processes = [a_process(valkey) for _ in range(3)]

    with ThreadPoolExecutor(6) as pool:
        hits = [pool.submit(processes[n % 3].hit, ITEM, "203.0.113.9") for n in range(90)]

    assert [hit.result() for hit in hits].count(True) == 50
    assert processes[0].get_window_stats(ITEM, "203.0.113.9").remaining == 0


def test_pages_are_limited_together_over_tls_as_the_stacks_user(valkey: Valkey) -> None:
    given = {"ratelimit_default": "3 per hour", "valkey_url": valkey.url}
    clients = [an_app(**given, ratelimit_storage_uri="valkey://").test_client() for _ in range(2)]

    answers = [client.get("/subscribe") for client in clients * 2]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 3590 <= int(answers[-1].headers["Retry-After"]) <= 3600


def test_keys_expire_by_themselves_and_hold_no_more_than_the_limit(valkey: Valkey) -> None:
    process = a_process(valkey)
    for _ in range(60):
        process.hit(ITEM, "203.0.113.9")

    (key,) = valkey.client.scan_iter()

    assert valkey.client.llen(key) == 50
    assert 3590 < valkey.client.ttl(key) <= 3600


@pytest.mark.parametrize("away", ["stop", "pause"])
def test_nobody_is_refused_or_slowed_while_it_is_away(valkey: Valkey, away: str) -> None:
    process = a_process(valkey)
    for _ in range(50):
        process.hit(ITEM, "203.0.113.9")
    assert not process.hit(ITEM, "203.0.113.9")

    getattr(valkey, away)()
    try:
        with capture_logs() as lines:
            began = time.monotonic()
            answers = [process.hit(ITEM, "203.0.113.9") for _ in range(1000)]
            seconds = time.monotonic() - began
    finally:
        valkey.start() if away == "stop" else valkey.unpause()

    assert answers == [True] * 1000
    assert seconds < 1
    assert [line["event"] for line in lines] == ["rate limits are off: their store is away"]
    eventually(lambda: not process.hit(ITEM, "203.0.113.9"), 10, "it counts again, and remembers")


def test_it_being_full_lets_requests_through(valkey: Valkey) -> None:
    process = a_process(valkey)
    valkey.fill()

    assert process.hit(ITEM, "203.0.113.9")


def test_restart_is_noticed_before_a_request_fails(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is not about how soon: on a busy machine 0.3 s may not be enough for a new connection.
    monkeypatch.setattr(shared, "SECONDS_TO_CONNECT", 10)
    monkeypatch.setattr(shared, "SECONDS_TO_ANSWER", 10)
    process = a_process(valkey)
    process.hit(ITEM, "203.0.113.9")
    before = left(process)
    valkey.stop()
    valkey.start()

    with capture_logs() as lines:
        process.hit(ITEM, "203.0.113.9")

    assert lines == []
    assert left(process) == before - 1
