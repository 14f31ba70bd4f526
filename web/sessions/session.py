"""One visitor's session, as the views see it."""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flask.sessions import SessionMixin
from typing_extensions import override

from web.sessions.store import SessionStoreError

ID_BYTES = 32


def now() -> int:
    """Return the second that it is."""
    return int(time.time())


def new_id() -> str:
    """Return an id that nobody can guess."""
    return secrets.token_urlsafe(ID_BYTES)


@dataclass(slots=True)
class State:
    """What a session holds, under which id, and what the store knows of it."""

    data: dict[str, Any] = field(default_factory=dict)
    started: int = field(default_factory=now)
    sid: str = field(default_factory=new_id)
    stored: bool = False
    seconds_left: float = 0.0
    carried: bool = True  # whether `data` began with what the store held


class Session(SessionMixin):
    """What the site remembers of a visitor; read from the store when it is first asked for.

    `accessed` says that Flask was asked for it, so that the answer may depend on it.
    """

    def __init__(self, look: Callable[[], State]) -> None:
        self._look = look
        self._state: State | None = None
        self._failure: SessionStoreError | None = None
        self.modified = self.accessed = False
        self.ended = False

    @property
    def loaded(self) -> bool:
        """Return whether anyone has asked for it."""
        return self._state is not None

    @property
    def state(self) -> State:
        """Return what it holds; where the store failed once, this request does not wait again."""
        if self._failure:
            raise self._failure
        if self._state is None:
            try:
                self._state = self._look()
            except SessionStoreError as error:
                self._failure = error
                raise
        return self._state

    @property
    def sid(self) -> str:
        """Return the id."""
        return self.state.sid

    def move(self) -> None:
        """Take a new id, which the store does not know yet."""
        self.state.sid, self.state.stored, self.modified = new_id(), False, True

    @override
    def __getitem__(self, key: str) -> Any:
        return self.state.data[key]

    @override
    def __setitem__(self, key: str, value: Any) -> None:
        self.state.data[key] = value
        self.modified = True

    @override
    def __delitem__(self, key: str) -> None:
        del self.state.data[key]
        self.modified = True

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self.state.data)

    @override
    def __len__(self) -> int:
        return len(self.state.data)

    @override
    def clear(self) -> None:
        """Begin anew: nothing of what it held is carried on, so its time starts again as well."""
        self.state.data.clear()
        self.state.started, self.state.carried, self.modified = now(), False, True


def write_down(state: State) -> bytes:
    """Return the session as the store keeps it: JSON, as unpickling runs whatever anyone wrote."""
    return json.dumps({"started": state.started, "data": state.data}).encode()


def read_back(content: bytes, sid: str, seconds_left: float) -> State | None:
    """Return the session that was written down, or None where this is none."""
    try:
        match json.loads(content):
            case {"started": int() as started, "data": dict() as data}:
                return State(data, started, sid, stored=True, seconds_left=seconds_left)
    except (ValueError, RecursionError):
        pass
    return None
