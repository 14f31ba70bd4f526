"""Browsers of several people, each with cookies of its own."""

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState

from tests.browser.complaints import listen

# What is asked of the fixture `operator`: whether the browser runs scripts.
WITHOUT_SCRIPTS = pytest.mark.parametrize(
    "operator", [pytest.param(False, id="without any script")], indirect=True
)
EITHER_WAY = pytest.mark.parametrize(
    "operator",
    [pytest.param(True, id="with scripts"), pytest.param(False, id="without any script")],
    indirect=True,
)


class Browsers:
    """Opens them, and keeps what they have against the pages."""

    def __init__(self, browser: Browser, home: str) -> None:
        self._browser = browser
        self._home = home
        self._contexts: list[BrowserContext] = []
        self._heard: list[list[str]] = []

    def open(self, state: StorageState | None = None, *, scripts: bool = True) -> Page:
        """Open a browser that keeps these cookies, and a page in it."""
        context = self._browser.new_context(
            base_url=self._home, storage_state=state, java_script_enabled=scripts
        )
        self._contexts.append(context)
        return self.tab(context)

    def tab(self, context: BrowserContext) -> Page:
        """Open another page in the same browser."""
        page = context.new_page()
        self._heard.append(listen(page, self._home))
        return page

    @property
    def complaints(self) -> list[str]:
        """Return what all of them have against the pages."""
        return [complaint for heard in self._heard for complaint in heard]

    def close(self) -> None:
        """Close them."""
        for context in self._contexts:
            context.close()
