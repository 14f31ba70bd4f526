"""Which passwords are taken, and how they are kept: costly to guess, and never too many at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Semaphore
from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters
from hypothesis import given, settings
from hypothesis import strategies as st

from web.accounts import password_rules, passwords
from web.accounts.password_rules import PasswordError
from web.accounts.passwords import AT_ONCE, BusyError

PASSWORD = "seven green kites over Delft"
ABOUT = ("ada.lovelace@example.org", "status.example.org", "Keelson")
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", CHEAP)
    passwords._nobodys.cache_clear()  # noqa: SLF001 it was made with another hasher


class Held:
    """A hasher that is not done before it is let go."""

    def __init__(self) -> None:
        self.begun = Semaphore(0)
        self.let_go = Event()

    def hash(self, _password: str) -> str:
        """Begin, and wait."""
        self.begun.release()
        assert self.let_go.wait(10)
        return "done"


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "twelve chars",
        "zwölf Möwen!",
        "correct horse battery staple pony",
        "ada.lovelace likes tall ships",
        " " * 8 + "abcdefgh",
        "密码密码一二三四五六七八",
        "a1" * 3 + "xyzw" * 248,
    ],
)
def test_password_that_is_hard_to_guess_is_taken(password: str) -> None:
    password_rules.check(password, ABOUT)


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("", "at least 12"),
        ("elevenchars", "at least 12"),
        ("x" * 1001, "at most 1000"),
        ("aaaaaaaaaaaaaaaa", "too easily"),
        ("abababababab", "too easily"),
        ("PasswordPassword", "too easily"),
        ("qwertyuiop123", "too easily"),
        ("ada.lovelace@example.org", "too easily"),
        ("ADA.LOVELACE1", "too easily"),
        ("status.example.org", "too easily"),
        ("keelsonkeelson", "too easily"),
        ("twelve \0 chars", "code zero"),
    ],
)
def test_password_that_is_easily_guessed_is_refused_with_the_reason(
    password: str, said: str
) -> None:
    with pytest.raises(PasswordError, match=said):
        password_rules.check(password, ABOUT)


@given(st.text(max_size=1100))
def test_every_text_is_taken_or_refused_with_a_sentence(password: str) -> None:
    try:
        password_rules.check(password, ABOUT)
    except PasswordError as error:
        assert str(error).endswith(".")  # noqa: PT017 what is raised is checked, if anything is


@pytest.mark.usefixtures("cheap")
@settings(max_examples=50, deadline=None)
@given(password=st.text(max_size=40), other=st.text(max_size=40))
def test_hash_is_of_one_password_alone(password: str, other: str) -> None:
    same = passwords.plain(password) == passwords.plain(other)

    found = passwords.make_hash(password)

    assert passwords.is_right(password, found)
    assert passwords.is_right(other, found) is same


def test_accent_is_the_same_in_one_character_or_in_two() -> None:
    assert passwords.plain("zw\u00f6lf") == passwords.plain("zwo\u0308lf")


@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize("known", [None, "", "not a hash", "$argon2id$v=19$broken"])
def test_password_is_not_right_where_there_is_no_hash(known: str | None) -> None:
    assert passwords.is_right("nobody", known) is False


def test_check_costs_the_same_where_there_is_no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []

    class Watched:
        def verify(self, known: str, password: str) -> bool:
            checked.append(known)
            return CHEAP.verify(known, password)

        def hash(self, password: str) -> str:
            return CHEAP.hash(password)

    monkeypatch.setattr(passwords, "_hasher", Watched())
    passwords._nobodys.cache_clear()  # noqa: SLF001 it was made with another hasher
    passwords.is_right(PASSWORD, CHEAP.hash(PASSWORD))
    passwords.is_right(PASSWORD, None)

    costs = [extract_parameters(known) for known in checked]
    assert costs[0] == costs[1]


def test_costs_are_those_of_rfc_9106() -> None:
    costs = extract_parameters(passwords.make_hash(PASSWORD))

    assert (costs.type.name, costs.memory_cost, costs.time_cost, costs.parallelism) == (
        "ID",
        65536,
        3,
        4,
    )


def test_no_more_are_computed_at_once_than_memory_is_set_aside_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hasher: Any = Held()
    monkeypatch.setattr(passwords, "_hasher", hasher)
    monkeypatch.setattr(passwords, "LONGEST_WAIT_SECONDS", 0.01)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        first = [pool.submit(passwords.make_hash, PASSWORD) for _ in range(AT_ONCE)]
        for _ in first:
            assert hasher.begun.acquire(timeout=10)
        with pytest.raises(BusyError):
            passwords.make_hash(PASSWORD)
        with pytest.raises(BusyError):
            passwords.is_right(PASSWORD, None)
        hasher.let_go.set()

    assert [one.result() for one in first] == ["done"] * 2
    assert passwords.make_hash(PASSWORD) == "done"  # the places are free again
