"""The program that receives the log, under supervision."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from backup import processes
from backup.stream.receiver import Receiver
from tests.waiting import eventually

URL = make_url("postgresql://keelson_backup:s3cret@db/keelson")


@contextmanager
def over_at_once(*_: object, **_also: object) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program that ends at once."""
    process = subprocess.Popen(["/bin/true"], stderr=subprocess.PIPE)
    yield process
    process.wait()


def test_a_program_that_has_ended_is_not_signalled_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signalled: list[object] = []
    monkeypatch.setattr(processes, "started", over_at_once)
    monkeypatch.setattr(processes, "end_group", signalled.append)
    receiver = Receiver(URL, lambda: tmp_path)
    receiver.start()
    eventually(lambda: receiver.trouble, 10, "it has ended")

    receiver.renew()

    receiver.stop()
    assert signalled == []
