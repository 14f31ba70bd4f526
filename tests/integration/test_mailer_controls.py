"""What an operator does to mail, against real rows and with the mailer's own grants."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from tests.integration.mails import (
    ago,
    ahead,
    close_gate,
    gates,
    living_mailer,
    mail_of,
    put_dead_mailer,
    put_mail,
)
from tests.integration.postgres import Database
from tests.integration.terminal import Terminal, listening, means_of
from tests.waiting import eventually


@pytest.fixture
def terminal(database: Database, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(means_of(database.engine("mailer")), capsys)


@pytest.fixture
def heard(database: Database) -> Iterator[Callable[[], bool]]:
    """A function that says whether mailers were woken since it was last asked."""
    with listening(database) as woken:
        yield woken


def waits_for_a_lock(database: Database) -> bool:
    with database.engine("owner").connect() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


@pytest.mark.parametrize("state", ["dead", "unsure", "expired", "suppressed", "cancelled"])
def test_retry_queues_a_mail_as_if_it_came_now(
    terminal: Terminal, database: Database, heard: Callable[[], bool], state: str
) -> None:
    mail = put_mail(
        database,
        state=state,
        attempts=9,
        crashes=3,
        first_try_at=ago(days=6),
        done_at=ago(days=1),
        due_at=ago(days=1),
        expires_at=ago(hours=1),
    )

    text = terminal.type("retry", str(mail))

    assert (terminal.code, text) == (0, "queued again: 1 mail\n")
    found = mail_of(database, mail)
    assert (found.state, found.attempts, found.crashes) == ("queued", 0, 0)
    assert (found.first_try_at, found.done_at, found.expires_at) == (None, None, None)
    assert found.due_at > ago(minutes=1)
    assert heard()


def test_retry_of_a_mail_that_waits_makes_it_due_and_keeps_its_end(
    terminal: Terminal, database: Database
) -> None:
    end = ahead(hours=1)
    mail = put_mail(database, attempts=3, due_at=ahead(hours=4), expires_at=end)

    terminal.type("retry", str(mail))

    found = mail_of(database, mail)
    assert found.due_at < ahead(minutes=1)
    assert (found.attempts, found.expires_at) == (0, end)


def test_retry_lets_the_relay_be_tried_at_once(terminal: Terminal, database: Database) -> None:
    close_gate(database, "relay", next_probe_at=ahead(hours=1))
    close_gate(database, "quota", cause="quota", next_probe_at=ahead(hours=1))
    mail = put_mail(database, attempts=1, due_at=ahead(hours=1))

    terminal.type("retry", str(mail))

    assert gates(database)["relay"].next_probe_at < ahead(minutes=1)
    assert gates(database)["quota"].next_probe_at > ahead(minutes=1)


def test_retry_of_a_state_leaves_the_others_alone(terminal: Terminal, database: Database) -> None:
    dead = [put_mail(database, kind=kind, state="dead") for kind in ("news", "news", "code")]
    expired = put_mail(database, state="expired")

    answer = terminal.json("retry", "--state", "dead", "--kind", "news")

    assert answer["done"] == dead[:2]
    assert [mail_of(database, mail).state for mail in (dead[2], expired)] == ["dead", "expired"]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        pytest.param({"state": "sent"}, "it was sent, and nothing is sent twice", id="sent"),
        pytest.param({"state": "cancelled", "body_id": None}, "its content was removed", id="bare"),
        pytest.param(
            {"state": "suppressed", "recipient": "No@example.net"},
            "its address gets no more mail; `unsuppress` it first",
            id="suppressed still",
        ),
        pytest.param(
            {"state": "dead", "dedupe_key": "once", "recipient": "twice@example.net"},
            "another mail took its place, with the same dedupe key",
            id="replaced",
        ),
    ],
)
def test_retry_says_which_mail_it_could_not_queue(
    terminal: Terminal, database: Database, values: dict[str, Any], why: str
) -> None:
    terminal.type("suppress", "no@example.net")
    put_mail(database, dedupe_key="once", recipient="twice@example.net")
    mail = put_mail(database, **values)

    text = terminal.type("retry", str(mail))

    assert terminal.code == 1
    assert text.startswith(f"queued again: 0 mails\nnot queued again: mail {mail}: {why}")
    assert mail_of(database, mail).state == values.get("state", "queued")


def test_retry_of_mail_in_the_hands_of_a_living_mailer_is_refused(
    terminal: Terminal, database: Database
) -> None:
    with living_mailer(database) as number:
        mail = put_mail(database, lease_by=number)

        answer = terminal.json("retry", str(mail))

    why = f"mailer {number} has it in hand just now; try again in a moment"
    assert answer["refused"] == [{"id": mail, "why": why}]


def test_retry_of_mail_that_a_dead_mailer_had_leaves_its_journal_to_the_next(
    terminal: Terminal, database: Database
) -> None:
    put_dead_mailer(database, 5, ahead(minutes=1))
    mail = put_mail(database, lease_by=5, attempts=4, due_at=ahead(hours=2))

    said = terminal.type("retry", str(mail)).splitlines()

    assert terminal.code == 0
    assert said[0] == "queued again: 1 mail"
    assert said[1].startswith(f"queued again: mail {mail}: mailer 5, which is gone, had it in hand")
    found = mail_of(database, mail)
    assert (found.attempts, found.lease_by) == (0, 5)
    assert found.due_at < ahead(minutes=1)


def test_of_mails_that_stand_for_one_another_the_newest_is_queued_again(
    terminal: Terminal, database: Database
) -> None:
    twins = [
        put_mail(database, state="dead", dedupe_key="once", recipient="twice@example.net")
        for _ in range(2)
    ]

    answer = terminal.json("retry", "--state", "dead")

    assert answer["done"] == [twins[1]]
    assert [one["id"] for one in answer["refused"]] == [twins[0]]
    assert "dedupe key" in answer["refused"][0]["why"]


@pytest.mark.parametrize(
    "words",
    [[], ["--kind", "news"], ["1", "--state", "dead"], ["1", "--kind", "news"]],
    ids=["nothing", "sent ones too?", "both", "both as well"],
)
def test_retry_wants_to_know_what(terminal: Terminal, words: list[str]) -> None:
    terminal.type("retry", *words)

    assert terminal.code == 2
    assert "name either mails or what they have in common" in terminal.error


@pytest.mark.parametrize("state", ["queued", "unsure", "dead"])
def test_cancelled_mail_is_never_sent(
    terminal: Terminal, database: Database, heard: Callable[[], bool], state: str
) -> None:
    mail = put_mail(database, state=state)

    text = terminal.type("cancel", str(mail))

    assert (terminal.code, text) == (0, "cancelled: 1 mail\n")
    assert mail_of(database, mail).state == "cancelled"
    assert mail_of(database, mail).done_at is not None
    assert heard()


def test_cancel_of_a_kind_takes_what_waits_and_says_what_is_on_its_way(
    terminal: Terminal, database: Database
) -> None:
    with living_mailer(database) as number:
        waits = put_mail(database, kind="news")
        goes = put_mail(database, kind="news", lease_by=number)
        other = put_mail(database, kind="code")
        dead = put_mail(database, kind="news", state="dead")

        answer = terminal.json("cancel", "--kind", "news")

    assert terminal.code == 0
    assert answer["done"] == [waits]
    why = f"mailer {number} has it in hand just now; try again in a moment"
    assert answer["refused"] == [{"id": goes, "why": why}]
    states = [mail_of(database, mail).state for mail in (goes, other, dead)]
    assert states == ["queued", "queued", "dead"]


def test_cancel_of_mail_that_a_dead_mailer_had_says_that_it_may_have_arrived(
    terminal: Terminal, database: Database
) -> None:
    put_dead_mailer(database, 5, ahead(minutes=1))
    mail, other = put_mail(database, lease_by=5, last_error="450 later"), put_mail(database)

    answer = terminal.json("cancel", str(mail), str(other))

    note = "mailer 5, which is gone, had it in hand: it may have arrived"
    assert (terminal.code, answer["done"]) == (0, [mail, other])
    assert answer["notes"] == [{"id": mail, "note": note}]
    assert (mail_of(database, mail).state, mail_of(database, mail).lease_by) == ("cancelled", None)
    assert note in terminal.type("show", str(mail))


def test_mail_in_the_hands_of_a_frozen_mailer_is_not_cancelled(
    terminal: Terminal, database: Database
) -> None:
    with living_mailer(database) as number:
        with database.engine("owner").begin() as connection:
            connection.execute(text("UPDATE mailers SET lease_until = now() - interval '1 hour'"))
        mail = put_mail(database, lease_by=number)

        terminal.type("cancel", str(mail))

    assert terminal.code == 1
    assert mail_of(database, mail).state == "queued"


def test_mail_that_a_mailer_takes_in_the_same_moment_is_not_cancelled(
    terminal: Terminal, database: Database
) -> None:
    mail = put_mail(database)

    with ThreadPoolExecutor(1) as pool:
        with database.engine("mailer").begin() as claim:
            claim.execute(text("UPDATE outbox SET lease_by = 9"))
            answer = pool.submit(terminal.json, "cancel", str(mail))
            eventually(lambda: waits_for_a_lock(database), 10, "the command waits for the claim")
        refused = answer.result(timeout=10)["refused"]

    assert refused == [
        {"id": mail, "why": "mailer 9 has it in hand just now; try again in a moment"}
    ]
    assert mail_of(database, mail).state == "queued"


def test_cancel_says_what_it_could_not(terminal: Terminal, database: Database) -> None:
    sent = put_mail(database, state="sent")

    text = terminal.type("cancel", str(sent), "999")

    assert terminal.code == 1
    assert text == (
        "cancelled: 0 mails\n"
        f"not cancelled: mail {sent}: it is sent already\n"
        "not cancelled: there is no mail 999\n"
    )


def test_pause_and_resume_of_a_kind(
    terminal: Terminal, database: Database, heard: Callable[[], bool]
) -> None:
    text = terminal.type("pause", "--kind", "news", "--reason", "a typo in it")

    assert text == "mail of kind news is paused; what is being handed over just now still goes\n"
    gate = gates(database)["pause:news"]
    assert (gate.cause, gate.reason, gate.next_probe_at) == ("operator", "a typo in it", None)
    assert heard()

    assert terminal.type("resume", "--kind", "news") == "mail of kind news goes again\n"
    assert gates(database) == {}
    assert heard()


def test_pause_of_all_mail_twice_keeps_since_when(terminal: Terminal, database: Database) -> None:
    terminal.type("pause", "--reason", "first")
    since = gates(database)["pause"].since

    terminal.type("pause", "--reason", "second")

    assert (gates(database)["pause"].reason, gates(database)["pause"].since) == ("second", since)


def test_resume_of_what_is_not_paused_fails(terminal: Terminal, database: Database) -> None:
    close_gate(database, "relay")

    assert terminal.type("resume") == "all mail is not paused\n"
    assert terminal.code == 1
    assert list(gates(database)) == ["relay"]


def test_probe_has_the_relay_tried_now(
    terminal: Terminal, database: Database, heard: Callable[[], bool]
) -> None:
    close_gate(database, "relay", next_probe_at=ahead(hours=1))

    text = terminal.type("probe")

    assert text == "the relay is tried now; `status` tells what came of it\n"
    assert gates(database)["relay"].next_probe_at < ahead(minutes=1)
    assert heard()


def test_probe_of_open_gates_says_so(terminal: Terminal) -> None:
    assert terminal.type("probe") == "no gate is closed\n"
    assert terminal.code == 0
