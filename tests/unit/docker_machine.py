"""A machine whose Docker is a few lines of shell, as scripts/engine finds, installs and starts it."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.unit.machine import Machine

# This Docker's state is files: run/answers (the daemon does), run/compose (its version), run/buildx.
DOCKER = """
case $1 in
    info) [[ -e $ROOT/run/answers ]] ;;
    compose) cat "$ROOT/run/compose" ;;
    buildx) [[ -e $ROOT/run/buildx ]] ;;
    version) echo 20.10.24 ;;
esac
"""
DAEMON = """
echo $$ >"$ROOT/run/daemon"
touch "$ROOT/run/answers"
exec /bin/sleep 60
"""
GET_COMPOSE = 'echo 2.26.1-4 >"$ROOT/run/compose"; touch "$ROOT/run/buildx"'
APT_GET = f"""
case " $* " in
    *" install "*" docker.io "*) mv "$BIN/dockerd-to-be" "$BIN/dockerd" ;;
    *" install "*compose*) {GET_COMPOSE} ;;
    *" download "*) touch docker-compose.deb docker-buildx.deb ;;
esac
"""
ROUTE = "Iface Destination Gateway\neth1 0000A8C0 00000000\neth0 00000000 0101A8C0\n"


class DockerMachine(Machine):
    """A bare Debian 12, whose archive has what it takes."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        for made in ("run", "var/run", "var/log"):
            (self.root / made).mkdir(parents=True)
        self.write("etc/apt/sources.list", "deb http://mirror.example/debian bookworm main\n")
        self.write("proc/net/route", ROUTE)
        self.write("sys/class/net/eth0/mtu", "1500\n")
        self.program("docker", DOCKER)
        self.program("dockerd-to-be", DAEMON)
        self.program("apt-get", APT_GET)
        self.program("apt-cache", "exit 100")
        self.program("dpkg", GET_COMPOSE)
        self.program("sleep", "exec /bin/sleep 0.01")

    def install(self, compose: str = "2.26.1-4") -> None:
        """Install Docker, whose daemon does not run."""
        self.program("dockerd", DAEMON)
        self.write("run/compose", compose)
        self.write("run/buildx")

    @contextmanager
    def running(self, program: str) -> Iterator[int]:
        """Run a real process of that name until the block ends, and give its number."""
        self.program(program, "read -r _")
        with subprocess.Popen([self.path(program)], stdin=subprocess.PIPE) as process:
            yield process.pid
            process.communicate()

    def end_daemon(self) -> None:
        """End the daemon that the script started, if it did."""
        number = self.root / "run/daemon"
        if number.exists():
            os.kill(int(number.read_text(encoding="utf-8")), signal.SIGTERM)
