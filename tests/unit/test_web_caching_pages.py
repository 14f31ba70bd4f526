"""Which answers are kept, for whom, and what of them. The library's own decorator gets each of these wrong."""

from collections.abc import Callable

import pytest
from flask import (
    Response,
    abort,
    flash,
    make_response,
    redirect,
    render_template_string,
    request,
    session,
)
from flask.typing import ResponseReturnValue

from tests.cached_site import CachedSite, a_site


@pytest.fixture
def site() -> CachedSite:
    return a_site()


def test_page_is_made_once_for_all_who_ask(site: CachedSite) -> None:
    site.add("/page", lambda: f"made {site.made['/page']}")

    answers = [site.get("/page") for _ in range(3)]

    assert [answer.text for answer in answers] == ["made 1"] * 3
    assert site.made["/page"] == 1


def test_page_is_made_anew_after_its_time(site: CachedSite) -> None:
    site.add("/page", lambda: f"made {site.made['/page']}", fresh_seconds=60)
    site.get("/page")

    site.now += 59
    before = site.get("/page")
    site.now += 1
    after = site.get("/page")

    assert (before.text, before.headers["Age"]) == ("made 1", "59")
    assert (after.text, after.headers["Age"]) == ("made 2", "0")


def test_page_that_says_nothing_else_is_kept_for_the_default_time(site: CachedSite) -> None:
    site.add("/page", lambda: "page", fresh_seconds=None)
    site.get("/page")

    site.now += 3599
    site.get("/page")

    assert site.made["/page"] == 1


def test_without_a_store_each_request_has_its_page_made() -> None:
    site = a_site(cache_type="NullCache")
    site.add("/page", lambda: f"made {site.made['/page']}")

    assert [site.get("/page").text for _ in range(2)] == ["made 1", "made 2"]


@pytest.mark.parametrize("first", ["GET", "HEAD"])
def test_head_and_get_share_what_is_kept(site: CachedSite, first: str) -> None:
    site.add("/page", lambda: "" if request.method == "HEAD" else "the page")

    site.client().open("/page", method=first)
    page, head = site.client().get("/page"), site.client().head("/page")

    assert (page.text, head.text) == ("the page", "")
    assert page.headers["Content-Length"] == head.headers["Content-Length"] == "8"
    assert site.made["/page"] == 1


def test_post_is_never_answered_from_what_is_kept_and_never_kept(site: CachedSite) -> None:
    site.app.config["WTF_CSRF_ENABLED"] = False  # which would touch the session
    site.add("/page", lambda: request.method)
    client = site.client()

    answers = [client.open("/page", method=method) for method in ("POST", "GET", "POST", "GET")]

    assert [answer.text for answer in answers] == ["POST", "GET", "POST", "GET"]
    assert site.made["/page"] == 3


def test_refusal_is_not_replayed_to_those_who_are_let_in(site: CachedSite) -> None:
    doors = ["closed", "open"]
    site.add("/page", lambda: abort(403) if doors.pop(0) == "closed" else "welcome")

    assert site.get("/page").status_code == 403
    assert site.get("/page").text == "welcome"


def with_header(name: str, value: str) -> Callable[[], Response]:
    """Return a view that sets this header."""

    def view() -> Response:
        response = make_response("page")
        response.headers[name] = value
        return response

    return view


def reads_the_session() -> ResponseReturnValue:
    return f"cart of {session.get('cart', 0)}"


def flashes() -> ResponseReturnValue:
    flash("Done.")
    return "page"


def streams() -> ResponseReturnValue:
    return Response(iter(["a", "b"]))


def shows_a_form() -> ResponseReturnValue:
    return render_template_string("{{ csrf_token() }}")


def has_a_nonce() -> ResponseReturnValue:
    return render_template_string("{{ csp_nonce() }}")


