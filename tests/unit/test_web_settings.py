import re
from pathlib import Path

import pytest

from common.settings import ConfigError
from tests.conftest import ROOT
from tests.web_app import SECRET_KEY, some_settings
from web.settings import CONNECTIONS_OF_WEB, MOST_THREADS, Settings

PRODUCTION: dict[str, object] = {
    "app_env": "production",
    "database_url": "postgresql://web:secret@db/keelson?sslmode=verify-full",
    "base_url": "https://status.example.org",
    "cors_origins": "https://status.example.org",
}


def problems(**given: object) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        some_settings(**given)
    return str(raised.value).splitlines()


def test_development_needs_nothing_but_what_init_makes() -> None:
    settings = Settings.read(database_url="postgresql://web@db/keelson", secret_key=SECRET_KEY)

    assert (settings.base_url, settings.trusted_proxies) == ("http://localhost:8000", 1)
    assert (settings.web_workers, settings.web_threads) == (1, 8)
    assert (settings.session_type, settings.session_file_dir) == (
        "filesystem",
        Path("flask_session"),
    )
    assert settings.permanent_session_lifetime == 1800
    assert (settings.cache_type, settings.cache_default_timeout) == ("SimpleCache", 3600)
    assert settings.ratelimit_default == "200 per day;50 per hour"
    assert settings.cors_origins == ("*",)


def test_every_problem_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "SECRET_KEY": "short",
        "BASE_URL": "ftp://x",
        "TRUSTED_PROXIES": "many",
        "CORS_ORIGINS": "example.org",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ConfigError) as raised:
        Settings.read()

    named = [line.partition(":")[0] for line in str(raised.value).splitlines()]
    assert sorted(named) == sorted([*wrong, "DATABASE_URL"])


def test_secret_key_is_never_repeated() -> None:
    (problem,) = problems(secret_key="only-few-letters")

    assert problem.startswith("SECRET_KEY: has 16 characters; at least 32 are needed")
    assert "only-few-letters" not in problem


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        pytest.param("base_url", "localhost", "not an address", id="address without scheme"),
        pytest.param("base_url", "https://x.org/app", "more than a host", id="address with a path"),
        pytest.param("base_url", "https://x.org?", "more than a host", id="empty query"),
        pytest.param("base_url", "https://x.org#", "more than a host", id="empty fragment"),
        pytest.param("base_url", "https://x.\norg", "more than a host", id="line break in it"),
        pytest.param("base_url", "https://x.org ", "not a host", id="space after it"),
        pytest.param("base_url", "https://ho st", "not a host", id="space in the host"),
        pytest.param("base_url", "https://bücher.example", "punycode", id="other letters"),
        pytest.param("base_url", "https://x_y.org", "not a host", id="underscore"),
        pytest.param("base_url", "https://-x.org", "not a host", id="label begins with -"),
        pytest.param("base_url", "https://x..org", "not a host", id="empty label"),
        pytest.param("base_url", "https://[x.org]", "write https://HOST", id="name in brackets"),
        pytest.param("base_url", "https://192.168.1.256", "not a host", id="no such IP address"),
        pytest.param("base_url", "http://h:abc", "Port could not", id="port in letters"),
        pytest.param("base_url", "http://h:99999", "Port out of range", id="port too high"),
        pytest.param("base_url", "http://h:0", "not a port", id="port nobody can call"),
        pytest.param("base_url", "http://h:", "not a port", id="port left out"),
        pytest.param("base_url", "http://me:pw@host", "a user", id="address with a user"),
        pytest.param("base_url", "http://me:pw@host:99999", "Port out of range", id="several"),
        pytest.param("cors_origins", "https://x.org/", "not an origin", id="origin with a path"),
        pytest.param("cors_origins", "https://*.x.org", "not an origin", id="origin as a pattern"),
        pytest.param("cors_origins", "*,https://x.org", "stands for every", id="all and one"),
        pytest.param("ratelimit_default", "often", "not rate limits", id="limits in words"),
        pytest.param(
            "valkey_url", "valkeys://x?nonsense=1", "has nonsense after", id="unknown option"
        ),
        pytest.param(
            "ratelimit_storage_uri", "memcached://x", "write memory://", id="unknown store"
        ),
        pytest.param("mail_default_sender", "me", "not a sender", id="sender without host"),
        pytest.param("mail_default_sender", "a@x.org\nBcc: b@x.org", "control", id="header"),
        pytest.param("session_cookie_samesite", "None", "'Lax' or 'Strict'", id="open cookie"),
        pytest.param("trusted_proxies", "-1", "greater than or equal to 0", id="less than none"),
    ],
)
def test_wrong_value_is_refused_with_the_reason(name: str, value: str, reason: str) -> None:
    (problem,) = problems(**{name: value})

    assert problem.startswith(f"{name.upper()}: ")
    assert reason in problem


