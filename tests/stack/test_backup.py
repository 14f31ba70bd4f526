"""Backups that are proven by restoring them, and the restore itself."""

import json
from typing import Any

import pytest

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


def emails(stack: Stack) -> set[str]:
    return set(stack.sql("SELECT email FROM subscribers").splitlines())


def test_deleted_rows_come_back_and_later_rows_are_gone(stack: Stack) -> None:
    Visitor(stack.url).subscribe("kept@example.org")
    backup = take(stack)
    stack.sql("DELETE FROM subscribers")
    Visitor(stack.url).subscribe("later@example.org")

    stack.compose(
        "run", "--rm", "--no-deps", "-T", "restore", "python", "-m", "backup", "restore", "--yes"
    )

    assert backup["state"] == "proven"
    assert "kept@example.org" in emails(stack)
    assert "later@example.org" not in emails(stack)
    eventually(lambda: stack.get("/").ok, 30, "the page answers after the restore")
    assert Visitor(stack.url).subscribe("after@example.org").ok
    eventually(
        lambda: "after@example.org" in str(stack.mail()), 60, "mail goes out after the restore"
    )


def test_restore_without_yes_and_without_a_terminal_changes_nothing(stack: Stack) -> None:
    take(stack)
    before = emails(stack)

    refused = stack.try_compose("run", "--rm", "--no-deps", "-T", "restore")

    assert refused.returncode != 0
    assert "--yes" in refused.stderr + refused.stdout
    assert emails(stack) == before


def test_the_page_shows_the_latest_backup(stack: Stack) -> None:
    take(stack)

    eventually(
        lambda: "proven" in stack.get("/api/v1/status").text, 30, "the status names the backup"
    )
