"""A hundred random instants, each of which has exactly what was committed by then."""

import random
from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.integration.postgres import Database
from tests.integration.streams import Streaming, Writer, exactly, streaming

INSTANTS = 100
SEED = 1


@pytest.fixture
def stream(database: Database) -> Iterator[Streaming]:
    with streaming(database) as running:
        yield running


@pytest.mark.timeout(1800)
def test_a_hundred_random_instants_have_exactly_what_was_committed_by_then(
    database: Database, stream: Streaming
) -> None:
    chance = random.Random(SEED)  # noqa: S311 the same instants for the same seed
    with Writer(database).writing() as writer:
        for _ in range(5):
            stream.switch()
            stream.base()
            latest = stream.ship()
    earliest = datetime.fromisoformat(stream.points()["targets"][0]["from"])
    instants = [earliest + (latest - earliest) * chance.random() for _ in range(INSTANTS)]

    found = stream.recover(instants)

    for instant, seen in zip(instants, found, strict=True):
        assert exactly(writer.written, instant, seen["markers"]), (instant, seen)
