"""What mail is looked for. Pure."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, func

from common.mail_records import is_number

STATES = ("queued", "sent", "unsure", "dead", "expired", "suppressed", "cancelled")
LONGEST = 320


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: a state, a kind, and an address, a @domain, a number or a <Message-ID>.

    Nothing is any; a state that there is not is any, too.
    """

    state: str = ""
    kind: str = ""
    q: str = ""

    @classmethod
    def of(cls, state: str, kind: str, q: str) -> "Search":
        """Return it as it was typed, without what no mail has."""
        cleaned = [value.replace("\0", "").strip()[:LONGEST] for value in (kind, q)]
        return cls(state if state in STATES else "", *cleaned)

    @property
    def is_any(self) -> bool:
        """Return whether nothing is asked for."""
        return not (self.state or self.kind or self.q)

    @property
    def is_of_one(self) -> bool:
        """Return whether it asks for one mail."""
        return is_number(self.q) or self.q.startswith("<")

    @property
    def is_of_domain(self) -> bool:
        """Return whether it asks for all that went to a domain."""
        return self.q.startswith("@")

    def conditions(self, mails: FromClause) -> list[ColumnElement[bool]]:
        """Return what holds for the mails that are looked for."""
        found: list[ColumnElement[bool]] = []
        if self.state:
            found.append(mails.c.state == self.state)
        if self.kind:
            found.append(mails.c.kind == self.kind)
        if self.q:
            found.append(self.named(mails))
        return found

    def named(self, mails: FromClause) -> ColumnElement[bool]:
        """Return what holds for those that are called so."""
        if is_number(self.q):
            return mails.c.id == int(self.q)
        if self.q.startswith("<"):
            return mails.c.message_id == self.q
        backwards = func.reverse(func.lower(mails.c.recipient))
        wanted = self.q.lower()[::-1]
        if self.is_of_domain:
            return backwards.startswith(wanted, autoescape=True)
        return backwards == wanted
