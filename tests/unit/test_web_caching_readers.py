"""What of a kept page is its readers' own: nothing, and who has a session gets a page of their own."""

import pytest
from flask import (
    make_response,
    render_template_string,
    request,
    url_for,
)

from tests.cached_site import CachedSite, a_site
from tests.web_app import form_token


@pytest.fixture
def site() -> CachedSite:
    return a_site()


def test_page_for_somebody_with_a_session_is_neither_kept_nor_answered_from_what_is(
    site: CachedSite,
) -> None:
    site.add("/page", lambda: f"page of {request.cookies.get('session', 'anyone')}")
    signed_in = site.client()
    signed_in.set_cookie("session", "ada")

    answers = [signed_in.get("/page"), site.get("/page"), signed_in.get("/page"), site.get("/page")]

    assert [answer.text for answer in answers] == ["page of ada", "page of anyone"] * 2
    assert site.made["/page"] == 3


def test_credentials_in_a_header_count_as_a_session(site: CachedSite) -> None:
    site.add("/page", lambda: request.headers.get("Authorization", "anyone"))
    site.get("/page")

    assert site.get("/page", Authorization="Basic YTpi").text == "Basic YTpi"
    assert site.get("/page").text == "anyone"


def test_visitor_who_once_opened_a_form_shares_what_is_kept(site: CachedSite) -> None:
    site.add("/page", lambda: "page")
    client = site.client()
    client.get("/subscribe")

    client.get("/page")
    site.get("/page")

    assert client.get_cookie("visitor")
    assert site.made["/page"] == 1


def test_page_sees_nothing_of_the_client_that_has_it_made(site: CachedSite) -> None:
    def all_it_sees() -> str:
        seen = [dict(request.headers), request.cookies, request.get_data(), request.form]
        return f"{seen} {request.host_url} {url_for('status.show', _external=True)}"

    site.add("/page", all_it_sees)
    client = site.client()
    client.set_cookie("visitor", "evil")

    page = client.get(
        "/page",
        base_url="http://evil.example.org",
        headers={"User-Agent": "evil", "X-Forwarded-Host": "evil", "Accept-Language": "evil"},
        data="evil=1",
        content_type="application/x-www-form-urlencoded",
    )

    assert "evil" not in page.text
    assert page.text.endswith("http://localhost:8000/ http://localhost:8000/")


@pytest.mark.parametrize("name", ["old_session", "session_of_another"])
def test_cookie_that_is_not_the_sessions_is_no_session(site: CachedSite, name: str) -> None:
    site.add("/page", lambda: "page")
    client = site.client()
    client.set_cookie(name, "x")

    client.get("/page")
    client.get("/page")

    assert site.made["/page"] == 1


def test_page_behind_a_form_token_keeps_its_visitors_apart(site: CachedSite) -> None:
    site.add(
        "/page", lambda: render_template_string('<p name="csrf_token" value="{{ csrf_token() }}">')
    )
    ada, bob = site.client(), site.client()

    assert form_token(ada.get("/page")) != form_token(bob.get("/page"))


@pytest.mark.parametrize("who", ["a session", "an account"])
def test_answer_that_was_not_made_plain_is_for_its_reader_alone(site: CachedSite, who: str) -> None:
    site.add(
        "/themed",
        lambda: make_response(
            request.cookies.get("theme", ""), {"Cache-Control": "public, max-age=60"}
        ),
    )
    client = site.client()
    client.set_cookie("theme", "dark")
    headers = {}
    if who == "a session":
        client.set_cookie("session", "made-up")
    else:
        headers["Authorization"] = "Bearer x"

    answer = client.get("/themed", headers=headers)

    assert (answer.text, answer.headers["Cache-Control"]) == ("dark", "private, no-store")


def test_address_of_who_came_first_is_not_in_the_page(site: CachedSite) -> None:
    site.add("/you", lambda: str(request.remote_addr))

    assert site.get("/you").text == "None"
