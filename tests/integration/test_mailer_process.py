"""`python -m mailer` as a process: signals, exit codes, and what is left behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.conftest import ROOT
from tests.integration.postgres import Database
from tests.integration.smtp_server import (
    PASSWORD,
    USER,
    attempts,
    queue_mail,
    running_server,
    states,
    trouble,
)
from tests.stack.smtp.certificates import make_certificate
from tests.stack.smtp.server import SmtpServer
from tests.waiting import eventually

ALICE = "alice@example.net"
GRACE_SECONDS = 60


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SmtpServer]:
    """A server that is well, whose authority is in the test's folder."""
    with running_server(make_certificate(tmp_path, "localhost")) as running:
        yield running


@pytest.fixture
def settings(database: Database, server: SmtpServer, tmp_path: Path) -> dict[str, str]:
    """The environment of a mailer that uses the server, its password in a file."""
    (tmp_path / "mail_password").write_text(f"{PASSWORD}\n", encoding="utf-8")
    return {
        "DATABASE_URL": database.url("mailer"),
        "MAIL_SERVER": "localhost",
        "MAIL_PORT": str(server.port),
        "MAIL_USERNAME": USER,
        "MAIL_PASSWORD_FILE": str(tmp_path / "mail_password"),
        "MAIL_CA_FILE": str(tmp_path / "ca.crt"),
        "MAIL_JOURNAL_DIR": str(tmp_path / "journal"),
    }


@contextmanager
def mailer_process(settings: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """Run a mailer; it is killed at the end if it still runs."""
    environment = {**os.environ, **settings}
    with subprocess.Popen(
        [sys.executable, "-m", "mailer"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ends(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Return the exit code and all that was printed; it must end within its grace period."""
    printed, _ = process.communicate(timeout=GRACE_SECONDS)
    return process.returncode, printed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_an_idle_mailer(
    database: Database, settings: dict[str, str], number: signal.Signals
) -> None:
    with mailer_process(settings) as process:
        queue_mail(database, ALICE)
        eventually(lambda: states(database) == {"sent": 1})
        process.send_signal(number)
        code, printed = ends(process)

    assert code == 0
    assert '"event": "stopped"' in printed


def test_sigterm_finishes_the_mail_on_the_wire_and_leaves_the_others(
    database: Database, server: SmtpServer, settings: dict[str, str]
) -> None:
    server.state.behave(data="stall")

    with mailer_process(settings) as process:
        queue_mail(database, ALICE, "bob@example.net")
        server.state.wait_for(messages=1)
        process.terminate()
        server.state.behave()
        code, printed = ends(process)

    assert code == 0
    assert states(database) == {"sent": 1, "queued": 1}
    assert len(server.state.messages) == 1
    assert PASSWORD not in printed


def test_sigterm_while_the_relay_is_away_leaves_the_mail_as_it_was(
    database: Database, server: SmtpServer, settings: dict[str, str]
) -> None:
    server.stop()

    with mailer_process(settings) as process:
        queue_mail(database, ALICE)
        eventually(lambda: trouble(database), what="the mailer has tried")
        process.terminate()
        code, _ = ends(process)

    with database.engine("owner").connect() as connection:
        assert connection.scalar(text("SELECT due_at <= now() FROM outbox"))
    assert code == 0
    assert states(database) == {"queued": 1}
    assert attempts(database) == [0]


def test_killed_mailer_loses_nothing(
    database: Database, server: SmtpServer, settings: dict[str, str]
) -> None:
    server.state.behave(data="stall")
    with mailer_process(settings) as process:
        queue_mail(database, ALICE)
        server.state.wait_for(messages=1)
        process.kill()
        ends(process)
    after_kill = states(database)

    server.state.behave()
    with mailer_process(settings) as process:
        eventually(lambda: states(database) == {"sent": 1})
        process.terminate()
        ends(process)

    first, second = server.state.messages
    assert after_kill == {"queued": 1}
    assert first.raw == second.raw, "the same Message-ID, so that a reader can tell"


def test_changed_password_file_is_taken_over_without_a_restart(
    database: Database, settings: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "mail_password").write_text("wrong\n", encoding="utf-8")

    with mailer_process(settings) as process:
        queue_mail(database, ALICE)
        eventually(lambda: "535" in (trouble(database) or ""), what="the password is refused")
        (tmp_path / "mail_password").write_text(f"{PASSWORD}\n", encoding="utf-8")
        eventually(lambda: states(database) == {"sent": 1})
        process.terminate()
        _, printed = ends(process)

    assert PASSWORD not in printed
    assert "wrong" not in printed


def test_without_credentials_mail_waits_and_the_log_says_what_to_set(
    database: Database, server: SmtpServer, settings: dict[str, str]
) -> None:
    del settings["MAIL_USERNAME"], settings["MAIL_PASSWORD_FILE"]

    with mailer_process(settings) as process:
        queue_mail(database, ALICE)
        eventually(lambda: trouble(database), what="the status page knows")
        told = trouble(database)
        process.terminate()
        code, printed = ends(process)

    assert (
        told == "no SMTP credentials: set MAIL_USERNAME and MAIL_PASSWORD_FILE (or MAIL_PASSWORD)"
    )
    assert printed.count("no SMTP credentials") == 1
    assert states(database) == {"queued": 1}
    assert server.state.logins == []
    assert code == 0


def test_wrong_settings_are_listed_and_end_it_with_78() -> None:
    with mailer_process({"MAIL_PORT": "0", "MAIL_USE_TLS": "perhaps"}) as process:
        code, printed = ends(process)

    assert code == os.EX_CONFIG
    assert [line.partition(":")[0] for line in printed.splitlines()] == [
        "DATABASE_URL",
        "MAIL_PORT",
        "MAIL_USE_TLS",
    ]


def test_check_of_good_settings_delivers_nothing(
    settings: dict[str, str], database: Database
) -> None:
    queue_mail(database, ALICE)
    command = [sys.executable, "-m", "mailer", "--check"]

    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **settings}, capture_output=True, check=False
    )

    assert done.returncode == 0
    assert done.stdout == b""
    assert states(database) == {"queued": 1}
