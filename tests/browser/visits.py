"""One visit to each page, in a browser of its own, and what it came to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page, StorageState

from tests.browser import axe
from tests.browser.complaints import listen

DESKTOP = {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"}
PHONE = {"viewport": {"width": 360, "height": 740}, "color_scheme": "light"}
# Bytes of the first load, as the page itself counts them.
WEIGHT = """() => ["navigation", "resource"]
    .flatMap(type => performance.getEntriesByType(type))
    .filter(entry => entry.initiatorType !== "img")
    .reduce((sum, entry) => sum + entry.encodedBodySize, 0)"""
LOOKS: dict[str, dict[str, Any]] = {
    "desktop-light": DESKTOP,
    "desktop-dark": DESKTOP | {"color_scheme": "dark"},
    "phone-light": PHONE,
    "phone-dark": PHONE | {"color_scheme": "dark"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What one visit came to."""

    path: str
    status: int
    complaints: list[str]
    violations: list[str]
    too_wide: bool
    weight: int  # bytes of the first load, without images


def opened(
    browser: Browser, home: str, paths: Iterable[str], state: StorageState | None, look: str
) -> Iterator[tuple[str, Page]]:
    """Yield each page in a browser that has nothing kept but the cookies; the page is yet to be opened."""
    for path in paths:
        context = browser.new_context(base_url=home, storage_state=state, **LOOKS[look])
        yield path, context.new_page()
        context.close()


def visit(page: Page, path: str, home: str) -> Visit:
    """Open the page and look at it closely."""
    complaints = listen(page, home)
    answer = page.goto(path)
    wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    return Visit(
        path=path,
        status=answer.status if answer else 0,
        complaints=complaints,
        violations=axe.violations(page),
        too_wide=wide,
        weight=page.evaluate(WEIGHT),
    )
