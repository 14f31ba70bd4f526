"""Claiming mail for the senders, as far as the gates, the quota and the room on the desk allow."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy.exc import OperationalError

from common.database import reason_of
from common.mail_gates import ALLOWANCE, PAUSE, QUOTA, RELAY
from common.outbox import LAST_URGENT
from mailer.delivery import outbox
from mailer.delivery.bounds import Bounds
from mailer.delivery.claims import FRESH, RETRY, Claims, Look
from mailer.delivery.clock import now
from mailer.delivery.desk import Claim, Desk
from mailer.delivery.gates import Gate, held_kinds, open_gate, read_gates, take_probe
from mailer.delivery.journal import Fate, Journal
from mailer.delivery.neighbours import Neighbours
from mailer.delivery.outbox import Mail
from mailer.delivery.outcome import Closed, Failed, Outcome, Sent, Untried
from mailer.delivery.pace import LARGEST, Pace
from mailer.delivery.quota import LOWEST, Allowance, explain, read_allowance
from mailer.delivery.session import Session
from mailer.delivery.takeover import Takeover

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.3  # between two looks who lives
# Bytes of mail that are in memory at once, but for one mail that is larger.
LARGEST_DESK = 16 * 2**20
NEVER = 2**62  # bytes: one that is larger than the desk is enough at a time
TRIES_OF_A_TRIAL = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """What outlives a life in the database.

    `tell` gives the clerk what needs no sender. `new_credentials` says, once, that the account's
    secrets have changed. `journals` is the folder of all mailers' journals. `patience_seconds` is
    what one mail may honestly take.
    """

    desk: Desk
    tell: Callable[[Outcome], None]
    daily_quota: int
    new_credentials: Callable[[], bool]
    journals: Path
    patience_seconds: float


class Intake:
    """Serves one life in the database."""

    def __init__(self, session: Session, journal: Journal, office: Office) -> None:
        self._session = session
        self._journal = journal
        self._desk = office.desk
        self._tell = office.tell
        self._quota = office.daily_quota
        self._new_credentials = office.new_credentials
        self._takeover = Takeover(office.journals, self._count_crash)
        self._pace = Pace()
        self._lanes = (FRESH, RETRY)
        self._bounds = {FRESH: Bounds(), RETRY: Bounds()}
        self._claims = Claims(session.connection)
        self._neighbours = Neighbours(session.number)
        self._look_at = 0.0
        self._at_once = False
        self._gates: dict[str, Gate] = {}

    def take_in(self) -> dict[str, Gate]:
        """Claim what may go now; return the gates that are closed."""
        may_reopen = self._desk.may_reopen  # asked first: what was recorded since is in the gates
        gates = read_gates(self._session.connection)
        if gates.keys() != self._gates.keys():
            self._look_at_everything()
        self._gates = gates
        self._look_who_lives()
        if self._is_open(gates, may_reopen=may_reopen):
            self._claim(held_kinds(gates))
        return gates

    def _is_open(self, gates: dict[str, Gate], *, may_reopen: bool) -> bool:
        """See to the gates; return whether mail may go."""
        if RELAY not in gates:
            self._desk.let_in = False
        closed = next((gates[name] for name in (PAUSE, RELAY, QUOTA) if name in gates), None)
        if closed is None:
            if may_reopen:
                self._desk.reopen()
            return not self._desk.is_shut
        if not self._desk.is_shut:
            self._desk.shut()
            self._desk.shutting_is_recorded()
        for claim in self._desk.drain():
            self._tell(Untried(claim))
        if closed.name == RELAY:
            self._probe(closed, gates)
        elif closed.name == QUOTA and closed.is_due and self._take(QUOTA):
            self._try_or_open(QUOTA, gates)
        return False

    def _probe(self, gate: Gate, gates: dict[str, Gate]) -> None:
        """Let a sender log in, when it is time; new credentials are tried at once.

        Where it was let in, one mail goes as a trial: a relay may let us in and refuse all mail.
        """
        if self._desk.let_in:
            self._desk.let_in = False
            self._try_or_open(RELAY, gates)
            return
        self._at_once = self._new_credentials() or self._at_once
        if (self._at_once or gate.is_due) and self._take(RELAY, at_once=self._at_once):
            self._at_once = False
            self._desk.put_probe()

    def _take(self, name: str, *, at_once: bool = False) -> bool:
        return take_probe(self._session.connection, name, at_once=at_once)

    def _try_or_open(self, name: str, gates: dict[str, Gate]) -> None:
        """Let one mail through; where there is none, the next that comes is the trial."""
        if not self._try_one(name, gates):
            open_gate(self._session.connection, name)

    def _try_one(self, name: str, gates: dict[str, Gate]) -> bool:
        """Let one mail through; return False if there is none that may go."""
        held = held_kinds(gates)
        self._look_at_everything()
        for _ in range(TRIES_OF_A_TRIAL):  # some may be too late, or for nobody
            mails = self._mails(FRESH, held, LOWEST, 1) or self._mails(RETRY, held, LOWEST, 1)
            if not mails or self._hand_out(mails, trial=name):
                return bool(mails)
        return False

    def _claim(self, held: list[str]) -> None:
        allowed = self._allowed()
        number = min(
            self._pace.batch(self._desk.active_seats, self._desk.waiting()), allowed.number
        )
        if number > 0:
            self._pace.claimed(number, self._from_both_lanes(held, allowed.lowest_priority, number))
        elif (
            self._desk.waiting() < LARGEST and allowed.number > 0
        ):  # urgent mail, though it is full
            self._hand_out(self._mails(FRESH, held, LAST_URGENT, self._desk.active_seats))

    def _allowed(self) -> Allowance:
        connection = self._session.connection
        allowed = read_allowance(connection, self._quota, len(self._desk.in_hand()))
        explain(connection, allowed, self._gates.get(ALLOWANCE))
        return allowed

    def _from_both_lanes(self, held: list[str], lowest: int, number: int) -> int:
        """Claim from one lane, the rest from the other, and return how many that were.

        The first is that of fresh mail, unless that alone would have filled the last batch too: so
        neither can keep the other waiting.
        """
        left = number
        for lane in self._lanes:
            mails = self._mails(lane, held, lowest, left)
            self._hand_out(mails)
            left -= len(mails)
            if left == 0:
                break
        self._lanes = (FRESH, RETRY) if left or self._lanes[0] == RETRY else (RETRY, FRESH)
        return number - left

    def _mails(self, lane: str, held: list[str], lowest: int, number: int) -> list[Mail]:
        bounds, in_hand = self._bounds[lane], self._desk.in_hand()
        sizes = [len(claim.mail.raw) for claim in in_hand]
        look = Look(
            me=self._session.number,
            alive=self._neighbours.alive(),
            frozen=self._neighbours.frozen(),
            in_hand=[claim.mail.id for claim in in_hand],
            held_kinds=held,
            bounds=bounds.of(lowest),
            bytes=LARGEST_DESK - sum(size for size in sizes if size <= LARGEST_DESK),
            too_large=NEVER if any(size > LARGEST_DESK for size in sizes) else LARGEST_DESK,
        )
        self._session.check()
        mails = self._claims.take(lane, look, number)
        bounds.learn(mails)
        return mails

    def _hand_out(self, mails: list[Mail], *, trial: str | None = None) -> bool:
        """Give the mails to the senders, but for those that are settled already; say if any was."""
        claims = [Claim(mail, self._session, self._journal, trial) for mail in mails]
        if not claims:
            return False
        fates = [
            (claim, self._takeover.outcome(claim) or settled_before_sending(claim))
            for claim in claims
        ]
        for fate in Fate:  # whoever comes after us must know what we know
            ids = [claim.mail.id for claim, outcome in fates if inherited(outcome) is fate]
            if ids:
                self._journal.note(fate, *ids)
        self._desk.hold(claim for claim, outcome in fates if outcome)
        for _, outcome in fates:
            if outcome:
                self._tell(outcome)
        to_send = [claim for claim, outcome in fates if not outcome]
        self._desk.put(to_send)
        return bool(to_send)

    def _count_crash(self, mail: Mail, crashes: int) -> None:
        try:
            outbox.count_crash(self._session.connection, mail, crashes)
        except OperationalError as error:  # the row is locked; what was claimed must reach the desk
            log.warning("could not count a crash", id=mail.id, reason=reason_of(error))

    def _look_who_lives(self) -> None:
        moment = time.monotonic()
        if moment < self._look_at:
            return
        self._look_at = moment + LOOK_SECONDS
        if self._neighbours.look(self._session.leases()):
            self._look_at_everything()

    def _look_at_everything(self) -> None:
        for bounds in self._bounds.values():
            bounds.forget()


def inherited(outcome: Outcome | None) -> Fate:
    """Return how far a mail has come that was just claimed, perhaps from a mailer that died."""
    if isinstance(outcome, Sent):
        return Fate.ACCEPTED
    return Fate.ENDING if isinstance(outcome, Failed) else Fate.CLAIMED


def settled_before_sending(claim: Claim) -> Outcome | None:
    """Return what comes of a mail that is not to be sent at all, or None."""
    mail = claim.mail
    if mail.is_too_late(now()):
        return Closed(claim, "expired", "not sent by the time from which it is of no use")
    if mail.suppressed:
        return Closed(claim, "suppressed", "the recipient is on the suppression list")
    return None
