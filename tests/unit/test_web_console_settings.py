"""Settings as the console shows them."""

from pathlib import Path

import pytest

from common.settings import Origin
from scripts.env_example import FIXED
from tests.conftest import ROOT
from tests.web_app import NO_DATABASE, SECRET_KEY, some_settings
from web.console.settings_shown import Shown, shown
from web.settings import Settings


def by_name(settings: Settings) -> dict[str, Shown]:
    return {one.name: one for one in shown(settings)}


def test_secrets_are_told_by_their_length_alone() -> None:
    found = by_name(some_settings(valkey_url="valkey://web:hidden@localhost:6379"))

    told = " ".join(f"{one.value} {one.meaning}" for one in found.values())
    assert found["SECRET_KEY"].value == f"set, {len(SECRET_KEY)} characters"
    assert found["DATABASE_URL"].value.startswith("set, ")
    assert found["CACHE_REDIS_URL"].value == "not set"
    assert found["RATELIMIT_STORAGE_URI"].value == "memory://"
    for secret in (SECRET_KEY, NO_DATABASE, "hidden"):
        assert secret not in told


def test_each_value_says_where_it_came_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text(SECRET_KEY)
    monkeypatch.setenv("SECRET_KEY_FILE", str(key))
    monkeypatch.setenv("RATELIMIT_STORAGE_URL", "memory://")
    monkeypatch.setenv("WEB_THREADS", "")

    settings = Settings.read(database_url=NO_DATABASE)

    origins = {one.name: one.origin for one in shown(settings)}
    assert origins["SECRET_KEY"] is Origin.FILE
    assert origins["RATELIMIT_STORAGE_URI"] is Origin.ENVIRONMENT
    assert origins["WEB_THREADS"] is Origin.DEFAULT
    assert origins["DATABASE_URL"] is Origin.GIVEN


def test_words_are_those_of_the_example() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")

    for one in shown(some_settings()):
        if one.name not in FIXED:
            assert f"# {one.meaning}\n#{one.name}=" in example, one.name
