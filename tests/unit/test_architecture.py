"""The import rule: down, never sideways, never up; and the environment is read in one place."""

import ast
import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

MAY_IMPORT: dict[str, set[str]] = {
    "common": set(),
    "web": {"common"},
    "mailer": {"common"},
    "backup": {"common"},
}
PURE = [
    "common/condition.py",
    "mailer/probing/meaning.py",
    "web/status/days.py",
    "mailer/operator/advice.py",
    "mailer/operator/preview.py",
    "mailer/operator/redaction.py",
    "mailer/delivery/disposition.py",
    "mailer/upkeep/expiry.py",
    "common/mail_explanation.py",
    "common/instants.py",
    "mailer/smtp/replies.py",
    "mailer/delivery/retry.py",
    "mailer/smtp/verdict.py",
    "backup/catalogue/retention.py",
    "backup/history/content.py",
    "backup/watching/alarm.py",
    "backup/watching/problems.py",
    "backup/watching/trend.py",
    "backup/stream/segments.py",
    "web/console/findings.py",
    "web/console/known.py",
    "web/console/spreadsheet.py",
    "web/console/statements.py",
    "web/plots/clock.py",
    "web/plots/drawing.py",
    "web/plots/numbers.py",
    "web/plots/plots.py",
    "web/plots/points.py",
    "web/plots/units.py",
]
FRAMEWORKS = {"flask", "flask_mail", "sqlalchemy", "psycopg2", "apscheduler", "structlog"}
ANOTHER_HOST = re.compile(r"https?://(?!localhost|127\.0\.0\.1|\$)")


def imported_packages(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = {alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names}
    froms = {n.module for n in nodes if isinstance(n, ast.ImportFrom) and n.module}
    return {name.partition(".")[0] for name in plain | froms}


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_package_imports_only_what_it_may(package: str) -> None:
    forbidden = MAY_IMPORT.keys() - MAY_IMPORT[package] - {package}

    assert sources(package)
    for path in sources(package):
        assert not imported_packages(path) & forbidden, f"{path} reaches into another service"


@pytest.mark.parametrize("package", sorted(MAY_IMPORT.keys() - {"common"}))
def test_image_holds_its_own_package_and_common_alone(package: str) -> None:
    dockerfile = (ROOT / package / "Dockerfile").read_text(encoding="utf-8")
    copied = set(re.findall(r"^COPY --chmod=755 (\w+)/ ", dockerfile, flags=re.MULTILINE))

    assert copied == {"common", package}


@pytest.mark.parametrize("path", sorted(ROOT.rglob("Dockerfile")), ids=lambda p: str(p.parent.name))
def test_what_is_copied_is_readable_whatever_the_umask_of_the_clone(path: Path) -> None:
    copies = re.findall(r"^COPY .*", path.read_text(encoding="utf-8"), flags=re.MULTILINE)

    assert all(copy.startswith(("COPY --chmod=755 ", "COPY --from=")) for copy in copies)


@pytest.mark.parametrize("path", PURE)
def test_pure_module_imports_no_framework_and_asks_no_clock(path: str) -> None:
    source = ROOT / path

    assert not imported_packages(source) & FRAMEWORKS
    assert "now(" not in source.read_text(encoding="utf-8")


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_only_a_composition_root_reads_the_environment(package: str) -> None:
    for path in sources(package):
        if path.name != "__main__.py":
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"os\.environ|os\.getenv|signal\.signal\(", text), path


def test_nothing_that_builds_names_a_host() -> None:
    for path in [*ROOT.glob("requirements/*"), *ROOT.glob("*/Dockerfile"), *ROOT.glob("scripts/*")]:
        assert not ANOTHER_HOST.search(path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize(
    "path", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda p: p.name
)
def test_every_requirement_is_pinned_with_a_hash(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")

    for line in filter(None, text.splitlines()):
        assert re.match(r"[\w.-]+(\[\w+\])?==\S+", line), line
        assert "--hash=sha256:" in line, line
