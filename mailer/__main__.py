"""Deliver the mail that waits, or do what an operator asks: read the settings, wire the parts, run."""

import os
import random
import signal
import sys
import time
from argparse import ArgumentParser
from threading import Thread

import structlog
from sqlalchemy import Engine

from common import logs
from common.database import open_engine
from common.heartbeat import Heartbeat
from common.settings import ConfigError
from mailer.delivery.changes import Changes
from mailer.delivery.clerk import Clerk
from mailer.delivery.desk import Desk
from mailer.delivery.intake import Office
from mailer.delivery.outcome import Probed
from mailer.delivery.sender import Sender
from mailer.delivery.wake import Wake
from mailer.delivery.worker import Crew, Worker
from mailer.operator import commands, verbs
from mailer.operator.commands import Means
from mailer.operator.jobs import Jobs
from mailer.probing.prober import Prober, measuring, utc_now
from mailer.probing.records import Records
from mailer.probing.web import Web
from mailer.settings import Settings
from mailer.smtp.account import Account
from mailer.smtp.connection import RelayConnection
from mailer.smtp.errors import DeliveryError
from mailer.smtp.relay import Relay
from mailer.smtp.secret_files import secret_files
from mailer.smtp.tls import tls_context
from mailer.smtp.trial import trial
from mailer.stop import Stop
from mailer.upkeep.housekeeping import Housekeeping
from mailer.upkeep.sweeper import Sweeper

log = structlog.get_logger(__name__)

ASKED_AT_ONCE = 2  # what operators ask of the console: a trial that takes long holds up nothing
LAST_CHORES_SECONDS = 5.0  # for what goes on beside the mail; whatever it is, it can be broken off


def main() -> int:
    """Deliver mail until SIGTERM or SIGINT; returns 78 where the settings are wrong."""
    parser = ArgumentParser(prog="python -m mailer", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only read the settings, then exit")
    parser.set_defaults(do=None)
    verbs.add_parsers(parser.add_subparsers(title="what an operator asks", metavar=""))
    arguments = parser.parse_args()
    try:
        settings = Settings.read()
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 logging is not set up yet
        return os.EX_CONFIG
    if arguments.check:
        return os.EX_OK
    if arguments.do is not None:
        logs.configure("mailer", "CRITICAL")  # the answer alone
        return commands.run(arguments, means_of(settings, open_engine(settings, "mailer")))
    logs.configure("mailer", settings.log_level)
    ended_well = run(settings, stop_on_signals())
    return os.EX_OK if ended_well else os.EX_SOFTWARE


def means_of(settings: Settings, engine: Engine) -> Means:
    """Return what operators' commands and jobs work with."""
    relay, account = way_to_the_relay(settings)
    return Means(
        engine,
        settings.daily_quota,
        settings.mail_username,
        account,
        lambda mail: trial(relay, account, mail),
    )


def stop_on_signals() -> Stop:
    """Return what is set by the first SIGTERM or SIGINT."""
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop


def run(settings: Settings, stop: Stop) -> bool:
    """Wire the parts and deliver until told to stop; False is that a part of us died."""
    relay, account = way_to_the_relay(settings)
    log.info(
        "started", relay=str(relay), connections=settings.connections, quota=settings.daily_quota
    )
    engine = open_engine(settings, "mailer")
    beside = start_beside(settings, engine, stop)
    worker = worker_of(settings, engine, relay, account)
    ended_well = worker.run(stop)
    stop.set()
    for thread in beside:
        thread.join(LAST_CHORES_SECONDS)
    engine.dispose()
    return ended_well


def worker_of(settings: Settings, engine: Engine, relay: Relay, account: Account) -> Worker:
    """Return the main thread's work, with the threads that it needs."""
    room = Wake()
    desk = Desk(settings.connections, room.set)
    clerk = Clerk(engine, desk, lambda: random.SystemRandom().uniform(-1, 1), room.set)
    try:
        account()
    except DeliveryError as error:  # known before there is any mail, so said before
        clerk.tell(Probed(error))
    senders = [
        Sender(seat, desk, RelayConnection(relay, account), clerk.tell)
        for seat in range(settings.connections)
    ]
    office = Office(
        desk=desk,
        tell=clerk.tell,
        daily_quota=settings.daily_quota,
        new_credentials=Changes(account.fingerprint),
        journals=settings.mail_journal_dir,
        patience_seconds=settings.mail_timeout + settings.mail_end_timeout,
    )
    return Worker(engine, Crew(desk, clerk, senders), office, room, Heartbeat().beat)


def start_beside(settings: Settings, engine: Engine, stop: Stop) -> list[Thread]:
    """Start what goes on beside the mail: a folder with many files must not hold that up."""
    sweeper = Sweeper(settings.session_file_dir, time.time)
    housekeeping = Housekeeping(engine, settings.mail_journal_dir)
    means = means_of(settings, engine)
    web = Web(settings.web_url)
    prober = Prober(measuring(engine, web.readiness, web.edge), Records(engine).write, utc_now)
    threads = [
        *(
            Thread(target=Jobs(engine, means).run, args=(stop,), name=f"jobs-{number}", daemon=True)
            for number in range(ASKED_AT_ONCE)
        ),
        Thread(target=sweeper.run, args=(stop,), name="sweeper", daemon=True),
        Thread(target=housekeeping.run, args=(stop,), name="housekeeping", daemon=True),
        Thread(target=prober.run, args=(stop,), name="prober", daemon=True),
    ]
    for thread in threads:
        thread.start()
    return threads


def way_to_the_relay(settings: Settings) -> tuple[Relay, Account]:
    """Return where the relay is, how it is verified, and what to log in with."""
    context = tls_context(settings.mail_ca_file)
    relay = Relay(
        server=settings.mail_server,
        port=settings.mail_port,
        starttls=settings.mail_use_tls,
        tls_at_once=settings.mail_use_ssl,
        timeout_seconds=settings.mail_timeout,
        end_timeout_seconds=settings.mail_end_timeout,
        context=context,
    )
    return relay, Account(settings, secret_files(os.environ), context)


if __name__ == "__main__":
    sys.exit(main())
