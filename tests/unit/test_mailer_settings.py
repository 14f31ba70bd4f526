from pathlib import Path

import pytest

from common.settings import ConfigError
from mailer.settings import Settings
from tests.authority import another_authority

DATABASE = "postgresql://mailer:secret@db/keelson?sslmode=verify-full"


def problems(**given: object) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        Settings.read(database_url=DATABASE, **given)
    return str(raised.value).splitlines()


def test_gmail_over_starttls_is_the_default() -> None:
    settings = Settings.read(database_url=DATABASE)

    assert (settings.mail_server, settings.mail_port) == ("smtp.gmail.com", 587)
    assert settings.mail_use_tls
    assert not settings.mail_use_ssl


def test_account_may_be_missing() -> None:
    settings = Settings.read(database_url=DATABASE, app_env="production")

    assert settings.mail_username is None
    assert settings.mail_password is None


@pytest.mark.parametrize(
    ("given", "begins"),
    [
        pytest.param({"mail_port": 0}, "MAIL_PORT: ", id="no such port"),
        pytest.param({"mail_port": "smtp"}, "MAIL_PORT: ", id="a port is a number"),
        pytest.param({"mail_use_tls": "perhaps"}, "MAIL_USE_TLS: ", id="yes or no"),
        pytest.param({"mail_server": "mail host"}, "MAIL_SERVER: ", id="a host has no spaces"),
        pytest.param({"mail_timeout": 0}, "MAIL_TIMEOUT: ", id="no time at all"),
        pytest.param({"mail_timeout": 41}, "MAIL_TIMEOUT: ", id="longer than others wait for us"),
        pytest.param(
            {"mail_use_ssl": True}, "MAIL_USE_TLS and MAIL_USE_SSL are both true", id="both ways"
        ),
        pytest.param({"mail_username": "bob"}, "MAIL_PASSWORD: not set", id="no password"),
        pytest.param({"mail_password": "x"}, "MAIL_USERNAME: not set", id="no user"),
        pytest.param({"mail_ca_file": "/no/such"}, "MAIL_CA_FILE: cannot load", id="no such file"),
    ],
)
def test_wrong_setting_is_named(given: dict[str, object], begins: str) -> None:
    (problem,) = problems(**given)

    assert problem.startswith(begins)


def test_all_problems_are_reported_at_once() -> None:
    found = problems(mail_use_ssl=True, mail_username="bob", mail_ca_file="/no/such")

    assert len(found) == 3


def test_authority_that_is_none_is_refused(tmp_path: Path) -> None:
    garbage = tmp_path / "ca.crt"
    garbage.write_text("not a certificate", encoding="utf-8")

    (problem,) = problems(mail_ca_file=garbage)

    assert problem.startswith("MAIL_CA_FILE: cannot load")


def test_private_authority_is_taken(tmp_path: Path) -> None:
    authority = tmp_path / "ca.crt"
    authority.write_bytes(another_authority())

    assert Settings.read(database_url=DATABASE, mail_ca_file=authority).mail_ca_file == authority


def test_production_refuses_to_send_the_password_in_the_clear() -> None:
    (problem,) = problems(app_env="production", mail_use_tls=False)

    assert "set MAIL_USE_TLS=true" in problem


def test_no_problem_ever_shows_the_password() -> None:
    found = problems(mail_password="correct-horse", mail_port=0)

    assert "correct-horse" not in "\n".join(found)
