"""Serve web: read the settings, wire the parts, run."""

import os
import sys
from argparse import ArgumentParser

from sqlalchemy.exc import DBAPIError

from common import logs
from common.database import reason_of
from common.settings import ConfigError
from web.operation import shared_figures
from web.settings import Settings


def main() -> int:
    """Serve until told to stop; return the exit code."""
    parser = ArgumentParser(prog="python -m web", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only read the settings, then exit")
    parser.add_argument(
        "command",
        nargs="?",
        choices=["operator-link"],
        help="print the link that makes the first operator, instead of serving",
    )
    arguments = parser.parse_args()
    try:
        settings = Settings.read()
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 logging is not set up yet
        return os.EX_CONFIG
    if arguments.check:
        return os.EX_OK
    if arguments.command == "operator-link":
        return tell_operator_link(settings)
    logs.configure("web", settings.log_level)
    serve(settings)
    return os.EX_OK


def serve(settings: Settings, *address: str) -> None:
    """Serve until told to stop, at the usual address or at another."""
    if settings.web_workers > 1:
        os.environ[shared_figures.VARIABLE] = shared_figures.new_folder()
    from web.accounts import announcement  # noqa: PLC0415 they bring what counts in processes, or in one
    from web.app import create_app  # noqa: PLC0415 likewise
    from web.operation import figures  # noqa: PLC0415 likewise
    from web.server import Server  # noqa: PLC0415 likewise

    announcement.announce(create_app(settings))
    figures.forget(os.getpid())  # from here on, its workers alone have connections
    Server(settings, *address).run()


def tell_operator_link(settings: Settings) -> int:
    """Print the link that makes the first operator, or why there is none; return the exit code."""
    from web.accounts import announcement  # noqa: PLC0415 serving imports it late, and so does this
    from web.app import create_app  # noqa: PLC0415 likewise

    try:
        link = announcement.link(create_app(settings))
    except DBAPIError as error:
        sys.stderr.write(f"the database is away: {reason_of(error)}\n")
        return os.EX_UNAVAILABLE
    if link:
        sys.stdout.write(f"{link}\n")
    else:
        sys.stderr.write("There is an operator already, who makes others under /console/people.\n")
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
