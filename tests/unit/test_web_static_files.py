import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.web_app import an_app
from web.assets.serving import FOLDER
from web.assets.static_files import StaticFiles

BODY = b"body {}"
HASH = "62368a1a29"  # how its SHA-256 begins


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "source" / "fonts").mkdir(parents=True)
    (tmp_path / "source" / "style.css").write_bytes(BODY)
    (tmp_path / "source" / "fonts" / "a.woff2").write_bytes(b"font")
    return tmp_path / "source"


def test_name_holds_the_hash_of_the_content(folder: Path) -> None:
    files = StaticFiles(folder)

    assert files.hashed_name("style.css") == f"style.{HASH}.css"
    assert files.find(f"style.{HASH}.css") == folder / "style.css"


@pytest.mark.parametrize("name", ["style.css", "style.0000000000.css", "../style.css", ""])
def test_no_other_name_finds_the_file(folder: Path, name: str) -> None:
    assert StaticFiles(folder).find(name) is None


def test_edited_file_gets_its_new_name_at_once(folder: Path) -> None:
    files = StaticFiles(folder, edited=True)
    before = files.hashed_name("style.css")

    (folder / "style.css").write_bytes(b"body { margin: 0 }")

    assert files.hashed_name("style.css") != before
    assert files.find(before) is None


def test_files_that_nobody_edits_are_read_once(folder: Path) -> None:
    files = StaticFiles(folder)
    before = files.hashed_name("style.css")

    (folder / "style.css").unlink()

    assert files.hashed_name("style.css") == before


def test_build_needs_no_library_and_may_be_repeated(folder: Path, tmp_path: Path) -> None:
    dest = tmp_path / "dest"
    script = str(ROOT / "web" / "assets" / "static_files.py")

    for _ in range(2):
        command = [sys.executable, "-I", "-S", script, "build", str(folder), str(dest)]
        subprocess.run(command, check=True)

    built = {path.relative_to(dest).as_posix(): path.read_bytes() for path in dest.rglob("*.*")}
    assert built == {f"style.{HASH}.css": BODY, "fonts/a.795ea3efa4.woff2": b"font"}


def test_build_refuses_a_folder_that_is_not_there(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "web.assets.static_files", "build", str(tmp_path / "no"), "x"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert f"{tmp_path}/no is not a folder" in done.stderr


def test_page_links_a_file_that_may_be_kept_for_ever() -> None:
    client = an_app().test_client()
    name = StaticFiles(FOLDER).hashed_name("style.css")

    page = client.get("/subscribe")
    style = client.get(f"/static/{name}")

    assert f'href="/static/{name}"' in page.text
    assert style.status_code == 200
    assert style.mimetype == "text/css"
    assert style.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    style.close()


def test_name_with_a_wrong_hash_is_not_found() -> None:
    answer = an_app().test_client().get("/static/style.0000000000.css")

    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"
