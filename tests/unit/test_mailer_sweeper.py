import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest
from structlog.testing import capture_logs

from mailer.stop import Stop
from mailer.upkeep import sweeper as module
from mailer.upkeep.sweeper import Sweeper, alone_in
from tests.unit.test_mailer_session_files import LONG_AGO, Sessions, make_old
from tests.waiting import eventually

RACE_SECONDS = 3


def a_sweeper(folder: Path) -> Sweeper:
    return Sweeper(folder, time.time)


def refusing(error: OSError) -> Callable[[Path, float], None]:
    def settle(_path: Path, _now: float) -> None:
        raise error

    return settle


def test_one_line_says_how_many_were_removed(tmp_path: Path) -> None:
    cache = Sessions(tmp_path)
    for number in range(3):
        cache.set(f"session:{number}", {}, timeout=LONG_AGO)
    cache.set("session:live", {"name": "ada"}, timeout=60)
    (tmp_path / "tmp1.__wz_cache").touch()
    make_old(tmp_path / "tmp1.__wz_cache")

    with capture_logs() as logged:
        a_sweeper(tmp_path).sweep(Stop())

    (line,) = logged
    assert line["event"] == "session files removed"
    assert (line["expired"], line["abandoned"]) == (3, 1)
    assert cache.get("session:live") == {"name": "ada"}


def test_nothing_is_said_where_nothing_was_removed(tmp_path: Path) -> None:
    Sessions(tmp_path).set("session:live", {"name": "ada"}, timeout=60)
    (tmp_path / "folder").mkdir()

    with capture_logs() as logged:
        a_sweeper(tmp_path).sweep(Stop())

    assert logged == []


def test_missing_folder_is_said_once_and_so_is_its_return(tmp_path: Path) -> None:
    folder = tmp_path / "sessions"
    sweeper = a_sweeper(folder)

    with capture_logs() as logged:
        sweeper.sweep(Stop())
        sweeper.sweep(Stop())
        folder.mkdir()
        sweeper.sweep(Stop())
        sweeper.sweep(Stop())

    trouble, well = logged
    assert trouble["reason"] == (
        f"the session folder {folder} cannot be listed: No such file or directory"
    )
    assert (well["event"], well["part"]) == ("well again", "sessions")


def test_files_that_cannot_be_swept_are_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).touch()
    monkeypatch.setattr(module, "settle", refusing(PermissionError(13, "Permission denied")))
    sweeper = a_sweeper(tmp_path)

    with capture_logs() as logged:
        sweeper.sweep(Stop())
        sweeper.sweep(Stop())

    (line,) = logged
    assert line["reason"].startswith("2 session files cannot be swept; the first: [Errno 13]")


def test_file_that_others_removed_first_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").touch()
    monkeypatch.setattr(module, "settle", refusing(FileNotFoundError(2, "gone")))

    with capture_logs() as logged:
        a_sweeper(tmp_path).sweep(Stop())

    assert logged == []


def test_sweeper_leaves_the_folder_to_another_that_is_at_it(tmp_path: Path) -> None:
    Sessions(tmp_path).set("session:alice", {}, timeout=LONG_AGO)
    sweeper = a_sweeper(tmp_path)

    with alone_in(tmp_path) as alone:
        sweeper.sweep(Stop())
        left = len(list(tmp_path.iterdir()))
    sweeper.sweep(Stop())

    assert alone
    assert left == 1
    assert list(tmp_path.iterdir()) == []


def test_thread_goes_on_after_trouble_and_ends_when_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INTERVAL_SECONDS", 0.01)
    monkeypatch.setattr(module, "settle", refusing(ValueError("unforeseen")))  # type: ignore[arg-type]
    (tmp_path / "a").touch()
    stop = Stop()
    thread = Thread(target=a_sweeper(tmp_path).run, args=(stop,), daemon=True)

    with capture_logs() as logged:
        thread.start()
        eventually(lambda: len(logged) >= 2, 5, "it has swept again")
        stop.set()
        thread.join(5)

    assert not thread.is_alive()


def test_no_session_is_lost_however_web_and_two_sweepers_meet(tmp_path: Path) -> None:
    """Each writer lets its session expire, brings it back as a late request would, and looks."""
    over, stop, lost = Event(), Stop(), list[str]()

    def visit(key: str) -> None:
        cache, visits = Sessions(tmp_path), 0
        while not over.is_set():
            visits += 1
            cache.set(key, {"visits": visits}, timeout=LONG_AGO)
            cache.set(key, {"visits": visits}, timeout=60)
            if not within_a_second(lambda: cache.get(key) == {"visits": visits}):  # noqa: B023 called at once
                lost.append(f"{key}, visit {visits}")

    def sweep() -> None:
        sweeper = a_sweeper(tmp_path)
        while not over.is_set():
            sweeper.sweep(stop)

    threads = [Thread(target=visit, args=(f"session:{number}",)) for number in range(4)]
    threads += [Thread(target=sweep) for _ in range(2)]

    with capture_logs() as logged:
        for thread in threads:
            thread.start()
        time.sleep(RACE_SECONDS)  # the race itself
        over.set()
        for thread in threads:
            thread.join()

    assert lost == []
    assert sum(line["expired"] for line in logged) > 0, "they never met"
    assert {line["event"] for line in logged} == {"session files removed"}


def within_a_second(condition: Callable[[], bool]) -> bool:
    """Say whether it comes true: for an instant, a session may be between two names."""
    deadline = time.monotonic() + 1
    while not (true := condition()) and time.monotonic() < deadline:
        time.sleep(0.001)
    return true
