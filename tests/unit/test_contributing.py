"""How the tests are run, as CONTRIBUTING.md and pytest's own configuration say."""

import re
import tomllib

import pytest

from tests.conftest import ROOT

FOLDERS = sorted({path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")})
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_bare_pytest_runs_every_folder_but_the_long_one() -> None:
    bare = PYPROJECT["tool"]["pytest"]["ini_options"]["testpaths"]

    assert sorted(bare) == [f"tests/{folder}" for folder in FOLDERS if folder != "long"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_folder_of_tests_has_a_target_that_contributors_are_told_of(folder: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

    assert re.search(rf"^test-{folder}:", makefile, re.MULTILINE)
    assert f"`make test-{folder}`" in contributing
