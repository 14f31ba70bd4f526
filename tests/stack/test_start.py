"""Starting: twice, with what is wrong, and with volumes that belong to something else."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest

from common.schema import HEAD
from tests.conftest import ROOT
from tests.images import image
from tests.stack.stack import LONG_RUNNING, Stack

EX_CONFIG = 78


def docker(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["docker", *words], text=True, capture_output=True, check=False)


@contextmanager
def a_volume() -> Iterator[str]:
    name = f"keelson-test-{uuid4().hex[:8]}"
    docker("volume", "create", name)
    try:
        yield name
    finally:
        docker("volume", "rm", "--force", name)


def test_a_second_start_changes_nothing(stack: Stack) -> None:
    before = {service: stack.inspect(service)["Id"] for service in LONG_RUNNING}
    secret = stack.compose("exec", "-T", "web", "cat", "/run/keelson/web/secret_key")

    stack.compose("up", "--detach", "--wait")

    assert {service: stack.inspect(service)["Id"] for service in LONG_RUNNING} == before
    assert stack.compose("exec", "-T", "web", "cat", "/run/keelson/web/secret_key") == secret
    assert stack.log_events("migrate")[-1]["event"] == "nothing to migrate"


def test_lost_secrets_are_made_anew_and_the_data_is_still_there(stack: Stack) -> None:
    stack.sql(
        "INSERT INTO subscribers (email, token_hash, token_expires_at)"
        " VALUES ('survivor@example.org', '', now())"
    )
    stack.compose("down")
    for folder in (
        "authority",
        "ca",
        "db-secrets",
        "web-secrets",
        "edge-secrets",
        "mailer-secrets",
    ):
        assert docker("volume", "rm", f"{stack.project}_{folder}").returncode == 0

    stack.compose("up", "--detach", "--wait")
    stack.wait_until_well()

    kept = stack.sql("SELECT count(*) FROM subscribers WHERE email = 'survivor@example.org'")
    assert kept == "1"


def test_a_failed_migration_stops_the_deploy_with_its_message(stack: Stack) -> None:
    stack.sql("UPDATE alembic_version SET version_num = 'unknown'")

    try:
        done = stack.try_compose("up", "--detach", "--wait")
        said = stack.log_events("migrate")[-1]
    finally:
        stack.sql(f"UPDATE alembic_version SET version_num = '{HEAD}'")
        stack.compose("up", "--detach", "--wait")

    assert done.returncode != 0
    assert said["event"].startswith("migration failed")
    assert "unknown" in said["error"]


@pytest.mark.parametrize(
    ("service", "wrong"),
    [
        pytest.param("web", {"WEB_THREADS": "many", "BASE_URL": "here", "DB_POOL_SIZE": "0"}, id="web"),
        pytest.param("mailer", {"MAIL_PORT": "smtp", "MAIL_USE_TLS": "2", "DB_POOL_SIZE": "0"}, id="mailer"),
        pytest.param("backup", {"BACKUP_SCHEDULE": "daily", "BACKUP_RETENTION_DAYS": "0"}, id="backup"),
        pytest.param("migrate", {"LOG_LEVEL": "loud", "APP_ENV": "prod", "DB_POOL_SIZE": "0"}, id="migrate"),
    ],
)  # fmt: skip
def test_every_wrong_setting_is_named_at_once_and_the_exit_code_is_78(
    service: str, wrong: dict[str, str]
) -> None:
    given = [word for name, value in wrong.items() for word in ("--env", f"{name}={value}")]

    done = docker("run", "--rm", "--network=none", *given, f"keelson-{service}:test")

    assert done.returncode == EX_CONFIG
    for name in (*wrong, "DATABASE_URL"):
        assert f"{name}: " in done.stderr, done.stderr


def test_an_unreadable_secret_file_is_named() -> None:
    done = docker(
        "run",
        "--rm",
        "--network=none",
        "--env=DATABASE_URL_FILE=/run/keelson/nowhere",
        image("mailer"),
    )

    assert done.returncode == EX_CONFIG
    assert "DATABASE_URL: cannot read the file /run/keelson/nowhere" in done.stderr


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        pytest.param("echo 16 > /v/PG_VERSION", "cluster of PostgreSQL 16 and this is 17", id="another major version"),
        pytest.param("echo x > /v/letter.txt", "not empty and holds no cluster", id="somebody else's files"),
    ],
)  # fmt: skip
def test_a_foreign_database_volume_is_refused_and_left_alone(prepare: str, said: str) -> None:
    with a_volume() as volume:
        docker("run", "--rm", "--user=0", f"--volume={volume}:/v", image("db"), "bash", "-c",
               f"{prepare} && chown -R 10006:10006 /v && chmod 700 /v")  # fmt: skip
        before = docker(
            "run", "--rm", "--user=0", f"--volume={volume}:/v", image("db"), "find", "/v"
        ).stdout

        done = docker("run", "--rm", f"--volume={volume}:/var/lib/postgresql/data", image("db"))

        after = docker(
            "run", "--rm", "--user=0", f"--volume={volume}:/v", image("db"), "find", "/v"
        ).stdout
    assert done.returncode == EX_CONFIG
    assert said in done.stderr
    assert after == before


FULL_THEN_FREE = r"""
cd /run/keelson && mkdir authority ca db edge owner web mailer backup valkey
cat /dev/zero >filler 2>/dev/null
init && exit 90                                              # it must not succeed
find . -type f ! -name '.*' ! -name filler -size 0 | grep . && exit 91 # nor leave an empty file under a final name
rm filler
init                                                         # and once there is room, all is well
"""


def test_a_full_disk_at_init_is_named_and_leaves_nothing_half_done() -> None:
    small = "--tmpfs=/run/keelson:uid=10000,gid=10000,mode=0755,size=256k"

    done = docker("run", "--rm", small, image("init"), "bash", "-c", FULL_THEN_FREE)

    assert done.returncode == 0, done.stderr
    assert "is the disk full" in done.stderr
    assert "init: made /run/keelson/web/secret_key" in done.stderr


def up(stack: Stack) -> "subprocess.CompletedProcess[str]":
    """Run what `make up` runs, on the tests' own stack."""
    return subprocess.run(
        ["scripts/up", *stack.command], cwd=ROOT, text=True, capture_output=True, check=False
    )


