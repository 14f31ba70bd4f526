from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.mail_explanation import explain, next_try_at
from common.mail_figures import ClosedGate
from common.mail_records import Record

NOON = datetime(2025, 1, 1, 12, 0, tzinfo=UTC)
US = 7  # a mailer that lives
MAIL = Record(
    id=1,
    state="queued",
    kind="news",
    priority=5,
    sender="us@example.org",
    recipient="reader@example.net",
    subject="hello",
    message_id="<1@example.org>",
    dedupe_key=None,
    when_unsure="resend",
    request_id=None,
    attempts=0,
    crashes=0,
    due_at=NOON - timedelta(minutes=3),
    expires_at=None,
    lease_by=None,
    last_code=None,
    last_error=None,
    reply=None,
    created_at=NOON - timedelta(minutes=3),
    first_try_at=None,
    done_at=None,
    has_content=True,
)
DUE = "it is due since 2025-01-01 11:57:00 UTC (3 min ago)"
LATER = NOON + timedelta(minutes=5)
IN_FIVE = "2025-01-01 12:05:00 UTC (in 5 min)"
AN_HOUR_AGO = "2025-01-01 11:00:00 UTC (1 h ago)"
DONE = NOON - timedelta(hours=1)


def a_gate(
    name: str = "relay", cause: str = "server", reason: str = "connection refused", **values: Any
) -> ClosedGate:
    known = {"since": DONE, "next_probe_at": NOON + timedelta(seconds=30), "probes": 4, **values}
    return ClosedGate(name, cause, reason, **known)


RELAY = a_gate()
QUOTA = a_gate("quota", "quota", "550 5.4.5 daily limit")
PAUSE = a_gate("pause", "operator", "a typo", next_probe_at=None)
PAUSE_NEWS = a_gate("pause:news", "operator", "a typo", next_probe_at=None)
PAUSE_CODES = a_gate("pause:codes", "operator", "a typo", next_probe_at=None)
ALLOWANCE = a_gate("allowance", "quota", "95 of 100 used", next_probe_at=LATER)
HELD = (
    "held back for 1 h: connection refused; "
    "the relay is tried again 2025-01-01 12:00:30 UTC (in 30 s), or now with `probe`"
)
NO_MAILER = "no mailer is at work: start one (make up)"


