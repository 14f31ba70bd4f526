"""Write .env.example from the settings themselves, so that what is documented is what is read."""

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from pydantic import SecretStr  # noqa: E402 the path comes first
from pydantic.fields import FieldInfo  # noqa: E402 the path comes first
from pydantic_core import PydanticUndefined  # noqa: E402

import backup.settings  # noqa: E402
import common.settings  # noqa: E402
import mailer.settings  # noqa: E402
import web.settings  # noqa: E402

HEAD = """\
# Every setting of Keelson, with its meaning and its default. Development needs none of them.
# Copy this file to .env, take the # off a line and change it; `make up` takes it over.
# A wrong value is named when its service starts, all wrong ones at once.
#
# Written by `make env-example` from the settings in the code.
"""

# What compose.yaml itself reads; the services never see these.
COMPOSE = {
    "BIND_ADDRESS": (
        "127.0.0.1",
        "the address that edge listens on; 0.0.0.0 for all of the machine's",
    ),
    "HTTP_PORT": ("8000", "its port for HTTP"),
    "HTTPS_PORT": ("8443", "its port for HTTPS"),
    "OUT_MTU": ("1400", "the largest packet to SMTP and storage, in bytes; fits any link"),
    "IMAGE_TAG": ("latest", "the tag of the images that are built and started"),
    "BASE_IMAGE": ("debian:trixie-slim", "what every image is built on"),
    "COMPOSE_PROFILES": (
        "valkey",
        "starts the stack's own Valkey too, for WEB_WORKERS above 1; unset, it is not there",
    ),
    "COMPOSE_PROJECT_NAME": (
        "keelson",
        "the name of the stack; two stacks on one machine need two",
    ),
}

# What compose.yaml or init sets, and a .env cannot: folders inside the containers, and secrets.
FIXED = {
    "DATABASE_URL",
    "SECRET_KEY",
    "SESSION_FILE_DIR",
    "BACKUP_FOLDER",
    "BACKUP_REPOSITORY_KEY",
    "MAIL_JOURNAL_DIR",
    "EDGE_CA_FILE",
}

# Secrets that a file may hold instead: where it is, and who writes it.
OF_PARTS = {
    "mailer": ("mail_password", "mail_oauth_client_secret", "mail_oauth_refresh_token"),
    "backup": (
        "backup_sftp_key",
        "backup_sftp_known_hosts",
        "backup_rest_password",
        "backup_s3_secret_access_key",
        "backup_git_key",
        "backup_git_known_hosts",
        "backup_git_token",
        "backup_ping_url",
        "backup_webhook_url",
    ),
}
FILES = {
    name.upper(): (f"/run/keelson/{part}/{name}", f"written by `make secret NAME={name}`")
    for part, names in OF_PARTS.items()
    for name in names
} | {"VALKEY_URL": (web.settings.OWN_VALKEY_FILE, "the stack's own; written by init")}

# What else `make secret` puts into a part's folder: the authority of a server of one's own.
AUTHORITIES = {"MAIL_CA_FILE": "mailer", "BACKUP_CA_FILE": "backup"}

SECTIONS: list[tuple[str, type[common.settings.Settings]]] = [
    ("Every service", common.settings.Settings),
    ("Web", web.settings.Settings),
    ("Mailer", mailer.settings.Settings),
    ("Backup", backup.settings.Settings),
]


def render() -> str:
    """Return the text of .env.example."""
    parts = [HEAD, section("Where the stack listens and how it is built", COMPOSE)]
    written = set(FIXED)
    for title, settings in SECTIONS:
        fields = {name.upper(): field for name, field in settings.model_fields.items()}
        new = {name: entry(field) for name, field in fields.items() if name not in written}
        new = with_files(new)
        for name in new.keys() & AUTHORITIES.keys():
            new[name] = authority(name, new[name][1])
        written |= new.keys()
        parts.append(section(title, new))
    return "\n".join(parts)


def with_files(settings: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """Return the settings, each secret followed by the file that may hold it instead."""
    written = {}
    for name, told in settings.items():
        written[name] = told
        if name in FILES:
            written[f"{name}_FILE"] = FILES[name]
    return written


def authority(name: str, meaning: str) -> tuple[str, str]:
    """Return where an authority's certificate lies, and how it comes there."""
    secret = name.lower().removesuffix("_file")
    path = f"/run/keelson/{AUTHORITIES[name]}/{secret}"
    return path, f"{meaning}; written by `make secret NAME={secret} FILE=ca.pem`"


def entry(field: FieldInfo) -> tuple[str, str]:
    """Return a setting's default and meaning."""
    text = field.description or ""
    if field.examples:
        text += f"; for example {field.examples[0]}"
    return shown(field.default), text


def shown(default: Any) -> str:
    """Return a default as it would be written in the file."""
    if default is PydanticUndefined or default is None:
        return ""
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple | frozenset):
        return ",".join(map(str, default))
    return str(default)


def section(title: str, settings: dict[str, tuple[str, str]]) -> str:
    """Return a titled block of settings, each with its meaning above it."""
    lines = [f"# --- {title} ---"]
    for name, (default, meaning) in settings.items():
        lines += ["", f"# {meaning}", f"#{name}={default}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    (ROOT / ".env.example").write_text(render(), encoding="utf-8")
