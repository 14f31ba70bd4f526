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
        pytest.param({"mail_timeout": 301}, "MAIL_TIMEOUT: ", id="longer than RFC 5321 asks"),
        pytest.param({"mail_end_timeout": 0}, "MAIL_END_TIMEOUT: ", id="no time at the end"),
        pytest.param({"mail_connections": 0}, "MAIL_CONNECTIONS: ", id="no connection"),
        pytest.param({"mail_connections": 21}, "MAIL_CONNECTIONS: ", id="a crowd"),
        pytest.param({"mail_daily_quota": -1}, "MAIL_DAILY_QUOTA: ", id="less than no quota"),
        pytest.param({"mail_auth": "cram-md5"}, "MAIL_AUTH: ", id="no way that we know"),
        pytest.param(
            {"mail_oauth_token_url": "file:///etc/passwd"}, "MAIL_OAUTH_TOKEN_URL: ", id="no URL"
        ),
        pytest.param(
            {"mail_auth": "none", "mail_username": "bob"},
            "MAIL_USERNAME: set, but MAIL_AUTH=none has no use for it",
            id="a user nobody asks for",
        ),
        pytest.param(
            {"mail_auth": "none", "mail_password": "x"},
            "MAIL_PASSWORD: set, but MAIL_AUTH=none",
            id="a password nobody asks for",
        ),
        pytest.param(
            {"mail_auth": "xoauth2", "mail_password": "x"},
            "MAIL_PASSWORD: set, but MAIL_AUTH=xoauth2",
            id="a password beside a token",
        ),
        pytest.param(
            {"mail_oauth_client_id": "us"},
            "MAIL_OAUTH_CLIENT_ID: set, but MAIL_AUTH=password",
            id="a token beside a password",
        ),
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


def test_all_that_xoauth2_lacks_is_reported_at_once() -> None:
    found = problems(mail_auth="xoauth2", mail_oauth_client_id="us")

    assert {problem.partition(":")[0] for problem in found} == {
        "MAIL_USERNAME",
        "MAIL_OAUTH_CLIENT_SECRET",
        "MAIL_OAUTH_REFRESH_TOKEN",
    }


@pytest.mark.parametrize("auth", ["password", "xoauth2", "none"])
def test_account_may_be_missing_whatever_the_way_of_logging_in(auth: str) -> None:
    assert Settings.read(database_url=DATABASE, mail_auth=auth).mail_auth == auth


@pytest.mark.parametrize(
    ("given", "connections", "quota"),
    [
        pytest.param({}, 2, 2000, id="Gmail"),
        pytest.param({"mail_server": "SMTP.gmail.com"}, 2, 2000, id="Gmail, in capitals"),
        pytest.param(
            {"mail_username": "Bob@Gmail.com", "mail_password": "x"}, 2, 500, id="private account"
        ),
        pytest.param(
            {"mail_username": "bob@googlemail.com", "mail_password": "x"}, 2, 500, id="older name"
        ),
        pytest.param({"mail_server": "relay.example.org"}, 4, 0, id="another relay"),
        pytest.param({"mail_connections": 7, "mail_daily_quota": 9}, 7, 9, id="as told"),
        pytest.param({"mail_daily_quota": 0}, 2, 0, id="no quota, though it is Gmail"),
    ],
)
def test_limits_fit_the_relay(given: dict[str, object], connections: int, quota: int) -> None:
    settings = Settings.read(database_url=DATABASE, **given)

    assert (settings.connections, settings.daily_quota) == (connections, quota)


def test_end_of_a_mail_is_waited_for_as_long_as_the_rfc_asks() -> None:
    assert Settings.read(database_url=DATABASE).mail_end_timeout == 600


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


def test_production_refuses_to_send_tokens_in_the_clear() -> None:
    (problem,) = problems(app_env="production", mail_oauth_token_url="http://tokens.test/")

    assert problem.startswith("MAIL_OAUTH_TOKEN_URL: not https")


def test_no_problem_ever_shows_the_password() -> None:
    found = problems(mail_password="correct-horse", mail_port=0)

    assert "correct-horse" not in "\n".join(found)
