"""What web tells of edge, to those inside."""

import pytest
from flask.testing import FlaskClient

from tests.unit.test_mailer_probing import a_web
from tests.web_app import an_app

NOWHERE = "https://127.0.0.1:1"  # a port that nobody has


def told(client: FlaskClient) -> tuple[int, bool, str | None]:
    answer = client.get("/edgez")
    assert answer.json
    check = answer.json["checks"]["edge"]
    assert answer.json["ready"] == check["ok"]
    return answer.status_code, check["ok"], check["problem"]


def test_edge_that_answers_is_well() -> None:
    with a_web(200, b"ok\n") as url:
        assert told(an_app(edge_url=url).test_client()) == (200, True, None)


def test_edge_that_answers_with_an_error_is_not() -> None:
    with a_web(500, b"") as url:
        assert told(an_app(edge_url=url).test_client()) == (503, False, "answered 500")


def test_edge_that_is_not_there_is_down_and_web_is_not() -> None:
    client = an_app(edge_url=NOWHERE).test_client()

    status, ok, problem = told(client)

    assert (status, ok) == (503, False)
    assert problem
    assert "refused" in problem
    assert client.get("/healthz").status_code == 200


def test_edge_without_tls_is_not_taken_for_one_that_has_it() -> None:
    with a_web(200, b"ok\n") as url:
        secure = url.replace("http://", "https://")
        status, ok, problem = told(an_app(edge_url=secure).test_client())

    assert (status, ok) == (503, False)
    assert problem


@pytest.mark.parametrize("path", ["/readyz", "/healthz"])
def test_health_of_web_itself_does_not_ask_edge(path: str) -> None:
    answer = an_app(edge_url=NOWHERE).test_client().get(path)

    assert "edge" not in answer.text
