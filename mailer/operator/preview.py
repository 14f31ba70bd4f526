"""What a mail says, to be looked at: its headers, its text and its HTML, none of which does anything. Pure."""

from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from html import escape
from html.parser import HTMLParser
from typing import Any, cast

from typing_extensions import override

from mailer.operator.redaction import redact, redact_link

LONGEST = 16_000  # characters of the text, and of the HTML, which is on the page twice: small enough for a page
LONGEST_HEADER = 500
MOST_HEADERS = 40

# Nothing is loaded, from anywhere; what the mail brings along of its looks is shown.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
HEAD = f'<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'

# What runs, loads, asks or moves; with its content, where that is not for people.
SILENT = {
    "script",
    "noscript",
    "iframe",
    "frame",
    "frameset",
    "object",
    "applet",
    "svg",
    "math",
    "template",
}
DROPPED = {
    "base",
    "meta",
    "link",
    "embed",
    "form",
    "input",
    "button",
    "select",
    "textarea",
    "param",
    "html",
}
KEPT_ATTRIBUTES = {
    "align", "alt", "bgcolor", "border", "cellpadding", "cellspacing", "class", "color", "cols", "colspan",
    "dir", "face", "height", "lang", "role", "rowspan", "scope", "size", "style", "title", "valign", "width",
}  # fmt: skip
WITHOUT_END = {"br", "hr", "img", "wbr", "col"}


def of(raw: bytes) -> dict[str, Any]:
    """Return what there is to show of a mail, or of its beginning."""
    message = message_from_bytes(raw, policy=policy.default)
    text, html = content_of(message, "plain"), content_of(message, "html")
    return {
        "headers": [[name, redact(value)] for name, value in headers_of(message)],
        "text": redact(text[:LONGEST]),
        "html": harmless(html[:LONGEST])[:LONGEST] if html else "",
        "truncated": len(text) > LONGEST or len(html) > LONGEST,
        "attachments": [name_of(part) for part in message.iter_attachments()],
    }


def headers_of(message: EmailMessage) -> list[tuple[str, str]]:
    """Return the headers, as many and as long as a page can take."""
    return [(name, str(value)[:LONGEST_HEADER]) for name, value in message.items()][:MOST_HEADERS]


def content_of(message: EmailMessage, kind: str) -> str:
    """Return its text or its HTML, or nothing."""
    part = cast("EmailMessage | None", message.get_body((kind,)))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, ValueError):  # a charset that nobody knows, or not what it says
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def name_of(part: MIMEPart) -> str:
    """Return what is attached: its name and its type."""
    return redact(f"{part.get_filename() or 'without a name'} ({part.get_content_type()})")


def harmless(html: str) -> str:
    """Return the HTML without anything that leads somewhere, loads or runs."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    return HEAD + "".join(reader.written)


class Reader(HTMLParser):
    """Reads HTML, and writes what may stay: known attributes of tags that only show something."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.written: list[str] = []
        self._silent = 0
        self._in_style = False

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT:
            self._silent += 1
        if self._silent or tag in DROPPED or not tag.isalnum():
            return
        self._in_style = tag == "style"
        self.written.append(f"<{tag}{''.join(attributes(attrs))}>")

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT:  # it holds nothing, and has no end
            return
        self.handle_starttag(tag, attrs)

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT:
            self._silent = max(0, self._silent - 1)
            return
        self._in_style = False
        if self._silent or tag in DROPPED or tag in WITHOUT_END or not tag.isalnum():
            return
        self.written.append(f"</{tag}>")

    @override
    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        # A sheet is no text: there a & stands for itself, and its end tag ended it already.
        self.written.append(redact(data) if self._in_style else escape(redact(data)))


def attributes(given: list[tuple[str, str | None]]) -> list[str]:
    """Return the attributes that may stay; of a link, in words, where it led."""
    kept = [(name, redact(value or "")) for name, value in given if name in KEPT_ATTRIBUTES]
    leads = next((value for name, value in given if name == "href" and value), None)
    if leads and not any(name == "title" for name, _ in kept):
        kept.append(("title", redact_link(leads.strip())))
    return [f' {name}="{escape(value)}"' for name, value in kept]
