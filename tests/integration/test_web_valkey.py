"""The stack's own Valkey: who may do what in it, and what it keeps."""

from typing import Any

import pytest
from redis import Redis
from redis.exceptions import (
    AuthenticationError,
    ConnectionError,  # noqa: A004 the library's name for it
    NoPermissionError,
    ResponseError,
)

from tests.integration.valkey import Valkey


def elsewhere(valkey: Valkey, **changes: object) -> Redis:
    """Return a client that differs from web's in this."""
    ours = valkey.client.connection_pool.connection_kwargs
    names = ("host", "port", "username", "password", "ssl_ca_certs")
    given: dict[str, Any] = {**{name: ours[name] for name in names}, **changes}
    return Redis(ssl=True, **given)


def test_web_may_read_write_and_count(valkey: Valkey) -> None:
    client = valkey.client

    client.set("key", "value", ex=60)
    counted = client.eval("return redis.call('incr', KEYS[1])", 1, "count")

    assert (client.get("key"), counted) == (b"value", 1)


@pytest.mark.parametrize(
    "command",
    [
        "FLUSHALL",
        "FLUSHDB",
        "KEYS *",
        "CONFIG GET *",
        "CONFIG SET maxmemory 1",
        "ACL LIST",
        "ACL SETUSER default on",
        "SHUTDOWN",
        "MONITOR",
        "CLIENT KILL TYPE normal",
        "CLIENT LIST",
        "REPLICAOF 203.0.113.9 6379",
        "SCRIPT FLUSH",
        "FUNCTION FLUSH",
        "MODULE LIST",
        "BGREWRITEAOF",
        "SWAPDB 0 1",
    ],
)
def test_web_may_do_nothing_that_harms_others(valkey: Valkey, command: str) -> None:
    with pytest.raises(NoPermissionError):
        valkey.client.execute_command(*command.split())  # type: ignore[no-untyped-call] # the library's


def test_script_may_do_no_more_than_its_user(valkey: Valkey) -> None:
    with pytest.raises(ResponseError, match="no permissions"):
        valkey.client.eval("return redis.call('flushall')", 0)


@pytest.mark.parametrize(
    ("user", "password"),
    [(None, None), ("default", ""), ("web", "a guess"), ("nobody", "a guess")],
)
def test_nobody_else_gets_in(valkey: Valkey, user: str | None, password: str | None) -> None:
    with pytest.raises(AuthenticationError):
        elsewhere(valkey, username=user, password=password).ping()


def test_without_tls_it_does_not_answer(valkey: Valkey) -> None:
    plain = Redis(host="localhost", port=valkey.port, socket_timeout=2)

    with pytest.raises(ConnectionError):
        plain.ping()


def test_its_certificate_is_for_its_own_name_alone(valkey: Valkey) -> None:
    assert elsewhere(valkey, host="127.0.0.1").ping()

    with pytest.raises(ConnectionError, match="mismatch"):
        elsewhere(valkey, host="127.0.0.2").ping()


def test_what_it_keeps_survives_a_restart(valkey: Valkey) -> None:
    valkey.client.set("session:a", "somebody", ex=600)
    with valkey.client.pipeline(transaction=True) as together:
        together.set("a", "1")
        together.set("b", "2")
        together.execute()
    script = "redis.call('rpush', KEYS[1], 'x') redis.call('expire', KEYS[1], 600)"
    valkey.client.eval(script, 1, "counts")

    valkey.stop()
    valkey.start()

    assert valkey.client.get("session:a") == b"somebody"
    assert 590 < valkey.client.ttl("session:a") <= 600
    assert valkey.client.mget("a", "b") == [b"1", b"2"]
    assert valkey.client.lrange("counts", 0, -1) == [b"x"]


def test_what_was_written_before_it_was_killed_is_there(valkey: Valkey) -> None:
    valkey.client.set("session:a", "somebody")
    valkey.server.kill()
    valkey.start()

    assert valkey.client.get("session:a") == b"somebody"


def test_full_it_refuses_and_evicts_nothing(valkey: Valkey) -> None:
    valkey.client.set("session:a", "somebody", ex=600)

    valkey.fill()

    with pytest.raises(ResponseError, match="used memory > 'maxmemory'"):
        valkey.client.set("session:b", "somebody else", ex=600)
    assert valkey.client.get("session:a") == b"somebody"


def test_it_is_healthy_and_says_what_is_wrong_when_it_is_not(valkey: Valkey) -> None:
    well = valkey.server.exec_run("healthy")
    wrong = valkey.server.exec_run(["bash", "-c", "valkey-cli() { echo LOADING; }; . healthy"])

    assert (well.exit_code, well.output) == (0, b"")
    assert (wrong.exit_code, wrong.output) == (1, b"valkey: LOADING\n")


def test_it_runs_as_its_own_user(valkey: Valkey) -> None:
    assert valkey.server.exec_run("id -u").output == b"10007\n"
