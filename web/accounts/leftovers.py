"""Rows that are of no use any more: a few of them go with each new one."""

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from web.models import AccountToken, SignIn

AT_ONCE = 100  # more than come in meanwhile, and little enough for one request


def sweep(
    session: Session, table: type[AccountToken | SignIn], is_over: ColumnElement[bool]
) -> None:
    """Delete some of them; what another request holds is left to the next, so this never waits.

    It comes after all that may wait, as others may wait for what it holds.
    """
    free = select(table.id).where(is_over).limit(AT_ONCE).with_for_update(skip_locked=True).cte()
    statement = delete(table).where(table.id.in_(select(free.c.id)))
    session.execute(statement.execution_options(synchronize_session=False))
