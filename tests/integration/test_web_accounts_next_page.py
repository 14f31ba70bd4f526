"""Where somebody comes who has signed in: to the page that they wanted, and to no other site."""

import pytest

from tests.integration.account_site import ADA, ANOTHER, PASSWORD, Site
from tests.integration.postgres import Database
from tests.web_app import send_form


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


def test_page_that_was_wanted_is_shown_after_signing_in(site: Site) -> None:
    site.account()
    browser = site.browser()

    sent_away = browser.get("/account/sessions?before=7")
    answer = send_form(browser, sent_away.location, email=ADA, password=PASSWORD)

    assert sent_away.status_code == 303
    assert sent_away.location == "/account/sign-in?next=/account/sessions?before%3D7"
    assert answer.location == "/account/sessions?before=7"


def test_wanted_page_survives_a_wrong_password(site: Site) -> None:
    site.account()

    path = "/account/sign-in?next=/account/password"
    page = send_form(site.browser(), path, email=ADA, password=ANOTHER)

    assert 'action="/account/sign-in?next=/account/password"' in page.text


@pytest.mark.parametrize(
    "path",
    ["https://evil.example", "//evil.example", "/\\evil.example", "/%09/evil.example", "%0d%0aX:y"],
)
def test_other_site_is_never_the_page_that_was_wanted(site: Site, path: str) -> None:
    site.account()

    answer = send_form(
        site.browser(), f"/account/sign-in?next={path}", email=ADA, password=PASSWORD
    )

    assert answer.location == "/account"


@pytest.mark.parametrize(
    "path",
    ["/account", "/account/password", "/account/email", "/account/delete", "/console/people"],
)
def test_page_of_an_account_is_for_who_is_signed_in(site: Site, path: str) -> None:
    answer = site.browser().get(path)

    assert (answer.status_code, answer.location) == (303, f"/account/sign-in?next={path}")
