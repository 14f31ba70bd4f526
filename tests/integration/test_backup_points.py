"""What is lost where the database's disk is gone: what was acknowledged, and what can be recovered."""

import os
from contextlib import ExitStack
from pathlib import Path

import docker
import pytest
from docker.errors import ContainerError

from tests.images import image
from tests.integration.backups import FOLDER
from tests.integration.postgres import Database
from tests.integration.restores import restores_of
from tests.integration.streams import Streaming, Writer, streaming
from tests.waiting import eventually

MARKERS = 500


def lost_with_the_disk(stream: Streaming, database: Database) -> tuple[int, int]:
    """Kill the database under a writer, remove its disk; return rows acknowledged, and rows recovered."""
    with Writer(database).writing() as writer:
        eventually(lambda: len(writer.written) > MARKERS, 60, "enough was written")
        database.lose()
    (found,) = stream.recover([None])
    acknowledged = [marker.number for marker in writer.written]
    recovered = found["markers"]
    assert recovered[: len(acknowledged)] == acknowledged[: len(recovered)]
    return len(acknowledged), len(recovered)


def test_with_the_disk_goes_only_what_was_committed_last(tmp_path: Path) -> None:
    with Database(tmp_path).running() as database, streaming(database) as stream:
        acknowledged, recovered = lost_with_the_disk(stream, database)

    print(f"acknowledged {acknowledged}, recovered {recovered}")  # noqa: T201 shown with -rP
    assert recovered > acknowledged - MARKERS / 10


def test_nothing_acknowledged_is_lost_where_commits_wait_for_the_worker(tmp_path: Path) -> None:
    with (
        Database(tmp_path, BACKUP_SYNCHRONOUS="true").running() as database,
        streaming(database) as stream,
    ):
        acknowledged, recovered = lost_with_the_disk(stream, database)

    print(f"acknowledged {acknowledged}, recovered {recovered}")  # noqa: T201 shown with -rP
    assert recovered >= acknowledged


def test_commits_wait_while_the_worker_is_away_and_never_those_of_others(tmp_path: Path) -> None:
    with (
        Database(tmp_path, BACKUP_SYNCHRONOUS="true").running() as database,
        streaming(database) as stream,
    ):
        waits = "SELECT wait_event FROM pg_stat_activity WHERE usename = 'keelson_web'"
        web, owner = Writer(database), Writer(database, "owner", first=1_000_000)
        stream.backups.container.pause()
        try:
            with web.begun():
                eventually(lambda: "SyncRep" in stream.backups.superuser(waits), 30, "web waits")
                with owner.writing():
                    assert web.written == []
                stream.backups.container.unpause()
                eventually(lambda: web.written, 30, "web goes on once it is back")
        finally:
            stream.backups.container.reload()
            if stream.backups.container.status == "paused":
                stream.backups.container.unpause()


def test_what_is_not_true_or_false_is_a_wrong_setting_of_the_database() -> None:
    with pytest.raises(ContainerError) as refused:
        docker.from_env().containers.run(
            image("db"), environment={"BACKUP_SYNCHRONOUS": "perhaps"}, remove=True
        )

    assert refused.value.exit_status == os.EX_CONFIG
    assert "BACKUP_SYNCHRONOUS: write true or false, not 'perhaps'" in str(refused.value.stderr)


def test_the_end_of_a_lost_cluster_is_restored_after_an_empty_one_has_taken_its_place(
    tmp_path: Path,
) -> None:
    with (
        Database(tmp_path).running() as database,
        streaming(database) as stream,
        ExitStack() as anew,
    ):
        former = stream.points()["bases"][0]["id"]
        with stream.held():
            with Writer(database).writing() as writer:
                eventually(lambda: len(writer.written) > MARKERS, 60, "enough was written")
            eventually(stream.received, 30, "all of it has arrived, and is shipped nowhere")
            database.lose()
            anew.enter_context(database.made_anew())
            eventually(stream.received, 60, "the new cluster's log is received")
        with restores_of(stream.backups) as restores:
            told = f"{FOLDER}/state/tails-local.json"
            eventually(lambda: "0000" in stream.backups.run("cat", told).out, 60, "it is shipped")
            stream.base()
            stream.ship()
            stream.shell("cd ../.. && rm -r $(ls -tr | head -n 1)")  # the targets have to have it

            plain = restores.restore("--at", "end")
            named = restores.restore("--at", "end", "--base", former)

            assert (plain.code, f"BASE={former}" in plain.err) == (os.EX_USAGE, True), plain
            assert named.code == 0, named
            count = restores.in_keelson("SELECT count(*), max(n) FROM markers").strip()
            assert count == f"{len(writer.written)}|{len(writer.written) - 1}"
