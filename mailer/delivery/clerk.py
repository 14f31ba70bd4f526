"""Writes down what came of the mail: whatever is there when a commit is over goes into the next one.

So a lone mail is recorded at once and a flood in few commits, without a timer; and what a kill can
leave unrecorded is one commit's worth.
"""

import queue
from collections.abc import Callable, Iterable
from threading import Event, Thread

import structlog
from psycopg2.errors import LockNotAvailable
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from structlog.contextvars import bound_contextvars

from common.database import reason_of
from common.mail_gates import QUOTA, RELAY
from mailer.delivery import outbox
from mailer.delivery.clock import now
from mailer.delivery.desk import Claim, Desk
from mailer.delivery.disposition import Disposition, disposition
from mailer.delivery.gates import close_gate, gate_of, open_gate
from mailer.delivery.outbox import Mail
from mailer.delivery.outcome import Broken, Closed, Failed, Outcome, Probed, Sent, Untried
from mailer.delivery.watchdog import Rounds
from mailer.outage import Outage
from mailer.smtp.errors import BEFORE_ANY_MAIL, OF_THE_RELAY, DeliveryError, Scope, Stage
from mailer.suppressions import EVERYTHING, suppress

log = structlog.get_logger(__name__)

LARGEST_COMMIT = 500
POISON_TRIES = 3
SHORT_LOCKS = text("SET LOCAL lock_timeout = '1s'")
FREE = text("SELECT id FROM outbox WHERE id = ANY (CAST(:ids AS bigint[])) FOR UPDATE SKIP LOCKED")
LOCK_PAUSE_SECONDS = 0.2
BUG = "bug"  # the scope of a failure that is nobody's fault but ours
UNRECORDABLE = (DataError, IntegrityError, ValueError)  # the fault is in the values


