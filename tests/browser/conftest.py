"""A stack without an SMTP server, as a newcomer has it, and Debian's Chromium."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.conftest import ROOT
from tests.stack.stack import Stack

SCREENSHOTS = ROOT / "artifacts" / "screenshots"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack that `make up` starts."""
    with Stack(tmp_path_factory.mktemp("stack"), ["compose.yaml"]).running() as running:
        running.wait_until_well()
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without its own traffic to elsewhere."""
    quiet = [
        "--no-sandbox",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=quiet)
        yield launched
        launched.close()


def complaint(message: ConsoleMessage, page: Page) -> list[str]:
    """Return what the console complains of; that the page itself is, say, a 404 is for the test to judge."""
    of_the_page = message.location["url"] == page.url and "server responded with" in message.text
    harmless = message.type not in {"error", "warning"} or of_the_page
    return [] if harmless else [message.text]


@pytest.fixture
def page(browser: Browser, stack: Stack) -> Iterator[Page]:
    """A fresh visitor; any error on the console and any request to another host fails the test."""
    context = browser.new_context(base_url=stack.url)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.extend(complaint(message, opened)))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "request", lambda r: complaints.extend([] if r.url.startswith(stack.url) else [r.url])
    )
    yield opened
    context.close()
    assert complaints == []


@pytest.fixture
def screenshot(page: Page, request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep a picture of the last page, to be looked at."""
    yield
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{request.node.name}.png", full_page=True)
