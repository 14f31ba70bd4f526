"""An operator looks after mail: holds it back, lets it go, reads it, tries the relay, decides on what failed."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browsers import EITHER_WAY, WITHOUT_SCRIPTS
from tests.browser.steps import invite
from tests.stack.smtp.behaviour import STALL
from tests.stack.stack import Stack
from tests.waiting import eventually

WHY = "the relay moves house"
ELSEWHERE = "http://192.0.2.1"  # nobody's
HOSTILE = f"""<p>Read this.</p><img src="{ELSEWHERE}/pixel.png" alt="a picture">
<script src="{ELSEWHERE}/script.js"></script><link rel="stylesheet" href="{ELSEWHERE}/sheet.css">
<iframe src="{ELSEWHERE}/page"></iframe><a href="{ELSEWHERE}/lure?who=you">a lure</a></body>"""


@pytest.fixture
def relay(posted: Stack) -> Iterator[Stack]:
    """Give a test the stack with a mail server; whatever the test comes to, mail goes afterwards."""
    yield posted
    posted.smtp_behaves()
    if posted.sql("SELECT FROM mail_gates WHERE cause = 'operator'"):
        posted.compose("exec", "-T", "mailer", "python", "-m", "mailer", "resume")


def pause(page: Page) -> None:
    page.goto("/console/mail")
    page.get_by_label("Why").fill(WHY)
    page.get_by_role("button", name="Pause").click()
    see_done(page, "all mail is paused")


def resume(page: Page) -> None:
    page.goto("/console/mail")
    page.get_by_role("button", name="Resume all mail").click()
    see_done(page, "all mail goes again")


def see_done(page: Page, step: str) -> None:
    """Watch the job until it has ended well, and has said this."""
    job = page.locator(".card").filter(has_text="Done")
    expect(job).to_be_visible()
    expect(job).to_contain_text(step)


def see_failed(page: Page, why: str) -> None:
    """Watch the job until it has failed, and has said this."""
    job = page.locator(".card").filter(has_text="Failed")
    expect(job).to_be_visible()
    expect(job).to_contain_text(why)


def open_message(page: Page, email: str) -> None:
    """Search for the newest mail to somebody, and open it."""
    page.goto("/console/mail/messages")
    page.get_by_role("searchbox").fill(email)
    page.keyboard.press("Enter")
    page.get_by_role("row").filter(has_text=email).first.get_by_role("link").click()
    expect(page.get_by_role("heading", name="What comes next")).to_be_visible()


def see_state(page: Page, email: str, state: str) -> None:
    """Look at this mail again and again, until it is in this state."""

    def is_in_it() -> bool:
        open_message(page, email)
        return page.get_by_role("heading", name=f"{state} What comes next").is_visible()

    eventually(is_in_it, 60, f"the mail to {email} is {state}")


def press(page: Page, button: str) -> None:
    """Press a button of the mail's page."""
    page.get_by_role("button", name=f"{button}: mail").click()


def send_test_mail(page: Page) -> None:
    page.goto("/console/mail")
    page.get_by_role("button", name="Send a test mail").click()


def test_without_a_mail_server_the_page_of_a_test_mail_says_what_to_do(operator: Page) -> None:
    send_test_mail(operator)

    see_failed(operator, "set MAIL_USERNAME and MAIL_PASSWORD_FILE (or MAIL_PASSWORD)")
    see_failed(operator, "set what is missing, then `make up`")


@EITHER_WAY
def test_paused_mail_waits_says_why_and_goes_once_resumed(
    operator: Page, relay: Stack, somebody: str
) -> None:
    pause(operator)
    invite(operator, somebody)

    open_message(operator, somebody)
    expect(operator.get_by_text("All mail is paused")).to_contain_text(WHY)
    operator.goto("/console/mail")
    expect(operator.get_by_role("table", name="Closed gates")).to_contain_text(WHY)
    assert relay.mail_to(somebody) == []

    resume(operator)
    see_state(operator, somebody, "sent")
    assert len(relay.mail_to(somebody)) == 1


@WITHOUT_SCRIPTS
def test_a_mail_that_was_cancelled_goes_only_after_a_retry(
    operator: Page, relay: Stack, somebody: str
) -> None:
    pause(operator)
    invite(operator, somebody)
    open_message(operator, somebody)
    press(operator, "Cancel")
    see_done(operator, "is cancelled")
    resume(operator)
    see_state(operator, somebody, "cancelled")
    assert relay.mail_to(somebody) == []

    press(operator, "Retry")

    see_done(operator, "is queued again")
    see_state(operator, somebody, "sent")


def test_an_address_that_was_refused_is_let_through_and_its_mail_retried(
    operator: Page, relay: Stack, somebody: str
) -> None:
    relay.smtp_behaves(rcpt="550 5.1.1 nobody of that name")
    invite(operator, somebody)
    see_state(operator, somebody, "dead")
    expect(operator.get_by_role("row").filter(has_text="nobody of that name")).to_be_visible()
    relay.smtp_behaves()
    press(operator, "Retry")
    see_failed(operator, "its address gets no more mail")

    operator.get_by_role("link", name="Addresses that get none").click()
    operator.get_by_role("button", name=f"Let through: {somebody}").click()
    see_done(operator, f"{somebody} gets mail again")
    open_message(operator, somebody)
    press(operator, "Retry")

    see_done(operator, "is queued again")
    see_state(operator, somebody, "sent")


@EITHER_WAY
def test_a_test_mail_is_watched_step_by_step(operator: Page, relay: Stack) -> None:
    relay.smtp_behaves(data=STALL)
    send_test_mail(operator)

    at_work = operator.locator(".card").filter(has_text="At work")
    expect(at_work).to_contain_text("recipient: 250")
    relay.smtp_behaves()

    see_done(operator, "end of the mail: 250")
    for step in ("connection", "STARTTLS", "login", "sender", "recipient", "content"):
        expect(operator.locator(".steps")).to_contain_text(f"{step}: ")


def test_a_relay_that_refuses_the_login_is_told_with_what_to_do(
    operator: Page, relay: Stack
) -> None:
    relay.smtp_behaves(auth="535 5.7.8 wrong password")
    send_test_mail(operator)

    see_failed(operator, "535 5.7.8 wrong password")
    see_failed(operator, "check MAIL_USERNAME, MAIL_PASSWORD_FILE and MAIL_AUTH")


@EITHER_WAY
def test_a_mail_is_read_where_nothing_in_it_can_do_anything(
    operator: Page, relay: Stack, somebody: str
) -> None:
    invite(operator, somebody)
    relay.sql(
        "UPDATE mail_bodies SET content = convert_to("
        f"replace(convert_from(content, 'UTF8'), '</body>', '{HOSTILE}'), 'UTF8') WHERE id = "
        f"(SELECT body_id FROM outbox WHERE recipient = '{somebody}')"
    )
    open_message(operator, somebody)
    operator.get_by_role("button", name="Show what it says").click()

    frame = operator.frame_locator("iframe[sandbox='']")
    expect(frame.get_by_text("Read this.")).to_be_visible()
    assert frame.get_by_text("a lure").get_attribute("href") is None
    expect(operator.get_by_role("definition").get_by_text(somebody)).to_be_visible()
    links = operator.locator(".mail-text").first
    expect(links).to_contain_text("/account/invitation/[removed]")
