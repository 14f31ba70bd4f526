"""Backups that are proven by restoring them, and the restore itself."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.stack.stack import Stack
from tests.stack.visitor import Visitor
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("well")


def take(stack: Stack) -> dict[str, Any]:
    stack.compose("exec", "-T", "backup", "python", "-m", "backup", "take")
    listed: list[dict[str, Any]] = json.loads(
        stack.compose("exec", "-T", "backup", "python", "-m", "backup", "list", "--json")
    )
    return listed[0]


def one_shot(stack: Stack, *verb: str) -> dict[str, Any]:
    """Run a verb as `make restore` and its like do; return its answer."""
    words = ["run", "--rm", "--no-deps", "-T", "restore", "python", "-m", "backup", *verb]
    told: dict[str, Any] = json.loads(stack.compose(*words, "--json"))
    return told


def emails(stack: Stack) -> set[str]:
    return set(stack.sql("SELECT email FROM subscribers").splitlines())


def test_deleted_rows_come_back_and_later_rows_are_gone(stack: Stack) -> None:
    Visitor(stack.url).subscribe("kept@example.org")
    backup = take(stack)
    stack.sql("DELETE FROM subscribers")
    Visitor(stack.url).subscribe("later@example.org")

    one_shot(stack, "restore", "--yes", "--end-connections")

    assert backup["state"] == "proven"
    assert "kept@example.org" in emails(stack)
    assert "later@example.org" not in emails(stack)
    eventually(lambda: stack.get("/").ok, 30, "the page answers after the restore")
    assert Visitor(stack.url).subscribe("after@example.org").ok
    eventually(
        lambda: "after@example.org" in str(stack.mail()), 60, "mail goes out after the restore"
    )


def test_the_page_goes_on_answering_while_a_restore_is_done_and_undone(stack: Stack) -> None:
    Visitor(stack.url).subscribe("before@example.org")
    take(stack)
    Visitor(stack.url).subscribe("since@example.org")

    restored = one_shot(stack, "restore", "--yes", "--end-connections")
    without = emails(stack)
    undone = one_shot(stack, "undo", "--yes", "--end-connections")

    assert undone["again"] == restored["kept"]
    assert "since@example.org" not in without
    assert {"before@example.org", "since@example.org"} <= emails(stack)
    eventually(lambda: stack.get("/").ok, 30, "the page answers")
    assert undone["kept"] in one_shot(stack, "drop-old", "--yes")["dropped"]


def test_restore_while_others_are_connected_needs_them_to_be_named(stack: Stack) -> None:
    take(stack)
    before = emails(stack)

    words = ["run", "--rm", "--no-deps", "-T", "restore", "python", "-m", "backup", "restore"]
    refused = stack.try_compose(*words, "--yes")

    assert refused.returncode == 64
    assert "Connected: " in refused.stderr
    assert "(keelson_web)" in refused.stderr
    assert "say --end-connections beforehand" in refused.stderr
    assert emails(stack) == before


def test_restore_without_yes_and_without_a_terminal_changes_nothing(stack: Stack) -> None:
    take(stack)
    before = emails(stack)

    refused = stack.try_compose("run", "--rm", "--no-deps", "-T", "restore")

    assert refused.returncode != 0
    assert "--yes" in refused.stderr + refused.stdout
    assert emails(stack) == before


def test_the_recovery_kit_is_a_file_for_its_owner_alone(stack: Stack, tmp_path: Path) -> None:
    take(stack)
    kit = tmp_path / "recovery-kit.md"
    write = [str(ROOT / "scripts/recovery-kit"), str(kit), *stack.command]

    first = subprocess.run(write, cwd=stack.source, capture_output=True, text=True, check=True)
    second = subprocess.run(write, cwd=stack.source, capture_output=True, text=True, check=True)

    assert kit.stat().st_mode & 0o777 == 0o600
    assert kit.read_text(encoding="utf-8").startswith("# Recovery kit of keelson")
    assert "keys of earlier kits that were ended: 0" in first.stdout
    assert "keys of earlier kits that were ended: 1" in second.stdout
    assert [path.name for path in tmp_path.glob("*kit*")] == [kit.name]


def test_the_page_shows_the_latest_backup(stack: Stack) -> None:
    take(stack)

    eventually(
        lambda: "proven" in stack.get("/api/v1/status").text, 30, "the status names the backup"
    )
