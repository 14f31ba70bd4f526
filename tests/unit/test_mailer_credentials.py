from pathlib import Path

import pytest

from mailer.settings import Settings
from mailer.smtp.account import Account
from mailer.smtp.credentials import Credentials
from mailer.smtp.errors import DeliveryError, Scope, Stage
from mailer.smtp.secret_files import secret_files
from mailer.smtp.tls import tls_context

DATABASE = "postgresql://mailer:secret@db/keelson?sslmode=verify-full"
BOB = {"mail_username": "bob", "mail_password": "old"}


def an_account(files: dict[str, Path] | None = None, **given: object) -> Account:
    settings = Settings.read(database_url=DATABASE, **given)
    return Account(settings, files or {}, tls_context(None))


def password_of(account: Account) -> str:
    credentials = account()
    assert isinstance(credentials, Credentials)
    return credentials.password.get_secret_value()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that holds the password."""
    path = tmp_path / "mail_password"
    path.write_text("old\n", encoding="utf-8")
    return path


def test_account_of_the_settings_is_used() -> None:
    account = an_account(mail_username="bob", mail_password="horse")

    credentials = account()

    assert isinstance(credentials, Credentials)
    assert credentials.username == "bob"
    assert credentials.password.get_secret_value() == "horse"


@pytest.mark.parametrize(
    ("auth", "advice"),
    [
        ("password", "set MAIL_USERNAME and MAIL_PASSWORD_FILE"),
        ("xoauth2", "set MAIL_USERNAME, MAIL_OAUTH_CLIENT_ID.* as MAIL_AUTH is xoauth2"),
    ],
)
def test_missing_account_says_what_to_set(auth: str, advice: str) -> None:
    with pytest.raises(DeliveryError, match=advice) as raised:
        an_account(mail_auth=auth)()

    assert raised.value.stage is Stage.CREDENTIALS
    assert raised.value.scope is Scope.ACCOUNT
    assert raised.value.cause == "credentials"


def test_relay_without_logins_needs_no_account() -> None:
    assert an_account(mail_auth="none")() is None


def test_changed_password_file_is_taken_over(file: Path) -> None:
    account = an_account({"mail_password": file}, **BOB)

    file.write_text("new\n", encoding="utf-8")

    assert password_of(account) == "new"


def test_vanished_password_file_is_trouble_and_not_the_end(file: Path) -> None:
    account = an_account({"mail_password": file}, **BOB)

    file.unlink()

    with pytest.raises(DeliveryError, match="MAIL_PASSWORD_FILE: cannot read") as raised:
        account()
    assert raised.value.cause == "credentials"


def test_fingerprint_tells_when_a_file_changed_vanished_or_came_back(file: Path) -> None:
    account = an_account({"mail_password": file}, **BOB)
    seen = [account.fingerprint()]

    file.write_text("new\n", encoding="utf-8")
    seen.append(account.fingerprint())
    file.unlink()
    seen.append(account.fingerprint())
    file.write_text("old\n", encoding="utf-8")

    assert len(set(seen)) == 3
    assert account.fingerprint() == seen[0]


def test_fingerprint_stays_while_nothing_changes_and_says_nothing_of_the_password(
    file: Path,
) -> None:
    account, other = (an_account({"mail_password": file}, **BOB) for _ in range(2))

    assert account.fingerprint() == account.fingerprint()
    assert account.fingerprint() != other.fingerprint()


def test_files_of_secrets_are_those_that_the_environment_names() -> None:
    environment = {
        "MAIL_PASSWORD_FILE": "/run/a",
        "MAIL_OAUTH_REFRESH_TOKEN_FILE": "/run/b",
        "MAIL_OAUTH_CLIENT_SECRET_FILE": "",
        "DATABASE_URL_FILE": "/run/c",
    }

    assert secret_files(environment) == {
        "mail_password": Path("/run/a"),
        "mail_oauth_refresh_token": Path("/run/b"),
    }


def test_credentials_never_show_the_password() -> None:
    account = an_account(mail_username="bob", mail_password="horse")

    assert "horse" not in repr(account())
