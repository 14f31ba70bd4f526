"""Claims, against the real tables and with the mailer's own grants."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from mailer.delivery import claims as claims_module
from mailer.delivery.claims import ALWAYS, FRESH, RETRY, Claims, Look
from mailer.delivery.clock import now
from mailer.delivery.session import Session
from tests.integration.mail_rows import ANOTHER, EVERY_PRIORITY, ME, claim, do, recipients, row
from tests.integration.postgres import Database
from tests.integration.smtp_server import queue_mail

ALICE, BOB = "alice@example.net", "bob@example.net"
HOT_UPDATES = text("SELECT pg_stat_get_xact_tuples_hot_updated('outbox'::regclass)")


def test_claim_gives_the_mail_that_is_due_first(database: Database) -> None:
    queue_mail(database, ALICE)
    queue_mail(database, BOB)

    assert recipients(claim(database)) == [ALICE]
    assert recipients(claim(database)) == [BOB]
    assert claim(database) == []


def test_claim_gives_urgent_mail_first(database: Database) -> None:
    queue_mail(database, "c@example.net", priority=9)
    queue_mail(database, BOB)
    queue_mail(database, ALICE, priority=1)

    assert recipients(claim(database, 3)) == [ALICE, BOB, "c@example.net"]


def test_claim_gives_the_mail_as_it_was_queued(database: Database) -> None:
    queue_mail(database, ALICE)

    (mail,) = claim(database)

    assert (mail.kind, mail.sender, mail.request_id) == ("test", "us@example.org", "request-0")
    assert mail.raw == (
        b"Message-ID: <0-alice@example.net>\r\nTo: alice@example.net\r\n"
        b"Subject: hello\r\n\r\nhello\r\n"
    )
    assert mail.attempts == 0


def test_large_mail_comes_in_portions_and_is_the_same(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue_mail(database, ALICE)
    (whole,) = claim(database)
    do(database, "UPDATE outbox SET lease_by = NULL")
    monkeypatch.setattr(claims_module, "PORTION", 10)

    (in_portions,) = claim(database)

    assert in_portions.raw == whole.raw


def test_claim_takes_no_more_than_it_is_asked_for(database: Database) -> None:
    queue_mail(database, *(f"{number}@example.net" for number in range(9)))

    assert len(claim(database, 4)) == 4
    assert len(claim(database, 9)) == 5


def test_claim_takes_no_more_than_there_is_room_for(database: Database) -> None:
    queue_mail(database, *(f"{number}@example.net" for number in range(9)))

    assert len(claim(database, 9, bytes=60)) == 2  # one has 25, that shared content


@pytest.mark.parametrize(("too_large", "found"), [(20, 1), (30, 0)])
def test_mail_that_is_too_large_goes_alone(database: Database, too_large: int, found: int) -> None:
    queue_mail(database, ALICE, BOB)

    assert len(claim(database, 9, bytes=10, too_large=too_large)) == found


def test_claim_tells_when_a_mail_is_of_no_use_any_more(database: Database) -> None:
    with database.engine("owner").connect() as connection:
        soon = connection.scalar(text("SELECT now() + interval '100 s'"))
    queue_mail(database, ALICE, expires_at=soon)

    (mail,) = claim(database)

    assert not mail.is_too_late(now())
    assert mail.is_too_late(now() + 100)


def test_claim_tells_how_often_a_mail_may_have_arrived(database: Database) -> None:
    queue_mail(database, ALICE)
    do(database, "UPDATE outbox SET attempts = 4, first_try_at = now()")
    do(
        database,
        "INSERT INTO mail_attempts (mail_id, mailer, stage, scope, reason, milliseconds, at)"
        " VALUES (1, 1, 'content', 'unsure', 'before an operator tried it anew', 1, now() - interval '1 h')",
    )
    for scope in ("unsure", "unsure", "bug", "message"):
        do(
            database,
            "INSERT INTO mail_attempts (mail_id, mailer, stage, scope, reason, milliseconds)"
            f" VALUES (1, 1, 'content', '{scope}', 'no', 1)",
        )

    (mail,) = claim(database, lane=RETRY)

    assert (mail.unsure_tries, mail.bugs) == (2, 1)


def test_mail_of_a_living_mailer_is_left_to_it(database: Database) -> None:
    queue_mail(database, ALICE)
    claim(database, me=ANOTHER)

    assert claim(database, alive=[ME, ANOTHER]) == []


def test_mail_of_a_mailer_that_came_since_the_last_look_is_left_to_it(database: Database) -> None:
    queue_mail(database, ALICE)
    newcomer = Session(database.engine("mailer"))
    claim(database, me=newcomer.number)

    while_it_lives = claim(database, alive=[ME])
    newcomer.leave()

    assert while_it_lives == []
    assert len(claim(database, alive=[ME])) == 1


def test_mail_of_a_mailer_that_is_frozen_is_taken_though_it_holds_its_lock(
    database: Database,
) -> None:
    queue_mail(database, ALICE)
    frozen = Session(database.engine("mailer"))
    claim(database, me=frozen.number)

    assert claim(database, alive=[ME]) == []
    assert len(claim(database, alive=[ME], frozen=[frozen.number])) == 1
    frozen.close()


def test_mail_of_a_dead_mailer_is_taken_and_whose_it_was_is_told(database: Database) -> None:
    queue_mail(database, ALICE)
    claim(database, me=ANOTHER)

    (mail,) = claim(database, alive=[ME])

    assert (mail.lost_by, mail.lease_by) == (ANOTHER, ME)


def test_mail_in_hand_is_not_claimed_again_in_another_life(database: Database) -> None:
    queue_mail(database, ALICE)
    (mail,) = claim(database, me=ANOTHER)

    assert claim(database, in_hand=[mail.id]) == []


def test_each_lane_has_its_own_mail(database: Database) -> None:
    queue_mail(database, ALICE)
    queue_mail(database, BOB)
    do(database, "UPDATE outbox SET attempts = 1 WHERE id = 2")

    assert recipients(claim(database, 9, lane=FRESH)) == [ALICE]
    assert recipients(claim(database, 9, lane=RETRY)) == [BOB]


@pytest.mark.parametrize(
    "look",
    [
        pytest.param({"held_kinds": ["test"]}, id="of a kind that is held"),
        pytest.param({"bounds": {1: ALWAYS, 2: ALWAYS}}, id="of too low a priority"),
    ],
)
def test_mail_that_may_not_pass_is_left(database: Database, look: dict[str, Any]) -> None:
    queue_mail(database, ALICE)

    assert claim(database, **look) == []


def test_mail_before_the_bound_is_not_looked_at(database: Database) -> None:
    queue_mail(database, ALICE)
    later = row(database).due_at + timedelta(microseconds=1)

    assert claim(database, bounds={5: later}) == []
    assert len(claim(database, bounds={5: row(database).due_at})) == 1


@pytest.mark.parametrize(("scope", "found"), [("*", True), ("test", True), ("notice", False)])
def test_claim_tells_who_wants_no_mail_of_this_kind(
    database: Database, scope: str, found: bool
) -> None:
    queue_mail(database, "Alice@example.net")
    do(
        database,
        "INSERT INTO mail_suppressions (address, scope, reason)"
        f" VALUES ('{ALICE}', '{scope}', 'unsubscribed')",
    )

    assert claim(database)[0].suppressed is found


def test_mailers_side_by_side_claim_each_mail_once(database: Database) -> None:
    queue_mail(database, *(f"{number}@example.net" for number in range(200)))

    def claim_all(me: int) -> list[int]:
        everybody = range(1, 9)
        batches = iter(lambda: claim(database, 7, me=me, alive=everybody), [])
        return [mail.id for batch in batches for mail in batch]

    with ThreadPoolExecutor(8) as pool:
        ids = [number for claims in pool.map(claim_all, range(1, 9)) for number in claims]

    assert sorted(ids) == list(range(1, 201))


def test_claim_costs_no_index_an_entry(database: Database) -> None:
    queue_mail(database, *(f"{number}@example.net" for number in range(20)))

    with database.engine("mailer").begin() as connection:
        look = Look(
            me=ME,
            alive=[ME],
            frozen=[],
            in_hand=[],
            held_kinds=[],
            bounds=EVERY_PRIORITY,
            bytes=9999,
            too_large=9999,
        )
        claims = Claims(connection)
        before = connection.scalar(HOT_UPDATES)
        claims.take(FRESH, look, 10)
        after = connection.scalar(HOT_UPDATES)

    assert after - before == 10
