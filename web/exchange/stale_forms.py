"""A form that was open for too long, or that a sign-out overtook, comes back with what was typed, to be sent again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from flask import render_template, request
from flask_wtf.csrf import CSRFError

from web.accounts.forms import ROLES
from web.api.cors import API
from web.exchange.origins import is_ours
from web.notices.states import KINDS, STATES
from web.sessions.cookies import FORM_TOKEN

SELECTS = {"role": ROLES, "kind": KINDS, "state": STATES}
TICKED = {"y", "on"}  # what WTForms' checkboxes send, and those that name no value
NOT_SHOWN = {"password", "checkbox"}
STATUS = HTTPStatus.BAD_REQUEST
TOO_OLD = (
    "This form is too old",
    "It was open too long, or the browser sends no cookies. Please go back, reload, send it again.",
)
NO_REFERRER = (
    "We can't tell where this form comes from",
    "Your browser does not say so (the Referer header). Please allow it for this site, and send it again.",
)


@dataclass(frozen=True, slots=True)
class Field:
    """What was typed into one field, and how it is shown."""

    name: str
    label: str
    type: str
    value: str
    options: Mapping[str, str] = field(default_factory=dict)


def can_be_sent_again(error: CSRFError) -> bool:
    """Return whether the form is one of our own that only lacks a token; others are not shown.

    Else a site could fill in a form and have its visitor send it with one click.
    """
    if is_about_referrer(error) or request.path.startswith(API):
        return False
    return bool(request.form) and is_ours()


def page(*, signed_out: bool = False) -> str:
    """Return the page that shows the fields again, with a token of now."""
    return render_template("stale_form.html", fields=list(fields()), signed_out=signed_out)


def holds_words() -> bool:
    """Return whether something was typed or chosen that this page shows again."""
    return any(one.type not in NOT_SHOWN and one.value for one in fields())


def fields() -> Iterator[Field]:
    """Yield what was typed and chosen; a password is to be typed again, and a box to be ticked.

    The old token is of no use.
    """
    for name, value in request.form.items(multi=True):
        if not name.endswith(FORM_TOKEN):
            kind = type_of(name, value)
            shown = "" if kind == "password" else value
            yield Field(name, label_of(name), kind, shown, SELECTS.get(name, {}))


def type_of(name: str, value: str) -> str:
    """Return the type of input that suits the field."""
    if "password" in name.lower():
        return "password"
    if value in SELECTS.get(name, {}):
        return "select"
    if value in TICKED:
        return "checkbox"
    if "\n" in value:
        return "textarea"
    return "email" if "email" in name.lower() else "text"


def label_of(name: str) -> str:
    """Return the field's name in words."""
    return name.replace("_", " ").replace("-", " ").strip().capitalize() or name


def refusal(error: CSRFError) -> tuple[str, str]:
    """Return title and text for a form that is not taken."""
    return NO_REFERRER if is_about_referrer(error) else TOO_OLD


def is_about_referrer(error: CSRFError) -> bool:
    """Return whether the token was good, and only the browser's word on the page is missing."""
    return "referrer" in (error.description or "")
