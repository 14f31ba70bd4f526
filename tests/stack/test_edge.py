"""What faces the network: HTTPS, hashed static files, and the client's true address."""

import re
import secrets
import socket
import ssl
from typing import Any

import pytest
import requests

from tests.stack.stack import Stack
from tests.waiting import eventually


@pytest.fixture(scope="module")
def authority(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("authority") / "ca.crt"
    file.write_text(
        stack.compose("exec", "-T", "web", "cat", "/run/keelson/ca/ca.crt"), encoding="utf-8"
    )
    return str(file)


def test_https_verifies_against_the_stacks_own_authority(stack: Stack, authority: str) -> None:
    answer = requests.get(stack.secure_url, verify=authority, timeout=30)

    assert answer.ok
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(stack.secure_url, timeout=30)


@pytest.mark.filterwarnings(
    "ignore:ssl.TLSVersion:DeprecationWarning"
)  # asking for it is the point
def test_tls_below_1_2_is_refused(stack: Stack, authority: str) -> None:
    context = ssl.create_default_context(cafile=authority)
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")  # or this side would refuse, and prove nothing

    with (
        socket.create_connection(("localhost", stack.https_port), timeout=10) as plain,
        pytest.raises(ssl.SSLError, match="alert protocol version"),
    ):
        context.wrap_socket(plain, server_hostname="localhost")


def test_static_files_have_hashed_names_and_never_expire(stack: Stack) -> None:
    links = re.findall(r'"(/static/[^"]+)"', stack.get("/").text)

    assert links
    for link in links:
        assert re.search(r"\.[0-9a-f]{10}\.", link)
        assert "immutable" in stack.get(link).headers["Cache-Control"]


def sheet_of(stack: Stack) -> str:
    """Return the address of the style sheet that the pages link."""
    (sheet,) = set(re.findall(r'"(/static/style\.[^"]+)"', stack.get("/subscribe").text))
    return str(sheet)


@pytest.mark.parametrize(
    ("takes", "coding"),
    [
        pytest.param("gzip, deflate, br", "br", id="browser"),
        pytest.param("gzip", "gzip", id="no brotli"),
        pytest.param("br;q=0, gzip", "gzip", id="brotli refused"),
        pytest.param("identity", None, id="nothing"),
    ],
)
def test_static_files_come_compressed_to_who_takes_them_so(
    stack: Stack, takes: str, coding: str | None
) -> None:
    plain = stack.get(sheet_of(stack), headers={"Accept-Encoding": "identity"})

    answer = stack.get(sheet_of(stack), headers={"Accept-Encoding": takes})
    again = stack.get(
        sheet_of(stack),
        headers={"Accept-Encoding": takes, "If-None-Match": answer.headers["ETag"]},
    )

    assert answer.headers.get("Content-Encoding") == coding
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["Content-Type"] == "text/css"
    assert (answer.headers["ETag"] == plain.headers["ETag"]) == (coding is None)
    assert coding is None or int(answer.headers["Content-Length"]) < len(plain.content) / 2
    assert (again.status_code, again.content) == (304, b"")


def test_pages_are_never_compressed_as_that_would_tell_their_tokens(stack: Stack) -> None:
    page = stack.get("/subscribe", headers={"Accept-Encoding": "gzip, br"})

    assert "Content-Encoding" not in page.headers


@pytest.mark.parametrize("path", ["/readyz", "/edge-healthz", "sheet"])
def test_what_edge_answers_by_itself_may_hold_nothing_active(stack: Stack, path: str) -> None:
    sent = stack.get(sheet_of(stack) if path == "sheet" else path).headers

    assert sent["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert sent["X-Content-Type-Options"] == "nosniff"
    assert sent["Referrer-Policy"] == "same-origin"


def test_what_web_answers_has_one_policy(stack: Stack) -> None:
    sent = stack.get("/subscribe").headers

    assert sent["Content-Security-Policy"].count("default-src") == 1
    assert "sha256-" not in sent["Content-Security-Policy"]
    assert sent["X-Content-Type-Options"] == "nosniff"


def line_of(stack: Stack, service: str, request_id: str) -> dict[str, Any]:
    """Return the service's line of the access log for one request; the engine hands lines on a moment later."""

    def lines() -> list[dict[str, Any]]:
        events = stack.log_events(service)
        return [e for e in events if e.get("request_id") == request_id and "address" in e]

    eventually(lines, 10, f"{service} logs the request")
    return lines()[0]


def test_a_client_cannot_forge_its_address(stack: Stack) -> None:
    answer = stack.get(
        "/nowhere", headers={"X-Forwarded-For": "203.0.113.7", "X-Request-ID": "forged-request-id"}
    )

    request_id = answer.headers["X-Request-ID"]
    at_edge, at_web = (line_of(stack, service, request_id) for service in ("edge", "web"))
    assert request_id != "forged-request-id"
    assert at_web["address"] == at_edge["address"] != "203.0.113.7"


def test_a_client_cannot_forge_that_it_came_over_https(stack: Stack, authority: str) -> None:
    forged = stack.get("/subscribe", headers={"X-Forwarded-Proto": "https"})
    secure = requests.get(f"{stack.secure_url}/subscribe", verify=authority, timeout=30)

    assert "Secure" not in forged.headers["Set-Cookie"]
    assert "Secure" in secure.headers["Set-Cookie"]


@pytest.mark.parametrize("path", ["/readyz", "/metrics", "/edgez"])
def test_what_is_private_stays_behind_the_edge(stack: Stack, path: str) -> None:
    assert stack.get(path).status_code == 404
    assert stack.get("/healthz").ok


def test_a_web_that_is_away_gives_a_clear_page(stack: Stack) -> None:
    stack.compose("stop", "web")

    token = secrets.token_urlsafe(32)
    opened = stack.get(f"/subscribe/confirm/{token}", headers={"Referer": f"/{token}"})
    sent = requests.post(f"{stack.url}/subscribe", data={"email": "a@example.org"}, timeout=30)
    program = stack.get("/api/v1/status")
    log = stack.logs("edge")
    stack.compose("start", "web")
    stack.wait_until_well()

    for answer in (opened, sent):
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        assert "Back in a moment" in answer.text
    assert token not in log
    assert (program.status_code, program.json()["status"]) == (503, 503)
    assert program.headers["Content-Type"] == "application/problem+json"
    assert (program.headers["Retry-After"], program.headers["Vary"]) == ("5", "Origin")


def test_a_mailed_link_is_in_no_log(stack: Stack) -> None:
    token = secrets.token_urlsafe(32)
    stack.get(f"/subscribe/confirm/{token}")
    stack.get(f"//subscribe//confirm/{token}")
    stack.get(f"/unsubscribe/{token}")
    for page in ("sign-up/confirm", "invitation", "reset/confirm", "email/old", "email/new"):
        stack.get(f"/account/{page}/{token}")
        stack.get(f"//account//{page}//{token}")
    stack.get(f"/account/first-operator/{token}")

    last = stack.get("/nowhere").headers["X-Request-ID"]
    for service in ("edge", "web"):
        line_of(stack, service, last)
        assert token not in stack.logs(service)
