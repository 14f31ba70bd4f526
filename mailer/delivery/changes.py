"""Whether something is another than it was at the last look."""

from collections.abc import Callable


class Changes:
    """Says so once for each change; the first look counts as one."""

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read
        self._known: str | None = None

    def __call__(self) -> bool:
        """Look; return whether it has changed."""
        before, self._known = self._known, self._read()
        return before != self._known
