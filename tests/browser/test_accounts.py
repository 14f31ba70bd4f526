"""People with accounts, in a real browser: from the first operator's link to a deleted account."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import SCREENSHOTS
from tests.browser.furnishing import PASSWORD
from tests.browser.steps import choose_password, follow_link, open_mail, sign_in, sign_up
from tests.stack.stack import Stack

ANOTHER = "a lighthouse full of teapots"

pytestmark = pytest.mark.usefixtures("screenshot")


def test_somebody_signs_up_signs_out_and_in_again(page: Page) -> None:
    sign_up(page, "judy@example.org")
    expect(page.get_by_text("judy@example.org")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    page.get_by_role("link", name="Account").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(page, "judy@example.org")

    expect(page.get_by_role("heading", name="Your account")).to_be_visible()


def test_going_back_after_signing_out_shows_nothing_of_the_account(page: Page) -> None:
    sign_up(page, "kim@example.org")
    page.get_by_role("link", name="Where you are signed in").click()
    expect(page.get_by_text("this browser")).to_be_visible()
    page.goto("/account")
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()

    page.go_back()

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_forgotten_password_is_chosen_anew(page: Page) -> None:
    sign_up(page, "leo@example.org")
    page.get_by_role("button", name="Sign out").click()

    page.goto("/account/sign-in")
    page.get_by_role("link", name="I have forgotten my password").click()
    page.get_by_label("E-mail address").fill("leo@example.org")
    page.get_by_role("button", name="Send me the link").click()
    open_mail(page, "leo@example.org")
    follow_link(page, "account/reset/confirm")
    choose_password(page, ANOTHER, "Set the password")

    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, "leo@example.org", ANOTHER)
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()


def test_account_is_deleted(page: Page) -> None:
    sign_up(page, "mia@example.org")

    page.get_by_role("link", name="Delete the account").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("Delete my account").check()
    page.get_by_role("button", name="Delete my account").click()

    expect(page.get_by_role("heading", name="Your account is deleted")).to_be_visible()
    page.goto("/account")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_first_operator_follows_the_printed_link_and_invites_somebody(
    page: Page, stack: Stack
) -> None:
    printed = stack.compose("exec", "-T", "web", "python", "-m", "web", "operator-link").strip()
    page.goto(printed)
    page.get_by_label("E-mail address").fill("boss@example.org")
    choose_password(page, PASSWORD, "Become the operator")

    page.get_by_role("link", name="Console", exact=True).click()
    page.get_by_role("link", name="People", exact=True).click()
    page.get_by_role("link", name="Invitations").click()
    page.get_by_label("E-mail address").fill("nina@example.org")
    page.get_by_label("Role").select_option("operator")
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_role("status")).to_have_text(
        "An invitation is on its way to nina@example.org."
    )
    page.context.clear_cookies()
    open_mail(page, "nina@example.org")
    follow_link(page, "account/invitation")
    choose_password(page, PASSWORD, "Make my account")

    expect(page.get_by_text("operator", exact=True)).to_be_visible()
    role = stack.sql("SELECT role FROM accounts WHERE email = 'nina@example.org'")
    assert role == "operator"


@pytest.mark.parametrize("path", ["/account/sign-up", "/account/sign-in", "/account/reset"])
@pytest.mark.parametrize("width", [360, 1280])
def test_form_fits_without_scrolling_sideways(
    browser: Browser, stack: Stack, path: str, width: int
) -> None:
    context = browser.new_context(
        base_url=stack.url, viewport={"width": width, "height": 740}, java_script_enabled=True
    )
    page = context.new_page()

    page.goto(path)
    too_wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{width}{path.replace('/', '-')}.png", full_page=True)
    context.close()

    assert too_wide is False


def test_signing_up_works_without_any_script(browser: Browser, stack: Stack) -> None:
    context = browser.new_context(base_url=stack.url, java_script_enabled=False)
    page = context.new_page()

    sign_up(page, "omar@example.org")

    context.close()
