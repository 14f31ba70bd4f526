"""`make dev`: what a developer saves is running within seconds, in containers as hardened as ever."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.stack.stack import Stack
from tests.waiting import eventually

SECONDS = 20  # to notice, restart and answer, on a busy machine


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that runs the code of a working copy of the tests' own."""
    copy = tmp_path_factory.mktemp("copy")
    for folder in ("common", "web", "mailer", "backup"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ROOT.glob("compose*.yaml"):
        shutil.copy(file, copy)
    readable_by_all(copy)
    files = ["compose.yaml", "compose.dev.yaml"]
    with Stack(tmp_path_factory.mktemp("dev"), files, source=copy).running() as running:
        running.wait_until_well()
        yield running


def readable_by_all(folder: Path) -> None:
    """Open the copy, and the folders above it, which pytest keeps for its own user."""
    subprocess.run(["chmod", "--recursive", "a+rX", folder], check=True)
    for parent in folder.parents[:2]:
        parent.chmod(0o755)


def edit(file: Path, pattern: str, replacement: str) -> None:
    text = file.read_text(encoding="utf-8")
    changed = re.sub(pattern, replacement, text, count=1)
    assert changed != text
    file.write_text(changed, encoding="utf-8")


def test_a_changed_page_is_served(dev: Stack) -> None:
    edit(dev.source / "web/templates/status.html", "Hear of it first", "Edited just now")

    eventually(lambda: "Edited just now" in dev.get("/").text, SECONDS, "the page changed")


def test_changed_code_of_web_is_run(dev: Stack) -> None:
    edit(dev.source / "web/operation/health.py", r'Response\("ok', 'Response("edited')

    eventually(lambda: "edited" in dev.get("/healthz").text, SECONDS, "web runs the new code")


def test_a_changed_style_sheet_gets_a_new_name_and_is_served(dev: Stack) -> None:
    file = dev.source / "web/static/style.css"
    file.write_text(file.read_text(encoding="utf-8") + "\n/* edited */\n", encoding="utf-8")

    def served() -> bool:
        (link,) = re.findall(r'"(/static/style\.[^"]+)"', dev.get("/").text)
        return "/* edited */" in dev.get(link).text

    eventually(served, SECONDS, "the style sheet changed")


@pytest.mark.parametrize("service", ["mailer", "backup"])
def test_changed_code_of_a_worker_is_run(dev: Stack, service: str) -> None:
    main = dev.source / service / "__main__.py"
    edit(main, r"(?m)^def main\(", 'print("edited just now")\n\n\ndef main(')

    eventually(
        lambda: "edited just now" in dev.logs(service), SECONDS, f"{service} runs the new code"
    )


@pytest.mark.parametrize("service", ["web", "mailer", "backup"])
def test_a_change_of_common_restarts_everybody(dev: Stack, service: str) -> None:
    edit(
        dev.source / "common/logs.py",
        r'event\["service"\] = .*',
        f'event["service"] = "{service}-edited"',
    )

    eventually(
        lambda: f'"service": "{service}-edited"' in dev.logs(service),
        SECONDS,
        f"{service} restarted",
    )


@pytest.mark.parametrize("service", ["web", "mailer", "backup"])
def test_development_containers_are_hardened_too(dev: Stack, service: str) -> None:
    config = dev.inspect(service)["HostConfig"]

    assert config["ReadonlyRootfs"] is True
    assert config["CapDrop"] == ["ALL"]


@pytest.mark.parametrize("service", ["web", "mailer", "backup"])
def test_wrong_settings_end_a_development_container_too(service: str) -> None:
    command = ["docker", "run", "--rm", "--network=none", f"keelson-{service}-dev:test"]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 78
    assert "DATABASE_URL: not set" in done.stderr
