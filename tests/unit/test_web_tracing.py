import pytest
from structlog.testing import capture_logs

from tests.web_app import an_app

EDGE_ID = "4f0c2a9e6f3b4d0c8d7e1a2b3c4d5e6f"


def test_id_from_edge_is_kept_and_returned() -> None:
    answer = an_app().test_client().get("/healthz", headers={"X-Request-ID": EDGE_ID})

    assert answer.headers["X-Request-ID"] == EDGE_ID


@pytest.mark.parametrize(
    "given",
    [
        pytest.param("", id="none"),
        pytest.param("short", id="too short"),
        pytest.param("a" * 65, id="too long"),
        pytest.param('12345678","event":"forged', id="with something else in it"),
    ],
)
def test_anything_else_is_replaced(given: str) -> None:
    client = an_app().test_client()

    first, second = (client.get("/healthz", headers={"X-Request-ID": given}) for _ in range(2))

    assert len(first.headers["X-Request-ID"]) == 32
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]


def test_each_request_is_one_line() -> None:
    with capture_logs() as lines:
        an_app().test_client().get("/nowhere?email=ada@example.org")

    (line,) = lines
    assert line["ms"] >= 0
    assert {key: line[key] for key in ("event", "method", "path", "status", "address")} == {
        "event": "request",
        "method": "GET",
        "path": "/nowhere",
        "status": 404,
        "address": "127.0.0.1",
    }


def test_page_that_was_read_well_is_a_line_for_debugging_alone() -> None:
    with capture_logs() as lines:
        an_app().test_client().get("/healthz")

    assert [line["log_level"] for line in lines] == ["debug"]


def test_slow_page_is_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.exchange.tracing.SLOW_MS", 0)

    with capture_logs() as lines:
        an_app().test_client().get("/healthz")

    assert [line["log_level"] for line in lines] == ["info"]


def test_token_of_a_link_stays_out_of_the_log() -> None:
    with capture_logs() as lines:
        an_app().test_client().get("/subscribe/confirm/a-secret-token")

    assert "a-secret-token" not in str(lines)
    assert lines[-1]["path"] == "/subscribe/confirm/<token>"


def test_token_of_a_link_stays_out_of_the_log_of_a_failure(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr("web.notices.subscriptions.look_up", fail)

    answer = an_app().test_client().get("/subscribe/confirm/a-secret-token")

    assert answer.status_code == 500
    assert "Exception on /subscribe/confirm/<token> [GET]" in caplog.text
    assert "a-secret-token" not in caplog.text


@pytest.mark.parametrize(
    ("hops", "address"),
    [
        pytest.param(0, "127.0.0.1", id="no proxy, no header is believed"),
        pytest.param(1, "198.51.100.7", id="edge saw the client"),
        pytest.param(2, "203.0.113.9", id="edge saw another proxy, which saw the client"),
    ],
)
def test_address_is_the_one_that_the_known_proxies_saw(hops: int, address: str) -> None:
    client = an_app(trusted_proxies=hops).test_client()

    with capture_logs() as lines:
        client.get("/nowhere", headers={"X-Forwarded-For": "10.0.0.1, 203.0.113.9, 198.51.100.7"})

    assert lines[-1]["address"] == address
