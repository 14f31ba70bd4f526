"""The operator's trial: each step with the relay's reply, and what to do about one that fails."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from mailer.smtp.credentials import Credentials, Login
from mailer.smtp.errors import DeliveryError, Scope, Stage
from mailer.smtp.trial import Step, advice_on, trial
from tests.integration.faulty_relay import LOGIN, AMail, FaultyRelay, faulty_relay
from tests.stack.smtp.certificates import Certificate, make_certificate

GOOD_WAY = [
    Stage.CONNECT,
    Stage.GREETING,
    Stage.EHLO,
    Stage.TLS,
    Stage.EHLO,
    Stage.LOGIN,
    Stage.SENDER,
    Stage.RECIPIENT,
    Stage.CONTENT,
    Stage.END,
]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for the name by which the tests reach the server."""
    return make_certificate(tmp_path_factory.mktemp("certificate"), "localhost")


@pytest.fixture
def relay(certificate: Certificate) -> Iterator[FaultyRelay]:
    """A server that is well."""
    with faulty_relay(certificate) as running:
        yield running


def the_steps(relay: FaultyRelay, mail: AMail | None = None, login: Login = LOGIN) -> list[Step]:
    return list(trial(relay.relay(), lambda: login, mail or AMail()))


def test_each_step_is_told_and_the_mail_arrives(relay: FaultyRelay) -> None:
    steps = the_steps(relay)

    assert [step.stage for step in steps] == GOOD_WAY
    assert all(step.ok and step.milliseconds >= 0 and not step.advice for step in steps)
    assert relay.behaviour.mails == [AMail().raw]
    assert relay.behaviour.commands[-1] == "QUIT"


def test_steps_say_what_an_operator_wants_to_see(relay: FaultyRelay) -> None:
    said = [step.said for step in the_steps(relay)]

    assert said[0] == "connected to 127.0.0.1"
    assert said[1] == "220 faulty.test"
    assert said[2] == "250 8bitmime, auth, help, size, starttls"
    assert "TLSv1.3 TLS_AES_256_GCM_SHA384, certificate of commonName=localhost" in said[3]
    assert "good until " in said[3]
    assert said[5] == "235 2.7.0 welcome (AUTH PLAIN)"
    assert said[9] == "250 2.0.0 yes"


def test_no_step_shows_the_password(relay: FaultyRelay) -> None:
    relay.behaviour.faults = {"AUTH": "535 5.7.8 not correct-horse"}

    steps = the_steps(relay)

    assert "correct-horse" not in repr(steps)
    assert "535 5.7.8 not [...]" in steps[-1].said


@pytest.mark.parametrize(
    ("step", "reply", "stage", "advice"),
    [
        ("CONNECT", "554 no", Stage.GREETING, "does not want our address"),
        ("EHLO", "502 what?", Stage.EHLO, "is this an SMTP server"),
        ("STARTTLS", "454 4.7.0 no", Stage.TLS, "check MAIL_USE_TLS"),
        ("AUTH", "535 5.7.8 no", Stage.LOGIN, "check MAIL_USERNAME, MAIL_PASSWORD_FILE"),
        ("AUTH", "454 4.7.0 too many", Stage.LOGIN, "wait 15 minutes"),
        ("AUTH", "drop", Stage.LOGIN, "try again later"),
        ("MAIL", "553 5.1.8 no", Stage.SENDER, "check MAIL_DEFAULT_SENDER"),
        ("MAIL", "550 5.4.5 quota", Stage.SENDER, "has sent all that it may"),
        ("RCPT", "550 5.1.1 no", Stage.RECIPIENT, "check the address"),
        ("RCPT", "421 4.3.2 no", Stage.RECIPIENT, "try again later"),
        ("DATA", "554 5.6.0 no", Stage.CONTENT, "read what the relay says"),
        ("END", "drop", Stage.END, "look whether it has arrived"),
    ],
)
def test_trial_ends_with_the_step_that_fails_and_what_to_do(
    relay: FaultyRelay, step: str, reply: str, stage: Stage, advice: str
) -> None:
    relay.behaviour.faults = {step: reply}

    *before, last = the_steps(relay)

    assert all(earlier.ok for earlier in before)
    assert (last.ok, last.stage) == (False, stage)
    assert advice in last.advice


def test_missing_credentials_end_it_before_it_begins(relay: FaultyRelay) -> None:
    def missing() -> Login:
        raise DeliveryError("none", Stage.CREDENTIALS, Scope.ACCOUNT, cause="credentials")

    (step,) = trial(relay.relay(), missing, AMail())

    assert (step.ok, step.advice) == (False, "set what is missing, then `make up`")
    assert relay.behaviour.connections == 0


def test_gmail_that_refuses_the_login_wants_an_app_password(relay: FaultyRelay) -> None:
    gmail = replace(relay.relay(), server="smtp.gmail.com")
    error = DeliveryError("535", Stage.LOGIN, Scope.ACCOUNT, cause="login", code=535)

    assert "app password" in advice_on(error, gmail)


def test_nobody_listening_is_told_with_what_to_check(certificate: Certificate) -> None:
    with faulty_relay(certificate) as relay:
        address = relay.relay()

    (step,) = trial(address, lambda: Credentials("bob", SecretStr("x")), AMail())

    assert (step.stage, step.ok) == (Stage.CONNECT, False)
    assert "check MAIL_SERVER and MAIL_PORT" in step.advice
