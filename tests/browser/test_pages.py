"""Every page, as a stranger and as an operator find it: on a desktop and on a phone, in light and in dark."""

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import axe
from tests.browser.furnishing import DEAD, Visitor, inbox
from tests.browser.visits import Visit, opened, visit
from tests.browser.walk import kind_of
from tests.stack.stack import Stack
from tests.web_app import an_app

HEAVIEST = 100_000  # bytes of a first load
pytestmark = pytest.mark.timeout(
    1200
)  # two walks through some eighty pages, each looked at closely
NOT_PAGES = {
    *("static", "inbox.html", "inbox.download", "console.notice_drafts.mail"),
    *("console.jobs.events", "console.notice_updates.events"),
}


@pytest.fixture(scope="module", params=["desktop-light", "phone-dark"])
def visits(
    request: pytest.FixtureRequest, browser: Browser, stack: Stack, visitors: list[Visitor]
) -> dict[str, Visit]:
    """One visit to each page."""
    return {
        f"{one.name}: {path}": visit(page, path, stack.url)
        for one in visitors
        for path, page in opened(
            browser, stack.url, [*one.paths.values(), *DEAD], one.state, request.param
        )
    }


def test_walk_reaches_every_page_of_the_url_map(visitors: list[Visitor]) -> None:
    urls = an_app().url_map
    reached = {kind.split()[0] for one in visitors for kind in one.paths}
    reached |= {kind_of(urls, path) or "" for path in DEAD}
    varied = {
        rule.endpoint
        for rule in urls.iter_rules()
        if "GET" in (rule.methods or ()) and rule.arguments and not rule.rule.startswith("/api/")
    }

    assert varied - reached - NOT_PAGES == set()
    assert len(reached) >= 20


def test_every_page_is_well(visits: dict[str, Visit]) -> None:
    unwell = {name: one.status for name, one in visits.items() if one.status != 200}

    assert {name for name in unwell if not name.endswith(DEAD)} == set()
    assert set(unwell.values()) <= {404, 410}


def test_no_page_breaks_a_rule_of_accessibility(visits: dict[str, Visit]) -> None:
    assert {name: one.violations for name, one in visits.items() if one.violations} == {}


def test_no_page_has_an_error_or_asks_another_host(visits: dict[str, Visit]) -> None:
    assert {name: one.complaints for name, one in visits.items() if one.complaints} == {}


def test_no_page_scrolls_sideways(visits: dict[str, Visit]) -> None:
    assert [name for name, one in visits.items() if one.too_wide] == []


def test_every_page_is_under_a_hundred_kilobytes_at_first(visits: dict[str, Visit]) -> None:
    assert {name: one.weight for name, one in visits.items() if one.weight >= HEAVIEST} == {}
    assert min(one.weight for one in visits.values()) > 1000


def test_every_page_is_there_without_any_script(
    browser: Browser, stack: Stack, visitors: list[Visitor]
) -> None:
    missing = []
    for one in visitors:
        context = browser.new_context(
            base_url=stack.url, storage_state=one.state, java_script_enabled=False
        )
        page = context.new_page()
        for path in one.paths.values():
            page.goto(path)
            if page.locator("main h1").count() != 1:
                missing.append(f"{one.name}: {path}")
        context.close()

    assert missing == []


def test_dark_is_dark_and_motion_is_reduced_where_that_is_asked_for(
    browser: Browser, stack: Stack
) -> None:
    context = browser.new_context(base_url=stack.url, color_scheme="dark", reduced_motion="reduce")
    page = context.new_page()
    page.goto("/account/sign-in")

    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    moves = page.evaluate("getComputedStyle(document.querySelector('button')).transitionDuration")
    context.close()

    assert ground == "rgb(17, 24, 29)"
    assert moves == "0s"


@pytest.mark.usefixtures("visitors")
def test_mails_keep_to_the_same_rules(stack: Stack, page: Page) -> None:
    broken = {}
    for mail in inbox(page.request, stack.url):
        answer = page.request.get(f"{mail}/html")
        if answer.ok:  # that of old ones is no longer kept
            page.set_content(answer.text())
            broken[mail] = axe.violations(page)

    assert len(broken) >= 6
    assert {mail: found for mail, found in broken.items() if found} == {}
