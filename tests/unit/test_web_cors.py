import pytest
from flask import Response, request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

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


@pytest.mark.parametrize(
    "path",
    ["/subscribe", "/", "/apixyz", "/healthz", "/api/v1/console", "/api/v1/console/people?q=a"],
)
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


def asked(client: FlaskClient, origin: str, method: str, path: str) -> TestResponse:
    return client.open(path, method=method, headers={"Origin": origin})


@pytest.mark.parametrize("origin", [LISTED, "https://evil.example.org"])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/v1/nothing"), ("PUT", "/api/v1/status")]
)
def test_error_depends_on_the_origin_too(origin: str, method: str, path: str) -> None:
    client = an_app(cors_origins=LISTED).test_client()

    answer = asked(client, origin, method, path)

    assert answer.status_code >= 400
    assert "Origin" in answer.vary
    assert answer.headers.get("Access-Control-Allow-Origin") == (
        LISTED if origin == LISTED else None
    )


@pytest.mark.parametrize("origins", [LISTED, "*"])
def test_refusal_of_the_limits_can_be_read_and_depends_on_the_origin(origins: str) -> None:
    client = an_app(cors_origins=origins, ratelimit_default="1 per hour").test_client()
    asked(client, LISTED, "GET", "/api/v1/status")

    answer = asked(client, LISTED, "GET", "/api/v1/status")

    assert answer.status_code == 429
    assert answer.headers["Access-Control-Allow-Origin"] == origins
    assert "Origin" in answer.vary


def test_script_may_read_how_long_to_wait_and_which_request_it_was() -> None:
    client = an_app(cors_origins=LISTED).test_client()

    sent = asked(client, LISTED, "GET", "/api/v1/status").headers

    exposed = set(sent["Access-Control-Expose-Headers"].split(", "))
    assert exposed == {"RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"}


def preflight(client: FlaskClient, origin: str, method: str, headers: str = "") -> TestResponse:
    asks = {"Origin": origin, "Access-Control-Request-Method": method}
    if headers:
        asks["Access-Control-Request-Headers"] = headers
    return client.options("/api/v1/status", headers=asks)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
def test_preflight_allows_the_methods_that_the_api_has(method: str) -> None:
    answer = preflight(an_app(cors_origins=LISTED).test_client(), LISTED, method)

    assert method in answer.headers["Access-Control-Allow-Methods"].split(", ")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE"])
def test_preflight_allows_no_other(method: str) -> None:
    answer = preflight(an_app(cors_origins=LISTED).test_client(), LISTED, method)

    assert "Access-Control-Allow-Methods" not in answer.headers


def test_preflight_allows_the_headers_of_a_form_and_no_others() -> None:
    client = an_app(cors_origins=LISTED).test_client()

    answer = preflight(client, LISTED, "DELETE", "x-csrftoken, x-forwarded-for, content-type")

    assert answer.headers["Access-Control-Allow-Headers"] == "content-type, x-csrftoken"


@pytest.mark.parametrize("origin", [LISTED, "https://evil.example.org"])
def test_preflight_depends_on_the_origin(origin: str) -> None:
    answer = preflight(an_app(cors_origins=LISTED).test_client(), origin, "GET")

    assert "Origin" in answer.vary
    allowed_origin = answer.headers.get("Access-Control-Allow-Origin")
    assert allowed_origin == (LISTED if origin == LISTED else None)


def test_every_listed_origin_is_allowed_by_its_own_name() -> None:
    both = f"{LISTED},http://localhost:3000"

    assert allowed("http://localhost:3000", cors_origins=both) == ("http://localhost:3000", "true")
    assert allowed("http://localhostevil.example", cors_origins=both) == (None, None)
    assert allowed("http://localhost:30001", cors_origins=both) == (None, None)


@pytest.mark.parametrize("credentials", [True, False])
def test_any_origin_is_never_reflected(*, credentials: bool) -> None:
    found = allowed(
        "https://evil.example.org", cors_origins="*", cors_supports_credentials=credentials
    )

    assert found == ("*", None)


def test_answer_that_nobody_asked_from_elsewhere_depends_on_the_origin_too() -> None:
    answer = an_app(cors_origins=LISTED).test_client().get("/api/v1/status")

    assert "Origin" in answer.vary
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_answer_that_did_not_change_depends_on_the_origin() -> None:
    app = an_app(cors_origins=LISTED)

    @app.get("/api/v1/unchanged")
    def unchanged() -> Response:
        response = Response("always the same")
        response.add_etag()
        response.make_conditional(request)
        return response

    client = app.test_client()
    etag = client.get("/api/v1/unchanged").headers["ETag"]
    answer = client.get("/api/v1/unchanged", headers={"If-None-Match": etag, "Origin": LISTED})

    assert answer.status_code == 304
    assert "Origin" in answer.vary
    assert answer.headers["Access-Control-Allow-Origin"] == LISTED
