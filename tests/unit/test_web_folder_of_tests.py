"""The folder that the tests' applications keep sessions in."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.web_app import some_settings

SHOW = "from tests.web_app import some_settings; print(some_settings().session_file_dir)"


def test_each_process_has_its_own_and_leaves_nothing_behind() -> None:
    other = subprocess.run(
        [sys.executable, "-c", SHOW], cwd=ROOT, capture_output=True, text=True, check=True
    )

    theirs, ours = Path(other.stdout.strip()), some_settings().session_file_dir
    assert theirs != ours == some_settings().session_file_dir
    assert ours.stat().st_mode & 0o777 == 0o700
    assert not theirs.exists()
