from unittest.mock import Mock

import pytest

from mailer.delivery.desk import Claim
from mailer.delivery.intake import inherited
from mailer.delivery.journal import Fate
from mailer.delivery.outcome import Closed, Failed, Outcome, Sent
from mailer.smtp.errors import DeliveryError, Scope, Stage
from tests.unit.mails import a_mail

CLAIM = Claim(a_mail(), Mock(), Mock())
UNSURE = DeliveryError("a mailer died", Stage.END, Scope.UNSURE)


@pytest.mark.parametrize(
    ("outcome", "fate"),
    [
        pytest.param(None, Fate.CLAIMED, id="it is to be sent"),
        pytest.param(Sent(CLAIM, 250, "ok"), Fate.ACCEPTED, id="the dead mailer had sent it"),
        pytest.param(Failed(CLAIM, UNSURE), Fate.ENDING, id="it may have arrived"),
        pytest.param(Closed(CLAIM, "expired", "too late"), Fate.CLAIMED, id="it is too late"),
    ],
)
def test_what_a_dead_mailer_knew_outlives_its_successor(
    outcome: Outcome | None, fate: Fate
) -> None:
    assert inherited(outcome) is fate
