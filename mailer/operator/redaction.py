"""What makes a link work, taken out of it, so that who looks at a mail can't use it. Pure.

Of a link stays where it leads: the host, and those parts of the path that are plain words. All values of
its query, its fragment and what stands before an @ go.
"""

import re
from urllib.parse import SplitResult, urlsplit

REMOVED = "[removed]"
LONGEST_WORD = 20

LINK = re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s<>\"'`{}|\\^]+|\bmailto:[^\s<>\"']+")
_WORD = re.compile(r"[a-z]+(?:[-_.][a-z]+)*")
_NAME = re.compile(r"[A-Za-z_-]{1,20}")
# What is long and has digits and letters in it is no word of any language.
_TOKEN = re.compile(r"(?<![\w-])(?=[\w.-]*\d)(?=[\w.-]*[A-Za-z])[A-Za-z0-9_.-]{20,}")
_ENDS_A_SENTENCE = ".,;:!?)]"


def redact(text: str) -> str:
    """Return the text without what makes its links work, nor anything else that looks like a token."""
    parts, end = [], 0
    for match in LINK.finditer(text):
        parts += [_without_tokens(text[end : match.start()]), redact_link(match[0])]
        end = match.end()
    return "".join([*parts, _without_tokens(text[end:])])


def redact_link(link: str) -> str:
    """Return where the link leads, and no more."""
    bare = link.rstrip(_ENDS_A_SENTENCE)
    try:
        parts = urlsplit(bare)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:  # no address at all
        return REMOVED
    if parts.scheme == "mailto":
        return f"mailto:{REMOVED}" + link[len(bare) :]
    return f"{parts.scheme}://{host}{port}{_path(parts)}{_query(parts)}" + link[len(bare) :]


def _path(parts: SplitResult) -> str:
    return "/".join(_segment(segment) for segment in parts.path.split("/"))


def _segment(segment: str) -> str:
    plain = not segment or (len(segment) <= LONGEST_WORD and _WORD.fullmatch(segment))
    return segment if plain else REMOVED


def _query(parts: SplitResult) -> str:
    told = f"?{'&'.join(_argument(one) for one in parts.query.split('&'))}" if parts.query else ""
    return told + (f"#{REMOVED}" if parts.fragment else "")


def _argument(argument: str) -> str:
    name, equals, _ = argument.partition("=")
    return f"{name}={REMOVED}" if equals and _NAME.fullmatch(name) else REMOVED


def _without_tokens(text: str) -> str:
    return _TOKEN.sub(REMOVED, text)
