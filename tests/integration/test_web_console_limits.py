"""The console's page of rate limits: who met which, who is refused now, and an end to that."""

import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.integration.account_site import ADA, PASSWORD, Site, press
from tests.integration.postgres import Database
from tests.web_app import form_token, send_form
from web.limits import breach_rows, breaches
from web.limits.breaches import Pending

BOSS = "boss@example.org"
PAGE = "/console/limits"
GUEST = {"REMOTE_ADDR": "203.0.113.9"}
RULE = "sign-in by account"


@pytest.fixture(autouse=True)
def _own_pending(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is pending in this test alone."""
    own = Pending()
    monkeypatch.setattr(breaches, "pending", own)
    monkeypatch.setattr(breach_rows, "pending", own)


@pytest.fixture(params=["memory", "valkey"])
def site(
    request: pytest.FixtureRequest, database: Database, monkeypatch: pytest.MonkeyPatch
) -> Site:
    store: dict[str, str] = {}
    if request.param == "valkey":
        store = {"ratelimit_storage_uri": request.getfixturevalue("valkey").url}
    return Site(database, monkeypatch, ratelimit_enabled=True, **store)


@pytest.fixture
def boss(site: Site) -> FlaskClient:
    return site.signed_in(BOSS, "operator")


def guess(site: Site) -> TestResponse:
    """Guess at Ada's password until that is refused; return the last answer."""
    guest = site.browser()
    token = form_token(guest.get("/account/sign-in", environ_base=GUEST))
    fields = {"csrf_token": token, "email": ADA, "password": "wrong"}
    answers = [guest.post("/account/sign-in", data=fields, environ_base=GUEST) for _ in range(11)]
    breach_rows.write(site.app)
    return answers[-1]


def refused(page: TestResponse) -> str:
    """Return the part of the page that tells who is refused now."""
    _, found, rest = page.text.partition("<caption>Refused now</caption>")
    return rest.partition("</table>")[0] if found else ""


def test_who_is_refused_now_is_shown_with_where_and_since(site: Site, boss: FlaskClient) -> None:
    site.account(ADA)
    before = boss.get(PAGE)

    last = guess(site)
    after = boss.get(PAGE)

    assert last.status_code == 429
    assert "Nobody is refused now." in before.text
    assert RULE in refused(after)
    assert "from 203.0.113.9" in refused(after)
    assert '<th scope="row">sign_in.submit</th>' in after.text
    assert ADA not in after.text


def test_who_is_let_through_signs_in_again_and_it_is_written_down(
    site: Site, boss: FlaskClient
) -> None:
    site.account(ADA)
    guess(site)
    (row,) = site.rows("SELECT who FROM limit_breaches")

    answer = press(boss, PAGE, f"{PAGE}/clear", rule=RULE, who=row.who)
    after = boss.get(PAGE)

    assert (answer.status_code, answer.location) == (303, PAGE)
    assert "Nobody is refused now." in after.text
    assert "let through" in after.text
    assert (
        send_form(site.browser(), "/account/sign-in", email=ADA, password=PASSWORD).location
        == "/account"
    )
    (entry,) = site.rows("SELECT * FROM audit_entries")
    assert (entry.email, entry.action, entry.subject) == (BOSS, "limit.clear", row.who)
    assert entry.detail == {"rule": RULE}


@pytest.mark.parametrize(
    "fields", [{"rule": "nothing", "who": "a"}, {"rule": RULE, "who": ""}, {"rule": RULE}, {}]
)
def test_rule_or_client_that_there_is_not_is_refused(
    site: Site, boss: FlaskClient, fields: dict[str, str]
) -> None:
    guess(site)

    answer = press(boss, PAGE, f"{PAGE}/clear", **fields)

    assert answer.status_code == 400
    assert site.rows("SELECT FROM audit_entries") == []


def test_members_clear_nothing(site: Site) -> None:
    member = site.signed_in(ADA)

    answer = press(member, "/account", f"{PAGE}/clear", rule=RULE, who="a")

    assert answer.status_code == 404
    assert site.rows("SELECT FROM audit_entries") == []


def breach(site: Site, route: str, client: str, hours_ago: int, times: int) -> None:
    site.do(
        "INSERT INTO limit_breaches (minute, route, rule, who, address, request_id, times)"
        " VALUES (date_trunc('hour', now()) - :ago * interval '1 hour', :route, 'site', :who, 'a', 'r', :times)",
        ago=hours_ago,
        route=route,
        who=client,
        times=times,
    )


def test_breaches_of_a_day_are_summed_by_route(site: Site, boss: FlaskClient) -> None:
    for ago in range(1, 41):
        breach(site, "subscribe.form", f"w{ago}", ago, 7)

    page = boss.get(PAGE).text

    assert '<td class="number">23</td><td class="number">161</td>' in page


def test_breaches_are_drawn_by_route_and_by_who_with_the_others_together(
    site: Site, boss: FlaskClient
) -> None:
    breach(site, "sign_in.submit", "eve", 2, 5)
    breach(site, "sign_in.submit", "mallory", 1, 40)
    breach(site, "subscribe.form", "eve", 1, 30)
    breach(site, "status.show", "bob", 1, 2)
    breach(site, "status.history", "carol", 3, 1)

    page = boss.get(PAGE).text
    told = boss.get("/api/v1/console/limits").json

    by_route, by_who = numbers(page, "Refused, by route"), numbers(page, "Refused, by who asked")
    assert by_route[0] == ["UTC", "sign_in.submit", "subscribe.form", "others"]
    assert by_who[0] == ["UTC", "mallory", "eve", "others"]
    assert [row[1:] for row in by_route[-4:]] == [
        ["0", "0", "1"], ["5", "0", "0"], ["40", "30", "2"], ["0", "0", "0"]
    ]  # fmt: skip
    assert [row[1:] for row in by_who[-4:]] == [
        ["0", "0", "1"], ["0", "5", "0"], ["40", "30", "2"], ["0", "0", "0"]
    ]  # fmt: skip
    assert len(by_route) == len(by_who) == 25
    assert told
    assert [(line["by"], line["name"]) for line in told["lines"]] == [
        ("route", "sign_in.submit"), ("route", "subscribe.form"), ("who", "mallory"), ("who", "eve")
    ]  # fmt: skip
    assert {len(line["hours"]) for line in told["lines"]} == {24}


def numbers(page: str, title: str) -> list[list[str]]:
    """Return the rows of the table below a plot."""
    table = page.partition(f"<caption>{title}, ")[2].partition("</table>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", table)
    cells = [re.findall(r"<t[hd][^>]*>([^<]*)<", row) for row in rows]
    return [[cell.removesuffix(" requests") for cell in row] for row in cells]


def test_plot_of_nothing_says_none_in_each_hour(site: Site, boss: FlaskClient) -> None:
    assert not site.rows("SELECT FROM limit_breaches")

    page = boss.get(PAGE).text

    assert {tuple(row[1:]) for row in numbers(page, "Refused, by route")[1:]} == {("0",)}
