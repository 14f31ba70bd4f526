import io
import sys

import pytest

from backup.errors import RefusedError
from backup.operator import asking


class Terminal(io.StringIO):
    """Somebody who answers."""

    def isatty(self) -> bool:
        """Say that somebody is there."""
        return True


@pytest.mark.parametrize(
    ("stdin", "agreed"),
    [
        pytest.param(Terminal("yes\n"), True, id="yes"),
        pytest.param(Terminal("Yes \n"), True, id="yes, however written"),
        pytest.param(Terminal("y\n"), False, id="anything else is no"),
        pytest.param(Terminal("\n"), False, id="nothing is no"),
        pytest.param(Terminal(""), False, id="the end of input is no"),
        pytest.param(io.StringIO("yes\n"), False, id="a pipe is nobody to ask"),
    ],
)
def test_only_a_person_who_writes_yes_agrees(
    stdin: io.StringIO, agreed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)

    assert asking.confirmed("Restore it?") is agreed


def test_one_yes_is_for_all_that_the_question_names(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("yes\n"))

    asking.require_yes("All is lost.", "Sure?", {"--yes": False, "--end-connections": False})

    assert capsys.readouterr().err == "All is lost.\nSure? Write yes: "


def test_a_no_is_told_from_nobody_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("no\n"))
    with pytest.raises(RefusedError, match="you have not written yes"):
        asking.require_yes("", "Sure?", {"--yes": False})

    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(RefusedError, match="nobody is here to ask; say --yes beforehand"):
        asking.require_yes("", "Sure?", {"--yes": False})


def test_who_has_agreed_beforehand_is_not_asked_but_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    asking.require_yes("All is lost.", "Sure?", {"--yes": True})

    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "All is lost.\n")
