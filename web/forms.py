"""What people fill in."""

from flask_wtf import FlaskForm
from wtforms import EmailField, ValidationError

from common.outbox import LONGEST_ADDRESS
from web.addresses import AddressError, normalize


class SubscribeForm(FlaskForm):  # type: ignore[misc] # the library ships no types
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