@pytest.mark.parametrize(
    ("values", "gates", "sentence"),
    [
        pytest.param(
            {}, [], f"{DUE}; nothing holds it back, a mailer takes it in its turn", id="due"
        ),
        pytest.param(
            {"due_at": LATER}, [], f"it is not to be sent before {IN_FIVE}", id="to be sent later"
        ),
        pytest.param(
            {"due_at": LATER, "attempts": 3, "last_error": "450 4.2.1 try later"},
            [],
            f"it failed 3 times, at last with: 450 4.2.1 try later; it is tried again {IN_FIVE}",
            id="failed three times",
        ),
        pytest.param(
            {"due_at": LATER, "attempts": 1, "last_error": "450 later."},
            [RELAY],
            f"it failed 1 time, at last with: 450 later; it is tried again {IN_FIVE}; {HELD}",
            id="failed, and the gate is closed as well",
        ),
        pytest.param({}, [RELAY], f"{DUE}; {HELD}", id="the gate is closed"),
        pytest.param(
            {},
            [a_gate(next_probe_at=NOON)],
            f"{DUE}; held back for 1 h: connection refused; the relay is tried again now",
            id="the gate is being tried",
        ),
        pytest.param(
            {},
            [a_gate(next_probe_at=None)],
            f"{DUE}; held back for 1 h: connection refused; `probe` tries it",
            id="the gate is tried by nobody",
        ),
        pytest.param(
            {},
            [PAUSE],
            f"{DUE}; all mail is paused for 1 h: a typo (`resume` ends it)",
            id="all is paused",
        ),
        pytest.param(
            {},
            [PAUSE_NEWS],
            f"{DUE}; mail of kind news is paused for 1 h: a typo (`resume --kind news` ends it)",
            id="its kind is paused",
        ),
        pytest.param(
            {},
            [PAUSE_CODES],
            f"{DUE}; nothing holds it back, a mailer takes it in its turn",
            id="another kind is paused",
        ),
        pytest.param(
            {},
            [PAUSE_NEWS, RELAY],
            f"{DUE}; mail of kind news is paused for 1 h: a typo (`resume --kind news` ends it); {HELD}",
            id="paused, and the gate is closed as well",
        ),
        pytest.param(
            {},
            [ALLOWANCE],
            f"{DUE}; held back for 1 h: 95 of 100 used; more may go {IN_FIVE}",
            id="the quota is nearly used",
        ),
        pytest.param(
            {"priority": 2},
            [ALLOWANCE],
            f"{DUE}; it is urgent, so it goes while any of the quota is left: 95 of 100 used",
            id="urgent, the quota is nearly used",
        ),
        pytest.param(
            {"priority": 1},
            [QUOTA],
            f"{DUE}; held back for 1 h: 550 5.4.5 daily limit; "
            "the relay is tried again 2025-01-01 12:00:30 UTC (in 30 s), or now with `probe`",
            id="the relay's own quota holds urgent mail too",
        ),
        pytest.param(
            {"expires_at": LATER},
            [],
            f"{DUE}; nothing holds it back, a mailer takes it in its turn; "
            f"if it is not sent until {IN_FIVE}, it expires",
            id="expires soon",
        ),
        pytest.param(
            {"expires_at": DONE},
            [RELAY],
            f"it expired {AN_HOUR_AGO}, before it could be sent; "
            "a mailer marks it so at its next look at the queue",
            id="expired, not yet marked so",
        ),
        pytest.param(
            {"lease_by": US}, [], "mailer 7 is handing it over just now", id="being handed over"
        ),
        pytest.param(
            {"lease_by": 8},
            [],
            "mailer 8 had it in hand and is gone; another takes it up within seconds",
            id="its mailer is gone",
        ),
        pytest.param(
            {"lease_by": 8},
            [RELAY],
            f"mailer 8 had it in hand and is gone; {HELD}",
            id="its mailer is gone, and the gate is closed",
        ),
        pytest.param(
            {"has_content": False},
            [],
            f"{DUE}; its content is gone, so it can't be sent; `cancel` ends it",
            id="without content",
        ),
        pytest.param(
            {"state": "sent", "done_at": DONE, "reply": "250 2.0.0 ok 4F2"},
            [],
            f"the relay took it {AN_HOUR_AGO}: 250 2.0.0 ok 4F2",
            id="sent",
        ),
        pytest.param(
            {"state": "unsure", "done_at": DONE, "last_error": "the reply was lost"},
            [],
            f"it may have arrived, {AN_HOUR_AGO}: the reply was lost; it is not tried again by itself; "
            "`retry 1` sends the same mail once more, `cancel 1` leaves it at that",
            id="unsure",
        ),
        pytest.param(
            {"state": "dead", "done_at": DONE, "attempts": 1, "last_error": "550 5.1.1 unknown"},
            [RELAY],
            f"it was given up {AN_HOUR_AGO} after 1 failure: 550 5.1.1 unknown; "
            "`retry 1` begins anew once the cause is gone",
            id="dead",
        ),
        pytest.param(
            {"state": "expired", "done_at": DONE, "last_error": "too late"},
            [],
            f"it expired {AN_HOUR_AGO}, before it could be sent: too late",
            id="expired",
        ),
        pytest.param(
            {"state": "suppressed", "done_at": DONE, "last_error": "the address unsubscribed"},
            [],
            f"it was not sent, {AN_HOUR_AGO}: the address unsubscribed; "
            "after `unsuppress reader@example.net`, `retry 1` sends it",
            id="suppressed",
        ),
        pytest.param(
            {"state": "cancelled", "done_at": DONE},
            [],
            f"it was cancelled {AN_HOUR_AGO}",
            id="cancelled",
        ),
        pytest.param(
            {"state": "dead", "attempts": 2},
            [],
            "it was given up some time ago after 2 failures: no reason was recorded; "
            "`retry 1` begins anew once the cause is gone",
            id="dead, from before reasons and times were kept",
        ),
    ],
)
def test_every_mail_says_why_it_is_not_sent(
    values: dict[str, Any], gates: list[ClosedGate], sentence: str
) -> None:
    assert explain(replace(MAIL, **values), gates, {US}, NOON) == f"{sentence}."


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        pytest.param({}, f"{DUE}; {NO_MAILER}", id="due"),
        pytest.param(
            {"due_at": LATER}, f"it is not to be sent before {IN_FIVE}; {NO_MAILER}", id="later"
        ),
        pytest.param(
            {"lease_by": US},
            f"mailer 7 had it in hand and is gone; {NO_MAILER}",
            id="in the hands of the last of them",
        ),
    ],
)
def test_without_any_mailer_that_is_the_reason(values: dict[str, Any], sentence: str) -> None:
    assert explain(replace(MAIL, **values), [], set(), NOON) == f"{sentence}."


@pytest.mark.parametrize(
    ("values", "gates", "instant"),
    [
        pytest.param({}, [], NOON, id="due is now"),
        pytest.param({"due_at": LATER}, [], LATER, id="later is later"),
        pytest.param({}, [RELAY], NOON + timedelta(seconds=30), id="with the next probe"),
        pytest.param({"due_at": LATER}, [RELAY], LATER, id="later than the next probe"),
        pytest.param({}, [PAUSE], None, id="paused: nobody knows"),
        pytest.param({}, [RELAY, PAUSE_NEWS], None, id="its kind is paused"),
        pytest.param({}, [PAUSE_CODES], NOON, id="another kind is paused"),
        pytest.param({"due_at": LATER, "expires_at": LATER}, [], None, id="it expires before"),
        pytest.param({"lease_by": US}, [], None, id="being handed over"),
        pytest.param({"state": "dead"}, [], None, id="dead"),
        pytest.param({"state": "unsure"}, [], None, id="unsure"),
    ],
)
def test_next_try_is_the_last_of_what_it_waits_for(
    values: dict[str, Any], gates: list[ClosedGate], instant: datetime | None
) -> None:
    assert next_try_at(replace(MAIL, **values), gates, {US}, NOON) == instant


def test_without_any_mailer_nobody_knows_when_it_is_tried() -> None:
    assert next_try_at(MAIL, [], set(), NOON) is None
