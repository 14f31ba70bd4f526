"""A mail server for a stack that has none: given as an operator does who sets MAIL_SERVER, and taken away again."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.stack.stack import Stack

START = ("up", "--detach", "--wait", "--no-deps")


@contextmanager
def mail_server(stack: Stack) -> Iterator[Stack]:
    """Give the stack a mail server that does what the tests tell it, and then take it away."""
    stack.files.append("compose.test.yaml")
    try:
        stack.compose(*START, "smtp", "mailer")
        yield stack
    finally:
        stack.files.remove("compose.test.yaml")
        stack.compose(*START, "mailer")
        for what in (["container", "smtp-1"], ["volume", "smtp-ca"]):
            remove(stack, *what)


def remove(stack: Stack, kind: str, name: str) -> None:
    """Remove what this stack's own files don't name. Compose would have a go at all the others, too."""
    separator = "-" if kind == "container" else "_"
    whole = f"{stack.project}{separator}{name}"
    subprocess.run(["docker", kind, "rm", "--force", whole], check=True, capture_output=True)
