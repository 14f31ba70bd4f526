"""A restic of our own: a shell script that takes note of each call, and answers as it is told."""

from pathlib import Path

from backup import processes

BEGIN = """#!/bin/bash
calls={calls}
arguments="$*"
echo "$arguments" >>"$calls"
said() {{ grep -c -- " $1 " "$calls"; }}
verb() {{ [[ " $arguments " == *" $1 "* ]]; }}
"""


class FakeRestic:
    """The script and its calls. In its lines `verb NAME` is true in a call of that verb, `said NAME` counts them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._calls = folder / "calls"
        self._script = folder / "restic"
        self.path = f"{folder}:{processes.PATH}"

    def does(self, lines: str) -> None:
        """Have it run these lines of bash from now on."""
        self._script.write_text(BEGIN.format(calls=self._calls) + lines, encoding="utf-8")
        self._script.chmod(0o700)

    def calls(self, verb: str) -> list[list[str]]:
        """Return the arguments of each call of this verb so far, from the verb on."""
        told = self._calls.read_text(encoding="utf-8") if self._calls.exists() else ""
        every = [line.split() for line in told.splitlines()]
        return [call[call.index(verb) :] for call in every if verb in call]
