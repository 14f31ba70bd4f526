from pathlib import Path
from unittest.mock import Mock

import pytest

from common.outbox import HOLD
from mailer.delivery.desk import Claim
from mailer.delivery.disposition import LONGEST_CRASHES
from mailer.delivery.journal import Fate, Journal
from mailer.delivery.outcome import Closed, Failed, Sent
from mailer.delivery.takeover import Takeover
from mailer.smtp.errors import Scope
from tests.unit.mails import a_mail

DEAD = 13


@pytest.fixture
def count_crash() -> Mock:
    return Mock()


@pytest.fixture
def takeover(tmp_path: Path, count_crash: Mock) -> Takeover:
    return Takeover(tmp_path, count_crash)


def lost(crashes: int = 0) -> Claim:
    return Claim(a_mail(id=1, lost_by=DEAD, crashes=crashes), Mock(), Mock())


def test_mail_that_nobody_had_is_sent(takeover: Takeover) -> None:
    assert takeover.outcome(Claim(a_mail(lost_by=None), Mock(), Mock())) is None


def test_mail_that_must_not_go_twice_is_unsure_without_a_journal(takeover: Takeover) -> None:
    claim = Claim(a_mail(id=1, lost_by=DEAD, when_unsure=HOLD), Mock(), Mock())

    outcome = takeover.outcome(claim)

    assert isinstance(outcome, Failed)
    assert outcome.error.scope is Scope.UNSURE


def test_mail_that_must_not_go_twice_is_sent_where_the_journal_says_that_it_was_not(
    takeover: Takeover, tmp_path: Path
) -> None:
    Journal(tmp_path, DEAD).note(Fate.CLAIMED, 1)

    assert (
        takeover.outcome(Claim(a_mail(id=1, lost_by=DEAD, when_unsure=HOLD), Mock(), Mock()))
        is None
    )


def test_mail_without_a_journal_is_sent(takeover: Takeover, count_crash: Mock) -> None:
    assert takeover.outcome(lost()) is None
    count_crash.assert_not_called()


@pytest.mark.parametrize("fate", [Fate.CLAIMED, Fate.REFUSED])
def test_mail_that_was_not_on_its_way_is_sent(
    takeover: Takeover, tmp_path: Path, count_crash: Mock, fate: Fate
) -> None:
    Journal(tmp_path, DEAD).note(fate, 1)

    assert takeover.outcome(lost()) is None
    count_crash.assert_not_called()


def test_mail_that_the_relay_took_is_not_sent_again(takeover: Takeover, tmp_path: Path) -> None:
    Journal(tmp_path, DEAD).note(Fate.ACCEPTED, 1)

    assert isinstance(takeover.outcome(lost()), Sent)


def test_mail_that_was_just_ending_is_unsure(takeover: Takeover, tmp_path: Path) -> None:
    Journal(tmp_path, DEAD).note(Fate.ENDING, 1)

    outcome = takeover.outcome(lost())

    assert isinstance(outcome, Failed)
    assert outcome.error.scope is Scope.UNSURE


def test_mail_that_was_begun_is_sent_and_the_crash_is_counted(
    takeover: Takeover, tmp_path: Path, count_crash: Mock
) -> None:
    Journal(tmp_path, DEAD).note(Fate.STARTED, 1)
    claim = lost(crashes=LONGEST_CRASHES - 2)

    assert takeover.outcome(claim) is None
    count_crash.assert_called_once_with(claim.mail, LONGEST_CRASHES - 1)


def test_mail_with_which_mailers_die_again_and_again_is_put_aside(
    takeover: Takeover, tmp_path: Path
) -> None:
    Journal(tmp_path, DEAD).note(Fate.STARTED, 1)

    outcome = takeover.outcome(lost(crashes=LONGEST_CRASHES - 1))

    assert isinstance(outcome, Closed)
    assert outcome.state == "dead"
