"""The settings as they may be shown: each with its meaning, where it came from, and no secret."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from flask import current_app
from pydantic import SecretStr

from common.settings import Origin, without_account
from web.settings import Settings

EXTENSION = "settings"


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting, in the words of .env.example."""

    name: str
    value: str
    origin: Origin
    meaning: str


def known() -> Settings:
    """Return what this application was told."""
    return cast("Settings", current_app.extensions[EXTENSION])


def shown(settings: Settings) -> Iterator[Shown]:
    """Yield each of them."""
    for name, field in type(settings).model_fields.items():
        value = in_words(getattr(settings, name), field.default)
        meaning = field.description or ""
        if field.examples:
            meaning += f"; for example {field.examples[0]}"
        yield Shown(name.upper(), value, settings.origin_of(name), meaning)


def in_words(value: object, default: object) -> str:
    """Return a value as it would be written in .env; of a secret that is no default, only its length."""
    if value is None:
        return "not set"
    if isinstance(value, SecretStr):
        text = value.get_secret_value()
        return text if value == default else f"set, {len(text)} characters"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | frozenset):
        return ",".join(map(str, value))
    return without_account(str(value))