@contextmanager
def mended(stack: Stack) -> Iterator[None]:
    """Bring the stack back to its own settings, whatever the test did to it."""
    try:
        yield
    finally:
        stack.set()
        assert up(stack).returncode == 0
        stack.wait_until_well()


def test_up_names_every_wrong_setting_of_every_part_and_leaves_what_runs_alone(
    stack: Stack,
) -> None:
    with mended(stack):
        stack.set(
            WEB_THREADS="many",
            BASE_URL="somewhere",
            MAIL_TIMEOUT="soon",
            BACKUP_SCHEDULE="every day",
        )
        done = up(stack)

        still = stack.get("/").status_code

    assert done.returncode == EX_CONFIG
    for name in ("WEB_THREADS", "BASE_URL", "MAIL_TIMEOUT", "BACKUP_SCHEDULE"):
        assert f"{name}: " in done.stderr
    assert "what ran still runs" in done.stderr
    assert still == 200


def test_up_names_a_port_that_is_taken_and_says_what_to_do(stack: Stack) -> None:
    with mended(stack), socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        stack.set(HTTP_PORT=str(taken.getsockname()[1]))
        done = up(stack)

    assert done.returncode == 1
    assert "a port is taken; set HTTP_PORT" in done.stderr


def test_up_prints_where_the_stack_is(stack: Stack) -> None:
    done = up(stack)

    assert done.returncode == 0
    assert stack.url in done.stdout
    assert f"{stack.url}/dev/inbox" in done.stdout
