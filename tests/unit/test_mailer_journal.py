import errno
import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from mailer.delivery import journal
from mailer.delivery.journal import Fate, Journal, fates, journals_in


def test_the_last_step_of_each_mail_is_found(tmp_path: Path) -> None:
    ours = Journal(tmp_path, 7)
    ours.note(Fate.CLAIMED, 1, 2, 3, 4)
    ours.note(Fate.STARTED, 1)
    ours.note(Fate.STARTED, 2)
    ours.note(Fate.ENDING, 2)
    ours.note(Fate.STARTED, 3)
    ours.note(Fate.ENDING, 3)
    ours.note(Fate.ACCEPTED, 3)

    assert fates(tmp_path, 7) == {
        1: Fate.STARTED,
        2: Fate.ENDING,
        3: Fate.ACCEPTED,
        4: Fate.CLAIMED,
    }


def test_it_can_be_read_while_its_mailer_still_writes(tmp_path: Path) -> None:
    Journal(tmp_path, 7).note(Fate.ENDING, 1)

    assert fates(tmp_path, 7) == {1: Fate.ENDING}


@pytest.mark.parametrize("torn", [b"A", b"A ", b"A 1", b"A 12"])
def test_half_a_line_at_the_end_is_passed_over(tmp_path: Path, torn: bytes) -> None:
    (tmp_path / "7.journal").write_bytes(b"C 1\nD 1\n" + torn)

    assert fates(tmp_path, 7) == {1: Fate.ENDING}


def test_mail_that_was_begun_is_given_back_unless_its_end_was_near(tmp_path: Path) -> None:
    ours = Journal(tmp_path, 7)
    ours.note(Fate.STARTED, 1, 2)
    ours.note(Fate.ENDING, 2)

    ours.give_back(1)
    ours.give_back(2)

    assert fates(tmp_path, 7) == {1: Fate.CLAIMED, 2: Fate.ENDING}


def test_without_a_journal_nothing_is_known(tmp_path: Path) -> None:
    assert fates(tmp_path, 7) is None


def test_only_we_and_our_successors_can_read_it(tmp_path: Path) -> None:
    Journal(tmp_path / "journal", 7)

    assert (tmp_path / "journal" / "7.journal").stat().st_mode & 0o777 == 0o600


def test_what_is_settled_is_left_out_when_it_grows_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "LONGEST_FILE", 1000)
    ours = Journal(tmp_path, 7)
    ours.note(Fate.ENDING, 5)
    for mail in range(100, 1000):
        ours.note(Fate.CLAIMED, mail)
        ours.forget(mail)
    ours.note(Fate.ACCEPTED, 6)

    found = fates(tmp_path, 7)

    assert found is not None
    assert (found[5], found[6]) == (Fate.ENDING, Fate.ACCEPTED)
    assert (tmp_path / "7.journal").stat().st_size < 1100


def test_it_goes_when_it_is_retired_and_nothing_is_in_hand(tmp_path: Path) -> None:
    ours = Journal(tmp_path, 7)
    ours.note(Fate.CLAIMED, 1)

    ours.retire(keep=False)
    assert fates(tmp_path, 7) == {1: Fate.CLAIMED}
    ours.forget(1)

    assert list(journals_in(tmp_path)) == []


def test_it_stays_where_others_may_take_up_what_was_in_hand(tmp_path: Path) -> None:
    ours = Journal(tmp_path, 7)
    ours.note(Fate.CLAIMED, 1)
    ours.retire(keep=True)

    ours.forget(1)

    assert fates(tmp_path, 7) == {1: Fate.CLAIMED}


@pytest.mark.parametrize("written", [3, None])
def test_it_is_removed_when_it_cannot_be_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int | None
) -> None:
    def write(_file: int, _lines: bytes) -> int:
        if written is None:
            raise OSError(errno.ENOSPC, "no space left")
        return written

    ours = Journal(tmp_path, 7)
    ours.note(Fate.CLAIMED, 1)
    monkeypatch.setattr(os, "write", write)

    ours.note(Fate.ENDING, 1)

    assert fates(tmp_path, 7) is None


def test_mail_goes_without_it_where_it_cannot_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    folder.write_text("not a folder")

    with capture_logs() as logs:
        ours = Journal(folder, 7)
        ours.note(Fate.STARTED, 1)
        ours.forget(1)
        ours.retire(keep=False)

    assert [entry["log_level"] for entry in logs] == ["error"]
    assert "may send mail twice" in logs[0]["event"]


def test_other_files_are_no_journals(tmp_path: Path) -> None:
    Journal(tmp_path, 7)
    (tmp_path / "README.journal").touch()
    (tmp_path / "8.new").touch()

    assert [number for number, _ in journals_in(tmp_path)] == [7]
