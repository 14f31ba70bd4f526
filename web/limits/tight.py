"""Limits of single routes that are worth an attack: by the client's address, and by account."""

from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar

from flask import Response

from web.limits import who
from web.limits.limiter import limiter

P = ParamSpec("P")
R = TypeVar("R")

LIMITS: dict[str, str] = {}  # each rule's, for who asks whether somebody is refused by it


def limit_tightly(
    name: str,
    *,
    by_address: str,
    by_account: str,
    field: str | None = "email",
    failures_only: bool = False,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator that limits how often a view takes a POST.

    The account is the one that the form names in `field`; without a field, the signed-in one.
    Where only failures count, requests that come at once are all let through: as many more as
    there are threads.
    """
    account = partial(account_of, field)
    shared: dict[str, Any] = {"methods": ["POST"], "override_defaults": False}
    if failures_only:
        shared["deduct_when"] = has_failed
    LIMITS.update({f"{name} by account": by_account, f"{name} by address": by_address})

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        of_account = limiter.shared_limit(
            by_account,
            f"{name} by account",
            key_func=lambda: account() or "",
            exempt_when=lambda: account() is None,
            **shared,
        )
        of_address = limiter.shared_limit(
            by_address, f"{name} by address", key_func=who.client, **shared
        )
        return of_address(of_account(view))

    return decorate


def account_of(field: str | None) -> str | None:
    """Return the account that a request is about, or None where it is about none."""
    if field is not None:
        return who.named_account(field)
    return None if who.signed_in() is None else who.account()


def has_failed(response: Response) -> bool:
    """Return whether the form was shown again; not where it was never looked at."""
    redirected = 300 <= response.status_code < 400  # noqa: PLR2004 the class of redirects
    return not redirected and response.status_code < 500 and response.status_code != 429  # noqa: PLR2004 likewise
