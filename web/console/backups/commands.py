"""What an operator types to put something back, and what comes of it. Pure; nothing here is ever run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One line for a shell in the stack's folder, and what it does."""

    line: str
    does: str


def of_moment(moment: str) -> list[Command]:
    """Return the commands that go to a moment, which `words.moment` has written, and back."""
    at = "" if moment == "latest" else f" AT={moment}"
    return [
        Command(
            f"make restore{at}",
            "Says what would be lost, table by table, and who is connected, then asks. After yes: "
            "restores into a new database, compares it, and only then swaps it with the live one.",
        ),
        Command(
            f"make restore{at} YES=1 END=1",
            "The same, asked nothing: for scripts, or where you have read the warning before.",
        ),
        Command(
            "make restore-undo",
            "Goes back to the database that the restore has put aside, exactly as it was.",
        ),
        Command(
            "make restore-drop",
            "Drops what was put aside, for good. Until then it takes its room on the disk.",
        ),
        Command(
            f"make restore-table TABLES='outbox accounts'{at}",
            "Brings these tables alone, beside the live ones; nothing live changes.",
        ),
    ]


CONSEQUENCES = (
    "What was written after this moment is gone from the live database, and stays in the one that is put aside.",
    "Until the swap all goes on, and if anything fails nothing has changed. It ends all connections for a moment.",
    "Accounts, roles, sign-ins and mailed links are what they were at this moment.",
    "Mail that waited then waits again, and goes out again although it may have been sent since.",
    "What the console shows is of that moment, too: jobs, the audit log, notices.",
    "It needs room: for the database once more on its disk, for the dump on the volume; for an instant much more.",
)
WHY_NOT_HERE = (
    "The web application can't do this, and is not meant to: it has neither the owner's password nor the "
    "repositories' key, so who breaks into it can't replace your data. And a restore replaces the very tables that "
    "this page, your session and its progress would live in. One container has what it takes, for one run, "
    "started from a shell on the machine."
)
