"""Deque's axe: the rules of WCAG 2.2 AA, tried on a page as it is shown."""

import json
from functools import cache
from typing import Any

from playwright.sync_api import Page

from tests.conftest import ROOT

VENDORED = ROOT / "tests" / "browser" / "vendor" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# The mails in the inbox's frames run no script, so axe cannot look into them; they have a test of their own.
# The days of the status page are the marks of a chart: ninety beside one another is what it is for, so their
# size is essential (WCAG 2.5.8). Arrow keys go from day to day, and a page has all of them as a table.
SPARED = {"rules": [{"id": "target-size", "selector": "*:not(.bars input)"}]}
OPTIONS = {"runOnly": TAGS, "resultTypes": ["violations"], "iframes": False}


@cache
def source() -> str:
    """Return axe."""
    return VENDORED.read_text(encoding="utf-8")


def violations(page: Page) -> list[str]:
    """Return what breaks a rule, each with where it is and why."""
    page.evaluate(source())  # not a <script>, which the site's policy would refuse
    page.evaluate(f"axe.configure({json.dumps(SPARED)})")
    result = page.evaluate(f"axe.run(document, {json.dumps(OPTIONS)})")
    return [line for rule in result["violations"] for line in told(rule)]


def told(rule: dict[str, Any]) -> list[str]:
    """Return one line for each place where this rule is broken."""
    return [
        f"{rule['id']}: {node['target'][0]}: {node['failureSummary'].splitlines()[-1].strip()}"
        for node in rule["nodes"]
    ]
