"""The names of the gates that hold mail back: rows of `mail_gates`."""

RELAY = "relay"  # it is away, or refuses our login
QUOTA = "quota"  # it says that the day is used up
ALLOWANCE = "allowance"  # our own count says so; it only explains
PAUSE = "pause"  # an operator holds back all mail, or with a kind behind it, that


def pause_of(kind: str | None) -> str:
    """Return the name of the gate that an operator closes: for a kind, or for all mail."""
    return f"{PAUSE}:{kind}" if kind else PAUSE


def is_pause(name: str) -> bool:
    """Say whether this gate was closed by an operator."""
    return name.partition(":")[0] == PAUSE


def paused_kind(name: str) -> str:
    """Return the kind that such a gate holds back, or nothing for all mail."""
    return name.partition(":")[2]
