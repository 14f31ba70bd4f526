import base64
import gzip
import hashlib
import re
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


def build(folder: Path, dest: Path, *options: str) -> None:
    script = str(ROOT / "web" / "assets" / "static_files.py")
    command = [sys.executable, "-I", "-S", script, "build", str(folder), str(dest), *options]
    subprocess.run(command, check=True)


def test_build_puts_a_compressed_file_beside_what_gets_smaller_by_it(
    folder: Path, tmp_path: Path
) -> None:
    sheet = b"body { margin: 0; }\n" * 100
    (folder / "large.css").write_bytes(sheet)
    (folder / "fonts" / "large.woff2").write_bytes(sheet)

    build(folder, tmp_path / "dest")

    (compressed,) = (tmp_path / "dest").rglob("*.gz")
    assert compressed.name.startswith("large.")
    assert compressed.name.endswith(".css.gz")
    assert gzip.decompress(compressed.read_bytes()) == sheet


def test_build_for_brotli_asks_the_command_of_that_name(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / "bin" / "brotli"
    command.parent.mkdir()
    command.write_text("#!/bin/sh\ncat >/dev/null\nprintf small\n", encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:/usr/bin:/bin")

    build(folder, tmp_path / "dest", "--brotli")

    (compressed,) = (tmp_path / "dest").rglob("*.br")
    assert compressed.read_bytes() == b"small"


def test_build_for_brotli_fails_without_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(subprocess.CalledProcessError):
        build(folder, tmp_path / "dest", "--brotli")


def test_two_builds_are_the_same_to_a_browser_that_asks_by_time(
    folder: Path, tmp_path: Path
) -> None:
    for dest in ("one", "two"):
        build(folder, tmp_path / dest)

    times = {path.stat().st_mtime for path in tmp_path.glob("[ot]*/*.css")}
    assert times == {946_684_800.0}


def test_web_tells_a_browser_that_has_the_file_so() -> None:
    client = an_app().test_client()
    path = f"/static/{StaticFiles(FOLDER).hashed_name('style.css')}"
    first = client.get(path, buffered=True)

    asks = [
        {"If-None-Match": first.headers["ETag"]},
        {"If-Modified-Since": first.headers["Last-Modified"]},
    ]
    told, by_time = [client.get(path, headers=asked, buffered=True) for asked in asks]

    assert (told.status_code, told.data) == (304, b"")
    assert by_time.status_code == 304
    assert told.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_edge_allows_the_style_of_its_own_page_and_no_other() -> None:
    page = (ROOT / "edge" / "pages" / "unavailable.html").read_text(encoding="utf-8")
    (style,) = re.findall(r"<style>(.*?)</style>", page, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    policy = (ROOT / "edge" / "nginx.conf").read_text(encoding="utf-8")

    assert f"style-src 'sha256-{digest}';" in policy
    assert "style=" not in page
