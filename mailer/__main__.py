"""Deliver the mail that waits: read the settings, wire the parts, run."""

import os
import random
import signal
import sys
import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import structlog

from common import logs
from common.database import open_engine
from common.heartbeat import Heartbeat
from common.settings import ConfigError
from mailer.connection import RelayConnection
from mailer.credentials import credentials_source
from mailer.delivery import Delivery
from mailer.errors import RelayError
from mailer.gate import Gate
from mailer.outbox import Outbox
from mailer.relay import Relay
from mailer.settings import Settings
from mailer.stop import Stop
from mailer.sweeper import Sweeper
from mailer.tls import tls_context
from mailer.worker import Worker

log = structlog.get_logger(__name__)


def main() -> int:
    """Deliver mail until SIGTERM or SIGINT; returns 78 where the settings are wrong."""
    parser = ArgumentParser(prog="python -m mailer", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only read the settings, then exit")
    arguments = parser.parse_args()
    try:
        settings = Settings.read()
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 logging is not set up yet
        return os.EX_CONFIG
    if arguments.check:
        return os.EX_OK
    logs.configure("mailer", settings.log_level)
    password_file = os.environ.get("MAIL_PASSWORD_FILE")
    run(settings, Path(password_file) if password_file else None, stop_on_signals())
    return os.EX_OK


def stop_on_signals() -> Stop:
    """Return what is set by the first SIGTERM or SIGINT."""
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop


def run(settings: Settings, password_file: Path | None, stop: Stop) -> None:
    """Wire the parts and deliver until told to stop."""
    relay = relay_of(settings)
    credentials = credentials_source(settings, password_file)
    gate = Gate("relay")
    log.info("started", relay=str(relay), starttls=relay.starttls, tls_at_once=relay.tls_at_once)
    try:
        credentials()
    except RelayError as error:  # known before there is any mail, so said before
        gate.close(str(error), error.kind)
    engine = open_engine(settings, "mailer")
    sender = RelayConnection(relay, credentials)
    delivery = Delivery(Outbox(engine), sender, gate, lambda: random.SystemRandom().uniform(-1, 1))
    sweeper = Sweeper(settings.session_file_dir, time.time)
    sweeping = Thread(target=sweeper.run, args=(stop,), name="sweeper", daemon=True)
    sweeping.start()  # beside the mail: a folder with many files must not hold it up
    Worker(engine, delivery, gate, Heartbeat().beat, lambda: datetime.now(UTC)).run(stop)
    sweeping.join()
    engine.dispose()


def relay_of(settings: Settings) -> Relay:
    """Return where the relay is and how it is verified."""
    return Relay(
        server=settings.mail_server,
        port=settings.mail_port,
        starttls=settings.mail_use_tls,
        tls_at_once=settings.mail_use_ssl,
        timeout_seconds=settings.mail_timeout,
        context=tls_context(settings.mail_ca_file),
    )


if __name__ == "__main__":
    sys.exit(main())
