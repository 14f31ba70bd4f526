"""A stack without an SMTP server, as a newcomer has it, and Debian's Chromium."""

import secrets
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect, sync_playwright

from tests.browser.browsers import Browsers
from tests.browser.furnishing import Visitor, furnish, make_account
from tests.browser.relay import mail_server
from tests.browser.steps import sign_in
from tests.conftest import ROOT
from tests.stack.stack import Stack

SCREENSHOTS = ROOT / "artifacts" / "screenshots"
PETRA = "petra@example.org"
expect.set_options(
    timeout=20_000
)  # a password is hashed with care, which a busy machine takes its time for


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack that `make up` starts."""
    many = {"RATELIMIT_SIGNED_IN": "1000000 per day"}  # an operator walks through all pages, often
    folder = tmp_path_factory.mktemp("stack")
    with Stack(folder, ["compose.yaml"], settings=many).running() as running:
        running.wait_until_well()
        yield running


@pytest.fixture(scope="module")
def posted(stack: Stack) -> Iterator[Stack]:
    """The same stack with a mail server, for the tests of one file."""
    with mail_server(stack) as running:
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


@pytest.fixture(scope="session")
def visitors(stack: Stack, browser: Browser) -> list[Visitor]:
    """A stranger and an operator, and every page that they reach on a site that has something on each."""
    return furnish(stack, browser)


@pytest.fixture
def browsers(browser: Browser, stack: Stack) -> Iterator[Browsers]:
    """As many people as a test needs; any error on a console and any request to another host fails it."""
    several = Browsers(browser, stack.url)
    yield several
    several.close()
    assert several.complaints == []


@pytest.fixture
def page(browsers: Browsers) -> Page:
    """A fresh visitor."""
    return browsers.open()


@pytest.fixture(scope="session")
def signed_in(stack: Stack, browser: Browser) -> StorageState:
    """What the browser of an operator keeps, who is signed in."""
    make_account(stack, PETRA)
    context = browser.new_context(base_url=stack.url)
    sign_in(context.new_page(), PETRA)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def operator(request: pytest.FixtureRequest, browsers: Browsers, signed_in: StorageState) -> Page:
    """An operator, whose browser runs scripts unless a test asks for none; see `browsers.EITHER_WAY`."""
    return browsers.open(signed_in, scripts=getattr(request, "param", True))


@pytest.fixture
def somebody() -> str:
    """The address of somebody whom no other test knows."""
    return f"{secrets.token_hex(4)}@example.org"


@pytest.fixture
def screenshot(page: Page, request: pytest.FixtureRequest) -> Iterator[None]:
    """Keep a picture of the last page, to be looked at."""
    yield
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{request.node.name}.png", full_page=True)
