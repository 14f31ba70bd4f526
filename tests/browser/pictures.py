"""Pictures of every page, on a desktop and on a phone, in light and in dark: `make screenshots`. No test by itself."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import SCREENSHOTS
from tests.browser.furnishing import Visitor
from tests.browser.visits import LOOKS, opened
from tests.stack.stack import Stack


def picture(page: Page, file: Path) -> None:
    """Take a picture of all of the page, which is made as high as that: a frame out of sight is not drawn."""
    size = page.viewport_size or {"width": 0}
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": height})
    page.screenshot(path=file)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.timeout(900)
def test_picture_of_every_page(
    browser: Browser, stack: Stack, visitors: list[Visitor], look: str
) -> None:
    folder = SCREENSHOTS / "pages" / look
    folder.mkdir(parents=True, exist_ok=True)
    for one in visitors:
        names = {path: re.sub(r"[^\w]+", "-", kind) for kind, path in one.paths.items()}
        for path, page in opened(browser, stack.url, names, one.state, look):
            page.goto(path)
            picture(page, folder / f"{one.name}-{names[path]}.png")

    assert any(folder.iterdir())
