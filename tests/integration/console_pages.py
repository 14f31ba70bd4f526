"""The console's pages of mail, as an operator's browser uses them."""

import re
from html import unescape

from flask.testing import FlaskClient

from tests.integration.account_site import press

BOSS = "boss@example.org"
MAIL = "/console/mail"
MESSAGES = f"{MAIL}/messages"
SUPPRESSIONS = f"{MAIL}/suppressions"


def asked(browser: FlaskClient, page: str, action: str, **fields: str) -> int:
    """Send a form of the page, and return the number of the job."""
    answer = press(browser, page, action, **fields)
    assert answer.status_code == 303, answer.text
    return int(answer.location.rpartition("/")[2])


def table(page: str) -> list[str]:
    """Return the cells of the page's tables, in words."""
    cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", page, flags=re.DOTALL)
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in cells]