class Clerk(Thread):
    """Records outcomes for as long as there are any; what it has not recorded, it keeps.

    `spread` gives a random number from -1 to 1, `wake` ends the main thread's wait.
    """

    def __init__(
        self,
        engine: Engine,
        desk: Desk,
        spread: Callable[[], float],
        wake: Callable[[], None],
    ) -> None:
        super().__init__(name="clerk", daemon=True)
        self._engine = engine
        self._desk = desk
        self._spread = spread
        self._wake = wake
        self._told: queue.SimpleQueue[Outcome | None] = queue.SimpleQueue()
        self._hurry = Event()
        self._outage = Outage("database", longest_pause_seconds=1.0)
        self.rounds = Rounds()
        self._stumbled: dict[int, object] = {}

    def tell(self, outcome: Outcome) -> None:
        """Have an outcome recorded; from any thread."""
        self._told.put(outcome)

    def finish(self) -> None:
        """Record what was told so far, and end."""
        self._told.put(None)

    def give_up(self) -> None:
        """End even if the database is away: it is told by our successor what came of the mail."""
        self._hurry.set()

    def run(self) -> None:
        """Record until told to finish."""
        while self._work():
            pass

    def _work(self) -> bool:
        """Record what has come, and keep nothing of it; return False when told to finish."""
        self.rounds.rest()
        batch = self._next_batch()
        self._keep_recording([outcome for outcome in batch if outcome is not None])
        return batch[-1] is not None

    def _next_batch(self) -> list[Outcome | None]:
        """Wait for an outcome, and return it with all that have come since."""
        batch = [self._told.get()]
        while len(batch) < LARGEST_COMMIT and batch[-1] is not None:
            try:
                batch.append(self._told.get_nowait())
            except queue.Empty:
                break
        return batch

    def _keep_recording(self, batch: list[Outcome]) -> None:
        while batch and not self._hurry.is_set():
            self.rounds.begin()
            try:
                self._record(batch)
            except UNRECORDABLE as error:
                self._record_one_by_one(batch, error)
                return
            except OperationalError as error:
                if isinstance(error.orig, LockNotAvailable):
                    batch = self._record_what_is_free(batch)
                else:
                    self._wait_for_the_database(error)
            except (DBAPIError, PoolTimeoutError) as error:
                self._wait_for_the_database(error)
            else:
                self._outage.end()
                return

    def _wait_for_the_database(self, error: Exception) -> None:
        self._outage.begin(reason_of(error), "database")
        self._hurry.wait(self._outage.left_seconds())

    def _record_what_is_free(self, batch: list[Outcome]) -> list[Outcome]:
        """Put back the outcomes of mail whose rows somebody has locked; return the others."""
        ids = [outcome.claim.mail.id for outcome in batch if not isinstance(outcome, Probed)]
        try:
            with self._engine.begin() as connection:
                free = set(connection.scalars(FREE, {"ids": ids}))
        except DBAPIError as error:
            self._wait_for_the_database(error)
            return batch
        parted: tuple[list[Outcome], list[Outcome]] = ([], [])
        for outcome in batch:
            is_free = isinstance(outcome, Probed) or outcome.claim.mail.id in free
            parted[not is_free].append(outcome)
        log.warning("rows are locked by somebody else; trying again", mails=len(parted[1]))
        for outcome in parted[1]:
            self._told.put(outcome)
        self._hurry.wait(LOCK_PAUSE_SECONDS)
        return parted[0]

    def _record_one_by_one(self, batch: list[Outcome], error: Exception) -> None:
        """Let one odd outcome not stand in the way of the others; its mail is put aside."""
        if len(batch) > 1:
            for outcome in batch:
                self._keep_recording([outcome])
        elif not isinstance(batch[0], Probed | Closed):
            self._desk.shutting_is_recorded()  # as far as that is possible
            reason = f"what came of it could not be recorded: {reason_of(error)}"
            self._keep_recording([Closed(batch[0].claim, "unsure", reason)])
        else:
            log.error("an outcome was not recorded", reason=reason_of(error))
            self._forget(batch)

    def _record(self, batch: list[Outcome]) -> None:
        sent = [outcome for outcome in batch if isinstance(outcome, Sent)]
        others = [outcome for outcome in batch if not isinstance(outcome, Sent)]
        with self._engine.begin() as connection:
            connection.execute(SHORT_LOCKS)
            outbox.mark_sent(connection, [(one.claim.mail, one.code, one.reply) for one in sent])
            for outcome in batch:
                self._write(connection, outcome)
        self._forget(batch)
        for one in sent:
            with bound_contextvars(request_id=one.claim.mail.request_id):
                log.info(
                    "mail sent",
                    **about(one.claim.mail),
                    code=one.code,
                    milliseconds=one.milliseconds,
                )
        if any(isinstance(outcome, Failed) for outcome in others):
            self._desk.shutting_is_recorded()
        if others:
            self._wake()

    def _forget(self, batch: Iterable[Outcome]) -> None:
        ids = []
        for outcome in batch:
            if isinstance(outcome, Probed):
                continue
            claim = outcome.claim
            claim.journal.forget(claim.mail.id)
            token = outcome.token if isinstance(outcome, Failed) else None
            if self._stumbled.get(claim.mail.id) is not token:  # it got over that
                self._stumbled.pop(claim.mail.id, None)
            ids.append(claim.mail.id)
        self._desk.settled(ids)

    def _write(self, connection: Connection, outcome: Outcome) -> None:
        if isinstance(outcome, Sent):
            open_after_trial(connection, outcome.claim)
        elif isinstance(outcome, Failed):
            with bound_contextvars(request_id=outcome.claim.mail.request_id):
                self._write_failed(connection, outcome)
        elif isinstance(outcome, Broken):
            write_broken(connection, outcome)
        elif isinstance(outcome, Closed):
            mail = outcome.claim.mail
            outbox.close(connection, mail, outcome.state, outcome.reason)
            log.info("mail closed", **about(mail), state=outcome.state, reason=outcome.reason)
        elif isinstance(outcome, Untried):
            outbox.release(connection, outcome.claim.mail)
        elif isinstance(outcome, Probed):
            self._write_probed(connection, outcome)

    def _write_probed(self, connection: Connection, outcome: Probed) -> None:
        if outcome.error is None:
            self._desk.let_in = True
        else:
            close_gate(connection, outcome.error, probed=True)
            if gate_of(outcome.error) != RELAY:  # the trouble is another now
                open_gate(connection, RELAY)

    def _write_failed(self, connection: Connection, outcome: Failed) -> None:
        mail, error = outcome.claim.mail, outcome.error
        if error.scope in OF_THE_RELAY:
            close_gate(connection, error, probed=outcome.claim.trial is not None)
            if outcome.claim.trial == RELAY and gate_of(error) == QUOTA:
                open_after_trial(connection, outcome.claim)
            if not self._stumbles_again(outcome):
                outbox.release(connection, mail)
                return
        else:
            open_after_trial(connection, outcome.claim)
        note(connection, mail, error, outcome.milliseconds)
        told = disposition(mail, error, self._spread(), now())
        write_disposition(connection, mail, error, told)

    def _stumbles_again(self, outcome: Failed) -> bool:
        """Say whether a mail met trouble with the relay twice: then it may be this mail that makes it.

        Else one that the relay always hangs up on would go first, for ever, and no other would go.
        """
        if outcome.error.stage in BEFORE_ANY_MAIL or outcome.error.scope is not Scope.SERVER:
            return False
        first = self._stumbled.setdefault(outcome.claim.mail.id, outcome.token)
        return first is not outcome.token  # the same one comes again where its commit failed


