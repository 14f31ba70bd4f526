import re
import shlex
import subprocess
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from backup.catalogue.folder import Folder
from backup.repository import keys, locks
from backup.repository.restic import Repository
from backup.repository.targets import Target
from backup.restoring import kit, recipe
from backup.restoring.recipe import Facts, Place
from backup.settings import Settings
from tests.backup_manifests import NOON, a_manifest, some_settings

URL = "postgresql://keelson_backup:s3cret@db:5433/keelson"
FACTS = Facts(
    made_at=datetime(2026, 11, 22, 12, 0, tzinfo=UTC),
    password="0123456789abcdef",
    database="keelson",
    roles=["keelson_owner", "keelson_web", "postgres"],
    catalogue="/var/lib/keelson/backups/catalogue",
    versions={"PostgreSQL": "17.6", "restic": "0.18.0", "schema": "0005"},
)
S3 = Place(
    name="s3",
    kind="s3",
    location="s3:https://storage.example.org/it's ours",
    key_id="cafe",
    environment={"AWS_SECRET_ACCESS_KEY": "a b'c$d"},
    files={"ca.pem": "-----BEGIN CERTIFICATE-----\n"},
    options=("--cacert=$PWD/ca.pem",),
)


def test_the_kit_says_what_it_opens_and_with_what() -> None:
    text = recipe.write(FACTS, [S3])

    assert "with PostgreSQL 17.6, restic 0.18.0, schema 0005" in text
    assert "| s3 | `s3:https://storage.example.org/it's ours` | `cafe` |" in text
    assert "for role in keelson_owner keelson_web; do" in text


def test_every_block_is_a_shell_s() -> None:
    blocks = re.findall(r"```bash\n(.*?)```", recipe.write(FACTS, [S3]), flags=re.DOTALL)

    assert len(blocks) == 6
    for block in blocks:
        checked = subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True)  # noqa: PLW1510 the shell of the path
        assert checked.returncode == 0, checked.stderr


def test_what_is_secret_comes_through_the_shell_unchanged(tmp_path: Path) -> None:
    blocks = re.findall(r"```bash\n(.*?)```", recipe.write(FACTS, [S3]), flags=re.DOTALL)
    typed = f'{blocks[1]}{blocks[2]}\nprintf %s "$AWS_SECRET_ACCESS_KEY|$RESTIC_REPOSITORY|$(<key)"'

    said = subprocess.run(
        ["/bin/bash", "-euc", typed],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
    ).stdout.decode()

    assert said == "a b'c$d|s3:https://storage.example.org/it's ours|0123456789abcdef"
    assert (tmp_path / "keelson-recovery/key").stat().st_mode & 0o777 == 0o600


def test_a_kit_and_its_parts_show_no_secret_when_they_are_logged() -> None:
    shown = repr(FACTS) + repr(S3)

    assert "0123456789abcdef" not in shown
    assert "a b'c$d" not in shown


@pytest.mark.parametrize(
    ("target", "files", "option"),
    [
        pytest.param(Target("local", "local", "/backups/repository"), set(), "", id="local"),
        pytest.param(
            Target("sftp", "sftp", "sftp://u@h:22/f"),
            {"sftp_key", "sftp_known_hosts"},
            "StrictHostKeyChecking=yes",
            id="sftp",
        ),
        pytest.param(
            Target("rest", "rest", "rest:https://h/"), {"ca.pem"}, "--cacert=", id="private CA"
        ),
    ],
)
def test_each_kind_of_target_brings_the_files_that_it_takes(
    target: Target, files: set[str], option: str, tmp_path: Path
) -> None:
    authority = tmp_path / "ca.crt"
    authority.write_text("-----BEGIN CERTIFICATE-----\n", encoding="utf-8")
    settings = Settings.read(
        database_url=URL,
        backup_repository_key="key",
        backup_ca_file=authority,
        backup_sftp_key="private",
        backup_sftp_known_hosts="h ssh-ed25519 AAAA",
    )

    place = kit.place_of(target, "cafe", settings)

    assert set(place.files) == files
    assert option in " ".join(place.options)
    assert shlex.quote(place.location) == place.location


class FakeRepository(Repository):
    """A repository in which nobody asks anything of a program."""

    def __init__(self, name: str) -> None:
        super().__init__(Target(name, "local", f"/{name}"), "key", None)


def test_a_target_that_is_busy_is_left_out_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path)
    folder.save(a_manifest())
    both, told = [FakeRepository("local"), FakeRepository("sftp")], list[str]()
    monkeypatch.setattr(keys, "add_for_kit", lambda *_: "cafe")
    monkeypatch.setattr(keys, "retire", lambda *_: 1)
    monkeypatch.setattr(locks, "shared", partial(locks.shared, wait_seconds=0))
    monkeypatch.setattr(locks, "exclusive", partial(locks.exclusive, wait_seconds=0))
    with locks.exclusive(folder, "sftp"):
        _, made = kit.make(both, folder, some_settings(), {}, NOON, told.append)
        ended = kit.retire_others(both, folder, {"local": "a", "sftp": "b"}, told.append)

    assert (made, ended) == ({"local": "cafe"}, 1)
    assert [text.split(":")[0] for text in told] == ["target sftp", "target sftp"]
