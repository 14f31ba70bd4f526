"""Ports of this machine."""

import socket


def free_port() -> int:
    """Return a port of the host that nobody listens on; a fixed one survives a restart of the container."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
