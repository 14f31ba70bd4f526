"""Where several processes keep their figures: each counts in files of its own, any adds up all."""

import shutil
from pathlib import Path
from tempfile import gettempdir

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # of the environment; read as prometheus_client is imported


def new_folder() -> str:
    """Return an empty folder for them; what processes before these left is removed."""
    folder = Path(gettempdir()) / "keelson-web-figures"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return str(folder)
