"""What can go wrong, split by what the caller does next."""


class BackupError(Exception):
    """What was asked for was not done; the message says what happened, and what to do next."""


class BusyError(BackupError):
    """Another run is under way, here or in another replica: come back later."""


class DamagedError(BackupError):
    """A backup is not what was written, or does not restore to what was dumped: do not use it."""


class NoRoomError(BackupError):
    """There is too little room for it: what is past its time is to go first."""


class RefusedError(BackupError):
    """It would have done harm that nobody has agreed to; the message says how to agree."""


class Interrupted(BaseException):
    """The process was told to end; not an Exception, so that no handler for errors swallows it."""

    def __str__(self) -> str:
        return "it was interrupted: its process was told to end"
