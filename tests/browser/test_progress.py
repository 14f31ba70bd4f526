"""The script that shows what goes on: with the events of a server that has room, and of one that has none."""

import json
from collections import Counter
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.conftest import ROOT

SITE = "http://console.example"
SCRIPT = (ROOT / "web/static/progress.js").read_text(encoding="utf-8")
PAGE = '<!doctype html><div data-events="/events"{}>as it was</div><script src="/progress.js"></script>'


class Server:
    """Answers the browser, and counts what it asks for."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.events: list[tuple[int, str]] = []  # of each stream in turn; the last one stays
        self.more = ""

    def answer(self, route: Route) -> None:
        """Answer one request."""
        path = route.request.url.removeprefix(SITE)
        self.asked[path] += 1
        if path == "/events":
            status, body = self.events.pop(0) if len(self.events) > 1 else self.events[0]
            route.fulfill(status=status, content_type="text/event-stream", body=body)
        elif path == "/progress.js":
            route.fulfill(content_type="text/javascript", body=SCRIPT)
        else:
            route.fulfill(content_type="text/html", body=PAGE.format(self.more))


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def shown(browser: Browser, server: Server) -> Iterator[Page]:
    context: BrowserContext = browser.new_context()
    context.route("**/*", server.answer)
    yield context.new_page()
    context.close()


def event(html: str, *, ended: bool) -> str:
    return f"data: {json.dumps({'html': html, 'ended': ended})}\n\n"


def test_each_event_takes_the_place_of_what_is_shown_and_the_last_one_ends_it(
    shown: Page, server: Server
) -> None:
    told = (
        "retry: 50\n:\n\n" + event("<p>At work</p>", ended=False) + event("<p>Done</p>", ended=True)
    )
    server.events = [(200, told)]

    shown.goto(f"{SITE}/job")

    expect(shown.locator("[data-events]")).to_have_text("Done")
    shown.wait_for_timeout(500)  # ten times as long as until a browser would ask again
    assert server.asked["/events"] == server.asked["/job"] == 1


def test_stream_that_ends_too_early_is_asked_for_again(shown: Page, server: Server) -> None:
    server.events = [
        (200, "retry: 50\n" + event("<p>At work</p>", ended=False)),
        (200, event("<p>Done</p>", ended=True)),
    ]

    shown.goto(f"{SITE}/job")

    expect(shown.locator("[data-events]")).to_have_text("Done")
    assert server.asked["/events"] == 2
    assert server.asked["/job"] == 1


def test_where_too_many_watch_the_page_loads_itself_anew(shown: Page, server: Server) -> None:
    server.events = [(503, ""), (503, ""), (200, event("<p>Done</p>", ended=True))]

    shown.goto(f"{SITE}/job")

    expect(shown.locator("[data-events]")).to_have_text("Done")
    assert server.asked["/job"] == server.asked["/events"] == 3


def test_page_that_has_more_to_show_at_the_end_is_loaded_anew(shown: Page, server: Server) -> None:
    server.more = " data-reload"
    server.events = [(200, event("<p>Done</p>", ended=True)), (200, event("", ended=False))]

    with shown.expect_event("load"):
        shown.goto(f"{SITE}/job")
    shown.wait_for_function("performance.getEntriesByType('navigation')[0].type === 'reload'")

    assert server.asked["/job"] >= 2
