"""A copy that a target can't hand over unharmed: it does not count any more, so that copying makes it anew."""

from backup.catalogue import owed
from backup.catalogue.folder import Folder
from backup.catalogue.manifest import Manifest


def without(manifest: Manifest, target: str) -> Manifest:
    """Return the manifest without the copy at a target."""
    left = {name: copy for name, copy in manifest.copies.items() if name != target}
    return manifest.model_copy(update={"copies": left})


def drop(folder: Folder, manifest: Manifest, target: str) -> Manifest:
    """Have the backup at a target no more; only where it is elsewhere too.

    Its snapshot goes with the next retention: restic leaves out of a copy what is there, damaged or not.
    """
    left = without(manifest, target)
    owed.note(folder, target, [manifest.copies[target].snapshot])
    folder.save(left)
    return left
