"""The history goes to a git server over HTTPS: with a token, over a connection that is verified."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from backup.catalogue.folder import Folder
from backup.history import history
from backup.settings import Settings
from tests.backup_manifests import a_manifest, some_settings
from tests.peers.git_https import TOKEN, GitHttps, running_git_https
from tests.stack.smtp.certificates import make_certificate

SCHEMA = "CREATE TABLE people (id int);\n"
FIRST = "proven 20261122-120000: the schema changed, 1 tables, 3 rows"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "volume").mkdir()
    return Folder(tmp_path / "volume")


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    make_certificate(tmp_path, "localhost")
    return tmp_path / "ca.crt"


@pytest.fixture
def server(tmp_path: Path, authority: Path) -> Iterator[GitHttps]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.with_name("server.crt"), authority.with_name("server.key"))
    with running_git_https(tmp_path, context) as running:
        yield running


def settings_for(server: GitHttps, authority: Path | None, token: str = TOKEN) -> Settings:
    return some_settings(
        backup_git_remote=server.address,
        backup_git_token=SecretStr(token),
        backup_ca_file=authority,
    )


def test_each_backup_is_pushed_with_the_token(
    server: GitHttps, folder: Folder, authority: Path
) -> None:
    history.record(folder, SCHEMA, a_manifest(), settings_for(server, authority))

    assert server.log() == [FIRST]
    assert history.state(folder).trouble is None


def trouble_with(settings: Settings, folder: Folder) -> str:
    history.record(folder, SCHEMA, a_manifest(), settings)
    return history.state(folder).trouble or ""


def test_a_wrong_token_is_told_and_not_shown(
    server: GitHttps, folder: Folder, authority: Path
) -> None:
    trouble = trouble_with(settings_for(server, authority, "an0ther"), folder)

    assert "check BACKUP_GIT_REMOTE and its key or token" in trouble
    assert "an0ther" not in trouble


def test_a_server_that_proves_nothing_is_not_given_the_token(
    server: GitHttps, folder: Folder
) -> None:
    trouble = trouble_with(settings_for(server, None), folder)

    assert "certificate" in trouble
    assert server.tokens == []
