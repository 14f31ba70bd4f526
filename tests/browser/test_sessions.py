"""An operator ends what others do here: one sign-in, an account for a while; and lets new people in."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browsers import EITHER_WAY, Browsers
from tests.browser.furnishing import PASSWORD, make_account
from tests.browser.steps import (
    choose_password,
    follow_link,
    invite,
    open_mail,
    sign_in,
    type_sign_in,
)
from tests.stack.stack import Stack


@pytest.fixture
def member(browsers: Browsers, stack: Stack, somebody: str) -> Page:
    """Return the browser of somebody who has an account, and is signed in."""
    make_account(stack, somebody, "member")
    page = browsers.open()
    sign_in(page, somebody)
    return page


def open_person(page: Page, email: str) -> None:
    """Look for somebody, and open their page."""
    page.goto("/console/people")
    page.get_by_role("searchbox").fill(email)
    page.keyboard.press("Enter")
    page.get_by_role("link", name=email).click()
    expect(page.get_by_role("heading", name=email)).to_be_visible()


@EITHER_WAY
def test_a_browser_that_an_operator_signs_out_is_so_at_its_next_click(
    operator: Page, member: Page, browsers: Browsers, somebody: str
) -> None:
    other = browsers.open()
    sign_in(other, somebody)
    open_person(operator, somebody)
    signed_in = operator.get_by_role("button", name="Sign out: ")
    expect(signed_in).to_have_count(2)

    signed_in.last.click()  # the newest stands first, so this is where they signed in first

    expect(operator.get_by_role("status")).to_contain_text(
        f"{somebody} is signed out in that browser"
    )
    expect(signed_in).to_have_count(1)
    member.get_by_role("link", name="Where you are signed in").click()
    expect(member.get_by_role("heading", name="Sign in")).to_be_visible()
    other.get_by_role("link", name="Where you are signed in").click()
    expect(other.get_by_text("this browser")).to_be_visible()


@EITHER_WAY
def test_a_locked_account_is_signed_out_and_gets_in_only_once_it_is_unlocked(
    operator: Page, member: Page, somebody: str
) -> None:
    open_person(operator, somebody)
    operator.get_by_role("button", name=f"Lock: {somebody}").click()
    expect(operator.get_by_role("status")).to_contain_text("is locked, and signed out everywhere")
    member.get_by_role("link", name="Where you are signed in").click()
    expect(member.get_by_role("heading", name="Sign in")).to_be_visible()
    type_sign_in(member, somebody)
    expect(member.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(member.locator(".error")).to_be_visible()

    operator.get_by_role("button", name=f"Unlock: {somebody}").click()
    expect(operator.get_by_role("status")).to_contain_text("can sign in again")

    sign_in(member, somebody)


@EITHER_WAY
def test_somebody_who_is_invited_makes_an_account_of_that_role(
    operator: Page, page: Page, somebody: str
) -> None:
    invite(operator, somebody, role="Operator")

    open_mail(page, somebody)
    follow_link(page, "account/invitation")
    choose_password(page, PASSWORD, "Make my account")
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()

    page.goto("/console")
    expect(page.get_by_role("navigation", name="Console")).to_be_visible()
    open_person(operator, somebody)
    expect(operator.get_by_text("Operator since")).to_be_visible()
    operator.goto("/console/people/invitations")
    expect(operator.get_by_text(somebody)).to_have_count(0)
