"""Whatever somebody makes of a link or of a session's id, it is not the one that we gave out."""

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.integration.account_site import ADA, Site, is_signed_in
from tests.integration.postgres import Database
from tests.web_app import send_form

FEW = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def edited(given_out: str) -> st.SearchStrategy[str]:
    """Return what is near it: a character changed, cut short, made longer, in other letters."""
    places = st.integers(0, len(given_out) - 1)
    changed = st.builds(
        lambda at, to: given_out[:at] + to + given_out[at + 1 :], places, st.text(max_size=2)
    )
    return (
        changed
        | places.map(lambda at: given_out[:at])
        | st.just(given_out.swapcase())
        | st.text(min_size=1)
    )


@pytest.fixture
def site(database: Database, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(database, monkeypatch)


def test_no_other_token_is_worth_anything(site: Site) -> None:
    site.account()
    send_form(site.browser(), "/account/reset", email=ADA)
    path, _, token = site.link("reset").rpartition("/")
    browser = site.browser()

    @FEW
    @given(edited(token))
    def ask(other: str) -> None:
        assume(other != token and not set(other) & set("?#\t\r\n"))  # which end, or leave, a path
        assert browser.get(f"{path}/{other}").status_code in {301, 308, 404, 405}

    ask()
    assert browser.get(f"{path}/{token}").status_code == 200


def test_no_other_session_id_is_signed_in(site: Site) -> None:
    cookie = site.signed_in().get_cookie("session")
    assert cookie

    @FEW
    @given(edited(cookie.value))
    def ask(other: str) -> None:
        assume(
            other != cookie.value and other.isprintable() and other.isascii() and ";" not in other
        )
        browser = site.browser()
        browser.set_cookie("session", other)
        assert not is_signed_in(browser)

    ask()
    browser = site.browser()
    browser.set_cookie("session", cookie.value)
    assert is_signed_in(browser)
