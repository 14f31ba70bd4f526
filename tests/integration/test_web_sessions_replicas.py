"""Four processes of two servers on one session folder: nobody is lost, and nobody comes back."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.integration.session_server import (
    Replica,
    a_browser,
    ask,
    replicas,
    sid_of,
    with_cookie,
)

Pair = tuple[Replica, Replica]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("replicas")


@pytest.fixture(scope="module")
def pair(folder: Path) -> Iterator[Pair]:
    with replicas(folder) as both:
        yield both


def started(pair: Pair) -> str:
    """Return the id of a new session."""
    browser, jar = a_browser()
    assert ask(browser, pair[0], "remember") == (200, "ok")
    return sid_of(jar)


def test_thousand_people_at_once_lose_no_session(pair: Pair, folder: Path) -> None:
    before = len(list((folder / "sessions").iterdir()))

    with ThreadPoolExecutor(16) as pool:
        ids = list(pool.map(started, [pair] * 1000))
        answers = list(pool.map(lambda sid: ask(with_cookie(sid), pair[1], "recall"), ids))

    assert len(set(ids)) == 1000
    assert answers == [(200, "ada")] * 1000
    assert len(list((folder / "sessions").iterdir())) == before + 1000


@pytest.mark.parametrize("ending", ["leave", "forget", "move", "sign_in"])
@pytest.mark.parametrize("slow", ["slow_change", "slow_move"])
def test_slow_request_of_another_process_brings_nobody_back(
    pair: Pair, folder: Path, slow: str, ending: str
) -> None:
    sid = started(pair)

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask, with_cookie(sid), pair[0], slow)
        with (folder / "pipe").open("w"):  # opens when the slow view does: it has read the session
            assert ask(with_cookie(sid), pair[1], ending) == (200, "ok")
        assert answer.result()[0] == 200

    assert ask(with_cookie(sid), pair[0], "recall") == (200, "None")


def test_sign_out_wins_against_forty_writers(pair: Pair) -> None:
    for _ in range(10):
        sid = started(pair)
        with ThreadPoolExecutor(8) as pool:
            writers = [pool.submit(ask, with_cookie(sid), pair[n % 2], "change") for n in range(40)]
            left = ask(with_cookie(sid), pair[1], "leave")
            written = [writer.result() for writer in writers]

        assert left == (200, "ok")
        assert set(written) == {(200, "ok")}
        assert ask(with_cookie(sid), pair[0], "recall") == (200, "None")


def test_of_two_new_ids_at_once_one_alone_holds_the_session(pair: Pair, folder: Path) -> None:
    for _ in range(20):
        sid = started(pair)
        before = len(list((folder / "sessions").iterdir()))

        with ThreadPoolExecutor(4) as pool:
            moves = [pool.submit(ask, with_cookie(sid), pair[n % 2], "move") for n in range(4)]

        assert {move.result() for move in moves} == {(200, "ok")}
        assert len(list((folder / "sessions").iterdir())) == before
        assert ask(with_cookie(sid), pair[0], "recall") == (200, "None")
