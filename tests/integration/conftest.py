"""A real PostgreSQL for every integration test, empty at the start of each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.delivery import gates
from mailer.smtp.relay import Relay
from tests.integration.backups import Backups, backups_of
from tests.integration.mailers import Mailer
from tests.integration.postgres import Database
from tests.integration.restores import Restores, restores_of
from tests.integration.smtp_server import a_relay, running_server
from tests.integration.valkey import Valkey
from tests.stack.smtp.certificates import Certificate, make_certificate
from tests.stack.smtp.server import SmtpServer

QUICK = {"server": (0.3,), "login": (0.3,), "credentials": (0.3,), "quota": (0.5,)}
# To truncate a table makes new files for it and its indexes; most tests use few of the tables.
EMPTY_WHAT_WAS_USED = """
    DO $$
    DECLARE
        one regclass;
        has_rows boolean;
        used text;
    BEGIN
        FOR one IN
            SELECT format('public.%I', tablename) FROM pg_tables
             WHERE schemaname = 'public' AND tablename <> 'alembic_version'
        LOOP
            EXECUTE 'SELECT EXISTS (SELECT FROM ' || one || ')' INTO has_rows;
            used := CASE WHEN has_rows THEN concat_ws(', ', used, one) ELSE used END;
        END LOOP;
        IF used IS NOT NULL THEN
            EXECUTE 'TRUNCATE ' || used || ' CASCADE';
        END IF;
        PERFORM setval(format('%I.%I', schemaname, sequencename), start_value, false)
           FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL;
    END $$
""".replace("%", "%%")  # the driver would put values there


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The project's own database image, migrated, with TLS and the four roles."""
    with Database(tmp_path_factory.mktemp("database")).running() as running:
        yield running


@pytest.fixture(scope="session")
def running_valkey(database: Database) -> Iterator[Valkey]:
    """The project's own Valkey image, with TLS and its one user."""
    with Valkey(database).running() as running:
        yield running


@pytest.fixture
def valkey(running_valkey: Valkey) -> Valkey:
    """A Valkey that is empty."""
    running_valkey.empty()
    return running_valkey


@pytest.fixture(autouse=True)
def clean_tables(database: Database) -> None:
    """Empty all tables, so that no test sees another's rows."""
    with database.engine("owner").begin() as connection:
        connection.exec_driver_sql(EMPTY_WHAT_WAS_USED)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for the name by which the tests reach the mail server."""
    return make_certificate(tmp_path_factory.mktemp("certificate"), "localhost")


@pytest.fixture
def server(certificate: Certificate) -> Iterator[SmtpServer]:
    """A mail server that is well."""
    with running_server(certificate) as running:
        yield running


@pytest.fixture
def relay(server: SmtpServer, certificate: Certificate) -> Relay:
    """How to reach it."""
    return a_relay(server, certificate.authority)


@pytest.fixture
def mailer(database: Database, relay: Relay, tmp_path: Path) -> Mailer:
    """A mailer that uses it, not yet running."""
    return Mailer(database, relay, tmp_path / "journals")


@pytest.fixture
def quick_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for a minute."""
    monkeypatch.setattr(gates, "PAUSES", QUICK)


@pytest.fixture
def backups(database: Database) -> Iterator[Backups]:
    with backups_of(database) as running:
        yield running


@pytest.fixture
def restores(backups: Backups) -> Iterator[Restores]:
    with restores_of(backups) as one_shot:
        yield one_shot
