"""docs/extending.md, executed: its blocks are put into a copy of the repository, and its tests are run there."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from common.schema import HEAD
from tests.conftest import ROOT

DOCUMENT = ROOT / "docs" / "extending.md"
BLOCK = re.compile(r"^`([\w./]+)`(, changed)?\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TESTS = [
    "tests/integration/test_guestbook.py",
    "tests/integration/test_database.py::test_migrated_schema_is_the_one_that_the_code_declares",
    "tests/integration/test_web_status.py",
    "tests/unit/test_web_api_docs.py",
    "tests/unit/test_architecture.py::test_package_imports_only_what_it_may",
    "tests/integration/test_web_api_schemathesis.py::test_answers_to_nobody_are_as_documented",
]

# In place of the container of `make images`, which has the migrations of this repository alone.
MIGRATE_HERE = """
import os, subprocess, sys
from tests.integration.postgres import Database

def migrate(self, app_env):
    given = {**os.environ, "APP_ENV": app_env, "DATABASE_URL": self.url("owner")}
    subprocess.run([sys.executable, "-m", "db.migrations.migrate"], env=given, check=True)

Database.migrate = migrate
"""


@dataclass(frozen=True, slots=True)
class Block:
    """A block of the document: a file, or a change of one."""

    path: str
    changes: bool
    text: str

    def apply(self, root: Path) -> None:
        """Write the file, or change it."""
        path = root / self.path
        if not self.changes:
            assert not path.exists(), f"{self.path} is there already"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.text, encoding="utf-8")
            return
        before, after = self.sides()
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1, (
            f"docs/extending.md: {self.path} has not these lines:\n{before}"
        )
        path.write_text(text.replace(before, after), encoding="utf-8")

    def sides(self) -> tuple[str, str]:
        """Return the lines before and after the change."""
        lines = self.text.splitlines(keepends=True)
        assert all(line[0] in " +-\n" for line in lines), self.text
        before = "".join(line[1:] or "\n" for line in lines if line[0] != "+")
        return before, "".join(line[1:] or "\n" for line in lines if line[0] != "-")


def blocks() -> list[Block]:
    text = DOCUMENT.read_text(encoding="utf-8")
    found = [Block(path, bool(changes), body) for path, changes, body in BLOCK.findall(text)]
    assert len(found) == text.count("\n```") // 2, "a block has no path above it"
    return found


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Path]:
    """A copy of the working tree, also of what is not committed yet, with the document applied."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / name)
    for block in blocks():
        block.apply(tmp_path)
    (tmp_path / "migrate_here.py").write_text(MIGRATE_HERE, encoding="utf-8")
    yield tmp_path
    shutil.rmtree(tmp_path)


def run(copy: Path, *command: str) -> None:
    """Run a Python tool in the copy."""
    few = {"EXAMPLES": "3"}  # this repository's own run has asked all but the guestbook
    environment = {**os.environ, **few, "PYTHONPATH": str(copy)}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=copy,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"


def test_migration_of_the_document_follows_the_newest_one() -> None:
    (migration,) = [block for block in blocks() if "/versions/" in block.path]

    told = f"docs/extending.md: HEAD is {HEAD}, so its migration follows that, with the next number"
    assert f'down_revision = "{HEAD}"' in migration.text, told


def test_guestbook_of_the_document_works_and_is_clean(copy: Path) -> None:
    written = [block.path for block in blocks() if not block.changes]
    python = [path for path in written if path.endswith(".py")]

    run(copy, "ruff", "format", "--check", "--diff", *python)
    run(copy, "ruff", "check", *python)
    run(copy, "mypy", "--cache-dir", str(copy / ".mypy_cache"), *python)
    run(copy, "pytest", "-q", "-p", "migrate_here", "-p", "no:cacheprovider", *TESTS)
