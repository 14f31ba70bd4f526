"""What queueing mail costs the application."""

import secrets
import time
from collections.abc import Iterator

from sqlalchemy import Connection, text

from bench.ground import Ground, letters, queue, queue_one
from bench.percentiles import p50_p99
from bench.table import Row

PAIRS = 2_000
BULK = 50_000
AIMS = ("adds at most 2 ms at p99", "at least 8,000/s")

SUBSCRIBE = text("""
    INSERT INTO subscribers (email, token_hash, token_expires_at)
    VALUES (:email, :token_hash, now() + interval '1 day')
""")


def single(ground: Ground) -> Iterator[Row]:
    """One transaction of web's, with a mail and without, in turns, so that both see the same machine."""
    ground.empty()
    seconds: dict[bool, list[float]] = {True: [], False: []}
    with ground.database.engine("web").connect() as connection:
        for number in range(2 * PAIRS):
            with_mail = number % 2 == 0
            started = time.perf_counter()
            with connection.begin():
                subscribe(connection)
                if with_mail:
                    queue_one(connection)
            seconds[with_mail].append((time.perf_counter() - started) * 1_000)
    (without_p50, without_p99), (with_p50, with_p99) = (
        p50_p99(seconds[False]),
        p50_p99(seconds[True]),
    )
    yield Row("transaction without mail, p50 / p99", f"{without_p50:.2f} / {without_p99:.2f}", "ms")
    yield Row("the same with one mail, p50 / p99", f"{with_p50:.2f} / {with_p99:.2f}", "ms")
    added = f"{with_p50 - without_p50:.2f} / {with_p99 - without_p99:.2f}"
    yield Row("so one mail adds, p50 / p99", added, "ms", AIMS[0])


def bulk(ground: Ground) -> Iterator[Row]:
    """One content to many people in one transaction, the letters made within the time."""
    ground.empty()
    started = time.perf_counter()
    with ground.database.engine("web").begin() as transaction:
        queue(transaction, letters(BULK))
    seconds = time.perf_counter() - started
    yield Row(
        f"bulk enqueue, {BULK:,} mails, one transaction",
        f"{BULK / seconds:,.0f}",
        "mails/s",
        AIMS[1],
    )


def subscribe(connection: Connection) -> None:
    """Write what web writes when somebody subscribes."""
    token = secrets.token_bytes(16)
    connection.execute(SUBSCRIBE, {"email": f"{token.hex()}@example.net", "token_hash": token})