def write_disposition(
    connection: Connection, mail: Mail, error: DeliveryError, told: Disposition
) -> None:
    """Record what becomes of a mail that failed."""
    about_it = {**about(mail), "scope": error.scope, "stage": error.stage, "code": error.code}
    if told.delay is not None:
        seconds = round(told.delay.total_seconds())
        log.info("mail deferred", **about_it, seconds=seconds)
        outbox.defer(connection, mail, told.delay, told.reason, error.code)
        return
    state = told.state or "dead"
    level = log.error if error.scope is Scope.SENDER else log.warning
    level("mail not sent", **about_it, state=state)
    outbox.close(connection, mail, state, told.reason, error.code, charged=True)
    if error.no_such_address:
        suppress(connection, mail.recipient, EVERYTHING, told.reason[: outbox.LONGEST_ERROR])


def write_broken(connection: Connection, outcome: Broken) -> None:
    """Record a failure of our own: after some tries, the mail is put aside."""
    mail = outcome.claim.mail
    reason = f"failed for a reason that nobody foresaw: {reason_of(outcome.error)}"
    permanent = mail.bugs + 1 >= POISON_TRIES
    error = DeliveryError(reason, Stage.CONTENT, Scope.MESSAGE, permanent=permanent)
    open_after_trial(connection, outcome.claim)
    note(connection, mail, error, 0, scope=BUG)
    write_disposition(connection, mail, error, disposition(mail, error, 0, now()))


def open_after_trial(connection: Connection, claim: Claim) -> None:
    """Open the gate that the mail has passed as a trial."""
    if claim.trial is not None:
        open_gate(connection, claim.trial)


def note(
    connection: Connection, mail: Mail, error: DeliveryError, milliseconds: int, scope: str = ""
) -> None:
    """Record a try that failed."""
    attempt = {
        "stage": str(error.stage),
        "scope": scope or str(error.scope),
        "code": error.code,
        "reason": str(error)[: outbox.LONGEST_ERROR],
    }
    outbox.note_attempt(connection, mail, attempt, milliseconds)


def about(mail: Mail) -> dict[str, object]:
    """Return what a log may say of a mail: of the recipient, the domain alone."""
    return {"id": mail.id, "kind": mail.kind, "domain": mail.domain}
