"""Query results that are kept as JSON, so that none is shared by two who might change it."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from web.caching.entry import Entry
from web.caching.extension import keeper
from web.caching.figures import Figures
from web.caching.jobs import Job, Terms

Value = TypeVar("Value")


def remember(  # noqa: PLR0913 three are what it is about, the rest has defaults
    name: str,
    kind: type[Value],
    compute: Callable[[], Value],
    *,
    fresh_seconds: float | None = None,
    stale_seconds: float = 0,
    stale_on_error_seconds: float = 0,
    on: tuple[str, ...] = (),
) -> Value:
    """Return what `compute` returned within `fresh_seconds`, unless a tag of `on` was invalidated.

    The name is the key; its part before the first colon names the figures, so `notices:7` counts as
    notices. Past its fresh time it is returned for as long as `cached` says of a page. `kind` is the
    value's type, of what pydantic can write as JSON.
    """
    adapter: TypeAdapter[Value] = adapter_of(kind)  # type: ignore[arg-type] # types are hashable
    terms = Terms(fresh_seconds, stale_seconds, stale_on_error_seconds, on)
    figures = figures_of(name.partition(":")[0])
    job = Job(f"data {name}", terms, figures, lambda: Entry(adapter.dump_json(compute())))
    made = keeper().obtain(job)
    try:
        return adapter.validate_json(made.body if isinstance(made, Entry) else b"")
    except ValidationError:  # the shared store holds what is not ours
        return compute()


@cache
def adapter_of(kind: type[Any]) -> TypeAdapter[Any]:
    """Return what writes and reads values of this type."""
    return TypeAdapter(kind)


@cache
def figures_of(name: str) -> Figures:
    """Return the figures of this name."""
    return Figures(name)
