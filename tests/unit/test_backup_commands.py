import json
import os
import sys
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from backup import __main__ as root
from backup.errors import BackupError, BusyError, DamagedError, Interrupted, RefusedError
from backup.operator import answers
from backup.postgres import programs
from backup.repository.errors import LockedError, RepositoryDamagedError, TargetError
from backup.schedule.child import Child
from backup.settings import Settings
from common import logs
from common.settings import ConfigError

URL = "postgresql://keelson_backup:s3cret@db:5433/keelson?sslmode=verify-full&sslrootcert=/ca.crt"


def test_all_wrong_settings_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        Settings.read(backup_schedule="never", backup_retention_days=0)

    names = [line.partition(":")[0] for line in str(raised.value).splitlines()]
    assert sorted(names) == [
        "BACKUP_REPOSITORY_KEY",
        "BACKUP_RETENTION_DAYS",
        "BACKUP_SCHEDULE",
        "DATABASE_URL",
    ]


def test_wrong_settings_end_with_78(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["backup", "list"])

    code = root.main()

    assert code == 78
    assert "DATABASE_URL: not set" in capsys.readouterr().err


def test_wrong_settings_are_a_document_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["backup", "list", "--json"])

    code = root.main()

    told = json.loads(capsys.readouterr().out)
    assert (code, told["code"]) == (78, 78)
    assert "DATABASE_URL: not set" in told["error"]


def test_a_line_that_is_not_understood_is_answered_by_a_document_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["backup", "list", "--json", "--nonsense"])

    with pytest.raises(SystemExit):
        root.main()

    assert json.loads(capsys.readouterr().out)["code"] == os.EX_USAGE


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(OSError("no space left"), "no space left", id="the volume"),
        pytest.param(
            OperationalError("SELECT 1", {}, Exception("away\nDETAIL: x")),
            "away",
            id="the database",
        ),
    ],
)
def test_what_nobody_has_foreseen_is_a_document_and_no_traceback(
    error: Exception,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(_arguments: object) -> None:
        raise error

    monkeypatch.setattr(sys, "argv", ["backup", "list", "--json"])
    monkeypatch.setattr(root, "run", run)

    code = root.main()

    out, err = capsys.readouterr()
    assert (code, json.loads(out)) == (1, {"error": reason, "code": 1})
    assert err == f"backup: {reason}\n"


def test_check_of_good_settings_does_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["backup", "--check"])
    monkeypatch.setenv("DATABASE_URL", URL)
    monkeypatch.setenv("BACKUP_REPOSITORY_KEY", "key")

    assert root.main() == 0


def test_programs_are_given_everything_but_the_password() -> None:
    conninfo = programs.conninfo(Settings.read(database_url=URL, backup_repository_key="key").url())

    for part in ("host=db", "port=5433", "user=keelson_backup", "sslmode=verify-full"):
        assert part in conninfo.split()
    assert "s3cret" not in conninfo


def test_another_database_of_the_server_is_reached_in_the_same_way() -> None:
    url = (
        Settings.read(database_url=URL, backup_repository_key="key").for_database("postgres").url()
    )

    assert (url.database, url.host, url.password) == ("postgres", "db", "s3cret")
    assert url.query["sslmode"] == "verify-full"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        pytest.param(BackupError("x"), 1, id="not done"),
        pytest.param(Interrupted(), 1, id="told to end"),
        pytest.param(RefusedError("x"), os.EX_USAGE, id="nobody has agreed"),
        pytest.param(DamagedError("x"), os.EX_DATAERR, id="damaged"),
        pytest.param(RepositoryDamagedError("x"), os.EX_DATAERR, id="damaged, not only away"),
        pytest.param(TargetError("x"), os.EX_UNAVAILABLE, id="away"),
        pytest.param(BusyError("x"), os.EX_TEMPFAIL, id="busy"),
        pytest.param(LockedError("x"), os.EX_TEMPFAIL, id="busy, not only away"),
    ],
)
def test_exit_code_says_what_to_do_next(error: BaseException, code: int) -> None:
    assert answers.code_of(error) == code


def test_error_is_a_document_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["backup", "verify", "--json"])
    monkeypatch.setenv("DATABASE_URL", URL)
    monkeypatch.setenv("BACKUP_REPOSITORY_KEY", "key")
    monkeypatch.setenv("BACKUP_FOLDER", str(tmp_path))
    monkeypatch.setattr(root, "wait_in_python", lambda: None)
    monkeypatch.setattr(root, "raise_when_told_to_end", lambda: None)
    monkeypatch.setattr(logs, "configure", lambda *_: None)

    code = root.main()

    told = json.loads(capsys.readouterr().out)
    assert (code, told["code"]) == (1, 1)
    assert "there is no proven backup" in told["error"]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(["nonsense"], id="no such verb"),
        pytest.param(["take", "--nonsense"], id="no such option"),
        pytest.param(["prune", "7"], id="no such argument"),
    ],
)
def test_what_is_not_understood_ends_with_64(line: list[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        root.parser().parse_args(line)

    assert raised.value.code == os.EX_USAGE


def test_every_verb_answers_programs_too() -> None:
    verbs = answers.Parser().add_subparsers()
    for module in root.VERBS:
        module.add_to(verbs)

    assert {"take", "list", "verify", "copy", "prune"} <= verbs.choices.keys()
    for name, verb in verbs.choices.items():
        assert "--json" in verb.format_help(), name


def test_child_says_how_it_ended() -> None:
    assert Child([sys.executable, "-c", "raise SystemExit(75)"]).run() == 75


def test_child_that_was_ended_for_good_does_not_begin() -> None:
    child = Child([sys.executable, "-c", "raise SystemExit(1)"])

    child.end()

    assert child.run() == 0
