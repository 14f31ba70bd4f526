"""A stack of the tests' own, under its own project name, with its own ports and volumes."""

import json
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import requests
from testcontainers.compose import DockerCompose

from tests.conftest import ROOT
from tests.images import TAG
from tests.ports import free_port
from tests.waiting import eventually

ONE_SHOT = ("init", "migrate")
LONG_RUNNING = ("db", "web", "mailer", "backup", "edge")


class Stack:
    """The running stack, as a person at a browser and an operator at a shell have it."""

    def __init__(
        self,
        folder: Path,
        files: list[str],
        source: Path = ROOT,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.http_port, self.https_port, self._smtp_port = free_port(), free_port(), free_port()
        self.project = f"keelson-test-{uuid.uuid4().hex[:8]}"
        self.files = files
        self.source = source
        self._env_file = folder / "stack.env"
        self.set(**(settings or {}))

    def set(self, **settings: str) -> None:
        """Write the settings that the next start reads, as an operator edits .env."""
        values = {
            "COMPOSE_PROJECT_NAME": self.project,
            "IMAGE_TAG": TAG,  # as scripts/images builds them: a running stack keeps its own
            "HTTP_PORT": self.http_port,
            "HTTPS_PORT": self.https_port,
            "SMTP_CONTROL_PORT": self._smtp_port,
            "RATELIMIT_DEFAULT": "1000000 per day",  # the tests are one address
            **settings,
        }
        text = "".join(f"{name}={value}\n" for name, value in values.items())
        self._env_file.write_text(text, encoding="utf-8")

    @contextmanager
    def running(self) -> Iterator["Stack"]:
        """Start everything and wait until it is well; remove it afterwards, volumes and all."""
        named = json.loads(self.compose("config", "--format", "json"))["name"]
        assert named == self.project, f"this is {named}, which is somebody else's stack"
        compose = DockerCompose(
            context=self.source,
            compose_file_name=self.files,
            env_file=str(self._env_file),
            wait=True,
        )
        try:
            compose.start()
            yield self
        except subprocess.CalledProcessError as error:
            message = (
                f"the stack did not start:\n{error.stderr.decode()[-2000:]}\n{self.logs()[-4000:]}"
            )
            raise AssertionError(message) from error
        finally:
            self.compose("--profile", "*", "down", "--volumes", check=False)

    @property
    def command(self) -> list[str]:
        """Return `docker compose` with what makes it this stack's."""
        files = [word for file in self.files for word in ("--file", file)]
        return ["docker", "compose", "--ansi=never", "--env-file", str(self._env_file), *files]

    @property
    def url(self) -> str:
        """Return where a browser finds the stack."""
        return f"http://localhost:{self.http_port}"

    @property
    def secure_url(self) -> str:
        """Return the same over HTTPS."""
        return f"https://localhost:{self.https_port}"

    def get(self, path: str, **given: Any) -> requests.Response:
        """Ask the edge for a page."""
        return requests.get(self.url + path, timeout=30, **given)

    def compose(self, *words: str, check: bool = True, input_text: str | None = None) -> str:
        """Run `docker compose` on this stack and return what it printed on standard output."""
        done = self.try_compose(*words, input_text=input_text)
        if check and done.returncode:
            message = f"docker compose {' '.join(words)} ended with {done.returncode}: {done.stderr}{done.stdout}"
            raise AssertionError(message)
        return done.stdout

    def try_compose(
        self, *words: str, input_text: str | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run `docker compose` on this stack and return how it ended."""
        command = [*self.command, *words]
        return subprocess.run(
            command,
            cwd=self.source,
            input=input_text or "",
            text=True,
            capture_output=True,
            check=False,
        )

    def sql(self, statement: str) -> str:
        """Run a statement as the superuser and return its rows, one a line, columns parted by |."""
        return self.compose(
            "exec", "-T", "db", "psql", "--host=/run/postgresql", "--username=postgres",
            "--no-psqlrc", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1",
            f"--command={statement}", "keelson",
        ).strip()  # fmt: skip

    def logs(self, *services: str) -> str:
        """Return the logs so far, of these services or of all."""
        return "".join(self._log(service) for service in services or (*ONE_SHOT, *LONG_RUNNING))

    def _log(self, service: str) -> str:
        # Not `compose logs`: that one writes control characters into the lines.
        identity = self.compose("ps", "--all", "--quiet", service, check=False).strip()
        if not identity:
            return ""
        command = ["docker", "logs", identity]
        done = subprocess.run(command, text=True, capture_output=True, check=False)
        return done.stdout + done.stderr

    def log_events(self, service: str) -> list[dict[str, Any]]:
        """Return the JSON lines that a service has logged."""
        lines = self.logs(service).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def inspect(self, service: str) -> dict[str, Any]:
        """Return what the engine knows of a service's container."""
        identity = self.compose("--profile", "*", "ps", "--all", "--quiet", service).strip()
        done = subprocess.run(["docker", "inspect", identity], capture_output=True, check=True)
        return cast("dict[str, Any]", json.loads(done.stdout)[0])

    def healthy(self, service: str) -> bool:
        """Return whether the engine calls a service healthy."""
        state = self.inspect(service)["State"]
        return bool(state["Running"] and state["Health"]["Status"] == "healthy")

    def wait_until_well(self) -> None:
        """Return when every part is healthy and the page answers."""
        for service in LONG_RUNNING:
            eventually(lambda service=service: self.healthy(service), 90, f"{service} is healthy")  # type: ignore[misc]  # mypy cannot type a default in a lambda
        eventually(lambda: self.get("/").ok, 30, "the page answers")

    def mail(self) -> list[dict[str, Any]]:
        """Return what the mail server has received."""
        answer = requests.get(f"http://127.0.0.1:{self._smtp_port}/messages", timeout=10)
        return cast("list[dict[str, Any]]", answer.json())

    def mail_to(self, recipient: str) -> list[dict[str, Any]]:
        """Return what the mail server has received for one recipient."""
        return [mail for mail in self.mail() if mail["recipients"] == [recipient]]

    def smtp_behaves(self, **replies: str) -> None:
        """Make the mail server answer these stages with these replies; with none it is well again."""
        url = f"http://127.0.0.1:{self._smtp_port}/behaviour"
        answer = (
            requests.put(url, json=replies, timeout=10)
            if replies
            else requests.delete(url, timeout=10)
        )
        answer.raise_for_status()

    def forget_mail(self) -> None:
        """Empty the mail server's memory."""
        requests.delete(
            f"http://127.0.0.1:{self._smtp_port}/messages", timeout=10
        ).raise_for_status()
