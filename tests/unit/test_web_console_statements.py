"""Statements that are shown have no values in them."""

import pytest

from web.console.statements import LONGEST, without_values


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("SELECT 1", "SELECT ?"),
        ("SELECT a1, b FROM t2 WHERE x = 12.5", "SELECT a1, b FROM t2 WHERE x = ?"),
        ("UPDATE t SET a = 'it''s secret' WHERE b = 'c'", "UPDATE t SET a = ? WHERE b = ?"),
        (r"SELECT E'it\'s \\' , 'c'", "SELECT ? , ?"),
        (r"SELECT 'a\' , b", "SELECT ? , b"),
        (r"INSERT INTO t VALUES ('\x00ff'::bytea)", "INSERT INTO t VALUES (?::bytea)"),
        ("SELECT $a$it's 'secret'$a$, $1", "SELECT ?, $1"),
        ("SELECT\n   a\n  FROM t", "SELECT a FROM t"),
    ],
)
def test_values_are_taken_out(statement: str, shown: str) -> None:
    assert without_values(statement) == shown


@pytest.mark.parametrize(
    "cut",
    [
        "SELECT 'secret",
        r"SELECT E'secret\'more",
        "SELECT E'secret\\",
        "SELECT 'it''secret",
        "SELECT $$secret",
        "SELECT $a$secret$b$ more",
    ],
)
def test_value_that_was_cut_off_is_taken_out_to_the_end(cut: str) -> None:
    assert without_values(cut) == "SELECT ?"


def test_long_statement_is_cut() -> None:
    assert len(without_values("SELECT " + "a, " * 1000)) == LONGEST
