"""What can go wrong with a repository, split by what the caller does next."""

from backup.errors import BackupError, BusyError, DamagedError, NoRoomError


class TargetError(BackupError):
    """A target can't be used now; the others can. The message names it and says what to do."""


class MissingError(TargetError):
    """There is no repository at the target yet."""


class LockedError(TargetError, BusyError):
    """Another program holds the repository's lock."""


class FullError(TargetError, NoRoomError):
    """The target has no room left."""


class IncompleteError(TargetError):
    """Something of what was to be stored could not be read, so nothing of it counts; try again."""


class RepositoryDamagedError(TargetError, DamagedError):
    """The repository is not what was written to it."""


class VanishedError(RepositoryDamagedError):
    """The repository is well, and lacks a snapshot that was stored in it."""
