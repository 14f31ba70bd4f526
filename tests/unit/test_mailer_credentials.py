from pathlib import Path

import pytest

from mailer.credentials import credentials_source
from mailer.errors import RelayError, Stage
from mailer.settings import Settings

DATABASE = "postgresql://mailer:secret@db/keelson?sslmode=verify-full"


def some_settings(**given: object) -> Settings:
    return Settings.read(database_url=DATABASE, **given)


def test_account_of_the_settings_is_used() -> None:
    source = credentials_source(some_settings(mail_username="bob", mail_password="horse"), None)

    assert source().username == "bob"
    assert source().password.get_secret_value() == "horse"


def test_missing_account_says_what_to_set() -> None:
    source = credentials_source(some_settings(), None)

    with pytest.raises(RelayError, match="set MAIL_USERNAME and MAIL_PASSWORD_FILE") as raised:
        source()
    assert raised.value.stage is Stage.CREDENTIALS


def test_changed_password_file_is_taken_over(tmp_path: Path) -> None:
    file = tmp_path / "mail_password"
    file.write_text("old\n", encoding="utf-8")
    source = credentials_source(some_settings(mail_username="bob", mail_password="old"), file)

    file.write_text("new\n", encoding="utf-8")

    assert source().password.get_secret_value() == "new"


def test_vanished_password_file_is_trouble_and_not_the_end(tmp_path: Path) -> None:
    file = tmp_path / "mail_password"
    source = credentials_source(some_settings(mail_username="bob", mail_password="old"), file)

    with pytest.raises(RelayError, match="MAIL_PASSWORD_FILE: cannot read"):
        source()


def test_credentials_never_show_the_password() -> None:
    source = credentials_source(some_settings(mail_username="bob", mail_password="horse"), None)

    assert "horse" not in repr(source())
