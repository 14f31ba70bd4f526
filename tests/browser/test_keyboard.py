"""The keyboard alone: from the first page into the account, and always visible where one is."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.furnishing import OPERATOR, PASSWORD

FOCUSED = """() => {
    const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
    return {
        name: one.getAttribute("aria-label") || one.labels?.[0]?.textContent.trim() || one.textContent.trim(),
        ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        seen: box.width > 0 && box.left >= 0 && box.top >= 0 && box.bottom <= innerHeight,
    };
}"""
MOST_STOPS = 40

pytestmark = pytest.mark.usefixtures("visitors")


def tab_to(page: Page, name: str) -> None:
    """Press Tab until this has the focus; each stop on the way can be seen."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        assert focused["ring"], f"nobody sees that {focused['name']!r} has the focus"
        assert focused["seen"], f"{focused['name']!r} has the focus and is out of sight"
        if focused["name"] == name:
            return
    message = f"{name!r} is not reached in {MOST_STOPS} steps"
    raise AssertionError(message)


def test_somebody_signs_in_and_out_by_keyboard_alone(page: Page) -> None:
    page.goto("/")
    tab_to(page, "Account")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    tab_to(page, "E-mail address")
    page.keyboard.type(OPERATOR)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    tab_to(page, "Sign in")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()

    tab_to(page, "Sign out")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()


def test_first_stop_leads_past_the_navigation(page: Page) -> None:
    page.goto("/")
    tab_to(page, "Skip to content")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    inside = page.evaluate("document.activeElement.closest('main') !== null")

    assert inside
