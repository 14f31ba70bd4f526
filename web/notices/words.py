"""What operators write, as HTML: plain text, of which nothing is markup, with links to click on."""

import re

from markupsafe import Markup, escape

URL = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
ENDS_A_SENTENCE = ".,;:!?'\""
PARAGRAPHS = re.compile(r"\n\s*\n")


def paragraphs(text: str) -> Markup:
    """Return the text in paragraphs; an empty line ends one."""
    return Markup("\n").join(
        Markup("<p>{}</p>").format(Markup("<br>\n").join(links(line) for line in one.split("\n")))
        for one in PARAGRAPHS.split(text.strip())
    )


def links(text: str) -> Markup:
    """Return the text with its addresses of pages as links; each piece is escaped by itself."""
    pieces, end = [], 0
    for found in URL.finditer(text):
        url = without_its_sentence(found[0])
        pieces += [escape(text[end : found.start()]), Markup('<a href="{0}">{0}</a>').format(url)]
        end = found.start() + len(url)
    return Markup("").join([*pieces, escape(text[end:])])


def without_its_sentence(url: str) -> str:
    """Return the address without the mark that ends the sentence, or the bracket around it."""
    while url[-1] in ENDS_A_SENTENCE or (url[-1] == ")" and url.count(")") > url.count("(")):
        url = url[:-1]
    return url
