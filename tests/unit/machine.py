"""A machine that scripts may change: a folder for its root, and programs that are a line of shell."""

import shutil
import subprocess
from pathlib import Path

from tests.conftest import ROOT

# What is on PATH from this machine itself; nothing else is, least of all its Docker.
TOOLS = (
    *("awk", "bash", "cat", "chmod", "cmp", "cp", "dirname", "grep", "mkdir", "mktemp", "mv", "rm"),
    *("sed", "setsid", "sleep", "sort", "tail", "tar", "timeout", "touch"),
)


class Machine:
    """Root on Debian 12 with nothing installed, unless told otherwise."""

    def __init__(self, folder: Path) -> None:
        self.root, self.temporary = folder / "root", folder / "tmp"
        self._programs, self._calls = folder / "bin", folder / "calls"
        for made in (self.root, self.temporary, self._programs):
            made.mkdir()
        self._calls.touch()
        for tool in TOOLS:
            (self._programs / tool).symlink_to(shutil.which(tool) or f"/missing/{tool}")
        self.write("etc/os-release", "ID=debian\nVERSION_CODENAME=bookworm\n")
        self.program("id", "echo 0")

    def write(self, path: str, text: str = "") -> Path:
        """Write a file below the machine's root."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def program(self, name: str, body: str = "") -> None:
        """Install a program: it notes how it was called, then does `body`, which sees $ROOT and $BIN."""
        file = self._programs / name
        file.unlink(missing_ok=True)  # never through a tool's link
        file.write_text(
            f"#!{shutil.which('bash')}\nROOT={self.root} BIN={self._programs}\n"
            f'echo "${{0##*/}} $*" >>{self._calls}\n{body}\n',
            encoding="utf-8",
        )
        file.chmod(0o755)

    def run(
        self, script: str, *words: str, folder: Path = ROOT, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a script of the checkout in `folder` on this machine."""
        given = {
            **environment,
            "PATH": str(self._programs),
            "TMPDIR": str(self.temporary),
            "KEELSON_ROOT": str(self.root),
        }
        return subprocess.run(
            [folder / "scripts" / script, *words],
            env=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    def calls(self, *programs: str) -> list[str]:
        """Return how these programs were called, in order."""
        lines = self._calls.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if line.partition(" ")[0] in programs]

    def path(self, program: str) -> Path:
        """Return where a program of this machine is."""
        return self._programs / program


def installed(output: list[str]) -> list[str]:
    """Return the packages that these calls of apt-get installed."""
    words = [word for line in output if " install " in line for word in line.split()[2:]]
    return [word for word in words if not word.startswith("-")]
