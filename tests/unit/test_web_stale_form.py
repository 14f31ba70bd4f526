"""A form that was open for too long comes back with what was typed; another site's does not."""

import re

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markupsafe import escape
from werkzeug.test import TestResponse

from tests.session_app import PRODUCTION, Clock
from tests.web_app import an_app, form_token
from web.exchange.origins import origin_of

OURS = {"Sec-Fetch-Site": "same-origin"}
HTTPS = "https://status.example.org"


@pytest.fixture
def client() -> FlaskClient:
    return an_app(ratelimit_enabled=False).test_client()


def send(
    client: FlaskClient, headers: dict[str, str], path: str = "/subscribe", **fields: str
) -> TestResponse:
    return client.post(path, data={"csrf_token": "stale", **fields}, headers=headers)


def test_what_was_typed_is_kept_and_sent_again_with_one_click(client: FlaskClient) -> None:
    page = send(client, OURS, email="no address")

    assert page.status_code == 400
    assert "Please send it again" in page.text
    assert '<label for="field-1">Email</label>' in page.text
    assert 'id="field-1" name="email" type="email" value="no address"' in page.text
    assert "<form method=" in page.text
    assert "action=" not in page.text, "it goes to the same address"
    again = client.post("/subscribe", data={"csrf_token": form_token(page), "email": "no address"})
    assert again.status_code == 422, "the view has read it"


def test_form_that_was_open_for_a_day_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    client = an_app(ratelimit_enabled=False).test_client()
    fields = {"csrf_token": form_token(client.get("/subscribe")), "email": "no address"}
    clock.pass_by(86_400)

    page = client.post("/subscribe", data=fields, headers=OURS)

    assert 'value="no address"' in page.text
    again = client.post("/subscribe", data={**fields, "csrf_token": form_token(page)})
    assert again.status_code == 422


def test_neither_password_nor_old_token_is_shown(client: FlaskClient) -> None:
    page = send(client, OURS, new_password="correct horse", Password2="battery", email="a@x")

    assert "correct horse" not in page.text
    assert "battery" not in page.text
    assert "stale" not in page.text
    assert 'name="new_password" type="password" value="" autocomplete="off"' in page.text
    assert "passwords have to be typed once more" in page.text
    assert page.headers["Cache-Control"] == "private, no-store"


def test_many_lines_and_markup_come_back_as_they_were(client: FlaskClient) -> None:
    page = send(client, OURS, note="\none\r\n<b>two</b>", name='"><script>')

    assert re.search(
        r'<textarea id="field-1" name="note" rows="6">\n\none\r?\n&lt;b&gt;', page.text
    )
    assert "<script" not in page.text
    assert 'value="&#34;&gt;&lt;script&gt;"' in page.text


def test_all_values_of_a_field_come_back(client: FlaskClient) -> None:
    page = client.post("/subscribe", data={"kind": ["one", "two"]}, headers=OURS)

    assert re.findall(r'name="kind" type="text" value="(\w+)"', page.text) == ["one", "two"]


@pytest.mark.parametrize("ticked", ["y", "on"])
def test_box_that_was_ticked_has_to_be_ticked_again(client: FlaskClient, ticked: str) -> None:
    page = send(client, OURS, sure=ticked)

    box = f'<input id="field-1" name="sure" type="checkbox" value="{ticked}"> Sure</label>'
    assert box in page.text
    assert "boxes have to be ticked once more" in page.text


def test_password_is_never_taken_for_a_box(client: FlaskClient) -> None:
    page = send(client, OURS, password="y")

    assert 'name="password" type="password" value=""' in page.text


def test_choice_comes_back_as_a_choice(client: FlaskClient) -> None:
    page = send(client, OURS, role="operator")

    options = re.findall(r"<option[^>]*>[^<]*</option>", page.text)
    assert '<select id="field-1" name="role">' in page.text
    assert options == [
        '<option value="member">Member</option>',
        '<option value="operator" selected>Operator</option>',
    ]


def test_choice_that_there_is_not_comes_back_as_it_was(client: FlaskClient) -> None:
    page = send(client, OURS, role="owner")

    assert 'name="role" type="text" value="owner"' in page.text
    assert "<select" not in page.text


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        pytest.param({"Sec-Fetch-Site": "same-origin"}, True, id="the browser says so"),
        pytest.param({"Sec-Fetch-Site": "same-site"}, False, id="a neighbour"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, False, id="a stranger"),
        pytest.param({"Sec-Fetch-Site": "none"}, False, id="nobody"),
        pytest.param(
            {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, False, id="both"
        ),
        pytest.param({"Origin": "http://localhost"}, True, id="our origin"),
        pytest.param({"Origin": "http://localhost:80"}, True, id="with its port"),
        pytest.param({"Origin": "https://localhost"}, False, id="another scheme"),
        pytest.param({"Origin": "http://localhost:8080"}, False, id="another port"),
        pytest.param({"Origin": "http://localhost.evil.example"}, False, id="longer"),
        pytest.param({"Origin": "null"}, False, id="origin withheld"),
        pytest.param({"Origin": "http://["}, False, id="no address"),
        pytest.param({"Origin": "http://localhost:99999"}, False, id="no port"),
        pytest.param({"Referer": "http://localhost/subscribe"}, True, id="our page"),
        pytest.param({"Referer": "http://evil.example/http://localhost/"}, False, id="its page"),
        pytest.param(
            {"Origin": "http://evil.example", "Referer": "http://localhost/"}, False, id="two"
        ),
        pytest.param({}, False, id="nothing"),
    ],
)
def test_only_a_form_of_our_own_pages_comes_back(
    client: FlaskClient, headers: dict[str, str], ours: bool
) -> None:
    page = send(client, headers, email="filled-in@example.org")

    assert page.status_code == 400
    assert ("filled-in@example.org" in page.text) is ours
    assert ("too old" in page.text) is not ours


def test_what_is_no_form_is_refused_plainly(client: FlaskClient) -> None:
    answer = client.post("/subscribe", json={"email": "a@example.org"}, headers=OURS)

    assert answer.status_code == 400
    assert "too old" in answer.text


def test_browser_that_withholds_the_referrer_is_told_so_and_not_sent_round_in_circles() -> None:
    client = an_app(ratelimit_enabled=False, **PRODUCTION).test_client()
    token = form_token(client.get("/subscribe", base_url=HTTPS))
    fields = {"csrf_token": token, "email": "a@example.org"}

    answer = client.post("/subscribe", data=fields, headers=OURS, base_url=HTTPS)

    assert answer.status_code == 400
    assert "allow it for this site" in answer.text
    assert "Send again" not in answer.text


@given(name=st.text(min_size=1, max_size=40), value=st.text(max_size=200))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_was_typed_is_escaped(client: FlaskClient, name: str, value: str) -> None:
    page = client.post("/subscribe", data={name: value}, headers=OURS)

    assert page.status_code == 400
    assert "<script" not in page.text
    if "password" not in name.lower() and value.isprintable() and not name.endswith("csrf_token"):
        assert f'value="{escape(value)}"' in page.text


@given(st.text(max_size=60))
def test_no_text_is_too_odd_for_an_origin(url: str) -> None:
    found = origin_of(url)

    assert found is None or found[1]
