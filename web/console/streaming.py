"""What goes on, shown live: server-sent events, each with the HTML that takes the place of what is shown."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from threading import Lock

from flask import Response, abort, current_app, request, stream_with_context

MIMETYPE = "text/event-stream"
LOOK_SECONDS = 0.5
BREATH_SECONDS = 5  # who says nothing for long does not notice that nobody listens
STREAM_SECONDS = 60  # a stream holds a thread; the browser comes back by itself
BREATH = ":\n\n"  # nothing, to a browser


class Streams:
    """How many streams are open in this process; half of its threads are for everybody else."""

    open = 0
    _lock = Lock()

    @classmethod
    def enter(cls, most: int) -> bool:
        """Open one, where there is room for it."""
        with cls._lock:
            if cls.open >= most:
                return False
            cls.open += 1
            return True

    @classmethod
    def leave(cls) -> None:
        """Close one."""
        with cls._lock:
            cls.open -= 1


@dataclass(frozen=True, slots=True)
class Shown:
    """How it is now, and whether it stays so."""

    html: str
    ended: bool


Look = Callable[[], Shown | None]


def respond(look: Look) -> Response:
    """Send it anew each time it changes, until it has ended; 404 for what is not there, 503 where too many watch.

    `look` holds no transaction while the browser reads.
    """
    if look() is None:
        abort(HTTPStatus.NOT_FOUND)
    if request.method == "HEAD":  # of which nobody reads, or closes, anything
        return Response(mimetype=MIMETYPE)
    if not Streams.enter(current_app.config["STREAMS_AT_ONCE"]):
        abort(HTTPStatus.SERVICE_UNAVAILABLE)
    response = Response(stream_with_context(changes(look)), mimetype=MIMETYPE)
    response.call_on_close(Streams.leave)  # also where the browser goes before the first event
    response.headers["X-Accel-Buffering"] = "no"  # edge would wait for more
    return response


def changes(look: Look) -> Iterator[str]:
    """Yield it as an event whenever it differs, and now and then something that is none."""
    before, begun = "", time.monotonic()
    spoken = begun
    while time.monotonic() - begun < STREAM_SECONDS:
        shown = look()
        if shown is None:
            return
        if shown.html != before:
            yield f"data: {json.dumps({'html': shown.html, 'ended': shown.ended})}\n\n"
            before, spoken = shown.html, time.monotonic()
        elif time.monotonic() - spoken >= BREATH_SECONDS:
            yield BREATH
            spoken = time.monotonic()
        if shown.ended:
            return
        time.sleep(LOOK_SECONDS)
