"""What of the accounts needs no database: where people go next, how things are said, who may sign up."""

from datetime import timedelta
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Response
from hypothesis import example, given
from hypothesis import strategies as st

from tests.session_app import Clock
from tests.unit.test_web_limits_tight import answer, app_with
from tests.web_app import an_app
from web.accounts import agents, letters
from web.accounts.next_page import own_path
from web.accounts.registration import NotOpenError, require_open
from web.accounts.tokens import LIFETIMES, Purpose
from web.limits import rules
from web.mail import kinds

HERE = "https://status.example.org/account/sign-in"
# What browsers do to an address before they read it (URL Standard, 4.4: basic URL parser).
AS_BROWSERS_READ_IT = str.maketrans({"\t": None, "\n": None, "\r": None, "\\": "/"})


@pytest.mark.parametrize("path", ["/", "/account", "/account/sessions?before=7", "/a//b", "/a:b@c"])
def test_path_of_this_site_is_where_one_goes_next(path: str) -> None:
    assert own_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "account",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/\u2028/evil.example",
        "/account\r\nSet-Cookie: a=b",
        "https://evil.example",
        "javascript:alert(1)",
    ],
)
def test_what_may_lead_elsewhere_is_nowhere_to_go(path: str | None) -> None:
    assert own_path(path) is None


pieces = st.sampled_from(
    ["/", "\\", "evil.example", "@", ":", "https:", "\t", "\r\n", "..", ".", "?"]
)


@given(st.lists(pieces, max_size=8).map("".join) | st.text(max_size=20))
@example("/\\/evil.example")
def test_no_path_that_is_taken_leads_to_another_site(path: str) -> None:
    taken = own_path(path)

    if taken is not None:
        read = urlsplit(urljoin(HERE, taken.translate(AS_BROWSERS_READ_IT)))
        assert (read.scheme, read.netloc) == ("https", "status.example.org")


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Linux",
        ),
        (
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
                " Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"
            ),
            "Edge on Windows",
        ),
        (
            (
                "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko)"
                " Chrome/140.0.0.0 Mobile Safari/537.36"
            ),
            "Chrome on Android",
        ),
        (
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15"
                " (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
            ),
            "Safari on iPhone",
        ),
        (
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15"
                " (KHTML, like Gecko) Version/18.0 Safari/605.1.15"
            ),
            "Safari on macOS",
        ),
        ("SomethingNew (Linux)", "A browser on Linux"),
        ("curl/8.14.1", "Another program"),
        ("", "Another program"),
    ],
)
def test_browser_is_named_in_short_words(agent: str, words: str) -> None:
    assert agents.in_words(agent) == words


@given(st.text(max_size=200))
def test_whatever_a_browser_calls_itself_is_some_words(agent: str) -> None:
    assert 0 < len(agents.in_words(agent)) < 40


@pytest.mark.parametrize(
    ("lifetime", "words"),
    [
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=24), "24 hours"),
        (timedelta(days=7), "7 days"),
    ],
)
def test_lifetime_is_said_in_words(lifetime: timedelta, words: str) -> None:
    assert letters.in_words(lifetime) == words


@pytest.mark.parametrize(
    ("mode", "welcome"),
    [("open", {"sign_up", "invite"}), ("invite", {"invite"}), ("closed", set())],
)
def test_registration_says_who_may_become_a_member(mode: str, welcome: set[str]) -> None:
    found = set()
    with an_app(registration=mode).app_context():
        for purpose in (Purpose.SIGN_UP, Purpose.INVITE):
            try:
                require_open(purpose)
                found.add(purpose.value)
            except NotOpenError:
                pass

    assert found == welcome


@pytest.mark.parametrize(
    ("kind", "purpose"),
    [
        (kinds.SIGN_UP, Purpose.SIGN_UP),
        (kinds.INVITATION, Purpose.INVITE),
        (kinds.RESET, Purpose.RESET),
        (kinds.EMAIL_OLD, Purpose.EMAIL_OLD),
        (kinds.EMAIL_NEW, Purpose.EMAIL_NEW),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_mail_with_a_link_is_urgent_and_lives_as_long_as_the_link(
    kind: kinds.Kind, purpose: Purpose
) -> None:
    assert (kind.priority, kind.lifetime) == (1, LIFETIMES[purpose])


def test_mail_of_who_is_known_and_of_who_is_not_is_treated_alike() -> None:
    for one, other in [
        (kinds.SIGN_UP, kinds.HAS_ACCOUNT),
        (kinds.RESET, kinds.NO_ACCOUNT),
        (kinds.EMAIL_NEW, kinds.EMAIL_TAKEN),
    ]:
        assert (one.priority, one.lifetime) == (other.priority, other.lifetime)


@pytest.mark.parametrize("kind", kinds.OF_ACCOUNTS, ids=lambda kind: kind.name)
def test_text_of_every_mail_has_what_its_html_has(kind: kinds.Kind) -> None:
    context = {name: f"https://status.example.org/{name}" for name in ("link", "reset", "sign_in")}
    values = {**context, "email": "ada@example.org", "host": "H", "lifetime": "L", "role": "member"}
    app = an_app()
    with app.test_request_context():
        text, html = (
            app.jinja_env.get_template(f"mail/{kind.name}.{form}").render(subject="S", **values)
            for form in ("txt", "html")
        )

    for address in context.values():
        assert (address in text) == (f'href="{address}"' in html)
    assert max(map(len, text.splitlines())) <= 100
    assert "if it was" in " ".join(text.lower().split()) or kind is kinds.INVITATION


def test_one_address_keeps_an_owner_out_for_no_more_than_five_hours_of_a_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch)

    def sign_in() -> Response:
        return answer()

    client = app_with(rules.sign_in(sign_in)).test_client()

    def attempt(address: str, status: int) -> int:
        headers = {"X-Forwarded-For": address}
        fields = {"email": "ada@example.org", "status": str(status)}
        return client.post("/try", data=fields, headers=headers).status_code

    def is_kept_out() -> bool:
        for _ in range(10):
            attempt("203.0.113.9", 422)
        kept_out = attempt("203.0.113.10", 303) == 429
        clock.pass_by(15 * 60 + 1)
        return kept_out

    quarters = [is_kept_out() for _ in range(4 * 23)]

    assert sum(quarters) == 4 * 5


@pytest.mark.parametrize("path", ["/account/sign-up", "/account/sign-in", "/account/reset"])
def test_page_needs_no_database_and_leaves_no_session(path: str) -> None:
    answer = an_app().test_client().get(path)

    assert answer.status_code == 200
    assert "session=" not in answer.headers.get("Set-Cookie", "")


@pytest.mark.parametrize("path", ["/account/sign-up", "/account/sign-in", "/account/reset"])
def test_every_input_has_its_label_and_says_what_a_browser_may_fill_in(path: str) -> None:
    page = an_app().test_client().get(path).text

    inputs = [line for line in page.splitlines() if 'id="' in line and "<input" in line]
    shown = [line for line in inputs if "hidden" not in line]
    assert shown
    for line in shown:
        name = line.split('id="')[1].split('"')[0]
        assert f'<label for="{name}">' in page
        assert "autocomplete=" in line
