"""What the mailer delivers: how much in a time, and how soon."""

import time
from collections.abc import Iterator

from bench.ground import Ground, queue_one
from bench.percentiles import p50_p99
from bench.table import Row

MAILS = 20_000
AT_ONCE = 1_000  # mails queued in one transaction
SESSIONS = 4
RATE, RATE_SECONDS = 100, 20
WARM_UP = 50
WAIT_SECONDS = 300
AIMS = ("at least 3,000/s on 2 cores", "p50 5 ms, p99 25 ms")

LEFT = "SELECT EXISTS (SELECT FROM outbox WHERE state = 'queued')::int"
SENT = "SELECT count(*) FROM outbox WHERE state = 'sent'"
DRAINING_SECONDS = "SELECT extract(epoch FROM max(done_at) - min(first_try_at)) FROM outbox"
LATENCIES = """
    SELECT extract(epoch FROM done_at - created_at) * 1000 FROM outbox WHERE id > :first AND state = 'sent'
"""


def drain(ground: Ground) -> Iterator[Row]:
    """Drain a full outbox into a sink, and have smtp-source send as many mails into the same one."""
    ground.empty()
    fill(ground, MAILS)
    with ground.sink() as sink:
        with ground.mailer(sink, MAIL_CONNECTIONS=str(SESSIONS)):
            wait_until_sent(ground)
        ours = MAILS / ground.number(DRAINING_SECONDS)
        source = MAILS / ground.source_seconds(sink, MAILS, SESSIONS)
    if (sent := ground.number(SENT)) != MAILS:
        message = f"only {sent} of {MAILS} mails were sent"
        raise RuntimeError(message)
    what = f"{MAILS:,} mails of 2 KB, each with a body of its own, {SESSIONS} connections"
    yield Row(f"drain, {what}", f"{ours:,.0f}", "mails/s", AIMS[0])
    yield Row(f"smtp-source into the same sink, {SESSIONS} sessions", f"{source:,.0f}", "mails/s")
    yield Row("drain / smtp-source", f"{ours / source:.2f}", "ratio")


def latency(ground: Ground) -> Iterator[Row]:
    """From the row's making to the record that the relay took it, with mail coming in steadily."""
    ground.empty()
    with ground.sink() as sink, ground.mailer(sink, MAIL_CONNECTIONS=str(SESSIONS)):
        send_steadily(ground, WARM_UP)
        wait_until_sent(ground)
        send_steadily(ground, RATE * RATE_SECONDS)
        wait_until_sent(ground)
    p50, p99 = p50_p99(ground.numbers(LATENCIES, first=WARM_UP))
    yield Row(
        f"enqueue to accepted and recorded, {RATE}/s for {RATE_SECONDS} s, p50 / p99",
        f"{p50:.1f} / {p99:.1f}",
        "ms",
        AIMS[1],
    )


def wait_until_sent(ground: Ground) -> None:
    """Look now and then, seldom enough not to be measured, whether any mail is left."""
    deadline = time.monotonic() + WAIT_SECONDS
    while ground.number(LEFT):
        if time.monotonic() > deadline:
            message = f"mail is still queued after {WAIT_SECONDS} s"
            raise TimeoutError(message)
        time.sleep(0.25)


def fill(ground: Ground, mails: int) -> None:
    """Queue so many, each with a content of its own."""
    with ground.database.engine("web").connect() as connection:
        for _ in range(mails // AT_ONCE):
            with connection.begin():
                for _ in range(AT_ONCE):
                    queue_one(connection)
    ground.settle()


def send_steadily(ground: Ground, mails: int) -> None:
    """Queue so many at RATE, each in a transaction of its own."""
    start = time.perf_counter()
    with ground.database.engine("web").connect() as connection:
        for number in range(mails):
            time.sleep(max(0.0, start + number / RATE - time.perf_counter()))
            with connection.begin():
                queue_one(connection)
