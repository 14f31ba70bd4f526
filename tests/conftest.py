"""What every test folder shares."""

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# A shell's variables win over an --env-file, and one of them may name the developer's own stack. So
# they go before anything here can run `docker compose`; only the base image is the machine's own.
COMPOSED = re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text(encoding="utf-8"))
for name in {*COMPOSED, *(n for n in os.environ if n.startswith("COMPOSE_"))} - {"BASE_IMAGE"}:
    os.environ.pop(name, None)

# testcontainers would start a helper from a registry that may be out of reach; every fixture here
# removes what it made.
os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"


@pytest.fixture(autouse=True)
def scrubbed_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what the developer's shell happens to set out of the settings under test."""
    for setting in (
        "DATABASE_URL",
        "SECRET_KEY",
        "SESSION_FILE_DIR",
        "BACKUP_FOLDER",
        "MAIL_CA_FILE",
    ):
        monkeypatch.delenv(setting, raising=False)
        monkeypatch.delenv(f"{setting}_FILE", raising=False)
