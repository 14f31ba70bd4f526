import pytest

from tests.web_app import an_app

LISTED = "https://app.example.org"


def allowed(origin: str, path: str = "/api/v1/status", **given: object) -> tuple[str | None, ...]:
    """Return which origin may read the answer, and whether with credentials."""
    sent = an_app(**given).test_client().get(path, headers={"Origin": origin}).headers
    names = ("Access-Control-Allow-Origin", "Access-Control-Allow-Credentials")
    return tuple(sent.get(name) for name in names)


def test_listed_origin_may_read_the_api_with_credentials() -> None:
    assert allowed(LISTED, cors_origins=LISTED) == (LISTED, "true")


def test_credentials_can_be_kept_out() -> None:
    assert allowed(LISTED, cors_origins=LISTED, cors_supports_credentials=False) == (LISTED, None)


@pytest.mark.parametrize(
    "origin",
    [
        pytest.param("https://evil.example", id="another"),
        pytest.param("https://app.example.org.evil.example", id="that begins like it"),
        pytest.param("https://appXexample.org", id="that a pattern would take"),
        pytest.param("http://app.example.org", id="without TLS"),
        pytest.param("null", id="none"),
    ],
)
def test_other_origin_may_not(origin: str) -> None:
    assert allowed(origin, cors_origins=LISTED) == (None, None)


def test_every_origin_may_in_development_but_without_credentials() -> None:
    assert allowed("https://any.example") == ("*", None)


@pytest.mark.parametrize("path", ["/subscribe", "/", "/apixyz", "/healthz"])
def test_nothing_but_the_api_is_open(path: str) -> None:
    assert allowed(LISTED, path, cors_origins=LISTED) == (None, None)


@pytest.mark.parametrize("origin", [LISTED, "https://evil.example"])
def test_caches_are_told_that_the_answer_depends_on_the_origin(origin: str) -> None:
    client = an_app(cors_origins=LISTED).test_client()

    answer = client.get("/api/v1/status", headers={"Origin": origin})

    assert "Origin" in answer.headers["Vary"]


def test_preflight_is_answered_and_may_be_kept() -> None:
    client = an_app(cors_origins=LISTED).test_client()
    asks = {"Origin": LISTED, "Access-Control-Request-Method": "GET"}

    answer = client.options("/api/v1/status", headers=asks)

    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == LISTED
    assert answer.headers["Access-Control-Max-Age"] == "600"
