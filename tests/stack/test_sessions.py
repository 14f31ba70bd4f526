"""What expired goes, what is alive stays: the mailer, in web's group, on web's volume."""

import pytest

from tests.stack.stack import Stack
from tests.waiting import eventually

FOLDER = "/var/lib/keelson/flask_session"
WRITE = """
import sys
from hashlib import sha256
from pathlib import Path
from web.sessions.files import SessionFiles
folder, key = Path(sys.argv[1]), sha256(sys.argv[2].encode()).hexdigest()
SessionFiles(folder).write(key, b"{}", int(sys.argv[3]))
print(folder / key)
"""


def write_session(stack: Stack, name: str, lifetime_seconds: int) -> str:
    """Write a session as web does, in web, and return its path."""
    arguments = [FOLDER, name, str(lifetime_seconds)]
    return stack.compose("exec", "-T", "web", "python", "-c", WRITE, *arguments).strip()


def in_folder(stack: Stack) -> set[str]:
    found = stack.compose("exec", "-T", "web", "find", FOLDER, "-type", "f")
    return set(found.split())


def shown(stack: Stack, form: str, path: str) -> str:
    return stack.compose("exec", "-T", "web", "stat", f"--format={form}", path).strip()


def test_mailer_removes_expired_sessions_and_leaves_the_others(stack: Stack) -> None:
    live = write_session(stack, "live", 1800)
    expired = write_session(stack, "expired", -3600)
    left = f"{FOLDER}/killed-writer.__wz_cache"
    stack.compose("exec", "-T", "web", "touch", "--date=2 hours ago", left)
    before = in_folder(stack)

    stack.compose("restart", "mailer")  # it sweeps when it starts, and then once a minute
    eventually(lambda: not in_folder(stack) & {expired, left}, 30, "both are removed")

    assert {live, expired, left} <= before
    assert live in in_folder(stack)
    eventually(
        lambda: any(e["event"] == "session files removed" for e in stack.log_events("mailer")),
        10,
        "the mailer says so",
    )
    assert not any(e.get("part") == "sessions" for e in stack.log_events("mailer")), "in trouble"


def test_session_that_web_wrote_meanwhile_can_be_put_back_by_the_mailer(stack: Stack) -> None:
    """The kernel lets only those link a file who may read and write it."""
    live = write_session(stack, "between", 1800)
    stack.compose("exec", "-T", "mailer", "mv", live, f"{live}.0123456789abcdef.taken")

    stack.compose("restart", "mailer")
    eventually(lambda: live in in_folder(stack), 30, "it is back")

    eventually(lambda: f"{live}.0123456789abcdef.taken" not in in_folder(stack), 10, "only there")
    assert shown(stack, "%u:%g", live) == "10001:10001"


@pytest.mark.parametrize(("path", "form"), [("", "2770 10001:10001"), ("live", "660 10001:10001")])
def test_sessions_are_for_web_and_its_group_alone(stack: Stack, path: str, form: str) -> None:
    file = write_session(stack, path, 1800) if path else FOLDER

    assert shown(stack, "%a %u:%g", file) == form
