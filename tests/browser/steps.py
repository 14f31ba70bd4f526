"""What people do again and again: sign up and in, open a mail, follow its link."""

from playwright.sync_api import Page, expect

from tests.browser.furnishing import PASSWORD


def open_mail(page: Page, email: str, subject: str = "") -> None:
    """Open the newest mail to somebody in the development inbox."""
    page.goto("/dev/inbox")
    mails = page.get_by_role("listitem").filter(has_text=email).filter(has_text=subject)
    mails.first.get_by_role("link").click()


def follow_link(page: Page, part: str) -> None:
    """Follow the link of the mail that is open."""
    page.locator(f"a[href*='/{part}/']").first.click()


def choose_password(page: Page, password: str, button: str) -> None:
    """Type a new password twice, and press the button."""
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_label("The same password again").fill(password)
    page.get_by_role("button", name=button).click()


def sign_up(page: Page, email: str) -> None:
    """Make an account, and be signed in."""
    page.goto("/account/sign-up")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_role("button", name="Send me the link").click()
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    open_mail(page, email)
    follow_link(page, "account/sign-up/confirm")
    choose_password(page, PASSWORD, "Make my account")
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()


def type_sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Send the form to sign in."""
    page.goto("/account/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Sign in."""
    type_sign_in(page, email, password)
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()


def sign_out(page: Page) -> None:
    """Sign out in this browser."""
    page.goto("/account")
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()


def invite(page: Page, email: str, role: str = "Member") -> None:
    """Have an invitation mailed, as an operator; it is the mail that one may cause as often as one likes."""
    page.goto("/console/people")
    page.get_by_role("link", name="Invitations").click()
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Role").select_option(role)
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_role("status")).to_contain_text(f"on its way to {email}")
