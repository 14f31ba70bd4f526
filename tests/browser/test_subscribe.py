"""A newcomer subscribes, finds the mail in the development inbox, and follows its link."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import SCREENSHOTS
from tests.stack.stack import Stack

pytestmark = pytest.mark.usefixtures("screenshot")


def subscribe(page: Page, email: str) -> None:
    page.goto("/subscribe")
    page.get_by_label("e-mail").fill(email)
    page.get_by_role("button", name="Send me the link").click()


def test_the_status_page_names_every_part(page: Page) -> None:
    page.goto("/")

    for part in ("Website", "Edge", "Database", "Mail", "Backup", "Sessions"):
        expect(page.get_by_role("heading", name=part, exact=True)).to_be_visible()


def test_a_newcomer_subscribes_without_any_smtp_server(page: Page, stack: Stack) -> None:
    subscribe(page, "newcomer@example.org")
    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()

    page.goto("/dev/inbox")
    page.get_by_role("listitem").filter(has_text="newcomer@example.org").get_by_role("link").click()
    expect(page.get_by_text("waiting")).to_be_visible()
    page.locator("a[href*='/subscribe/confirm/']").first.click()
    page.get_by_role("button", name="Confirm").click()

    expect(page.get_by_role("heading", name="You are subscribed")).to_be_visible()
    state = stack.sql("SELECT state FROM subscribers WHERE email = 'newcomer@example.org'")
    assert state == "confirmed"


def test_a_used_link_says_so(page: Page) -> None:
    subscribe(page, "again@example.org")
    page.goto("/dev/inbox")
    page.get_by_role("listitem").filter(has_text="again@example.org").get_by_role("link").click()
    link = page.locator("a[href*='/subscribe/confirm/']").first.get_attribute("href") or ""
    page.goto(link)
    page.get_by_role("button", name="Confirm").click()

    page.goto(link)

    expect(page.get_by_role("heading", name="You are subscribed already")).to_be_visible()


def test_a_bad_address_is_explained_beside_the_field_and_kept(page: Page) -> None:
    subscribe(page, "not an address")

    expect(page.get_by_label("e-mail")).to_have_value("not an address")
    expect(page.locator("#email-error")).to_be_visible()


def test_the_form_works_by_keyboard_alone(page: Page) -> None:
    page.goto("/subscribe")
    page.get_by_label("e-mail").focus()
    page.keyboard.type("keyboard@example.org")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Look into your mailbox")).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/subscribe", "/dev/inbox", "/nowhere", "/unsubscribe/x"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("phone", {"viewport": {"width": 360, "height": 740}}),
        ("dark", {"color_scheme": "dark"}),
        ("desktop", {"viewport": {"width": 1280, "height": 800}}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_page_fits_without_scrolling_sideways(
    browser: Browser, stack: Stack, path: str, name: str, options: dict[str, object]
) -> None:
    context = browser.new_context(base_url=stack.url, java_script_enabled=True, **options)  # type: ignore[arg-type]  # a table of keyword arguments
    page = context.new_page()

    page.goto(path)
    too_wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}{path.replace('/', '-')}.png", full_page=True)
    context.close()

    assert too_wide is False
