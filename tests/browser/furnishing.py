"""A site that has something on every page: a past, mail of every kind with a link, and work that was asked for."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import APIRequestContext, Browser, Page, StorageState, expect

from tests.browser.walk import links, walk
from tests.stack.stack import Stack
from tests.waiting import eventually
from tests.web_app import an_app
from web.accounts import passwords

OPERATOR = "olga@example.org"
PASSWORD = "seven green kites over Delft"
KNOWN = ("/account/email/confirmed/changed",)  # what no page links to
# Links that lead nowhere have pages too.
DEAD = ("/nowhere", "/unsubscribe/nothing", "/account/first-operator/nothing")
PAST = Path(__file__).parent / "past.sql"
DRAFT = "SELECT id FROM notices WHERE published_at IS NULL ORDER BY id DESC LIMIT 1"
FIRST_BACKUPS = "SELECT count(*) FROM backups WHERE state IN ('proven', 'stored')"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody, with what their browser keeps, and the pages that they reach."""

    name: str
    state: StorageState | None
    paths: dict[str, str]  # kind: path


def furnish(stack: Stack, browser: Browser) -> list[Visitor]:
    """Fill the site, and walk through it: as a stranger, and as an operator."""
    # Once the worker has said what it found, it is silent for an hour, and the past stays as it is told.
    eventually(lambda: int(stack.sql(FIRST_BACKUPS)) > 1, 120, "the first two backups are there")
    make_account(stack, OPERATOR)
    stack.sql(PAST.read_text(encoding="utf-8"))
    context = browser.new_context(base_url=stack.url)
    page = context.new_page()
    have_mail_written(page)
    draft = f"/console/notices/{stack.sql(DRAFT)}/edit"
    known = [*KNOWN, draft, *have_work_done(page), *mailed(context.request, stack.url)]
    urls = an_app().url_map
    operator = Visitor(
        "operator", context.storage_state(), walk(context.request, urls, stack.url, known)
    )
    context.close()
    stranger = browser.new_context(base_url=stack.url)
    paths = walk(stranger.request, urls, stack.url, known)
    stranger.close()
    return [operator, Visitor("stranger", None, paths)]


def make_account(stack: Stack, email: str, role: str = "operator") -> None:
    """Put an account into the database; forms to sign up may be sent ten times an hour, whoever sends them."""
    made = passwords.make_hash(PASSWORD)
    stack.sql(
        "INSERT INTO accounts (email, role, password_hash) "
        f"VALUES ('{email}', '{role}', '{made}') ON CONFLICT DO NOTHING"
    )


def send(page: Page, path: str, then: str, **fields: str) -> None:
    """Fill in a form, and send it by Enter."""
    page.goto(path)
    for name, value in fields.items():
        page.locator(f"#{name}").fill(value)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"{then}$"))


def have_mail_written(page: Page) -> None:
    """Sign in as the operator, and have mail of each kind with a link written."""
    send(page, "/subscribe", "/subscribe/asked", email="wilma@example.org")
    send(page, "/account/sign-up", "/account/sign-up/asked", email="wilma@example.org")
    send(page, "/account/reset", "/account/reset/asked", email=OPERATOR)
    send(page, "/account/sign-in", "/account", email=OPERATOR, password=PASSWORD)
    send(
        page,
        "/account/email",
        "/account/email/asked",
        email="o@example.net",
        current_password=PASSWORD,
    )
    send(
        page, "/console/people/invitations", "/console/people/invitations", email="ivan@example.org"
    )
    expect(page.get_by_role("status")).to_contain_text("ivan@example.org")


def have_work_done(page: Page) -> list[str]:
    """Publish a notice, and ask the other parts for something each; return where that is shown."""
    page.goto("/console/notices/new")
    page.get_by_label("Incident").check()
    page.get_by_label("Title").fill("Pages are slow")
    page.get_by_label("Website").check()
    page.get_by_label("What should people know?").fill(
        "We are looking why.\n\nhttps://example.org/slow has more."
    )
    page.get_by_role("button", name="Keep the draft").click()
    page.get_by_role("button", name="Publish").click()
    sending = address(page, r"/updates/\d+")
    page.goto("/console/backups/schema")
    page.get_by_role("button", name="Read the history").click()
    history = finished(page)
    page.goto("/console/mail/messages?q=@example.org&kind=sign_up")
    page.get_by_role("table").get_by_role("link").first.click()
    page.get_by_role("button", name="Show what it says").click()
    expect(page.frame_locator("iframe").locator("body")).to_contain_text("Hello")
    return [sending, history, address(page, "")]


def finished(page: Page) -> str:
    """Return the address of the job that is shown, once it is done."""
    expect(page.get_by_text("Done", exact=True)).to_be_visible(timeout=60_000)
    return address(page, "")


def address(page: Page, ending: str) -> str:
    """Return the path of the page that is shown, once it is one that ends so."""
    expect(page).to_have_url(re.compile(f"{ending}$"))
    return urlsplit(page.url).path


def inbox(asker: APIRequestContext, home: str) -> list[str]:
    """Return the address of each mail in the development inbox."""
    listed = links(asker.get("/dev/inbox").text(), home)
    return sorted({path for path in listed if re.fullmatch(r"/dev/inbox/\d+", path)})


def mailed(asker: APIRequestContext, home: str) -> list[str]:
    """Return the links that mails hold, of all that are there."""
    return [link for mail in inbox(asker, home) for link in links(asker.get(mail).text(), home)]
