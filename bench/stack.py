"""Seconds from `up` to all healthy, image sizes, idle memory: measured on a stack of its own, printed as a table.

The project name, ports and volumes are its own, so a running stack is left alone.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.stack.stack import LONG_RUNNING, Stack  # noqa: E402 the path comes first

SETTLE_SECONDS = 20  # idle memory is what is left after the start


def main() -> None:
    """Measure, and print Markdown that docs/measurements.md can take as it is."""
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder), ["compose.yaml"])
        try:
            first = seconds_to_healthy(stack)
            second = seconds_to_healthy(stack)
            time.sleep(SETTLE_SECONDS)
            memory = idle_memory(stack)
        finally:
            stack.compose("--profile", "*", "down", "--volumes", check=False)
    cores, gigabytes = (
        os.cpu_count(),
        os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
    )
    print(f"Measured with `make bench` on {cores} cores and {gigabytes:.0f} GiB of memory.\n")
    print("| start, images built | seconds |\n|---|---|")
    print(f"| first: new secrets, new database | {first:.1f} |")
    print(f"| again: everything runs already | {second:.1f} |\n")
    print("| part | image, MB | idle memory, MB |\n|---|---|---|")
    for part in ("init", "migrate", *LONG_RUNNING):
        print(f"| {part} | {image_megabytes(part):.0f} | {memory.get(part, '-')} |")


def seconds_to_healthy(stack: Stack) -> float:
    """Return how long `up` takes until every part is healthy."""
    start = time.monotonic()
    stack.compose("up", "--detach", "--wait")
    return time.monotonic() - start


def image_megabytes(part: str) -> float:
    """Return an image's size on disk, shared layers included, in 10^6 bytes."""
    command = ["docker", "image", "inspect", "--format", "{{.Size}}", f"keelson-{part}:test"]
    return int(subprocess.run(command, capture_output=True, check=True, text=True).stdout) / 1e6


def idle_memory(stack: Stack) -> dict[str, str]:
    """Return each part's memory as the engine counts it: without the page cache, in 2^20 bytes."""
    used = {}
    for part in LONG_RUNNING:
        identity = stack.inspect(part)["Id"]
        command = ["docker", "stats", "--no-stream", "--format", "{{json .}}", identity]
        answer = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        used[part] = json.loads(answer)["MemUsage"].split("MiB")[0]
    return used


if __name__ == "__main__":
    main()
