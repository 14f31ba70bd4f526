"""The log: received, shipped, and replayed to an instant, whatever happens to those who do it."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from tests.integration.postgres import Database
from tests.integration.streams import Streaming, Writer, exactly, streaming
from tests.waiting import eventually

INSTANTS = 3
# The database's slot outlives a test, so the first files may be from before the base, and then nobody needs them.
NEEDED = "ls | grep -v partial | tail -n 2 | head -n 1"


@pytest.fixture
def stream(database: Database) -> Iterator[Streaming]:
    with streaming(database) as running:
        yield running


def between(first: datetime, last: datetime, chance: random.Random) -> datetime:
    return first + (last - first) * chance.random()


def test_any_instant_has_exactly_what_was_committed_by_then(
    database: Database, stream: Streaming
) -> None:
    chance = random.Random(1)  # noqa: S311 the same instants for the same seed
    with Writer(database).writing() as writer:
        stream.switch(2)
        stream.ship()
        latest = stream.ship()
    earliest = datetime.fromisoformat(stream.points()["targets"][0]["from"])
    instants = [between(earliest, latest, chance) for _ in range(INSTANTS)]

    found = stream.recover([*instants, earliest, latest], amcheck=True)

    for instant, seen in zip([*instants, earliest, latest], found, strict=True):
        assert exactly(writer.written, instant, seen["markers"]), (instant, seen)
    assert len({len(seen["markers"]) for seen in found}) > INSTANTS


def test_two_bases_lead_to_the_same_content_at_the_same_instant(
    database: Database, stream: Streaming
) -> None:
    with Writer(database).writing():
        first, second = stream.points()["bases"][0]["id"], stream.base()
        instant = stream.ship()

    (one,) = stream.recover([instant], first)
    (other,) = stream.recover([instant], second)

    assert (one["base"], other["base"]) == (first, second)
    assert one["fingerprint"] == other["fingerprint"]
    assert one["markers"] != []


def test_an_instant_outside_is_refused_with_the_earliest_and_the_latest(stream: Streaming) -> None:
    target = stream.points()["targets"][0]
    earliest = datetime.fromisoformat(target["from"])

    before, after = stream.recover([earliest - timedelta(seconds=1), earliest + timedelta(days=1)])

    for refused in (before, after):
        assert f"the earliest instant is {earliest.isoformat(' ')}" in refused["error"]


def test_kill_9_of_the_receiver_leaves_no_gap(database: Database, stream: Streaming) -> None:
    with Writer(database).writing() as writer:
        for _ in range(3):
            stream.shell("kill -9 $(pidof pg_receivewal)")
            eventually(stream.received, 30, "it is received again")
        latest = stream.ship()

    (found,) = stream.recover([latest])

    assert exactly(writer.written, latest, found["markers"])
    assert stream.points()["gaps"] == []
    assert "receiving the log ended; it is tried again" in stream.logged()


@pytest.mark.parametrize(
    "harm",
    [
        pytest.param(f"rm $({NEEDED})", id="a file is deleted"),
        pytest.param(f"truncate -s 1M $({NEEDED})", id="a file is truncated"),
    ],
)
def test_a_broken_log_is_found_and_healed_by_a_new_base(stream: Streaming, harm: str) -> None:
    stream.switch(3)
    before = stream.ship()

    stream.shell(harm)
    eventually(lambda: stream.points()["gaps"], 30, "the gap is found")
    eventually(lambda: stream.ticks()[-1]["due"], 30, "a base is asked for")
    eventually(lambda: "until the next base backup" in str(stream.ticks()[-1]["tick"]), 30)
    stream.base()
    after = stream.ship()

    eventually(stream.is_well, 30, "all is well again")
    assert len(stream.points()["targets"][0]["spans"]) == 2
    assert all("markers" in found for found in stream.recover([before, after]))


def test_a_newest_file_that_is_short_is_received_again_without_a_gap(stream: Streaming) -> None:
    stream.switch(2)
    stream.ship()

    stream.shell("truncate -s 1M *.partial")
    eventually(lambda: "received again" in stream.logged(), 30, "it is found")
    eventually(stream.is_well, 30, "all is well again")
    latest = stream.ship()

    assert stream.points()["gaps"] == []
    assert all("markers" in found for found in stream.recover([latest, None]))


def test_a_slot_that_was_dropped_is_made_again_without_a_gap(stream: Streaming) -> None:
    stream.backups.superuser("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots")
    eventually(lambda: drop_slot(stream), 30, "the slot is gone")

    eventually(stream.received, 60, "it is received again")
    stream.ship()

    assert stream.points()["gaps"] == []


def test_a_lost_slot_is_a_gap_that_a_new_base_heals(stream: Streaming) -> None:
    stream.backups.superuser("ALTER SYSTEM SET max_slot_wal_keep_size = '16MB'")
    stream.backups.superuser("SELECT pg_reload_conf()")
    stream.backups.container.pause()
    try:
        eventually(lambda: "lost" in lose_slot(stream), 90, "the slot is lost")
    finally:
        stream.backups.container.unpause()
        stream.backups.superuser("ALTER SYSTEM RESET max_slot_wal_keep_size")
        stream.backups.superuser("SELECT pg_reload_conf()")

    eventually(lambda: stream.points()["gaps"], 60, "the gap is found")
    eventually(stream.received, 30, "it is received again")
    stream.base()
    stream.ship()

    assert stream.points()["slot"]["trouble"] is None
    assert len(stream.points()["gaps"]) == 1


def lose_slot(stream: Streaming) -> str:
    ended = "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active"
    stream.backups.superuser(ended)
    for _ in range(4):
        stream.backups.superuser("SELECT pg_logical_emit_message(true, 'test', '')")
        stream.backups.superuser("SELECT pg_switch_wal()")
    stream.backups.superuser("CHECKPOINT")
    return stream.backups.superuser("SELECT wal_status FROM pg_replication_slots")


def drop_slot(stream: Streaming) -> bool:
    query = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active"
    stream.backups.superuser(query)
    return "made" in stream.logged() and stream.logged().count("replication slot made") > 1
