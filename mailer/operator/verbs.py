"""The operator's command line: the verbs, and what each can be told."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING

from mailer.operator import commands
from mailer.operator.commands import Answer, Means
from mailer.suppressions import EVERYTHING

if TYPE_CHECKING:
    from argparse import _SubParsersAction

STATES = ("queued", "sent", "unsure", "dead", "expired", "suppressed", "cancelled")
AGAIN = tuple(state for state in STATES if state != "sent")
BY_AN_OPERATOR = "an operator said so"

Verb = Callable[[Namespace, Means], Answer]


def add_parsers(verbs: "_SubParsersAction[ArgumentParser]") -> None:
    """Add the verbs to the command line; each sets `do`, which `run` needs, and `verb`."""

    def verb(name: str, do: Verb) -> ArgumentParser:
        parser = verbs.add_parser(name, help=do.__doc__, description=do.__doc__)
        parser.add_argument("--json", action="store_true", help="answer for programs")
        parser.set_defaults(do=do, verb=name)
        return parser

    verb("status", commands.status)
    for name, do in (("retry", commands.retry), ("cancel", commands.cancel)):
        parser = verb(name, do)
        parser.add_argument("ids", nargs="*", metavar="ID", help="its number, or its Message-ID")
        parser.add_argument("--kind", help="only, or all, of this kind")
        if do is commands.retry:
            parser.add_argument("--state", choices=AGAIN, help="all mail in this state")

    parser = verb("list", commands.show_list)
    parser.add_argument("--state", choices=STATES)
    parser.add_argument("--kind")
    parser.add_argument("--to", metavar="ADDRESS", help="an address, or a @domain")
    parser.add_argument("--limit", type=int, default=50, help="how many at most (50)")

    parser = verb("show", commands.show)
    parser.add_argument("id", metavar="ID", help="its number, or its Message-ID")
    parser.add_argument("--raw", action="store_true", help="print its bytes instead")

    parser = verb("pause", commands.pause)
    parser.add_argument("--kind", help="only mail of this kind")
    parser.add_argument("--reason", default=BY_AN_OPERATOR, help="for whoever wonders")
    verb("resume", commands.resume).add_argument("--kind", help="the pause of this kind")
    verb("probe", commands.probe)

    verb("suppressions", commands.show_suppressions)
    parser = verb("suppress", commands.suppress_address)
    parser.add_argument("address")
    parser.add_argument(
        "--scope", default=EVERYTHING, metavar="KIND", help="only mail of this kind"
    )
    parser.add_argument("--reason", default=BY_AN_OPERATOR, help="for whoever wonders")
    parser = verb("unsuppress", commands.unsuppress_address)
    parser.add_argument("address")
    parser.add_argument("--scope", metavar="KIND", help="only this entry")

    parser = verb("test", commands.test)
    parser.add_argument("address", help="who gets the mail")
    parser.add_argument(
        "--from", dest="sender", metavar="ADDRESS", help="MAIL_USERNAME if not given"
    )
