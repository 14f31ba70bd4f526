"""Taking up the mail of a mailer that died: what its journal says, each mail's own way on."""

from collections.abc import Callable
from pathlib import Path

import structlog

from common.outbox import HOLD
from mailer.delivery.desk import Claim
from mailer.delivery.disposition import LONGEST_CRASHES, OF_OURS
from mailer.delivery.journal import Fate, fates
from mailer.delivery.outbox import Mail
from mailer.delivery.outcome import Closed, Failed, Outcome, Sent
from mailer.smtp.errors import DeliveryError, Scope, Stage

log = structlog.get_logger(__name__)

OK = 250


class Takeover:
    """Reads the journals in `folder`, each once."""

    def __init__(self, folder: Path, count_crash: Callable[[Mail, int], None]) -> None:
        self._folder = folder
        self._count_crash = count_crash
        self._known: dict[int, dict[int, Fate] | None] = {}

    def outcome(self, claim: Claim) -> Outcome | None:
        """Return what came of a mail in a dead mailer's hands; None is that it is to be sent."""
        mail = claim.mail
        if mail.lost_by is None:
            return None
        fate = self._fate_of(mail, mail.lost_by)
        if fate is Fate.ACCEPTED:
            return Sent(claim, OK, f"accepted while mailer {mail.lost_by} had it, which died")
        if fate is Fate.ENDING:
            message = f"mailer {mail.lost_by} died before the reply to the whole mail came"
            return Failed(claim, DeliveryError(message, Stage.END, Scope.UNSURE, cause=OF_OURS))
        if fate is Fate.STARTED:
            return self._after_a_crash(claim)
        return None

    def _after_a_crash(self, claim: Claim) -> Outcome | None:
        crashes = claim.mail.crashes + 1
        if crashes >= LONGEST_CRASHES:
            reason = f"{crashes} mailers died with this mail in hand; look at it before `retry`"
            return Closed(claim, "dead", reason)
        self._count_crash(claim.mail, crashes)
        return None

    def _fate_of(self, mail: Mail, number: int) -> Fate | None:
        if number not in self._known:
            self._known[number] = fates(self._folder, number)
            log.warning(
                "taking up the mail of a mailer that is gone",
                mailer=number,
                has_journal=self._known[number] is not None,
            )
        journal = self._known[number]
        if journal is None:  # it may have been anywhere; who must not get it twice does not
            return Fate.ENDING if mail.when_unsure == HOLD else None
        return journal.get(mail.id)
