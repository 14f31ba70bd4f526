"""The stream, whose trouble is an alert once it lasts: a database that restarts is none."""

from collections.abc import Callable
from datetime import datetime, timedelta

from backup.schedule.worker import Streaming
from backup.watching.alerts import Alerts

BEHIND = "log-behind"
PATIENCE = timedelta(minutes=3)


class ToldStream:
    """A stream, of whose trouble the alerts hear."""

    def __init__(self, stream: Streaming, alerts: Alerts, clock: Callable[[], datetime]) -> None:
        self._stream = stream
        self._alerts = alerts
        self._clock = clock
        self._since: datetime | None = None
        self.start = stream.start
        self.stop = stream.stop
        self.base_due = stream.base_due

    def tick(self) -> str | None:
        """Tick; what is wrong is told once it has lasted, and that it is over at once."""
        trouble, now = self._stream.tick(), self._clock()
        self._since = (self._since or now) if trouble else None
        if self._since is None or now - self._since >= PATIENCE:
            self._alerts.tell(BEHIND, trouble)
        return trouble
