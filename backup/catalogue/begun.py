"""Notes of runs that have begun: what a killed one has left in a repository is known by its note.

Nothing else that is unknown is ever forgotten: a new volume knows nothing of what older ones have stored.
"""

from backup.catalogue.folder import Folder


class Begun:
    """The notes: one empty file per run, from before it stores anything until what it stored is settled."""

    def __init__(self, folder: Folder) -> None:
        self._notes = folder.path / ".begun"

    def note(self, backup_id: str) -> None:
        """Note that a run begins."""
        self._notes.mkdir(mode=0o700, exist_ok=True)
        (self._notes / backup_id).touch()

    def settle(self, backup_id: str) -> None:
        """Take the note away: what the run has stored has a manifest, or is gone."""
        (self._notes / backup_id).unlink(missing_ok=True)

    def all(self) -> list[str]:
        """Return the runs that are not settled, oldest first."""
        return sorted(path.name for path in self._notes.glob("*"))
