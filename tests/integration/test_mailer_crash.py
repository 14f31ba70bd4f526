"""Fleet that die, freeze or are cut off in the middle of their work: nothing is lost, little goes twice."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from common.outbox import HOLD
from tests.integration.fleet import (
    CONNECTIONS,
    Fleet,
    assert_all_arrived,
    fleet_on_a_sink,
    seconds_to_takeover,
)
from tests.integration.postgres import Database
from tests.integration.silent_proxy import SilentProxy
from tests.waiting import eventually

MAILS = 1_000
SOME = 100
GRACE_SECONDS = 60
TAKEOVER_SECONDS = 10  # 2 on an idle machine; this one may be busy


@pytest.fixture
def fleet(database: Database, tmp_path: Path) -> Iterator[Fleet]:
    """A sink whose replies take their time, so that there is always mail on the wire."""
    with fleet_on_a_sink(database, tmp_path) as running:
        running.sink.late_seconds = 0.004
        yield running


@pytest.fixture
def proxy(database: Database) -> Iterator[SilentProxy]:
    """Another way to the database."""
    with SilentProxy(database.port) as running:
        yield running


@pytest.mark.parametrize("another_runs", [True, False], ids=["by another", "by its replacement"])
def test_mail_of_a_killed_mailer_is_taken_up(fleet: Fleet, another_runs: bool) -> None:
    victim = fleet.start()
    if another_runs:
        fleet.start()
    queued = fleet.queue(MAILS)
    fleet.wait_for_mail(SOME)
    claimed = fleet.freeze(victim)  # so that what it holds can be looked at

    killed_at = victim.kill()
    if not another_runs:
        fleet.start()
    seconds = seconds_to_takeover(fleet, claimed, killed_at)
    fleet.finish()

    print(f"taken up after {seconds:.2f} s")  # noqa: T201 shown with -rP
    assert seconds < TAKEOVER_SECONDS
    assert_all_arrived(fleet, queued, most_duplicates=CONNECTIONS)


def test_mailers_that_join_in_the_middle_take_nothing_from_the_others(fleet: Fleet) -> None:
    fleet.start()
    queued = fleet.queue(4 * MAILS)
    fleet.wait_for_mail(SOME)

    for _ in range(4):
        fleet.start()
    fleet.finish()

    assert_all_arrived(fleet, queued, most_duplicates=0)


def test_sigterm_in_the_middle_leaves_the_rest_to_others(fleet: Fleet) -> None:
    leaving = fleet.start()
    queued = fleet.queue(MAILS)
    fleet.wait_for_mail(SOME)

    leaving.signal(signal.SIGTERM)
    code = leaving.process.wait(GRACE_SECONDS)
    claimed, taken = fleet.claims_of(leaving), len(fleet.sink.taken)
    fleet.start()
    fleet.finish()

    assert code == 0
    assert claimed == set(), "it gave back what it had not begun"
    assert SOME <= taken < MAILS, "it did not wait until all had gone"
    assert_all_arrived(fleet, queued, most_duplicates=0)


def test_frozen_mailer_sends_nothing_after_its_lease(fleet: Fleet) -> None:
    frozen = fleet.start()
    queued = fleet.queue(MAILS)
    fleet.wait_for_mail(SOME)
    claimed = fleet.freeze(frozen)

    fleet.start()
    eventually(
        lambda: claimed <= set(fleet.sink.times_taken()), what="the other has taken up its mail"
    )
    frozen.signal(signal.SIGCONT)
    fleet.finish()
    frozen.signal(signal.SIGTERM)

    assert frozen.process.wait(GRACE_SECONDS) == 0, "and it goes on well after it"
    assert_all_arrived(fleet, queued, most_duplicates=CONNECTIONS)


def test_restart_of_the_database_costs_nothing_but_time(fleet: Fleet, database: Database) -> None:
    fleet.start()
    fleet.start()
    queued = fleet.queue(MAILS)
    fleet.wait_for_mail(SOME)

    database.restart()
    fleet.finish()

    assert_all_arrived(fleet, queued, most_duplicates=2 * CONNECTIONS)


def test_terminated_backends_are_replaced(fleet: Fleet) -> None:
    fleet.start()
    fleet.start()
    queued = fleet.queue(MAILS)
    fleet.wait_for_mail(SOME)

    assert fleet.terminate_backends() > 0
    fleet.finish()

    assert_all_arrived(fleet, queued, most_duplicates=2 * CONNECTIONS)


def test_mailer_cut_off_from_the_database_leaves_its_mail_to_another(
    fleet: Fleet, proxy: SilentProxy
) -> None:
    fleet.start(through_port=proxy.port)
    queued = fleet.queue(MAILS)
    fleet.wait_for_mail(SOME)

    proxy.silence()
    fleet.start()
    fleet.finish()

    assert_all_arrived(fleet, queued, most_duplicates=CONNECTIONS)


def test_mail_that_must_not_go_twice_and_was_not_begun_goes_after_an_outage(fleet: Fleet) -> None:
    fleet.start()
    queued = fleet.queue(2 * MAILS, when_unsure=HOLD)
    fleet.wait_for_mail(SOME)

    assert fleet.terminate_backends() > 0
    fleet.finish()

    assert fleet.states().get("unsure", 0) <= CONNECTIONS
    assert len(set(fleet.sink.times_taken())) >= len(queued) - CONNECTIONS
    assert fleet.sink.duplicates() == 0


def test_mailer_cut_off_from_the_database_ends_itself_to_be_replaced(
    fleet: Fleet, proxy: SilentProxy
) -> None:
    cut_off = fleet.start(through_port=proxy.port)
    queued = fleet.queue(MAILS)
    fleet.wait_for_mail(SOME)

    proxy.silence()
    code = cut_off.process.wait(GRACE_SECONDS)
    fleet.start()
    fleet.finish()

    assert code == os.EX_SOFTWARE
    assert_all_arrived(fleet, queued, most_duplicates=CONNECTIONS)


def test_mail_whose_reply_is_lost_goes_again_with_the_same_bytes(fleet: Fleet) -> None:
    lost = 5
    fleet.sink.to_drop = lost
    fleet.start()
    queued = fleet.queue(MAILS)

    fleet.finish()

    assert_all_arrived(fleet, queued, most_duplicates=lost)
    assert fleet.sink.duplicates() == lost
    assert fleet.states() == {"sent": MAILS}


def test_mail_that_must_not_go_twice_is_kept_when_its_reply_is_lost(fleet: Fleet) -> None:
    lost = 5
    fleet.sink.to_drop = lost
    fleet.start()
    queued = fleet.queue(MAILS, when_unsure="hold")

    fleet.finish()

    assert_all_arrived(fleet, queued, most_duplicates=0)
    assert fleet.states() == {"sent": MAILS - lost, "unsure": lost}


def test_killed_mailers_unsure_mail_is_kept_when_it_must_not_go_twice(fleet: Fleet) -> None:
    fleet.sink.late_seconds = 0.2
    victim = fleet.start()
    queued = fleet.queue(SOME, when_unsure="hold")
    fleet.wait_for_mail(CONNECTIONS)

    victim.kill()
    fleet.sink.late_seconds = 0.0
    fleet.start()
    fleet.finish()

    assert_all_arrived(fleet, queued, most_duplicates=0)
    assert 1 <= fleet.states()["unsure"] <= CONNECTIONS
