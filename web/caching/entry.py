"""What is kept: bytes, when they were made, and of which data."""

import json
from dataclasses import dataclass, replace
from typing import Any, Self

from cachelib.serializers import BaseSerializer
from pydantic import TypeAdapter, ValidationError
from typing_extensions import override

VERSION, ENTRY = b"v", b"e"  # how a value in a shared store begins

Headers = tuple[tuple[str, str], ...]
Head = tuple[float, float, tuple[str, ...], Headers]
HEAD = TypeAdapter[Head](Head)


@dataclass(frozen=True, slots=True)
class Entry:
    """A page's body and headers, or data as JSON.

    Versions are those of its tags, read before it was made; a tag that has another by now says that
    the data has changed.
    """

    body: bytes
    made_at: float = 0.0  # seconds since 1970
    failed_at: float = 0.0  # when it was last tried to make a newer one, in vain
    versions: tuple[str, ...] = ()
    headers: Headers = ()

    def age(self, now: float) -> float:
        """Return its age; another machine's clock may be ahead of ours, and then it has none."""
        return max(0.0, now - self.made_at)

    def tried_in_vain(self, now: float) -> Self:
        """Return it with the time of the failure."""
        return replace(self, failed_at=now)

    def packed(self) -> bytes:
        """Return it as bytes: a line of JSON, then the body."""
        head = json.dumps([self.made_at, self.failed_at, self.versions, self.headers])
        return head.encode() + b"\n" + self.body

    @classmethod
    def unpacked(cls, value: bytes) -> Self | None:
        """Return what these bytes hold, or None where nobody of us wrote them."""
        head, _, body = value.partition(b"\n")
        try:
            return cls(body, *HEAD.validate_json(head))
        except ValidationError:
            return None


class Packed(BaseSerializer):
    """For a store that others can write to: unpickling would run what they wrote."""

    @override
    def dumps(self, value: Entry | str, protocol: int = 0) -> bytes:
        """Return an entry, or the version of a tag, as bytes."""
        if isinstance(value, str):
            return VERSION + value.encode()
        return ENTRY + value.packed()

    @override
    def loads(self, bvalue: bytes | None) -> Entry | str | None:
        """Return what was kept; None where nothing was, or nothing of ours."""
        if bvalue is None:
            return None
        kind, value = bvalue[:1], bvalue[1:]
        if kind == VERSION:
            return value.decode(errors="replace")
        return Entry.unpacked(value) if kind == ENTRY else None


class AsItIs(BaseSerializer):
    """For a store in this process: what is kept there can't be changed, so it needs no copy."""

    @override
    def dumps(self, value: Any, protocol: int = 0) -> Any:
        """Return the value."""
        return value

    @override
    def loads(self, bvalue: Any) -> Any:
        """Return the value."""
        return bvalue
