"""A way to the database that goes silent: connections stay open, and nothing comes through any more."""

import asyncio
import contextlib
import threading
from types import TracebackType
from typing import Self

START_SECONDS = 10
CHUNK = 65_536


class SilentProxy:
    """Passes bytes on to a port of this machine, until told to swallow them."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._started = threading.Event()
        self._open: dict[asyncio.Event, list[asyncio.StreamWriter]] = {}

    def silence(self) -> None:
        """Let no byte through on the connections that there are; new ones are well."""
        self._loop.call_soon_threadsafe(self._silence)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(START_SECONDS):
            message = f"the proxy did not start within {START_SECONDS} s"
            raise TimeoutError(message)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_SECONDS)

    def _silence(self) -> None:
        for silent in self._open:
            silent.set()

    def _run(self) -> None:
        listening = asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        server = self._loop.run_until_complete(listening)
        self.port = server.sockets[0].getsockname()[1]
        self._loop.call_soon(self._started.set)
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(self._end_all())
        self._loop.close()

    async def _end_all(self) -> None:
        under_way = asyncio.all_tasks() - {asyncio.current_task()}
        for writers in list(self._open.values()):
            hang_up(writers)
        await asyncio.gather(*under_way)
        await asyncio.sleep(0)  # the transports close on the loop's next turn

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        silent = asyncio.Event()
        with contextlib.suppress(ConnectionError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            self._open[silent] = [writer, far_writer]
            await asyncio.gather(copy(reader, far_writer, silent), copy(far_reader, writer, silent))
        hang_up(self._open.pop(silent, [writer]))


def hang_up(writers: list[asyncio.StreamWriter]) -> None:
    """End connections at once."""
    for writer in writers:
        writer.transport.abort()


async def copy(
    source: asyncio.StreamReader, to: asyncio.StreamWriter, silent: asyncio.Event
) -> None:
    """Pass on what comes, while it is not to be swallowed; both ends stay open all the same."""
    while chunk := await source.read(CHUNK):
        if not silent.is_set():
            to.write(chunk)
            await to.drain()
    if not silent.is_set():
        to.close()
