"""The console as a whole: one guard for all of its pages, and one list of them."""

from dataclasses import dataclass
from typing import Any

from apiflask import APIBlueprint
from flask import Flask
from flask.typing import ResponseReturnValue

from web.accounts.current import operators_only
from web.console import (
    audit_log,
    cache,
    configuration,
    database,
    invitations,
    jobs,
    limits,
    overview,
    people,
    person,
    sign_ins,
)
from web.console.backups import room as backups
from web.console.mail import messages, previews, suppressions
from web.console.mail import overview as mail
from web.console.notices import drafts, pages, updates


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the navigation."""

    endpoint: str
    label: str


# In the order of the navigation. A page is a module with a blueprint `bp`, which is put under /console.
PAGES = (
    overview,
    mail,
    backups,
    pages,
    people,
    limits,
    cache,
    database,
    configuration,
    audit_log,
)
BEHIND = (
    invitations,
    drafts,
    jobs,
    messages,
    person,
    previews,
    sign_ins,
    suppressions,
    updates,
)  # pages that others link to
NAVIGATION = (
    Page("console.overview.show", "Overview"),
    Page("console.mail.show", "Mail"),
    Page("console.backups.show", "Backups"),
    Page("console.notices.show_all", "Notices"),
    Page("console.people.show", "People"),
    Page("console.limits.show", "Rate limits"),
    Page("console.cache.show", "Cache"),
    Page("console.database.show", "Database"),
    Page("console.configuration.show", "Configuration"),
    Page("console.audit_log.show", "Audit log"),
)


def init_app(app: Flask) -> None:
    """Register the pages; nobody but operators gets past the guard."""
    # APIFlask's, as it looks for this of each blueprint that has a guard; its pages are not of the API.
    console = APIBlueprint("console", __name__, url_prefix="/console", enable_openapi=False)
    console.before_request(guard)
    for module in (*PAGES, *BEHIND):
        console.register_blueprint(module.bp)
    app.register_blueprint(console)
    app.context_processor(navigation)


def guard() -> ResponseReturnValue | None:
    """Let operators through; for others there is no console."""
    answer: ResponseReturnValue | None = operators_only(let_through)()
    return answer


def let_through() -> None:
    """Answer nothing, so that the view does."""


def navigation() -> dict[str, Any]:
    """Give the templates the pages that there are."""
    return {"console_pages": NAVIGATION}
