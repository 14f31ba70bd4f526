"""A mail as it is sent (RFC 5322, RFC 2045): ASCII in short lines, whatever was written."""

import re
import secrets
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import quote

from flask_mail import Attachment, Message

from common.outbox import LONGEST_LINE, BadMailError
from web.mail import headers as mail_headers
from web.mail.headers import line

SHORT = 60  # characters of a parameter on one line
PIECE = 5  # those of one that is encoded, when each may take twelve
TO_NOBODY_NAMED = "undisclosed-recipients:;"
# Written from the message's own fields, or for its readers: of two, one program believes the first,
# another the last; and Bcc would tell everyone.
_OURS = re.compile(
    r"bcc|cc|content-.*|date|from|list-unsubscribe.*|message-id|mime-version|reply-to|sender|subject|to",
    re.IGNORECASE,
)
_LINE_END = re.compile(r"\r\n|\r|\n")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff]")
_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(;[ -~]*)?", re.ASCII)
_PLAIN_PARAMETER = re.compile(r"[\w .,()+=@-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a mail, or the whole of it without the headers that name people."""

    headers: str  # finished lines
    body: bytes

    def __bytes__(self) -> bytes:
        """Return the part as it is sent."""
        return self.headers.encode("ascii") + b"\r\n" + self.body


def content(message: Message, now: datetime) -> bytes:
    """Return all of the mail that is the same for whoever gets it; it is from `now`, if undated.

    Raises BadMailError where a header holds what would begin another, or is not for the caller.
    """
    if message.mail_options or message.rcpt_options:
        raise BadMailError("the outbox keeps no mail_options and no rcpt_options; leave them out")
    date = datetime.fromtimestamp(message.date, UTC) if message.date is not None else now
    headers = line("From", mail_headers.mailbox("From", message.sender))
    if message.reply_to:
        headers += line("Reply-To", mail_headers.mailbox("Reply-To", message.reply_to))
    if message.subject:
        headers += line("Subject", mail_headers.text("Subject", message.subject))
    headers += line("Date", format_datetime(date))
    headers += "".join(extra(name, value) for name, value in (message.extra_headers or {}).items())
    headers += line("MIME-Version", "1.0")
    return headers.encode("ascii") + bytes(whole(message))


def extra(name: str, value: str) -> str:
    """Return a header that the caller added, as it was written if that is in ASCII."""
    if _OURS.fullmatch(mail_headers.check_name(name)):
        message = f"{name}: not among extra_headers; the message has a field for it, or it is ours"
        raise BadMailError(message)
    checked = mail_headers.check(name, value)
    return line(name, checked if checked.isascii() else mail_headers.encode(name, checked))


def to_whom(message: Message) -> str:
    """Return the headers that name the recipients; those of `bcc` are in none."""
    given = {"To": message.recipients, "Cc": message.cc}
    lines = [line(name, mail_headers.addresses(name, some)) for name, some in given.items() if some]
    return "".join(lines) or line("To", TO_NOBODY_NAMED)


def whole(message: Message) -> Part:
    """Return the texts of the message, and its attachments."""
    part = texts(message)
    if not message.attachments:
        return part
    return multipart("mixed", [part, *map(attachment, message.attachments)])


def texts(message: Message) -> Part:
    """Return the text, or what else says the same; a mail client shows the last that it can."""
    parts = [text("plain", message.body)] if message.body or not message.alts else []
    parts += [text(subtype, content) for subtype, content in message.alts.items()]
    return parts[0] if len(parts) == 1 else multipart("alternative", parts)


def text(subtype: str, content: str | None) -> Part:
    """Return a text with CRLF line ends, as it is, or else in the shorter of the two encodings."""
    kind = content_type(f"text/{subtype}")
    lines = _LINE_END.sub("\r\n", content or "").removesuffix("\r\n") + "\r\n"
    try:
        written = lines.encode()
    except UnicodeEncodeError as error:
        message = f"the text/{subtype} has half a character in it, at character {error.start + 1}"
        raise BadMailError(message) from error
    encoding, body = encode(written)
    type_line = line("Content-Type", f"{kind}; charset=utf-8")
    return Part(type_line + line("Content-Transfer-Encoding", encoding), body)


def encode(written: bytes) -> tuple[str, bytes]:
    """Return the name of an encoding, and the text in it."""
    if not _CONTROL.search(written) and max(map(len, written.split(b"\r\n"))) <= LONGEST_LINE:
        return "7bit", written
    printable = b2a_qp(written)
    if len(printable) * 3 <= len(written) * 4:
        return "quoted-printable", printable
    return "base64", base64_lines(written)


def base64_lines(data: bytes) -> bytes:
    """Return data that has no lines of its own."""
    return encodebytes(data).replace(b"\n", b"\r\n")


def multipart(subtype: str, parts: Sequence[Part]) -> Part:
    """Return several parts as one; the boundary is random, so that no part can hold it."""
    boundary = f"={secrets.token_hex(16)}="
    delimiter = f"--{boundary}\r\n".encode()
    body = b"".join(delimiter + bytes(part) + b"\r\n" for part in parts)
    kind = f'multipart/{subtype}; boundary="{boundary}"'
    return Part(line("Content-Type", kind), body + f"--{boundary}--\r\n".encode())


def attachment(given: Attachment) -> Part:
    """Return a file, with the headers that the caller gave it."""
    data = given.data.encode() if isinstance(given.data, str) else given.data
    headers = line("Content-Type", content_type(given.content_type))
    headers += line("Content-Transfer-Encoding", "base64")
    headers += line("Content-Disposition", disposition(given))
    for name, value in given.headers.items():
        headers += line(mail_headers.check_name(name), mail_headers.text(name, value))
    return Part(headers, base64_lines(data))


def content_type(given: str) -> str:
    """Return the type, or raise BadMailError where it is none."""
    if not _TYPE.fullmatch(given):
        message = f"not a content type: {given[:80]!r}; write one like application/pdf"
        raise BadMailError(message)
    return given


def disposition(given: Attachment) -> str:
    """Return how to show the file, and its name, which may hold any letters."""
    where = mail_headers.check("Content-Disposition", given.disposition)
    if given.filename is None:
        return where
    return where + parameter("filename", mail_headers.check("filename", given.filename))


def parameter(name: str, value: str) -> str:
    """Return a parameter on lines of its own; encoded in pieces if it must be (RFC 2231)."""
    if len(value) <= SHORT and _PLAIN_PARAMETER.fullmatch(value):
        return f';\r\n {name}="{value}"'
    starts = range(0, len(value), PIECE)
    pieces = [quote(value[start : start + PIECE], safe="") for start in starts]
    pieces[0] = f"utf-8''{pieces[0]}"
    return "".join(f";\r\n {name}*{n}*={piece}" for n, piece in enumerate(pieces))
