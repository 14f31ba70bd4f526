"""Numbers in addresses that no row can have."""

import pytest

from tests.web_app import an_app
from web.exchange.numbers import LARGEST

SESSIONS = "/api/v1/console/people/{}/sessions"


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_number_that_is_too_long_is_not_there_for_any_method(method: str) -> None:
    browser = an_app().test_client()

    assert browser.open(SESSIONS.format(LARGEST + 1), method=method).status_code == 404
    assert browser.open(SESSIONS.format("9" * 400), method=method).status_code == 404


def test_longest_number_is_looked_for() -> None:
    assert an_app().test_client().delete(SESSIONS.format(LARGEST)).status_code == 401
