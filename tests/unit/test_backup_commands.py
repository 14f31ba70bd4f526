import io
import sys

import pytest

from backup import __main__ as root
from backup import commands, programs
from backup.child import Child
from backup.settings import Settings
from common.settings import ConfigError

URL = "postgresql://keelson_backup:s3cret@db:5433/keelson?sslmode=verify-full&sslrootcert=/ca.crt"


def test_all_wrong_settings_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        Settings.read(backup_schedule="never", backup_retention_days=0)

    names = [line.partition(":")[0] for line in str(raised.value).splitlines()]
    assert sorted(names) == ["BACKUP_RETENTION_DAYS", "BACKUP_SCHEDULE", "DATABASE_URL"]


def test_wrong_settings_end_with_78(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["backup", "list"])

    code = root.main()

    assert code == 78
    assert capsys.readouterr().err.startswith("DATABASE_URL: not set")


def test_check_of_good_settings_does_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["backup", "--check"])
    monkeypatch.setenv("DATABASE_URL", URL)

    assert root.main() == 0


def test_programs_are_given_everything_but_the_password() -> None:
    conninfo = programs.conninfo(Settings.read(database_url=URL).url())

    for part in ("host=db", "port=5433", "user=keelson_backup", "sslmode=verify-full"):
        assert part in conninfo.split()
    assert "s3cret" not in conninfo


def test_another_database_of_the_server_is_reached_in_the_same_way() -> None:
    url = Settings.read(database_url=URL).for_database("postgres").url()

    assert (url.database, url.host, url.password) == ("postgres", "db", "s3cret")
    assert url.query["sslmode"] == "verify-full"


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
def test_only_a_person_who_writes_yes_agrees_to_a_restore(
    stdin: io.StringIO, agreed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)

    assert commands.confirmed() is agreed


def test_child_says_how_it_ended() -> None:
    assert Child([sys.executable, "-c", "raise SystemExit(75)"]).run() == 75


def test_child_that_was_ended_for_good_does_not_begin() -> None:
    child = Child([sys.executable, "-c", "raise SystemExit(1)"])

    child.end()

    assert child.run() == 0
