"""What a browser has against a page: errors, breaches of the policy, and requests to elsewhere."""

from playwright.sync_api import ConsoleMessage, Page


def listen(page: Page, home: str) -> list[str]:
    """Return a list that fills with the complaints about this page."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.extend(complaint(message, page)))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda r: complaints.extend([] if r.url.startswith(home) else [r.url]))
    return complaints


def complaint(message: ConsoleMessage, page: Page) -> list[str]:
    """Return what the console complains of; that the page itself is, say, a 404 is for the test to judge."""
    of_the_page = message.location["url"] == page.url and "server responded with" in message.text
    harmless = message.type not in {"error", "warning"} or of_the_page
    return [] if harmless else [message.text]
