"""Several webs: on the volume of session files, and with Valkey."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.stack.stack import Stack
from tests.stack.visitor import Visitor
from tests.waiting import eventually

VALKEY = {
    "COMPOSE_PROFILES": "valkey",
    "VALKEY_URL_FILE": "/run/keelson/web/valkey_url",
    "SESSION_TYPE": "valkey",
    "CACHE_TYPE": "RedisCache",
    "RATELIMIT_STORAGE_URI": "valkey://",
    "WEB_WORKERS": "2",
    "DB_POOL_SIZE": "5",
}
EMAIL, PASSWORD = "ada@example.org", "a horse of several webs"
ASKED = 12  # times; each is served by one web or process or another


def make_operator(stack: Stack, visitor: Visitor) -> None:
    """Make the first operator, by the link that the command prints, signed in."""
    printed = stack.compose("exec", "-T", "web", "python", "-m", "web", "operator-link")
    link = next(word for word in printed.split() if "/account/first-operator/" in word)
    path = "/account" + link.partition("/account")[2]
    answer = visitor.send(path, email=EMAIL, password=PASSWORD, password_again=PASSWORD)
    assert answer.ok, answer.text


def signed_in(visitor: Visitor) -> list[bool]:
    """Return for each of several requests whether the visitor is signed in."""
    answers = [visitor.open("/account") for _ in range(ASKED)]
    return [EMAIL in answer.text for answer in answers]


def log(container: str) -> str:
    """Return what a container has logged."""
    return subprocess.run(
        ["docker", "logs", container], capture_output=True, text=True, check=True
    ).stdout


def limits_are_on(stack: Stack) -> bool:
    """Return whether every process that lost the store of the limits has it back."""
    events = [line["event"] for line in stack.log_events("web")]
    lost = events.count("rate limits are off: their store is away")
    return events.count("rate limits are on again") == lost


@pytest.fixture
def two_webs(stack: Stack) -> Iterator[None]:
    """Have two of them behind edge, and nobody who has an account yet."""
    stack.sql("DELETE FROM accounts")
    stack.compose("up", "--detach", "--wait", "--scale", "web=2", "--no-recreate", "web")
    yield
    stack.compose("up", "--detach", "--wait", "--scale", "web=1", "--no-recreate", "web")
    stack.sql("DELETE FROM accounts")


@pytest.mark.usefixtures("two_webs")
def test_who_signs_in_at_one_web_is_signed_in_at_all_and_signed_out_at_all(stack: Stack) -> None:
    visitor = Visitor(stack.url)
    make_operator(stack, visitor)
    ids = stack.compose("ps", "--quiet", "web").split()

    assert len(ids) == 2
    assert signed_in(visitor) == [True] * ASKED
    visitor.sign_out()
    assert signed_in(visitor) == [False] * ASKED
    for _ in range(ASKED):
        visitor.open("/nowhere")
    for container in ids:
        eventually(lambda container=container: "/nowhere" in log(container), 10, "both took part")  # type: ignore[misc]  # mypy cannot type a default in a lambda


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose web has two processes that share everything through Valkey."""
    folder = tmp_path_factory.mktemp("shared")
    with Stack(folder, ["compose.yaml", "compose.test.yaml"], settings=VALKEY).running() as stack:
        stack.wait_until_well()
        yield stack


def test_processes_share_sessions_and_survive_a_valkey_that_goes_away(shared: Stack) -> None:
    visitor = Visitor(shared.url)
    make_operator(shared, visitor)
    assert signed_in(visitor) == [True] * ASKED

    shared.compose("stop", "valkey")
    public, personal = Visitor(shared.url).open("/"), visitor.open("/account")
    shared.compose("start", "valkey")

    assert public.status_code == 200
    assert (personal.status_code, personal.headers["Retry-After"]) == (503, "5")
    eventually(lambda: visitor.open("/account").ok, 30, "it is back")
    assert signed_in(visitor) == [True] * ASKED


def test_processes_count_together(shared: Stack) -> None:
    """A tight limit is met after as many tries as it says, whichever process serves each."""
    visitor = Visitor(shared.url)
    eventually(lambda: limits_are_on(shared), 30, "no process lets requests through uncounted")

    statuses = [
        visitor.send("/account/sign-in", email="eve@example.org", password="wrong").status_code
        for _ in range(ASKED)
    ]

    allowed = statuses.index(429)
    assert set(statuses[:allowed]) == {422}
    assert set(statuses[allowed:]) == {429}
    assert allowed == 10
