"""Static files under names that hold a hash of their content, so that they can be cached for ever.

    python -m web.assets.static_files build SOURCE DEST    copy SOURCE's files to DEST under such names
                                            --brotli       with a .br beside, as with the .gz

Needs nothing but the standard library, and for --brotli the command of that name: edge's image is built
with it, before there is a web.
"""

import argparse
import gzip
import hashlib
import os
import subprocess
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath

HASH_LENGTH = 10
# What a browser's font or picture formats hold is compressed already.
COMPRESSIBLE = {".css", ".js", ".mjs", ".json", ".map", ".svg", ".txt", ".xml", ".webmanifest"}
# nginx makes the ETag of time and size; so a name, which stands for its content, has one for ever.
BUILT_AT = 946_684_800  # 2000-01-01


class StaticFiles:
    """The files below a folder. They are read once, or on each use where they are being edited."""

    def __init__(self, folder: Path, *, edited: bool = False) -> None:
        self._folder = folder
        self._edited = edited

    def hashed_name(self, name: str) -> str:
        """Return the name to link to; a KeyError means that there is no such file."""
        return self._hashed_names[name]

    def find(self, hashed_name: str) -> Path | None:
        """Return the file behind a hashed name, or None where no file has this name and content."""
        for name, hashed in self._hashed_names.items():
            if hashed == hashed_name:
                return self._folder / name
        return None

    @property
    def _hashed_names(self) -> Mapping[str, str]:
        return hashed_names(self._folder) if self._edited else self._read_once

    @cached_property
    def _read_once(self) -> Mapping[str, str]:
        return hashed_names(self._folder)


def hashed_names(folder: Path) -> dict[str, str]:
    """Return each file's name, relative to the folder, with the name that holds its hash."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    return {name: with_hash(name, content) for name, content in names.items()}


def with_hash(name: str, content: bytes) -> str:
    """Return `style.css` as `style.0123456789.css`."""
    path = PurePosixPath(name)
    digest = hashlib.sha256(content).hexdigest()[:HASH_LENGTH]
    return str(path.with_name(f"{path.stem}.{digest}{path.suffix}"))


def build(source: Path, dest: Path, *, with_brotli: bool = False) -> None:
    """Copy every file of `source` to `dest` under its hashed name; safe to repeat."""
    for name, hashed in hashed_names(source).items():
        content = (source / name).read_bytes()
        target = dest / hashed
        target.parent.mkdir(parents=True, exist_ok=True)
        write(target, content)
        if target.suffix in COMPRESSIBLE:
            write_smaller(
                target.with_name(f"{target.name}.gz"), gzip.compress(content, 9, mtime=0), content
            )
            if with_brotli:
                write_smaller(target.with_name(f"{target.name}.br"), brotli(content), content)


def write_smaller(path: Path, compressed: bytes, content: bytes) -> None:
    """Write the compressed content, if that is what it is: a short text gets longer."""
    if len(compressed) < len(content):
        write(path, compressed)


def write(path: Path, content: bytes) -> None:
    """Write a file that has the same time in every build."""
    path.write_bytes(content)
    os.utime(path, (BUILT_AT, BUILT_AT))


def brotli(content: bytes) -> bytes:
    """Return the content as brotli makes it at its best."""
    command = ["brotli", "--best", "--stdout", "-"]
    done = subprocess.run(command, input=content, capture_output=True, check=True)  # noqa: S603 no word of it is anybody's
    return done.stdout


def main() -> None:
    """Run the command line that the module's docstring shows."""
    parser = argparse.ArgumentParser(description="Static files under hashed names.")
    commands = parser.add_subparsers(required=True)
    build_command = commands.add_parser("build", help="copy files under their hashed names")
    build_command.add_argument("source", type=Path)
    build_command.add_argument("dest", type=Path)
    build_command.add_argument("--brotli", action="store_true", help="also for brotli")
    given = parser.parse_args()
    if not given.source.is_dir():
        parser.error(f"{given.source} is not a folder")
    build(given.source, given.dest, with_brotli=given.brotli)


if __name__ == "__main__":
    main()
