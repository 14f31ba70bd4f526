"""What operators fill in to tell people something."""

from datetime import UTC, datetime
from typing import Self

from wtforms import SelectMultipleField, StringField, SubmitField, TextAreaField

from web.forms import PageForm
from web.notices.draft import Draft, problems, problems_of_words, tidy, tidy_line
from web.notices.states import INCIDENT, KINDS, PARTS, STATES_OF

FORMATS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M")
NO_INSTANT = "This is no date with a time. Write it as 2027-03-01 22:00, in UTC."


class NoticeForm(PageForm):
    """A notice; after a successful validation, `draft` is what was filled in."""

    kind = StringField("What is it?", default=INCIDENT)
    title = StringField("Title")
    parts = SelectMultipleField(
        "Which parts does it concern?",
        choices={part: part for part in PARTS},
        validate_choice=False,
    )
    begins_at = StringField("Begins (UTC)")
    ends_at = StringField("Ends (UTC)")
    words = TextAreaField("What should people know?")
    draft = Draft()
    kinds = KINDS

    @classmethod
    def of(cls, draft: Draft) -> Self:
        """Return the form as it is filled in with a draft, or with what was sent in its place."""
        return cls(
            kind=draft.kind,
            title=draft.title,
            parts=draft.parts,
            begins_at=written(draft.begins_at),
            ends_at=written(draft.ends_at),
            words=draft.words,
        )

    def is_good(self, now: datetime) -> bool:
        """Return whether it was sent, and can be kept; else what is wrong is beside its field."""
        if not self.validate_on_submit():
            return False
        hours = {name: instant(self[name].data or "") for name in ("begins_at", "ends_at")}
        unread = {name: NO_INSTANT for name, at in hours.items() if at is None and self[name].data}
        self.draft = Draft(
            kind=self.kind.data or "",
            title=tidy_line(self.title.data or ""),
            words=tidy(self.words.data or ""),
            parts=self.parts.data or (),
            **hours,
        )
        return not self.say(problems(self.draft, now) | unread)

    def say(self, wrong: dict[str, str]) -> bool:
        """Put what is wrong beside the fields; return whether there is anything."""
        for name, told in wrong.items():
            self[name].errors = [told]
        return bool(wrong)


class UpdateForm(PageForm):
    """How a notice goes on; after a successful validation, `said` is what was written."""

    state = StringField("State")
    words = TextAreaField("What is new?")
    preview = SubmitField("Preview")
    said = ""

    def is_good(self, kind: str) -> bool:
        """Return whether it was sent, and can be told of a notice of this kind."""
        if not self.validate_on_submit():
            return False
        self.said = tidy(self.words.data or "")
        wrong = problems_of_words(self.said)
        if self.state.data not in STATES_OF[kind]:
            self.state.errors = ["Please choose how it stands."]
        self.words.errors = list(wrong.values())
        return not (self.state.errors or wrong)


def instant(typed: str) -> datetime | None:
    """Return the instant that was typed, in UTC; None for what is none."""
    for form in FORMATS:
        try:
            return datetime.strptime(typed.strip(), form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def written(at: datetime | None) -> str:
    """Return an instant as the form has it."""
    return at.astimezone(UTC).strftime(FORMATS[0]) if at else ""
