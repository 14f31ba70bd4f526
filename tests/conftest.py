"""What every test folder shares."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# testcontainers would start a helper from a registry that may be out of reach; every fixture here
# removes what it made.
os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"


@pytest.fixture(autouse=True)
def scrubbed_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what the developer's shell happens to set out of the settings under test."""
    for name in list(os.environ):
        if name.startswith(
            ("DB_", "MAIL_", "CORS_", "RATELIMIT_", "SESSION_", "CACHE_", "BACKUP_")
        ):
            monkeypatch.delenv(name)
    for name in ("APP_ENV", "DATABASE_URL", "DATABASE_URL_FILE", "SECRET_KEY", "BASE_URL"):
        monkeypatch.delenv(name, raising=False)
