"""An operator has a backup taken and proven, watches that, and finds how to restore it."""

import re

from playwright.sync_api import Page, expect

from tests.browser.browsers import WITHOUT_SCRIPTS

A_RUN = 180_000  # ms: it is taken, restored and compared, on a machine that may have more to do
ID = re.compile(r"^\d{8}-\d{6}$")


def newest(page: Page) -> str:
    """Open the page of the newest backup that is proven, and return its id."""
    page.goto("/console/backups")
    found = page.get_by_role("definition").get_by_role("link", name=ID)
    found.click()
    backup = page.get_by_role("heading", level=1).inner_text().removeprefix("Backup ")
    assert ID.match(backup)
    return backup


def test_a_backup_is_run_watched_live_and_seen_proven(operator: Page) -> None:
    operator.goto("/console/backups")
    operator.get_by_role("button", name="Run now").click()
    at_work = operator.locator(".card").filter(has_text="At work")
    expect(at_work).to_be_visible()
    operator.evaluate("window.stayed = true")  # gone, once the page is loaded anew
    expect(at_work.get_by_text("dump: storing it")).to_be_visible()

    done = operator.locator(".card").filter(has_text="Done")
    expect(done).to_be_visible(timeout=A_RUN)

    assert operator.evaluate("window.stayed") is True
    expect(done.get_by_text("restored and found equal")).to_be_visible()
    taken = done.get_by_role("link", name=ID).inner_text()
    operator.goto("/console/backups/runs")
    row = operator.get_by_role("row").filter(has_text=taken)
    expect(row.get_by_text("proven")).to_be_visible()
    row.get_by_role("link", name=taken).click()
    expect(operator.get_by_role("heading", name=f"Backup {taken}")).to_be_visible()


@WITHOUT_SCRIPTS
def test_a_backup_is_verified_and_the_page_loads_itself_anew_to_the_end(operator: Page) -> None:
    backup = newest(operator)
    loads: list[str] = []
    operator.on("domcontentloaded", lambda page: loads.append(page.url))
    operator.get_by_role("button", name=f"Verify now: {backup}").click()
    expect(operator.get_by_role("heading", name="backup: verify")).to_be_visible()

    done = operator.locator(".card").filter(has_text="Done")
    expect(done).to_be_visible(timeout=A_RUN)

    assert loads.count(operator.url) > 1
    expect(done).to_contain_text(f"{backup} is proven")
    operator.goto("/console/audit-log")
    written = operator.get_by_role("listitem").filter(has_text="backup.verify")
    expect(written.first).to_contain_text(backup)


def test_restoring_is_shown_as_the_exact_command(operator: Page) -> None:
    backup = newest(operator)

    operator.get_by_role("link", name="How to restore it").click()

    line = operator.get_by_role("term").get_by_text(f"make restore AT={backup}", exact=True)
    expect(line).to_be_visible()
    expect(operator.get_by_text("What was written after this moment is gone")).to_be_visible()
    expect(operator.get_by_role("button", name="Restore")).to_have_count(0)
