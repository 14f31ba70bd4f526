"""A Host header may say anything; what is answered is a page, or an error that is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web_app import an_app

APP = an_app(ratelimit_enabled=False)
HOSTS = [
    pytest.param("a" * 64 + ".example.org", id="a label that is too long"),
    pytest.param("a..b", id="an empty label"),
    pytest.param("[::1", id="half an address"),
    pytest.param("example.org:port", id="no port"),
    pytest.param("\xff", id="no name"),
]


@pytest.mark.parametrize("path", ["/subscribe", "/nowhere", "/api/v1/nothing", "/account"])
@pytest.mark.parametrize("host", HOSTS)
def test_odd_host_is_answered_with_all_headers(host: str, path: str) -> None:
    answer = APP.test_client().get(path, headers={"Host": host})

    assert answer.status_code < 500
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@given(st.text(st.characters(min_codepoint=33, max_codepoint=255), min_size=1, max_size=80))
def test_no_host_is_a_mistake_of_ours(host: str) -> None:
    assert APP.test_client().get("/subscribe", headers={"Host": host}).status_code < 500
