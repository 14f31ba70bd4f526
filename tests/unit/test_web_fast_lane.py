"""Kept pages that Flask never sees: what they answer is what the whole way answers."""

from typing import Any

import pytest
from flask import Blueprint, abort, make_response
from flask.typing import ResponseReturnValue
from werkzeug.test import TestResponse

from tests.cached_site import CachedSite, a_site
from web.limits.limiter import limiter

OF_ONE_REQUEST = {"X-Request-ID", "Age", "Date"}
REQUEST_ID = "4f0c2a9e6f3b4d0c8d7e1a2b3c4d5e6f"


class Woken:
    """The site, and how often its Flask was woken."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **given: object) -> None:
        self.site: CachedSite = a_site(**given)
        self.times = 0
        self.site.add("/page", lambda: f"made {self.site.made['/page']}")
        whole: Any = self.site.app.full_dispatch_request
        monkeypatch.setattr(self.site.app, "full_dispatch_request", self._counted(whole))

    def _counted(self, whole: Any) -> Any:
        def dispatch(*given: Any) -> Any:
            self.times += 1
            return whole(*given)

        return dispatch

    def get(self, path: str = "/page", **headers: str) -> TestResponse:
        """Ask as a new visitor."""
        return self.site.get(path, **headers)


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> Woken:
    return Woken(monkeypatch)


def same(first: TestResponse, second: TestResponse) -> None:
    """Assert that two answers differ in nothing but what belongs to one request."""
    assert (first.status, first.data) == (second.status, second.data)
    kept = [
        sorted((name, value) for name, value in answer.headers if name not in OF_ONE_REQUEST)
        for answer in (first, second)
    ]
    assert kept[0] == kept[1]
    names = [{name for name, _ in answer.headers} - {"Date"} for answer in (first, second)]
    assert names[0] == names[1]


def test_second_answer_is_the_same_and_wakes_nobody(woken: Woken) -> None:
    first, second = woken.get(), woken.get()

    same(first, second)
    assert woken.times == 1


def test_second_answer_has_an_id_of_its_own_or_the_one_of_edge(woken: Woken) -> None:
    first, second, given = woken.get(), woken.get(), woken.get(X_Request_ID=REQUEST_ID)

    assert given.headers["X-Request-ID"] == REQUEST_ID
    assert len({answer.headers["X-Request-ID"] for answer in (first, second, given)}) == 3
    assert woken.times == 1


def test_answer_to_who_has_it_already_is_that_of_the_whole_way(woken: Woken) -> None:
    etag = woken.get().headers["ETag"]
    quick = woken.get(If_None_Match=etag)
    whole = woken.get(If_None_Match=f'{etag}, "another"')

    assert quick.status_code == 304
    same(quick, whole)
    assert woken.times == 2


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Authorization": "Bearer x"}, id="an account"),
        pytest.param({"Origin": "https://app.example.org"}, id="another site's script"),
        pytest.param({"Range": "bytes=0-1"}, id="a part"),
        pytest.param({"If_None_Match": '"older"'}, id="an older one"),
        pytest.param({"If_Modified_Since": "Mon, 06 Jan 2025 12:00:00 GMT"}, id="a time"),
    ],
)
def test_what_needs_thought_goes_the_whole_way(woken: Woken, headers: dict[str, str]) -> None:
    woken.get()

    woken.get(**headers)

    assert woken.times == 2


def test_who_has_a_session_goes_the_whole_way(woken: Woken) -> None:
    woken.get()
    client = woken.site.client()
    client.set_cookie("session", "made-up")

    client.get("/page")

    assert woken.times == 2


def test_page_that_is_too_old_or_void_goes_the_whole_way(woken: Woken) -> None:
    woken.get()
    woken.site.now += 61

    answer = woken.get()

    assert (answer.text, woken.times) == ("made 2", 2)
    assert woken.get().text == "made 2"
    assert woken.times == 2


def test_head_and_arguments_go_the_whole_way(woken: Woken) -> None:
    woken.get()

    woken.get("/page?undeclared=1")
    woken.site.client().head("/page")

    assert woken.times == 3


def test_lane_counts_with_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    woken = Woken(monkeypatch, ratelimit_enabled=True, ratelimit_default="3 per hour")

    statuses = [woken.get(path).status_code for path in ("/page", "/page", "/nowhere", "/page")]

    assert statuses == [200, 200, 404, 429]


@pytest.mark.parametrize("where", ["the view", "the application"])
def test_what_stands_before_a_page_is_not_passed_by(woken: Woken, where: str) -> None:
    app = woken.site.app
    closed: list[bool] = []

    def guard() -> None:
        if closed:
            abort(403)

    def guarded() -> Any:
        guard()
        return whole()

    if where == "the application":
        app.before_request(guard)
    else:
        whole: Any = app.view_functions["/page"]
        app.view_functions["/page"] = guarded
    woken.get()
    closed.append(True)

    assert woken.get().status_code == 403


def test_guard_and_limit_of_a_blueprint_are_not_passed_by(woken: Woken) -> None:
    view: Any = woken.site.app.view_functions["/page"]
    for name in ("guarded", "limited"):
        bp = Blueprint(name, __name__)
        bp.add_url_rule(f"/{name}", "page", view)
        if name == "guarded":
            bp.before_request(lambda: None)
        else:
            limiter.limit("3 per hour")(bp)
        woken.site.app.register_blueprint(bp)

    for name in ("guarded", "limited"):
        for _ in range(2):
            woken.get(f"/{name}")

    assert woken.times == 4


def test_length_is_that_of_the_body(woken: Woken) -> None:
    bodies = ["long body", "body"]
    same = {"ETag": '"same"', "Last-Modified": "Mon, 06 Jan 2025 12:00:00 GMT"}
    woken.site.add("/length", lambda: make_response(bodies.pop(), same))
    woken.get("/length")
    woken.site.now += 61
    woken.site.client().head("/length")  # made anew, where the lane learns nothing

    answer = woken.get("/length")

    assert (answer.text, answer.headers["Content-Length"]) == ("long body", "9")


def test_header_that_may_be_anothers_is_not_learned(woken: Woken) -> None:
    def stamp(response: Any) -> Any:
        response.headers["Server-Timing"] = f"view;dur={woken.times}"
        return response

    woken.site.app.after_request(stamp)

    stamps = [woken.get().headers["Server-Timing"] for _ in range(2)]

    assert stamps == ["view;dur=1", "view;dur=2"]


def test_answer_with_a_cookie_is_not_learned(woken: Woken) -> None:
    def greet(response: Any) -> Any:
        response.set_cookie("seen", "1")
        return response

    woken.site.app.after_request(greet)
    woken.get()

    woken.get()

    assert woken.times == 2


def test_page_that_changes_its_headers_is_learned_anew(woken: Woken) -> None:
    def page() -> ResponseReturnValue:
        return make_response("body", {"Content-Language": "en" if woken.times < 2 else "de"})

    woken.site.add("/languages", page)
    woken.get("/languages")
    woken.site.now += 61
    woken.site.client().head("/languages")  # made anew, where the lane learns nothing

    answers = [woken.get("/languages").headers["Content-Language"] for _ in range(2)]

    assert answers == ["de", "de"]
    assert woken.times == 3


def test_forged_forwarding_is_seen_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lane counts the address that the known proxies saw, as the whole way does."""
    woken = Woken(
        monkeypatch, trusted_proxies=1, ratelimit_enabled=True, ratelimit_default="2 per hour"
    )

    statuses = [
        woken.get(X_Forwarded_For=f"203.0.113.{number}, 198.51.100.7").status_code
        for number in range(3)
    ]

    assert statuses == [200, 200, 429]
