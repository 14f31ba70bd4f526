"""What a claim costs the database when much is kept, and while a backup runs."""

import time
from collections.abc import Iterator
from statistics import median

from sqlalchemy import Engine, text

from bench.delivering import fill
from bench.ground import CONTENT, Ground
from bench.table import Row
from mailer.delivery.bounds import Bounds
from mailer.delivery.claims import FRESH, Claims, Look
from mailer.delivery.outbox import Mail, mark_sent

RETAINED = 1_000_000
QUEUED = 20_000
UNDER_SNAPSHOT = 60_000
AT_ONCE = 200  # mails a claim
ROUNDS = QUEUED // AT_ONCE
ME = 1
LOWEST = 9
AIMS = ("at most 1.20", "does not grow")

RETAIN = """
    INSERT INTO outbox (state, kind, sender, recipient, subject, message_id, body_id,
                        created_at, first_try_at, done_at, due_at)
    SELECT 'sent', 'bench', 'status@example.org', 'person-' || n || '@example.net', 'measured',
           '<retained-' || n || '@example.org>', (SELECT max(id) FROM mail_bodies), at, at, at, at
      FROM (SELECT n, now() - n * interval '7 seconds' AS at FROM generate_series(1, :number) n) AS old
"""


def retained(ground: Ground) -> Iterator[Row]:
    """Claims with a million mails kept of the last 81 days, and with none."""
    ground.empty()
    fill(ground, QUEUED)
    few = median(claim_milliseconds(ground))
    ground.empty()
    with ground.database.engine("owner").begin() as owner:
        owner.execute(
            text("INSERT INTO mail_bodies (content) VALUES (:content)"), {"content": CONTENT}
        )
        owner.execute(text(RETAIN), {"number": RETAINED})
    fill(ground, QUEUED)
    many = median(claim_milliseconds(ground))
    yield Row(f"claim of {AT_ONCE} with nothing kept, median", f"{few:.2f}", "ms")
    yield Row(f"claim of {AT_ONCE} with {RETAINED:,} rows kept, median", f"{many:.2f}", "ms")
    yield Row("kept / nothing kept", f"{many / few:.2f}", "ratio", AIMS[0])


def snapshot(ground: Ground) -> Iterator[Row]:
    """Claims while a transaction like a backup's stays open: the first and the last of many."""
    ground.empty()
    fill(ground, UNDER_SNAPSHOT)
    held = ground.database.engine("backup").execution_options(isolation_level="REPEATABLE READ")
    with held.connect() as backup:
        backup.execute(text("SELECT count(*) FROM outbox"))
        taken = claim_milliseconds(ground)
    tenth = len(taken) // 10
    first, last = median(taken[:tenth]), median(taken[-tenth:])
    what = f"claim of {AT_ONCE}, {UNDER_SNAPSHOT:,} mails sent under one snapshot"
    yield Row(f"{what}: first tenth, median", f"{first:.2f}", "ms")
    yield Row(f"{what}: last tenth, median", f"{last:.2f}", "ms")
    yield Row("last / first", f"{last / first:.2f}", "ratio", AIMS[1])


def claim_milliseconds(ground: Ground) -> list[float]:
    """Claim and settle all mail as the mailer does, and return how long each claim took."""
    engine: Engine = ground.database.engine("mailer")
    bounds = Bounds()
    taken: list[float] = []
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        claims = Claims(connection)
        while True:
            started = time.perf_counter()
            mails = claims.take(FRESH, look(bounds), AT_ONCE)
            if not mails:
                return taken
            taken.append((time.perf_counter() - started) * 1_000)
            bounds.learn(mails)
            settle(engine, mails)


def look(bounds: Bounds) -> Look:
    """Return the look of a mailer that is alone."""
    return Look(
        me=ME,
        alive=[ME],
        in_hand=[],
        held_kinds=[],
        frozen=[],
        bytes=2**30,
        too_large=2**30,
        bounds=bounds.of(LOWEST),
    )


def settle(engine: Engine, mails: list[Mail]) -> None:
    """Record that they went."""
    with engine.begin() as connection:
        mark_sent(connection, [(mail, 250, "2.0.0 Ok: queued as 4XyZ") for mail in mails])
