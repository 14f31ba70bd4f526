"""What goes on, shown live."""

import json
import time
from collections.abc import Iterator
from itertools import count

import pytest
from flask import Flask
from werkzeug.exceptions import NotFound, ServiceUnavailable

from tests.web_app import an_app
from web.console import streaming
from web.console.streaming import Shown, Streams


@pytest.fixture(scope="module")
def app() -> Flask:
    return an_app()


@pytest.fixture(autouse=True)
def request_context(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(streaming, "LOOK_SECONDS", 0)
    with app.test_request_context():
        yield


def look_at(*seen: Shown | None) -> streaming.Look:
    later = iter(seen)
    return lambda: next(later)


def test_each_change_is_an_event_and_the_end_ends_it() -> None:
    look = look_at(
        Shown("one", ended=False), Shown("one", ended=False), Shown("two", ended=True), None
    )

    events = list(streaming.changes(look))

    assert [json.loads(event.removeprefix("data: ")) for event in events] == [
        {"html": "one", "ended": False},
        {"html": "two", "ended": True},
    ]
    assert all(event.endswith("\n\n") for event in events)


def test_what_is_gone_ends_it() -> None:
    assert len(list(streaming.changes(look_at(Shown("one", ended=False), None)))) == 1


def test_stream_with_nothing_to_say_breathes_and_one_that_lasts_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds = count(0, 4)
    monkeypatch.setattr(time, "monotonic", lambda: next(seconds))

    events = list(streaming.changes(lambda: Shown("one", ended=False)))

    assert len(events) > 3
    assert events[0].startswith("data: ")
    assert set(events[1:]) == {":\n\n"}


@pytest.mark.parametrize("is_read", [False, True], ids=["before it reads", "while it reads"])
def test_browser_that_goes_away_frees_its_place(is_read: bool) -> None:
    response = streaming.respond(lambda: Shown("one", ended=False))
    stream = response.iter_encoded()
    if is_read:
        next(iter(stream))
    at_work = Streams.open

    response.close()

    assert (at_work, Streams.open) == (1, 0)


def test_who_asks_for_the_head_alone_takes_no_place(app: Flask) -> None:
    with app.test_request_context(method="HEAD"):
        response = streaming.respond(lambda: Shown("one", ended=False))

    assert (response.mimetype, Streams.open) == ("text/event-stream", 0)


def test_events_are_not_held_back_by_edge() -> None:
    response = streaming.respond(lambda: Shown("one", ended=True))
    response.close()

    assert response.mimetype == "text/event-stream"
    assert response.headers["X-Accel-Buffering"] == "no"


def test_what_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound):
        streaming.respond(lambda: None)


def test_half_of_the_threads_stay_for_everybody_else() -> None:
    most = {threads: an_app(web_threads=threads).config["STREAMS_AT_ONCE"] for threads in (1, 2, 8)}

    assert most == {1: 0, 2: 1, 8: 4}


def test_where_too_many_watch_another_is_told_to_come_back() -> None:
    watching = [streaming.respond(lambda: Shown("one", ended=False)) for _ in range(4)]

    with pytest.raises(ServiceUnavailable):
        streaming.respond(lambda: Shown("one", ended=False))

    watching.pop().close()
    watching.append(streaming.respond(lambda: Shown("one", ended=True)))
    for response in watching:
        response.close()
    assert Streams.open == 0
