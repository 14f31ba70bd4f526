"""Serve web: read the settings, wire the parts, run."""

import os
import sys
from argparse import ArgumentParser

from common import logs
from common.settings import ConfigError
from web.server import Server
from web.settings import Settings


def main() -> int:
    """Serve until told to stop; return the exit code."""
    parser = ArgumentParser(prog="python -m web", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only read the settings, then exit")
    arguments = parser.parse_args()
    try:
        settings = Settings.read()
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 logging is not set up yet
        return os.EX_CONFIG
    if arguments.check:
        return os.EX_OK
    logs.configure("web", settings.log_level)
    Server(settings).run()
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
