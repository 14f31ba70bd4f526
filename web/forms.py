"""What people fill in."""

from flask import request
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import EmailField, ValidationError

from common.outbox import LONGEST_ADDRESS
from web.addresses import AddressError, normalize

SUBMITTED = {"POST", "PUT", "PATCH", "DELETE"}


class PageForm(FlaskForm):  # type: ignore[misc] # the library ships no types
    """A form of a page: its text alone. The library's would take JSON and files for fields as well.

    The limits by account read the text, too; and a value is always a string. Code zero, which no
    browser sends and PostgreSQL refuses, is replaced.
    """

    class Meta(FlaskForm.Meta):  # type: ignore[misc] # likewise
        """What of the request is the form."""

        def wrap_formdata(self, _form: object, _given: object) -> MultiDict[str, str] | None:
            """Return the fields that were sent, or None where none were."""
            if request.method not in SUBMITTED:
                return None
            given = request.form.items(multi=True)
            return MultiDict((name, value.replace("\0", "\ufffd")) for name, value in given)


class SubscribeForm(PageForm):
    """One e-mail address; after a successful validation, `address` is it as SMTP takes it."""

    email = EmailField("E-mail address")
    address = ""

    def validate_email(self, field: EmailField) -> None:
        """Take the address, or keep what was typed, cut to a length that can be shown again."""
        typed = field.data or ""
        field.data = typed[:LONGEST_ADDRESS]
        try:
            self.address = normalize(typed)
        except AddressError as error:
            raise ValidationError(str(error)) from None
