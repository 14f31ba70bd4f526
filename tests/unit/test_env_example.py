"""The example is what the settings read, and compose hands each of them on."""

import re

import pytest

from scripts import env_example
from tests.conftest import ROOT

VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)")
SERVICES = {title.lower(): settings for title, settings in env_example.SECTIONS[1:]}


OLDER_NAMES = {"RATELIMIT_STORAGE_URL"}
OF_COMPOSE_ITSELF = {"COMPOSE_PROFILES"}


def documented() -> set[str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return {match[1] for line in lines if (match := re.match(r"#([A-Z0-9_]+)=", line))}


def service_block(name: str) -> str:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    shared = text[text.index("x-database:") : text.index("services:")]
    own = re.search(rf"^  {name}:.*?(?=^  \w+:|^\w+:)", text, flags=re.MULTILINE | re.DOTALL)
    assert own is not None
    return shared + own[0]


def test_env_example_is_written_from_the_settings() -> None:
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == env_example.render()


def test_every_variable_of_compose_is_documented() -> None:
    read = set(VARIABLE.findall((ROOT / "compose.yaml").read_text(encoding="utf-8")))

    assert read - documented() == OLDER_NAMES


def test_every_documented_setting_reaches_compose() -> None:
    read = set(VARIABLE.findall((ROOT / "compose.yaml").read_text(encoding="utf-8")))

    assert documented() - read == OF_COMPOSE_ITSELF


@pytest.mark.parametrize("service", SERVICES)
def test_compose_hands_a_service_every_setting_that_it_reads(service: str) -> None:
    asked = {name.upper() for name in SERVICES[service].model_fields}

    handed = set(re.findall(r"\b([A-Z0-9_]{4,}): ", service_block(service)))

    missing = {name for name in asked if name not in handed and f"{name}_FILE" not in handed}
    assert missing - env_example.FIXED == set()
