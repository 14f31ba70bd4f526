import os
import subprocess
import sys

from tests.conftest import ROOT
from tests.web_app import SECRET_KEY


def test_wrong_settings_are_listed_and_end_it_with_78() -> None:
    environment = {
        "PATH": os.defpath,
        "SECRET_KEY": SECRET_KEY,
        "SECRET_KEY_FILE": "/nonexistent",
        "WEB_THREADS": "none",
    }

    done = subprocess.run(
        [sys.executable, "-m", "web"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 78
    named = [line.partition(":")[0] for line in done.stderr.splitlines()]
    assert sorted(named) == ["DATABASE_URL", "SECRET_KEY", "WEB_THREADS"]
    assert SECRET_KEY not in done.stderr
    assert done.stdout == ""
