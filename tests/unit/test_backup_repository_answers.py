import pytest

from backup.repository import answers
from backup.repository.calls import Ended
from backup.repository.targets import Target

TARGET = Target("rest", "rest", "rest:https://vault.example/")


def kind(verb: str, code: int, said: bytes, ended_for: str = "") -> str:
    """Return the error's type, once its message names the target and the verb."""
    error = answers.error(TARGET, verb, Ended(code, said, ended_for))
    assert str(error).startswith(f"target rest: restic {verb}")
    return type(error).__name__


@pytest.mark.parametrize(
    ("verb", "code", "said", "expected"),
    [
        pytest.param("backup", 1, b"Fatal: oh", "TargetError", id="anything else"),
        pytest.param("backup", 3, b"", "IncompleteError", id="something could not be read"),
        pytest.param("cat", 10, b"", "MissingError", id="no repository"),
        pytest.param("forget", 11, b"", "LockedError", id="locked by another"),
        pytest.param("cat", 12, b"", "TargetError", id="another key"),
        pytest.param("dump", 1, b"Fatal: oh", "RepositoryDamagedError", id="unreadable"),
        pytest.param("backup", 1, b"config is damaged", "RepositoryDamagedError", id="it says so"),
        pytest.param("dump", 1, b"No space left on device", "FullError", id="our own disk is full"),
        pytest.param(
            "dump", 1, b"Fatal: no matching ID found", "VanishedError", id="a snapshot is gone"
        ),
        pytest.param("dump", -9, b"", "TargetError", id="killed while reading is no damage"),
    ],
)
def test_the_end_of_a_call_means(verb: str, code: int, said: bytes, expected: str) -> None:
    assert kind(verb, code, said) == expected


def test_a_call_that_was_ended_by_us_says_why() -> None:
    error = answers.error(TARGET, "dump", Ended(-15, b"", "nothing had moved for 3 s"))

    assert type(error).__name__ == "TargetError"
    assert "nothing had moved for 3 s" in str(error)


def test_of_what_restic_says_the_messages_are_kept_and_its_programmers_lines_are_not() -> None:
    said = (
        b'{"message_type":"status","percent_done":1}\n'
        b'{"message_type":"error","error":{"message":"cannot open"}}\n'
        b"pg_dump: error: permission denied\n"
        b'{"message_type":"exit_error","message":"Fatal: it failed\\ngithub.com/restic/x\\n\\tx.go:1"}\n'
    )

    assert answers.words(said) == (
        "cannot open / pg_dump: error: permission denied / Fatal: it failed"
    )


def test_snapshots_are_listed_oldest_first() -> None:
    listed = (
        b'[{"id":"b","time":"2026-11-22T03:00:00.123456789Z","tags":["wal"],"paths":["/w"]},'
        b'{"id":"a","time":"2026-11-21T03:00:00Z","paths":["/x"]}]'
    )

    assert [(s.id, s.tags) for s in answers.snapshots(listed)] == [("a", ()), ("b", ("wal",))]
