"""What web can be told."""

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr
from sqlalchemy.engine import make_url

import common.settings
from web.values import (
    ANY_ORIGIN,
    IN_MEMORY,
    BaseUrl,
    Limits,
    LimitStore,
    Origins,
    SecretKey,
    Sender,
    ValkeyUrl,
    is_verified,
)

# Of the 120 that db/postgresql.conf allows: the mailer, backups, migrate, an operator's psql and a
# second web that starts during a deploy need the rest.
CONNECTIONS_OF_WEB = 90
# Of the 128 of its pids_limit: docker's init, gunicorn's own process and a command by hand need some.
MOST_THREADS = 112
THREADS_BESIDE = 4  # of each process: its first, and those that wait for stores and write breaches
OWN_VALKEY = "valkey://"  # no host: the one at VALKEY_URL
OWN_VALKEY_FILE = "/run/keelson/web/valkey_url"
OWN_DATABASE = "db"  # its host in the stack; what one elsewhere allows, its operator knows


class Settings(common.settings.Settings):
    """The application, and each library that it builds on."""

    secret_key: SecretKey = Field(description="signs cookies and form tokens; made by init")
    registration: Literal["open", "invite", "closed"] = Field(
        "open",
        description="who may sign up: anyone, whom an operator invites, or nobody",
    )
    base_url: BaseUrl = Field(
        "http://localhost:8000",
        description="where people reach the site; the links in mails begin with it",
        examples=["https://status.example.org"],
    )
    trusted_proxies: int = Field(
        1,
        ge=0,
        le=10,
        description="proxies before web whose X-Forwarded-For is believed; edge is one",
    )
    web_workers: int = Field(
        1, ge=1, le=64, description="processes; more than one needs stores that they share"
    )
    web_threads: int = Field(
        8, ge=1, le=256, description="requests that each process answers at once"
    )

    mail_username: str | None = Field(
        None, description="the account at the relay; unset, mail waits in the outbox"
    )
    mail_default_sender: Sender | None = Field(
        None,
        description="who our mail is from; unset, MAIL_USERNAME, or keelson@ the host of BASE_URL",
        examples=["Status <status@example.org>"],
    )

    valkey_url: ValkeyUrl | None = Field(
        None,
        description="what several processes share; made by init for the stack's own (README of web)",
        examples=["valkeys://USER:PASSWORD@HOST:6379"],
    )

    session_type: Literal["filesystem", "valkey"] = Field(
        "filesystem", description="where sessions are kept; valkey is the one at VALKEY_URL"
    )
    session_file_dir: Path = Field(
        Path("flask_session"), description="the folder of the session files"
    )
    permanent_session_lifetime: int = Field(
        1800, ge=60, description="seconds after which a session that nobody uses ends"
    )
    session_absolute_lifetime: int = Field(
        43_200, ge=300, description="seconds after which even a session in use ends"
    )
    session_cookie_name: str = Field(
        "session",
        pattern=r"^[A-Za-z0-9_-]+$",
        description="the cookie that names the session; in production __Host- comes before it",
    )
    session_cookie_samesite: Literal["Lax", "Strict"] = Field(
        "Lax", description="Strict also hides the session from links on other sites"
    )

    cache_type: Literal["SimpleCache", "RedisCache", "NullCache"] = Field(
        "SimpleCache",
        description="SimpleCache keeps data in the process, RedisCache in Valkey, NullCache nowhere",
    )
    cache_redis_url: ValkeyUrl | None = Field(
        None, description="the Valkey of RedisCache; unset, VALKEY_URL"
    )
    cache_default_timeout: int = Field(
        3600, ge=1, description="seconds that data is kept where the code says nothing else"
    )

    ratelimit_enabled: bool = Field(True, description="limit how often an address may ask")
    ratelimit_storage_uri: LimitStore = Field(
        SecretStr("memory://"),
        validation_alias=AliasChoices("ratelimit_storage_uri", "ratelimit_storage_url"),
        description="where requests are counted: memory://, or valkey:// for the one at VALKEY_URL;"
        " RATELIMIT_STORAGE_URL, the older name, works too",
    )
    ratelimit_default: Limits = Field(
        "200 per day;50 per hour", description="what one address may ask of the whole site"
    )
    ratelimit_signed_in: Limits = Field(
        "5000 per day;1000 per hour", description="what one account may ask of the whole site"
    )

    cors_origins: Origins = Field(
        ANY_ORIGIN,
        description="sites whose scripts may read /api/, separated by commas; * is for development",
        examples=["https://app.example.org,https://example.org"],
    )
    cors_supports_credentials: bool = Field(
        True, description="whether those may send cookies; never with *"
    )

    edge_url: str = Field(
        "https://edge:8443",
        pattern=r"^https?://[^\s/@]+/?$",
        description="where edge answers inside, for the measurements of the status page",
    )
    edge_ca_file: Path | None = Field(
        None, description="the authority that signed its certificate; unset, the system's"
    )

    @property
    def host(self) -> str:
        """Return the host that people reach the site at."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def sender(self) -> str:
        """Return who our mail is from."""
        if self.mail_default_sender:
            return self.mail_default_sender
        if self.mail_username and "@" in self.mail_username:
            return self.mail_username
        return f"keelson@{self.host}"

    @property
    def cache_store(self) -> SecretStr | None:
        """Return where RedisCache keeps data."""
        return self.cache_redis_url or self.valkey_url

    @property
    def limit_store(self) -> SecretStr | None:
        """Return where requests are counted; None where it should be VALKEY_URL, and there is none."""
        uri = self.ratelimit_storage_uri
        return self.valkey_url if uri.get_secret_value() == OWN_VALKEY else uri

    def contradictions(self) -> list[str]:
        """Return a line for each pair of settings that cannot both stand."""
        return (
            super().contradictions()
            + self._too_many_connections()
            + self._too_many_threads()
            + self._stores_of_each()
            + self._stores_nowhere()
        )

    def _stores_nowhere(self) -> list[str]:
        """Return a line for each store that is to be Valkey, where none is named."""
        nowhere = {
            "SESSION_TYPE": self.session_type == "valkey" and not self.valkey_url,
            "CACHE_TYPE": self.cache_type == "RedisCache" and not self.cache_store,
            "RATELIMIT_STORAGE_URI": self.ratelimit_enabled and not self.limit_store,
        }
        return [
            f"{name}: it is to be kept in Valkey, and VALKEY_URL says not where; set VALKEY_URL, or "
            f"VALKEY_URL_FILE={OWN_VALKEY_FILE} for the stack's own"
            for name, problem in nowhere.items()
            if problem
        ]

    def _too_many_connections(self) -> list[str]:
        """Return a line if the pools could take more connections than the stack's database has."""
        processes, pool = self.web_workers, self.db_pool_size + self.db_max_overflow
        wanted = processes * pool
        host = make_url(self.database_url.get_secret_value()).host
        if host != OWN_DATABASE or wanted <= CONNECTIONS_OF_WEB:
            return []
        smaller = f"DB_POOL_SIZE and DB_MAX_OVERFLOW to at most {CONNECTIONS_OF_WEB // processes}"
        fewer = f", or WEB_WORKERS to at most {CONNECTIONS_OF_WEB // pool}"
        return [
            f"DB_POOL_SIZE: WEB_WORKERS x (DB_POOL_SIZE + DB_MAX_OVERFLOW) is {processes} x "
            f"({self.db_pool_size} + {self.db_max_overflow}) = {wanted} connections, and the "
            f"database has {CONNECTIONS_OF_WEB} for web; set {smaller} together"
            + (fewer if pool <= CONNECTIONS_OF_WEB else "")
        ]

    def _stores_of_each(self) -> list[str]:
        """Return a line for each store that several processes could not share."""
        problems: list[str] = []
        processes = self.web_workers
        if processes == 1:
            return problems
        if self.cache_type == "SimpleCache":
            problems.append(
                f"CACHE_TYPE: SimpleCache lives in one process, and WEB_WORKERS is {processes},"
                " so they would show different data; set WEB_WORKERS=1 (and more WEB_THREADS), or "
                "CACHE_TYPE=RedisCache"
            )
        if self.ratelimit_enabled and self.ratelimit_storage_uri.get_secret_value() == IN_MEMORY:
            problems.append(
                "RATELIMIT_STORAGE_URI: memory:// counts in one process, and WEB_WORKERS is "
                f"{processes}, so an address could ask {processes} times as often; set "
                "WEB_WORKERS=1 (and more WEB_THREADS), or RATELIMIT_STORAGE_URI=valkey://"
            )
        return problems

    def _unverified_stores(self) -> list[str]:
        """Return a line for each Valkey that others on the way could read, or stand in for."""
        stores = {
            "VALKEY_URL": self.valkey_url,
            "CACHE_REDIS_URL": self.cache_redis_url,
            "RATELIMIT_STORAGE_URI": self.ratelimit_storage_uri,
        }
        return [
            f"{name}: without TLS, or without a look at the certificate, so sessions could be read on "
            "the way; write valkeys://USER:PASSWORD@HOST:PORT?ssl_ca_certs=FILE"
            for name, url in stores.items()
            if url
            and url.get_secret_value() not in {IN_MEMORY, OWN_VALKEY}
            and not is_verified(url.get_secret_value())
        ]

    def _too_many_threads(self) -> list[str]:
        """Return a line if the threads could be more than web's container may have."""
        threads = self.web_workers * (self.web_threads + THREADS_BESIDE)
        if threads <= MOST_THREADS:
            return []
        most = max(1, MOST_THREADS // self.web_workers - THREADS_BESIDE)
        problem = (
            f"WEB_THREADS: WEB_WORKERS x (WEB_THREADS + {THREADS_BESIDE}) is {threads} threads, and "
            f"web's container has room for {MOST_THREADS}; set WEB_THREADS to at most {most}"
        )
        return [problem]

    def unsafe_in_production(self) -> list[str]:
        """Return a line for each setting that production refuses."""
        problems = super().unsafe_in_production()
        if not self.base_url.startswith("https://"):
            problems.append(
                f"BASE_URL: {self.base_url} is not https, so cookies and links in mails would "
                "travel in the clear; write https://HOST"
            )
        if self.cors_origins == ANY_ORIGIN:
            problems.append(
                "CORS_ORIGINS: * would let the scripts of every site read the API; write the exact "
                f"origins, or only this site's own, {self.base_url}"
            )
        problems += self._unverified_stores()
        problems += [
            f"CORS_ORIGINS: {origin} is not https; write https://HOST"
            for origin in self.cors_origins
            if origin.startswith("http://")
        ]
        return problems
