"""Accounts on the whole stack: by mail over SMTP, over HTTPS, and from the command of an operator."""

import base64

import pytest
import requests

from tests.stack.stack import Stack
from tests.stack.visitor import PASSWORD, Visitor, link_in
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("well")


def mailed_link(stack: Stack, email: str) -> str:
    eventually(lambda: stack.mail_to(email), 30, "the mail arrives")
    return link_in(base64.b64decode(stack.mail_to(email)[-1]["raw"]))


def test_somebody_signs_up_by_mail_and_signs_in_elsewhere(stack: Stack) -> None:
    here, elsewhere = Visitor(stack.url), Visitor(stack.url)

    here.sign_up("grace@example.org")
    made = here.choose_password(mailed_link(stack, "grace@example.org"))
    elsewhere.sign_in("grace@example.org")

    assert made.ok
    assert "grace@example.org" in made.text
    assert here.is_signed_in
    assert elsewhere.is_signed_in
    role = stack.sql("SELECT role FROM accounts WHERE email = 'grace@example.org'")
    assert role == "member"


def test_reset_by_mail_signs_out_everywhere_else(stack: Stack) -> None:
    here, elsewhere = Visitor(stack.url), Visitor(stack.url)
    elsewhere.sign_up("heidi@example.org")
    elsewhere.choose_password(mailed_link(stack, "heidi@example.org"))
    stack.forget_mail()

    here.send("/account/reset", email="heidi@example.org")
    here.choose_password(mailed_link(stack, "heidi@example.org"), "a lighthouse full of teapots")

    assert here.is_signed_in
    assert not elsewhere.is_signed_in
    old = Visitor(stack.url).sign_in("heidi@example.org", PASSWORD)
    assert old.status_code == 422


def test_first_operator_is_made_by_the_link_that_the_log_and_the_command_show(stack: Stack) -> None:
    lines = [line for line in stack.log_events("web") if line["event"] == "no operator yet"]
    printed = stack.compose("exec", "-T", "web", "python", "-m", "web", "operator-link").strip()
    visitor = Visitor(stack.url)

    made = visitor.send(
        printed, email="boss@example.org", password=PASSWORD, password_again=PASSWORD
    )
    people = visitor.open("/console/people")
    after = stack.try_compose("exec", "-T", "web", "python", "-m", "web", "operator-link")

    assert printed in [line["link"] for line in lines]
    assert made.ok
    assert people.ok
    assert "boss@example.org" in people.text
    assert (after.returncode, after.stdout) == (0, "")
    assert "There is an operator already" in after.stderr
    assert requests.get(printed, timeout=30).status_code == 410