@pytest.mark.parametrize(
    "view",
    [
        pytest.param(lambda: ("made", 201), id="status 201"),
        pytest.param(lambda: abort(404), id="404"),
        pytest.param(lambda: ("broken", 500), id="500"),
        pytest.param(lambda: redirect("/"), id="redirection"),
        pytest.param(with_header("Set-Cookie", "a=b"), id="cookie"),
        pytest.param(with_header("Cache-Control", "no-store"), id="no-store"),
        pytest.param(with_header("Cache-Control", "private, max-age=60"), id="private"),
        pytest.param(with_header("Vary", "Cookie"), id="varies on the cookie"),
        pytest.param(with_header("Vary", "*"), id="varies on all"),
        pytest.param(with_header("Vary", "Accept-Language"), id="varies on what the key lacks"),
        pytest.param(reads_the_session, id="session"),
        pytest.param(flashes, id="flash"),
        pytest.param(shows_a_form, id="form token"),
        pytest.param(has_a_nonce, id="nonce"),
        pytest.param(streams, id="stream"),
        pytest.param(lambda: "x" * (128 * 1024 + 1), id="too large"),
    ],
)
def test_what_is_for_one_reader_or_no_page_is_not_kept(
    site: CachedSite, view: Callable[[], ResponseReturnValue]
) -> None:
    site.add("/page", view)

    answers = [site.get("/page") for _ in range(2)]

    assert site.made["/page"] == 2
    assert answers[0].status_code == answers[1].status_code
    assert "Age" not in answers[1].headers


def test_argument_that_the_page_does_not_declare_neither_counts_nor_reaches_it(
    site: CachedSite,
) -> None:
    site.add("/page", lambda: f"{dict(request.args)} {request.full_path} {request.url}")

    pages = {site.get(f"/page{query}").text for query in ("?q=evil", "", "?utm=1&q=2")}

    assert pages == {"{} /page? http://localhost:8000/page"}
    assert site.made["/page"] == 1


def test_argument_that_the_page_declares_has_a_page_for_each_value(site: CachedSite) -> None:
    site.add("/page", lambda: request.args.get("number", "none"), query=("number",))

    queries = ("?number=1", "?number=2", "", "?number=", "?other=3&number=1", "?number=1%26x")
    pages = [site.get(f"/page{query}").text for query in queries]

    assert pages == ["1", "2", "none", "", "1", "1&x"]
    assert site.made["/page"] == 5


@pytest.mark.parametrize("query", ["?q=1&q=2", f"?q={'x' * 65}"])
def test_address_that_nobody_links_is_answered_and_not_kept(site: CachedSite, query: str) -> None:
    site.add("/page", lambda: str(request.args.getlist("q")), query=("q",))

    for _ in range(2):
        assert site.get(f"/page{query}").status_code == 200

    assert site.made["/page"] == 2


def test_path_cannot_pass_for_another_with_arguments(site: CachedSite) -> None:
    site.add("/at/<path:name>", lambda name: f"{name} {request.args.get('q')}", query=("q",))

    pages = [site.get(path).text for path in ("/at/a?q=1", "/at/a%3Fq=1", "/at/a%20q=1")]

    assert pages == ["a 1", "a?q=1 None", "a q=1 None"]


def test_path_of_any_length_is_answered(site: CachedSite) -> None:
    site.add("/at/<path:name>", lambda name: name)

    assert site.get(f"/at/{'x' * 5000}").text == "x" * 5000


def test_only_what_belongs_to_the_page_is_kept_of_its_headers(site: CachedSite) -> None:
    def page() -> Response:
        response = Response("<p>page", content_type="text/html; charset=utf-8")
        response.headers["Content-Language"] = "en"
        response.headers["X-Request-ID"] = response.headers["X-Trace"] = "of the first"
        response.headers["Access-Control-Allow-Origin"] = "https://of-the-first.example.org"
        response.headers["Date"] = "Thu, 01 Jan 1970 00:00:00 GMT"
        return response

    site.add("/page", page)

    first, second = site.get("/page"), site.get("/page")

    assert second.headers["Content-Type"] == "text/html; charset=utf-8"
    assert second.headers["Content-Language"] == "en"
    assert "of-the-first" not in str(second.headers)
    assert "of the first" not in str(second.headers)
    assert "Date" not in second.headers
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]


def test_what_is_done_after_each_request_is_done_for_a_kept_page_too(site: CachedSite) -> None:
    site.add("/page", lambda: "page")
    site.app.after_request(with_the_visitors_address)

    headers = [site.get("/page").headers for _ in range(2)]

    assert [sent["X-Visitor"] for sent in headers] == ["127.0.0.1"] * 2
    assert all("default-src" in sent["Content-Security-Policy"] for sent in headers)


def with_the_visitors_address(response: Response) -> Response:
    response.headers["X-Visitor"] = str(request.remote_addr)
    return response


def test_browsers_may_keep_a_page_and_ask_whether_it_still_holds(site: CachedSite) -> None:
    site.add("/page", lambda: "page")
    site.add("/other", with_header("Cache-Control", "public, max-age=5"))

    assert site.get("/page").headers["Cache-Control"] == "public, no-cache"
    assert site.get("/other").headers["Cache-Control"] == "public, max-age=5"