@pytest.mark.parametrize(
    ("written", "address"),
    [
        pytest.param("https://status.example.org", "https://status.example.org", id="plain"),
        pytest.param("HTTPS://Status.Example.org/", "https://status.example.org", id="as typed"),
        pytest.param("http://localhost:8000", "http://localhost:8000", id="with a port"),
        pytest.param("http://192.168.1.25", "http://192.168.1.25", id="IPv4"),
        pytest.param("http://[::1]:8000", "http://[::1]:8000", id="IPv6"),
        pytest.param("https://xn--bcher-kva.example", "https://xn--bcher-kva.example", id="IDN"),
    ],
)
def test_address_of_the_site_is_what_links_can_begin_with(written: str, address: str) -> None:
    assert some_settings(base_url=written).base_url == address


@pytest.mark.parametrize(
    "written",
    [
        "https://a.example.org,http://localhost:3000",
        " https://a.example.org ; http://localhost:3000;",
    ],
)
def test_lists_are_separated_by_commas_or_semicolons(written: str) -> None:
    settings = some_settings(cors_origins=written)

    assert settings.cors_origins == ("https://a.example.org", "http://localhost:3000")


@pytest.mark.parametrize("name", ["RATELIMIT_STORAGE_URI", "RATELIMIT_STORAGE_URL"])
def test_older_name_of_the_limits_store_is_not_ignored(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "elsewhere://")

    (problem,) = problems()

    assert problem.startswith("RATELIMIT_STORAGE_URI: ")


@pytest.mark.parametrize(
    ("given", "sender"),
    [
        pytest.param({"mail_default_sender": "Us <us@x.org>"}, "Us <us@x.org>", id="as set"),
        pytest.param({"mail_username": "me@gmail.com"}, "me@gmail.com", id="the account"),
        pytest.param({"mail_username": "apikey"}, "keelson@localhost", id="account is no address"),
        pytest.param({"base_url": "https://x.org:8443"}, "keelson@x.org", id="host of the site"),
    ],
)
def test_sender_is_derived_where_it_is_not_set(given: dict[str, object], sender: str) -> None:
    assert some_settings(**given).sender == sender


def test_several_processes_need_stores_that_they_share() -> None:
    cache, limits = problems(web_workers=2)

    assert cache.startswith("CACHE_TYPE: SimpleCache lives in one process")
    assert limits.startswith("RATELIMIT_STORAGE_URI: memory:// counts in one process")


def test_several_processes_may_do_without_such_stores() -> None:
    settings = some_settings(web_workers=2, cache_type="NullCache", ratelimit_enabled=False)

    assert settings.web_workers == 2


OWN_DATABASE = "postgresql://web@db/keelson"
STORES_OF_EACH = {"cache_type": "NullCache", "ratelimit_enabled": False}


