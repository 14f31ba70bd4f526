"""Settings: typed, from the environment or a file, all problems at once."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import AfterValidator, Field

from common.settings import ConfigError, Settings

URL = "postgresql://web:secret@db/keelson?sslmode=verify-full"


def known_store(name: str) -> str:
    if name != "memory":
        message = f"no store: {name!r}"
        raise ValueError(message)
    return name


def problems(settings: type[Settings] = Settings) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        settings.read()
    return str(raised.value).splitlines()


def test_defaults_are_the_documented_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", URL)

    settings = Settings.read()

    pool = (
        settings.db_pool_size,
        settings.db_max_overflow,
        settings.db_pool_timeout,
        settings.db_pool_recycle,
        settings.db_pool_pre_ping,
    )
    assert pool == (10, 20, 60, 1800, True)


def test_an_empty_value_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", URL)
    monkeypatch.setenv("DB_POOL_SIZE", "")

    assert Settings.read().db_pool_size == 10


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_database_url_gets_the_driver_that_is_installed(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"{scheme}://u:p@db/keelson")

    assert Settings.read().database_url.get_secret_value() == "postgresql+psycopg2://u:p@db/keelson"


def test_a_secret_comes_from_a_file_without_its_last_newline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "url"
    file.write_text(URL + "\n", encoding="utf-8")
    monkeypatch.setenv("DATABASE_URL_FILE", str(file))

    assert Settings.read().database_url.get_secret_value().endswith("?sslmode=verify-full")


def test_every_problem_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_ENV", "prod")
    monkeypatch.setenv("DB_POOL_SIZE", "ten")
    monkeypatch.setenv("DB_POOL_PRE_PING", "perhaps")

    names = [line.partition(":")[0] for line in problems()]

    assert names == ["APP_ENV", "DATABASE_URL", "DB_POOL_SIZE", "DB_POOL_PRE_PING"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param({"DATABASE_URL": URL, "DATABASE_URL_FILE": "/x"}, "keep one of the two", id="both"),
        pytest.param({"DATABASE_URL_FILE": "/nowhere/url"}, "cannot read the file /nowhere/url", id="no file"),
        pytest.param({"DATABASE_URL_FILE": "/dev/null"}, "the file /dev/null is empty", id="empty file"),
        pytest.param({"DATABASE_URL": "keelson"}, "not a URL", id="not a URL"),
        pytest.param({"DATABASE_URL": "mysql://u:p@db/x"}, "not a PostgreSQL URL", id="another database"),
        pytest.param({}, "not set, nor DATABASE_URL_FILE", id="nothing"),
    ],
)  # fmt: skip
def test_each_problem_says_what_is_wrong(
    given: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    (line,) = problems()

    assert line.startswith("DATABASE_URL: ")
    assert said in line


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("mysql://u:hunter2@db/x", id="another database"),
        pytest.param("postgresql://u:p@x:hunter2@db/x", id="an @ and a colon in the password"),
        pytest.param("postgresql://u:p@db:hunter2/x", id="a port that is no number"),
        pytest.param("postgresql:/u:hunter2@db/x", id="no URL"),
    ],
)
def test_no_problem_quotes_a_secret(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)

    (line,) = problems()

    assert line.startswith("DATABASE_URL: not a ")
    assert "hunter2" not in line


class Store(Settings):
    """A service with a setting that may hold a URL, and says so itself."""

    store: Annotated[str, AfterValidator(known_store)] = Field("memory", description="a store")
    stores: Literal["memory"] = Field("memory", description="more of them")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        pytest.param("redis://u:hunter2@h/0", "'redis://***@h/0'", id="plain"),
        pytest.param("redis://:hun@ter2@h", "'redis://***@h'", id="an @ in the password"),
        pytest.param("redis://:hun/ter2@h", "'redis://***@h'", id="a slash in the password"),
        pytest.param("redis://a:hunter2@h,redis://b:ter2@i", "'redis://***@i'", id="two of them"),
        pytest.param("redis://h/0", "'redis://h/0'", id="no account"),
    ],
)
def test_url_that_is_quoted_has_lost_its_account(
    url: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", URL)
    monkeypatch.setenv("STORE", url)
    monkeypatch.setenv("STORES", url)

    found = problems(Store)

    assert found[0].startswith(f"STORE: no store: {said}, got {said}. It is")
    assert f"got {said}. It is" in found[1]
    assert "ter2" not in "\n".join(found)


@pytest.mark.parametrize("query", ["", "?sslmode=require", "?sslmode=prefer", "?sslmode=disable"])
def test_production_refuses_a_database_that_is_not_verified(
    query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_ENV", "production")
    monkeypatch.setenv("DATABASE_URL", f"postgresql://u:p@db/keelson{query}")

    (line,) = problems()

    assert "add ?sslmode=verify-full" in line
