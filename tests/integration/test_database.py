"""What the database promises: verified TLS only, and the least that each role needs."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError, ProgrammingError

import web.models  # noqa: F401 it puts web's tables on the shared metadata
from common.outbox import Handling, Letter, enqueue
from common.schema import HEAD, metadata
from tests.authority import another_authority
from tests.integration.postgres import Database

# The protocol's own first message, which asks for TLS.
SSL_REQUEST = bytes.fromhex("0000000804d2162f")


def connect(database: Database, part: str, **query: str) -> Engine:
    url = make_url(database.url(part))
    return create_engine(url.set(query={**dict(url.query), **query}))


def rejection(engine: Engine, statement: str) -> str:
    with pytest.raises(ProgrammingError) as raised, engine.connect() as connection:
        connection.execute(text(statement))
    return str(raised.value.orig)


def test_plaintext_connection_is_refused(database: Database) -> None:
    engine = connect(database, "web", sslmode="disable")

    with pytest.raises(OperationalError, match=r"no pg_hba\.conf entry .* no encryption"):
        engine.connect()


def test_client_that_trusts_another_authority_refuses_the_server(
    database: Database, tmp_path: Path
) -> None:
    other = tmp_path / "other.crt"
    other.write_bytes(another_authority())
    engine = connect(database, "web", sslrootcert=str(other))

    with pytest.raises(OperationalError, match="certificate verify failed"):
        engine.connect()


def test_client_that_asked_for_another_name_refuses_the_server(database: Database) -> None:
    url = make_url(database.url("web")).set(host="localhost.localdomain", drivername="postgresql")
    query = {**dict(url.query), "hostaddr": "127.0.0.1"}

    with pytest.raises(psycopg2.OperationalError, match="does not match host name"):
        psycopg2.connect(url.set(query=query).render_as_string(hide_password=False))


@pytest.mark.filterwarnings(
    "ignore:ssl.TLSVersion:DeprecationWarning"
)  # asking for it is the point
def test_tls_below_1_2_is_refused(database: Database) -> None:
    context = ssl.create_default_context(cafile=str(database.ca_file))
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")  # or this side would refuse, and prove nothing

    with socket.create_connection(("localhost", database.port), timeout=10) as plain:
        plain.sendall(SSL_REQUEST)
        willing = plain.recv(1)
        with pytest.raises(ssl.SSLError, match="alert protocol version"):
            context.wrap_socket(plain, server_hostname="localhost")

    assert willing == b"S"


def test_passwords_are_kept_as_scram_verifiers(database: Database) -> None:
    with database.engine("backup").connect() as connection:
        kept = connection.scalars(
            text("SELECT left(rolpassword, 13) FROM pg_authid WHERE rolname LIKE 'keelson%'")
        ).all()

    assert kept == ["SCRAM-SHA-256"] * 4


def test_data_checksums_are_on(database: Database) -> None:
    with database.engine("web").connect() as connection:
        assert connection.scalar(text("SHOW data_checksums")) == "on"


def test_no_statement_is_compiled(database: Database) -> None:
    with database.engine("web").connect() as connection:
        assert connection.scalar(text("SHOW jit")) == "off"


def test_mailer_cannot_read_accounts(database: Database) -> None:
    said = rejection(database.engine("mailer"), "SELECT * FROM accounts")

    assert "permission denied for table accounts" in said


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO subscribers (email) VALUES ('a@example.org')",
        "UPDATE outbox SET state = 'sent'",
        "DELETE FROM accounts",
        "TRUNCATE subscribers",
        "CREATE TABLE mine (id int)",
    ],
)
def test_backup_cannot_write_what_is_the_applications(database: Database, statement: str) -> None:
    said = rejection(database.engine("backup"), statement)

    assert "permission denied" in said or "must be owner" in said


@pytest.mark.parametrize("part", ["web", "mailer", "backup"])
@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE mine (id int)", "CREATE ROLE more", "CREATE DATABASE more", "DROP TABLE outbox"],
)
def test_no_service_may_change_the_schema(database: Database, part: str, statement: str) -> None:
    engine = database.engine(part).execution_options(isolation_level="AUTOCOMMIT")

    said = rejection(engine, statement)

    assert "permission denied" in said or "must be owner" in said


def test_web_cannot_change_mail_that_it_has_queued(database: Database) -> None:
    said = rejection(database.engine("web"), "UPDATE outbox SET recipient = 'x@example.org'")

    assert "permission denied for table outbox" in said


@pytest.fixture(scope="module")
def production(database: Database) -> Iterator[Database]:
    """The same database, migrated as production does it."""
    database.migrate("production")
    yield database
    database.migrate("development")


def test_web_cannot_read_in_production_what_mail_says(production: Database) -> None:
    said = rejection(production.engine("web"), "SELECT content FROM mail_bodies")

    assert "permission denied for table mail_bodies" in said


@pytest.mark.parametrize("table", ["outbox", "mail_bodies"])
def test_web_cannot_remove_mail_in_production(production: Database, table: str) -> None:
    said = rejection(production.engine("web"), f"DELETE FROM {table}")

    assert f"permission denied for table {table}" in said


def test_web_queues_mail_in_production_though_it_cannot_read_it(production: Database) -> None:
    with production.engine("web").begin() as transaction:
        queued = enqueue(
            transaction,
            Handling(kind="code"),
            sender="us@example.org",
            subject="Your code",
            content=b"\r\n123456\r\n",
            letters=[Letter("you@example.net", "<1@example.org>")],
        )

    assert queued == 1


def test_migrated_schema_is_the_one_that_the_code_declares(database: Database) -> None:
    with database.engine("owner").connect() as connection:
        context = MigrationContext.configure(connection)
        differences = compare_metadata(context, metadata)
        revision = context.get_current_revision()

    assert differences == []
    assert revision == HEAD
