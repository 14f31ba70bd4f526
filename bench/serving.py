"""A web in a container, as in the stack, that serves what is measured."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import docker
import requests
from sqlalchemy import text

from bench import load
from bench.ground import Ground
from bench.load import Answered, LoadError
from tests.images import image
from tests.integration.valkey import Valkey
from tests.ports import free_port
from tests.waiting import eventually
from web.accounts.passwords import make_hash

MEMORY, PIDS = "512m", 128  # as in compose.yaml
PORT = 8000
APPS = Path(__file__).parent / "apps.py"
EMAIL, PASSWORD = "ada@example.org", "a horse that measures"
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
HOST = "bench.example.org"
BEHIND_EDGE = {  # what edge tells web of each request
    "Host": HOST,
    "Referer": f"https://{HOST}/",
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Request-ID": "4f0c2a9e6f3b4d0c8d7e1a2b3c4d5e6f",
}
WARM_UP = 20  # requests
ROOMY = "1000000 per second;1000000000 per day"  # two, as by default; counted, and never met
SHARED = {
    "SESSION_TYPE": "valkey",
    "CACHE_TYPE": "RedisCache",
    "RATELIMIT_STORAGE_URI": "valkey://",
    "VALKEY_URL_FILE": "/run/keelson/web/valkey_url",
    "DB_POOL_SIZE": "5",
}


class Serving:
    """One server that runs."""

    def __init__(self, container: Any, network: str) -> None:
        self._container = container
        self._network = network
        container.reload()
        bound = container.attrs["NetworkSettings"]["Ports"][f"{PORT}/tcp"][0]
        self.url = f"http://127.0.0.1:{bound['HostPort']}"

    def answers(self) -> bool:
        """Return whether it serves requests yet."""
        with suppress(requests.ConnectionError):
            return requests.get(f"{self.url}/hello", timeout=5).status_code in {200, 404}
        return False

    def ask(self, path: str, cookies: str = "") -> Answered:
        """Warm the page up, then measure it."""
        headers = {**BEHIND_EDGE, **({"Cookie": cookies} if cookies else {})}
        for _ in range(WARM_UP):
            address = self.url + path
            answer = requests.get(address, headers=headers, timeout=30, allow_redirects=False)
            if answer.status_code != HTTPStatus.OK:
                message = f"{path} answers {answer.status_code}: {answer.text[:500]}"
                raise LoadError(message)
        return load.ask(self._network, f"http://{self._container.name}:{PORT}{path}", headers)

    def sign_in(self) -> str:
        """Sign somebody in, and return the cookies of their browser."""
        address = f"{self.url}/account/sign-in"
        page = requests.get(address, headers=BEHIND_EDGE, timeout=30)
        token = TOKEN.search(page.text)
        if token is None:
            raise LoadError(page.text)
        answer = requests.post(
            address,
            {"csrf_token": token[1], "email": EMAIL, "password": PASSWORD},
            headers={**BEHIND_EDGE, "Cookie": cookies_of(page)},
            timeout=30,
            allow_redirects=False,
        )
        if answer.status_code != HTTPStatus.SEE_OTHER:
            raise LoadError(answer.text)
        return cookies_of(answer)


def cookies_of(answer: requests.Response) -> str:
    """Return the cookies as a browser sends them back; requests would not, without TLS."""
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in answer.cookies if cookie.value)


class Site:
    """A database with one account, and a Valkey, for the servers that are measured."""

    def __init__(self, ground: Ground) -> None:
        self._database = ground.database
        self._docker = docker.from_env()

    def prepare(self) -> None:
        """Make the account."""
        with self._database.engine("owner").begin() as transaction:
            statement = "INSERT INTO accounts (email, password_hash) VALUES (:email, :hash)"
            transaction.execute(text(statement), {"email": EMAIL, "hash": make_hash(PASSWORD)})

    @contextmanager
    def serving(self, what: str, processes: int, **settings: str) -> Iterator[Serving]:
        """Serve it for as long as the block lasts."""
        shared = SHARED if processes > 1 else {}
        environment = {
            "APP_ENV": "production",
            "BASE_URL": f"https://{HOST}",
            "CORS_ORIGINS": f"https://{HOST}",
            "LOG_LEVEL": "INFO",
            "DATABASE_URL_FILE": "/run/keelson/web/database_url",
            "SECRET_KEY_FILE": "/run/keelson/web/secret_key",
            "SESSION_FILE_DIR": "/tmp/sessions",  # noqa: S108 in a container of its own
            "WEB_WORKERS": str(processes),
            "RATELIMIT_DEFAULT": ROOMY,
            "RATELIMIT_SIGNED_IN": ROOMY,
            "TRUSTED_PROXIES": "1",
            "PYTHONPATH": "/app",
            **shared,
            **settings,
        }
        container = self._docker.containers.create(
            image("web"),
            ["python", "/bench/apps.py", what],
            name=f"keelson-bench-{uuid.uuid4().hex[:8]}",
            network=self._database.network,
            environment=environment,
            ports={f"{PORT}/tcp": ("127.0.0.1", free_port())},
            volumes={
                **self._database.mounts("web", "ca"),
                str(APPS): {"bind": "/bench/apps.py", "mode": "ro"},
            },
            mem_limit=MEMORY,
            pids_limit=PIDS,
            read_only=True,
            cap_drop=["ALL"],
            init=True,
            tmpfs={"/tmp": "mode=1777,size=64m"},  # noqa: S108 likewise
        )
        try:
            container.start()
            server = Serving(container, self._database.network)
            eventually(server.answers, 60, "the server answers")
            yield server
        except AssertionError:
            print(container.logs().decode()[-3000:])
            raise
        finally:
            container.remove(force=True)


@contextmanager
def a_site(ground: Ground) -> Iterator[Site]:
    """Prepare one, with a Valkey beside the database."""
    site = Site(ground)
    site.prepare()
    with Valkey(ground.database).running() as valkey:
        network = docker.from_env().networks.get(ground.database.network)
        network.connect(valkey.server, aliases=["valkey"])
        yield site
