"""What the engine says of the running containers; the file may promise anything."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.stack.stack import LONG_RUNNING, ONE_SHOT, Stack

ON_REQUEST = ("restore", "valkey")  # each with a profile of its name
ALL = (*ONE_SHOT, *LONG_RUNNING, *ON_REQUEST)
STOP_SECONDS = {"web": 40, "edge": 40, "db": 60, "mailer": 60, "backup": 60, "valkey": 30}
NETWORKS = {
    "init": {"none"},
    "db": {"data"},
    "migrate": {"data"},
    "web": {"back", "data"},
    "mailer": {"data", "out"},
    "backup": {"data", "out"},
    "edge": {"front", "back"},
    "restore": {"data", "out"},
    "valkey": {"data"},
}
SECRETS = {
    "db": {"db"},
    "migrate": {"owner", "ca"},
    "web": {"web", "ca"},
    "mailer": {"mailer", "ca"},
    "backup": {"backup", "ca"},
    "edge": {"edge"},
    "restore": {"owner", "ca", "backup"},
    "valkey": {"valkey"},
}


@pytest.fixture(scope="module", autouse=True)
def on_request(stack: Stack) -> Iterator[None]:
    """Create the parts that only exist when they are asked for, without starting them."""
    for part in ON_REQUEST:
        stack.compose("--profile", part, "create", "--no-recreate", part)
    yield
    for part in ON_REQUEST:
        stack.compose("--profile", part, "rm", "--force", part)


def host_config(stack: Stack, service: str) -> dict[str, Any]:
    config: dict[str, Any] = stack.inspect(service)["HostConfig"]
    return config


@pytest.mark.parametrize("service", ALL)
def test_no_container_runs_as_root(stack: Stack, service: str) -> None:
    user = stack.inspect(service)["Config"]["User"]

    assert int(user.partition(":")[0]) >= 10000


@pytest.mark.parametrize("service", LONG_RUNNING)
def test_no_process_in_it_is_roots_either(stack: Stack, service: str) -> None:
    uids = stack.compose(
        "exec", "-T", service, "bash", "-c", "stat -c %u /proc/[0-9]* 2>/dev/null; true"
    ).split()

    assert uids
    assert all(int(uid) >= 10000 for uid in uids)


@pytest.mark.parametrize("service", ALL)
def test_the_root_filesystem_is_read_only(stack: Stack, service: str) -> None:
    assert host_config(stack, service)["ReadonlyRootfs"] is True


@pytest.mark.parametrize("service", ALL)
def test_no_capability_is_left_and_none_can_be_gained(stack: Stack, service: str) -> None:
    config = host_config(stack, service)

    assert config["CapDrop"] == ["ALL"]
    assert not config["CapAdd"]
    assert config["SecurityOpt"] == ["no-new-privileges:true"]
    assert config["Privileged"] is False


@pytest.mark.parametrize("service", LONG_RUNNING)
def test_the_kernel_agrees_that_no_capability_is_left(stack: Stack, service: str) -> None:
    status = stack.compose("exec", "-T", service, "cat", "/proc/1/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)

    assert {fields[name] for name in ("CapEff", "CapPrm", "CapBnd")} == {"0" * 16}
    assert fields["NoNewPrivs"].strip() == "1"


@pytest.mark.parametrize("service", ALL)
def test_memory_and_processes_are_limited(stack: Stack, service: str) -> None:
    config = host_config(stack, service)

    assert 0 < config["Memory"] <= 1 << 30
    assert 0 < config["PidsLimit"] <= 256


@pytest.mark.parametrize("service", ALL)
def test_each_is_on_its_networks_and_no_other(stack: Stack, service: str) -> None:
    joined = stack.inspect(service)["NetworkSettings"]["Networks"]

    assert {name.removeprefix(f"{stack.project}_") for name in joined} == NETWORKS[service]


@pytest.mark.parametrize(("service", "reaches"), [("mailer", True), ("web", False), ("db", False)])
def test_nothing_beyond_its_networks_can_be_reached(
    stack: Stack, service: str, *, reaches: bool
) -> None:
    networks = stack.inspect("smtp")["NetworkSettings"]["Networks"]
    address = networks[f"{stack.project}_out"]["IPAddress"]

    done = stack.try_compose(
        "exec", "-T", service, "timeout", "3", "bash", "-c", f"exec 3<>/dev/tcp/{address}/587"
    )

    assert (done.returncode == 0) is reaches


@pytest.mark.parametrize("service", SECRETS)
def test_each_sees_its_own_secrets_read_only_and_no_others(stack: Stack, service: str) -> None:
    mounts = [
        mount
        for mount in stack.inspect(service)["Mounts"]
        if mount["Destination"].startswith("/run/keelson")
    ]

    assert {mount["Destination"].rpartition("/")[2] for mount in mounts} == SECRETS[service]
    assert not any(mount["RW"] for mount in mounts)


@pytest.mark.parametrize("service", LONG_RUNNING)
def test_no_secret_is_in_the_environment(stack: Stack, service: str) -> None:
    environment = stack.inspect(service)["Config"]["Env"]
    allowed = {"MAIL_PASSWORD"}  # the tests' mail server's; an operator gives a file

    secret = [
        name
        for name, _, value in (entry.partition("=") for entry in environment)
        if value and ("PASSWORD" in name or "SECRET" in name or ("://" in value and "@" in value))
    ]

    assert {name for name in secret if not name.endswith("_FILE")} <= allowed


@pytest.mark.parametrize("service", LONG_RUNNING)
def test_it_has_a_health_check_and_an_init_process(stack: Stack, service: str) -> None:
    assert stack.inspect(service)["Config"]["Healthcheck"]["Test"]
    assert host_config(stack, service)["Init"] is True


@pytest.mark.parametrize(("service", "seconds"), STOP_SECONDS.items())
def test_it_is_given_the_time_that_its_work_takes_to_end(
    stack: Stack, service: str, seconds: int
) -> None:
    assert stack.inspect(service)["Config"]["StopTimeout"] == seconds


def test_ports_are_published_by_the_edge_alone_and_on_loopback(stack: Stack) -> None:
    published = {
        service: [
            binding["HostIp"]
            for bindings in (stack.inspect(service)["NetworkSettings"]["Ports"] or {}).values()
            for binding in bindings or []
        ]
        for service in ALL
    }

    assert {service for service, addresses in published.items() if addresses} == {"edge"}
    assert set(published["edge"]) == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("service", "path", "modes"),
    [
        ("web", "/run/keelson/web", {"2750", "440"}),
        ("mailer", "/run/keelson/mailer", {"2750", "440"}),
        ("backup", "/run/keelson/backup", {"2750", "440"}),
        ("edge", "/run/keelson/edge", {"2750", "440"}),
        ("db", "/run/keelson/db", {"2750", "440"}),
    ],
)
def test_secrets_belong_to_init_and_are_read_by_their_group_alone(
    stack: Stack, service: str, path: str, modes: set[str]
) -> None:
    lines = stack.compose("exec", "-T", service, "find", path, "-printf", "%m %U\n").splitlines()

    assert {line.split()[0] for line in lines} == modes
    assert {line.split()[1] for line in lines} == {"10000"}
