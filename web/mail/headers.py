"""The header lines of a mail: what may stand in them, and how it is written (RFC 5322, RFC 2047)."""

import re
from collections.abc import Iterable
from email.header import Header

from common.outbox import BadAddressError, BadMailError, is_address
from web.addresses import AddressError, normalize

LINE_LENGTH = 76  # beyond it, words are encoded, and so can be folded
LONGEST_NAME = 200  # as it is; some programs show the fold in an encoded one
Given = str | tuple[str, str]  # as Flask-Mail takes an address: ADDRESS, NAME <ADDRESS>, or a pair

_NAME = re.compile(r"[!-9;-~]+")
# All that ends a line somewhere, in SMTP or in whatever reads the header later; and half characters.
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NAMED = re.compile(r"(?P<name>.*?)\s*<(?P<address>[^<>]*)>")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_PLAIN_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")


def line(name: str, value: str) -> str:
    """Return the header as it is sent; the value is ASCII, and folded where it is long."""
    return f"{name}: {value}\r\n"


def check(name: str, value: str) -> str:
    """Return the value, or raise BadMailError where it could begin another header."""
    if found := _CONTROL.search(value):
        message = (
            f"{name}: a line break or another control character ({found[0]!r}), at character "
            f"{found.start() + 1}; take it out, nothing was queued"
        )
        raise BadMailError(message)
    return value


def check_name(name: str) -> str:
    """Return the header's name, or raise BadMailError where it is none."""
    if not _NAME.fullmatch(name):
        message = f"not the name of a header: {name[:80]!r}; write printable ASCII without a colon"
        raise BadMailError(message)
    return name


def text(name: str, value: str) -> str:
    """Return words for people; in encoded words, unless they are short and plain already."""
    check(name, value)
    fits = len(name) + 2 + len(value) <= LINE_LENGTH
    return value if fits and is_plain(value) else encode(name, value)


def is_plain(value: str) -> bool:
    """Return whether a reader sees the value as it is; an encoded word would be decoded."""
    return value.isascii() and "=?" not in value


def encode(name: str, value: str) -> str:
    """Return the value as encoded words, folded."""
    return Header(value, "utf-8", header_name=name).encode(linesep="\r\n")


def addresses(name: str, given: Iterable[Given]) -> str:
    """Return the list of addresses, one on a line."""
    return ",\r\n ".join(mailbox(name, one) for one in given)


def mailbox(name: str, given: Given) -> str:
    """Return the address as a header has it, with the person's name if it has one."""
    person, address = split(name, given)
    if not person:
        return address
    if not is_plain(person) or len(person) > LONGEST_NAME:
        phrase = encode(name, person)
    elif _PLAIN_PHRASE.fullmatch(person):
        phrase = person
    else:
        phrase = '"' + re.sub(r'(["\\])', r"\\\1", person) + '"'
    return f"{phrase} <{address}>"


def split(name: str, given: Given) -> tuple[str, str]:
    """Return the person's name, which may be empty, and the address as SMTP takes it.

    Raises BadMailError for a control character, BadAddressError for what is not one address.
    """
    person, address = (given, None) if isinstance(given, str) else given
    person = check(name, person).strip()
    if address is None:
        person, address = split_text(name, person)
    check(name, address)
    if not address.isascii():
        address = in_ascii(name, address)
    if not is_address(address):
        message = f"{name}: not an address that mail can be sent to: {address[:80]!r}"
        raise BadAddressError(message)
    return person, address


def split_text(name: str, given: str) -> tuple[str, str]:
    """Return the two parts of NAME <ADDRESS>; the name may hold commas, as Flask-Mail joins pairs."""
    found = _NAMED.fullmatch(given)
    if not found:
        return "", given
    person = found["name"]
    if _QUOTED.fullmatch(person):
        return re.sub(r"\\(.)", r"\1", person[1:-1]), found["address"]
    if "@" in person:
        message = f"{name}: more than one address in {given[:80]!r}; give each an entry of its own"
        raise BadAddressError(message)
    return person, found["address"]


def in_ascii(name: str, address: str) -> str:
    """Return an address whose domain has other letters, with the domain in punycode."""
    try:
        return normalize(address)
    except AddressError as error:
        message = f"{name}: {error} It was {address[:80]!r}."
        raise BadAddressError(message) from error
