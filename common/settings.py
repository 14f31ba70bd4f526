"""Settings that are typed, read once at start, and report every problem at once."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

VERIFIED_TLS = ("verify-full", "verify-ca")
ACCOUNT_IN_URL = re.compile(r"//.*@")  # greedy: a password that holds an @ or a / is hidden as well


class ConfigError(Exception):
    """The settings are wrong; the message has one line per problem."""


class Unreadable:
    """Stands where a value should be, so that its reason is reported with all the others."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


class EnvironmentOrFile(EnvSettingsSource):
    """Read each setting from NAME, or from the file that NAME_FILE points to, which is for secrets."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the value; the file's last newline is not part of it."""
        value, key, is_complex = super().get_field_value(field, field_name)
        path = self.env_vars.get(f"{field_name}_file")
        if not path:
            return value, key, is_complex
        if value is not None:
            reason = "set both by itself and by its _FILE; keep one of the two"
            return Unreadable(reason), key, False
        return read_secret(Path(path)), key, False


class Origin(StrEnum):
    """Where the value of a setting came from."""

    DEFAULT = "default"
    ENVIRONMENT = "environment"
    FILE = "file"
    GIVEN = "given"  # by a test


def read_secret(path: Path) -> str | Unreadable:
    """Return the file's text without its last newline, or why there is none."""
    try:
        text = path.read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        return Unreadable(f"cannot read the file {path}: {error}")
    return text or Unreadable(f"the file {path} is empty")


def known_database(url: SecretStr) -> SecretStr:
    """Return the URL with the driver that is installed; a ValueError says what is wrong."""
    try:
        parsed = make_url(url.get_secret_value())
    except (ArgumentError, ValueError):  # the latter for a port that is no number
        message = "not a URL; write postgresql://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full"
        raise ValueError(message) from None  # the cause quotes the URL, password and all
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        message = "not a PostgreSQL URL; it begins with postgresql://"
        raise ValueError(message)
    full = parsed.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)
    return SecretStr(full)


DatabaseUrl = Annotated[SecretStr, AfterValidator(known_database)]


class Settings(BaseSettings):
    """What every service can be told. Each service adds its own."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    app_env: Literal["development", "production"] = Field(
        "development",
        description="production refuses every unsafe setting and has no development inbox",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="how much each service says in its log"
    )
    database_url: DatabaseUrl = Field(
        description="made by init for each service's own role; set it for a database elsewhere",
        examples=["postgresql://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full"],
    )
    db_pool_size: int = Field(10, ge=1, le=100, description="connections kept open per process")
    db_max_overflow: int = Field(
        20, ge=0, le=200, description="connections beyond those, at a peak"
    )
    db_pool_timeout: int = Field(60, ge=1, le=600, description="seconds to wait for a connection")
    db_pool_recycle: int = Field(1800, ge=-1, description="seconds after which one is replaced")
    db_pool_pre_ping: bool = Field(True, description="test a connection before it is used")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 the caller's signature
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take keyword arguments first (the tests), then the environment; never a .env by itself."""
        return init_settings, EnvironmentOrFile(settings_cls)

    @classmethod
    def read(cls, **given: object) -> Self:
        """Read the settings, or raise one ConfigError that lists every problem."""
        try:
            settings = cls.model_validate(given)
        except ValidationError as error:
            problems = [_describe(cls, detail) for detail in error.errors()]
            raise ConfigError("\n".join(problems)) from None
        problems = settings.contradictions()
        if settings.app_env == "production":
            problems += settings.unsafe_in_production()
        if problems:
            raise ConfigError("\n".join(problems))
        return settings

    def origin_of(self, name: str) -> Origin:
        """Return where the value of this setting came from."""
        if name not in self.model_fields_set:
            return Origin.DEFAULT
        source = EnvironmentOrFile(type(self))
        if source.env_vars.get(f"{name}_file"):
            return Origin.FILE
        alias = type(self).model_fields[name].validation_alias
        names = alias.choices if isinstance(alias, AliasChoices) else [name]
        is_set = any(source.env_vars.get(str(one)) for one in names)
        return Origin.ENVIRONMENT if is_set else Origin.GIVEN

    def contradictions(self) -> list[str]:
        """Return a line for each pair of settings that cannot both stand; a service adds its own."""
        return []

    def unsafe_in_production(self) -> list[str]:
        """Return a line for each setting that production refuses; a service adds its own."""
        sslmode = make_url(self.database_url.get_secret_value()).query.get("sslmode")
        if sslmode in VERIFIED_TLS:
            return []
        problem = f"sslmode is {sslmode or 'not set'}, so the server is not verified"
        return [f"DATABASE_URL: {problem}; add ?sslmode=verify-full&sslrootcert=FILE"]

    @field_validator("*", mode="before")
    @classmethod
    def _readable(cls, value: object) -> object:
        if isinstance(value, Unreadable):
            raise ValueError(value.reason)  # noqa: TRY004 pydantic collects ValueErrors only
        return value


def _describe(settings_type: type[Settings], detail: Any) -> str:
    """Say which setting, what is wrong, what it got (never a secret) and what it is for."""
    name = str(detail["loc"][0]) if detail["loc"] else ""
    field = settings_type.model_fields[name]
    if detail["type"] == "missing":
        problem = f"not set, nor {name.upper()}_FILE"
    else:
        problem = detail["msg"].removeprefix("Value error, ")
        if not _is_secret(field) and not isinstance(detail["input"], Unreadable):
            problem = f"{without_account(problem)}, got {without_account(repr(detail['input']))}"
    example = f" (for example {field.examples[0]})" if field.examples else ""
    return f"{name.upper()}: {problem}. It is: {field.description}{example}"


def without_account(text: str) -> str:
    """Return the text without the user and the password of the URLs in it."""
    return ACCOUNT_IN_URL.sub("//***@", text)


def _is_secret(field: FieldInfo) -> bool:
    return field.annotation is SecretStr or "SecretStr" in str(field.annotation)
