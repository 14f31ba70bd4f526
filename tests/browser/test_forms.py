"""A form that was open while something changed under it: it says so, and what was typed is still there."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browsers import Browsers
from tests.browser.conftest import PETRA
from tests.browser.steps import sign_in, sign_out

WORDS = "Typed with care,\nover two lines."


@pytest.fixture(params=[True, False], ids=["with scripts", "without any script"])
def petra(request: pytest.FixtureRequest, browsers: Browsers) -> Page:
    """Return an operator's browser with a sign-in of its own, which a test may end."""
    page = browsers.open(scripts=request.param)
    sign_in(page, PETRA)
    return page


@pytest.fixture
def other_tab(petra: Page, browsers: Browsers) -> Page:
    return browsers.tab(petra.context)


def type_notice(page: Page, title: str) -> None:
    page.goto("/console/notices/new")
    page.get_by_label("Title").fill(title)
    page.get_by_label("Mail", exact=True).check()
    page.get_by_label("Database", exact=True).check()
    page.get_by_label("What should people know?").fill(WORDS)


def keep(page: Page) -> None:
    page.get_by_role("button", name="Keep the draft and see it").click()


def see_draft(page: Page, title: str) -> None:
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    card = page.get_by_role("article")
    for typed in ("Typed with care,", "over two lines.", "Mail", "Database"):
        expect(card).to_contain_text(typed)


def send_again(page: Page, heading: str = "Please send it again") -> None:
    """See that the form was not taken, that it says so, and that all of it is there; and send it."""
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    expect(page.get_by_label("Words")).to_have_value(WORDS)
    page.get_by_role("button", name="Send again").click()


def test_a_form_from_before_another_sign_in_comes_back_with_what_was_typed(
    petra: Page, other_tab: Page, somebody: str
) -> None:
    type_notice(petra, somebody)
    sign_out(other_tab)
    sign_in(other_tab, PETRA)

    keep(petra)
    send_again(petra)

    see_draft(petra, somebody)


def test_what_was_typed_outlives_a_sign_out_in_another_tab(
    petra: Page, other_tab: Page, somebody: str
) -> None:
    type_notice(petra, somebody)
    sign_out(other_tab)

    keep(petra)
    send_again(petra)
    expect(petra.get_by_role("link", name="Sign in in another tab")).to_be_visible()
    sign_in(other_tab, PETRA)
    send_again(petra, "You are signed out")
    send_again(petra)

    see_draft(petra, somebody)


def test_of_two_updates_from_two_tabs_the_second_is_not_taken_and_not_lost(
    petra: Page, other_tab: Page, somebody: str
) -> None:
    type_notice(petra, somebody)
    keep(petra)
    petra.get_by_role("button", name="Publish").click()
    expect(petra.get_by_role("status")).to_contain_text("It is published")
    petra.goto(petra.url.partition("/updates")[0])
    other_tab.goto(petra.url)
    tell(other_tab, "We have found it.")
    expect(other_tab.get_by_role("status")).to_contain_text("It is told")

    tell(petra, WORDS)

    expect(petra.locator("#words-error")).to_contain_text("Somebody has written an update")
    expect(petra.get_by_label("What is new?")).to_have_value(WORDS)
    expect(petra.get_by_role("article")).to_contain_text("We have found it.")
    petra.get_by_role("button", name="Tell it, and mail").click()
    expect(petra.get_by_role("status")).to_contain_text("It is told")


def tell(page: Page, words: str) -> None:
    """Say how a notice goes on."""
    page.get_by_label("State").select_option("Identified")
    page.get_by_label("What is new?").fill(words)
    page.get_by_role("button", name="Tell it, and mail").click()