def test_more_connections_than_the_database_gives_are_refused() -> None:
    (problem,) = problems(database_url=OWN_DATABASE, web_workers=4, **STORES_OF_EACH)

    assert problem == (
        "DB_POOL_SIZE: WEB_WORKERS x (DB_POOL_SIZE + DB_MAX_OVERFLOW) is 4 x (10 + 20) = 120"
        " connections, and the database has 90 for web; set DB_POOL_SIZE and DB_MAX_OVERFLOW to at"
        " most 22 together, or WEB_WORKERS to at most 3"
    )


def test_one_process_with_too_many_connections_is_told_of_its_pool_alone() -> None:
    (problem,) = problems(database_url=OWN_DATABASE, db_pool_size=71)

    assert problem.endswith("set DB_POOL_SIZE and DB_MAX_OVERFLOW to at most 90 together")


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"database_url": OWN_DATABASE, "db_pool_size": 70}, id="just as many"),
        pytest.param(
            {"database_url": "postgresql://web@db.example.org/keelson", "db_pool_size": 100},
            id="a database elsewhere, whose limit nobody knows here",
        ),
    ],
)
def test_connections_that_the_database_gives_are_accepted(given: dict[str, object]) -> None:
    assert some_settings(**given).db_pool_size == given["db_pool_size"]


def test_database_keeps_connections_for_the_other_parts() -> None:
    conf = (ROOT / "db" / "postgresql.conf").read_text(encoding="utf-8")
    numbers = dict(re.findall(r"^(\w+_connections) = (\d+)", conf, flags=re.MULTILINE))

    free = int(numbers["max_connections"]) - int(numbers["superuser_reserved_connections"])

    assert free - CONNECTIONS_OF_WEB >= 20


def test_production_accepts_what_is_safe() -> None:
    assert some_settings(**PRODUCTION).app_env == "production"


@pytest.mark.parametrize(
    "url", ["valkeys://u:p@v.example.org:6379/0?ssl_ca_certs=/ca.crt", "valkey://localhost:6379"]
)
def test_production_accepts_a_valkey_that_is_verified_or_on_this_machine(url: str) -> None:
    assert some_settings(**PRODUCTION, valkey_url=url).valkey_url


def test_more_threads_than_the_container_may_have_are_refused() -> None:
    (problem,) = problems(web_threads=109)

    assert problem == (
        "WEB_THREADS: WEB_WORKERS x (WEB_THREADS + 4) is 113 threads, and web's container has room"
        " for 112; set WEB_THREADS to at most 108"
    )
    assert some_settings(web_threads=108).web_threads == 108


def test_container_has_room_for_those_threads() -> None:
    web = (ROOT / "compose.yaml").read_text(encoding="utf-8").split("\n  web:\n")[1]

    assert int(re.findall(r"pids_limit: (\d+)", web)[0]) - MOST_THREADS >= 16


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("cors_origins", "*", id="API open to every site"),
        pytest.param("cors_origins", "http://app.example.org", id="origin without TLS"),
        pytest.param("base_url", "http://status.example.org", id="site without TLS"),
        pytest.param("database_url", "postgresql://web@db/keelson", id="server not verified"),
        pytest.param(
            "valkey_url", "valkey://u:p@valkey.example.org:6379", id="sessions in the clear"
        ),
        pytest.param("cache_redis_url", "redis://valkey.example.org", id="cache in the clear"),
        pytest.param("ratelimit_storage_uri", "redis://v.example.org", id="limits in the clear"),
        pytest.param(
            "valkey_url", "valkeys://v.example.org?ssl_cert_reqs=none", id="Valkey not verified"
        ),
        pytest.param(
            "valkey_url",
            "valkeys://v.example.org?ssl_check_hostname=false",
            id="or any of its name",
        ),
    ],
)
def test_production_refuses_what_is_unsafe(name: str, value: str) -> None:
    (problem,) = problems(**{**PRODUCTION, name: value})

    assert problem.startswith(f"{name.upper()}: ")
