"""An operator tells people that something is wrong, how it goes on, and that it is over; subscribers get mail."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browsers import EITHER_WAY, Browsers
from tests.browser.steps import open_mail
from tests.stack.smtp.behaviour import STALL
from tests.stack.stack import Stack

TITLE = "Mail is late"
WORDS = "It arrives an hour late.\n\nSee https://status.example.org/why for the reason."
NEWS = "The relay works again; what waits goes now."


@pytest.fixture
def relay(posted: Stack) -> Iterator[Stack]:
    """Give a test the stack with a mail server, which is well afterwards."""
    yield posted
    posted.smtp_behaves()


@pytest.fixture
def reader(browsers: Browsers, stack: Stack, somebody: str) -> Page:
    """Return the browser of somebody who has subscribed; how that is done is tested elsewhere."""
    stack.sql(
        "INSERT INTO subscribers (email, state, token_hash, token_expires_at, confirmed_at) "
        f"VALUES ('{somebody}', 'confirmed', sha256('{somebody}'), now(), now())"
    )
    return browsers.open()


def write(page: Page, title: str, words: str = WORDS) -> None:
    """Write a draft, and see it as people will."""
    page.goto("/console/notices")
    page.get_by_role("link", name="Write a notice").click()
    page.get_by_label("Incident").check()
    page.get_by_label("Title").fill(title)
    page.get_by_label("Mail", exact=True).check()
    page.get_by_label("What should people know?").fill(words)
    page.get_by_role("button", name="Keep the draft and see it").click()
    expect(page.get_by_text("A draft: nobody but operators sees it.")).to_be_visible()


def tell(page: Page, state: str, words: str) -> None:
    """Say how it goes on."""
    page.get_by_label("State").select_option(state)
    page.get_by_label("What is new?").fill(words)
    page.get_by_role("button", name="Preview the mail").click()
    expect(page.get_by_text(f": {TITLE}")).to_be_visible()
    page.get_by_role("button", name="Tell it, and mail").click()


@EITHER_WAY
def test_a_notice_is_written_looked_at_and_published_and_its_mail_watched(
    operator: Page, reader: Page, relay: Stack, somebody: str
) -> None:
    title = f"{TITLE} {somebody}"
    relay.smtp_behaves(data=STALL)
    write(operator, title)
    mail = operator.frame_locator("iframe")
    expect(mail.get_by_text("It arrives an hour late.")).to_be_visible()
    reader.goto("/notices")
    expect(reader.get_by_text(title)).to_have_count(0)

    operator.get_by_role("button", name="Publish, and mail").click()
    expect(operator.get_by_role("status")).to_contain_text("It is published")
    sending = operator.locator(".mailed")
    expect(sending).to_contain_text("waiting")
    relay.smtp_behaves()
    expect(sending).not_to_contain_text("waiting")
    expect(sending).to_contain_text(re.compile(r"(\d+) of \1 done"))

    open_mail(reader, somebody, f"Incident: {title}")
    shown = reader.frame_locator("iframe")
    expect(shown.get_by_text("It arrives an hour late.")).to_be_visible()
    shown.get_by_role("link", name="The notice, and what came after").click()
    expect(reader.get_by_role("heading", name=title)).to_be_visible()
    expect(reader.get_by_role("heading", name="Investigating")).to_be_visible()


@EITHER_WAY
def test_a_notice_is_gone_on_with_and_resolved_and_each_is_mailed(
    operator: Page, reader: Page, somebody: str
) -> None:
    title = f"{TITLE} {somebody}"
    write(operator, title)
    operator.get_by_role("button", name="Publish, and mail").click()
    for state, words in (("Monitoring", NEWS), ("Resolved", "It is over.")):
        operator.get_by_role("link", name=title, exact=True).click()
        tell(operator, state, words)
        expect(operator.get_by_role("status")).to_contain_text("It is told")

    open_mail(reader, somebody, f"Update: {title}")
    reader.get_by_role("link", name="Text", exact=True).click()
    expect(reader.locator(".mail-text")).to_contain_text(NEWS)
    open_mail(reader, somebody, f"Resolved: {title}")
    reader.get_by_role("link", name="Text", exact=True).click()
    reader.locator(".mail-text").get_by_role("link", name="/notices/").click()
    for state in ("Investigating", "Monitoring", "Resolved"):
        expect(reader.get_by_role("heading", name=state)).to_be_visible()
