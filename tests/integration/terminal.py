"""An operator's terminal: commands typed, answers read."""

import json
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
import pytest
from sqlalchemy import Engine, make_url

from common.outbox import CHANNEL
from mailer.operator import commands, verbs
from mailer.operator.commands import Means
from mailer.smtp.trial import Step
from tests.integration.postgres import Database


class Terminal:
    """Somebody who types commands and reads the answers."""

    def __init__(self, means: Means, capsys: pytest.CaptureFixture[str]) -> None:
        self._means = means
        self._capsys = capsys
        self.code = 0
        self.error = ""

    def type(self, *words: str) -> str:
        """Run a command and return what it prints."""
        parser = ArgumentParser()
        verbs.add_parsers(parser.add_subparsers(required=True))
        self.code = commands.run(parser.parse_args(words), self._means)
        printed = self._capsys.readouterr()
        self.error = printed.err
        return printed.out

    def json(self, *words: str) -> Any:
        """Run a command and return its answer to programs."""
        return json.loads(self.type(*words, "--json"))


def means_of(engine: Engine, *steps: Step) -> Means:
    """Return means with a relay that does these steps."""
    return Means(engine, 100, "us@example.org", lambda: None, lambda _mail: steps)


@contextmanager
def listening(database: Database) -> Iterator[Callable[[], bool]]:
    """Give a function that says whether mailers were woken since it was last asked."""
    url = make_url(database.url("mailer")).set(drivername="postgresql")
    connection = psycopg2.connect(url.render_as_string(hide_password=False))
    connection.autocommit = True
    connection.cursor().execute(f"LISTEN {CHANNEL}")

    def woken() -> bool:
        connection.cursor().execute("SELECT 1")
        connection.poll()
        found = bool(connection.notifies)
        connection.notifies.clear()
        return found

    try:
        yield woken
    finally:
        connection.close()
