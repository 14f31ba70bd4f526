"""Which passwords are taken. Pure.

After NIST SP 800-63B-4, 3.1.1.2: length counts, kinds of characters do not; what is easily guessed
is refused, with the reason.
"""

from collections.abc import Iterable

SHORTEST = 12
LONGEST = 1000  # characters; hashing costs the same for all
FEWEST_KINDS = 5  # different characters
SHORTEST_TELLING = 4  # a word of ours or theirs that is shorter says nothing

# Of the lists of passwords found in breaches, those that are long enough to pass otherwise.
COMMON = frozenset(
    {
        "123456789012",
        "1234567890123",
        "12345678901234",
        "1q2w3e4r5t6y",
        "1qaz2wsx3edc",
        "administrator",
        "changemeplease",
        "correcthorsebatterystaple",
        "iloveyouforever",
        "letmeinplease",
        "password1234",
        "password12345",
        "passwordpassword",
        "qwerty123456",
        "qwertyuiop12",
        "qwertyuiop123",
        "qwertyuiopasdfghjkl",
        "welcome12345",
        "zaq12wsxcde3",
    }
)


class PasswordError(ValueError):
    """Not a password that we take; the message is for the person who typed it."""


def check(password: str, about: Iterable[str]) -> None:
    """Raise PasswordError for one that is too short, too long or easily guessed.

    `about` is what a guesser would try first: the person's address, the name of the site.
    """
    if len(password) < SHORTEST:
        message = f"Please use at least {SHORTEST} characters; a few words in a row do well."
        raise PasswordError(message)
    if len(password) > LONGEST:
        message = f"Please use at most {LONGEST} characters."
        raise PasswordError(message)
    if "\0" in password:
        raise PasswordError("A password can't hold a character of code zero.")
    plain = password.casefold()
    if plain in COMMON or len(set(plain)) < FEWEST_KINDS or is_told_by(plain, about):
        raise PasswordError("This one is guessed too easily. Please use another.")


def is_told_by(plain: str, about: Iterable[str]) -> bool:
    """Return whether little is left of the password without what is known of the person."""
    rest = plain
    for known in sorted(_words(about), key=len, reverse=True):
        rest = rest.replace(known, "")
    return rest != plain and len(rest) < SHORTEST // 2


def _words(about: Iterable[str]) -> set[str]:
    """Return each text whole, and the parts of an address."""
    texts = [text.casefold() for text in about]
    parts = [part for text in texts for part in text.split("@")]
    return {word for word in (*texts, *parts) if len(word) >= SHORTEST_TELLING}
