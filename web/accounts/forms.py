"""What people fill in about their account. By "password" in its name, a field is never shown again."""

from flask import current_app
from wtforms import BooleanField, EmailField, PasswordField, SelectField, ValidationError
from wtforms.validators import InputRequired

from web.accounts import password_rules
from web.accounts.password_rules import PasswordError
from web.addresses import AddressError, normalize
from web.forms import PageForm, SubscribeForm
from web.models import MEMBER, OPERATOR

NO_MATCH = "The address and the password don't match."
ROLES = {MEMBER: "Member", OPERATOR: "Operator"}
WRONG_PASSWORD = "This is not your password."  # noqa: S105 what is said of one


class AddressForm(SubscribeForm):
    """One e-mail address; after a successful validation, `address` is it as SMTP takes it."""


class SignInForm(PageForm):
    """An address and a password. Whatever is wrong with them, the answer is the same."""

    email = EmailField("E-mail address")
    password = PasswordField("Password")

    @property
    def address(self) -> str | None:
        """Return the address as accounts have it, or None for what no account has."""
        try:
            return normalize(self.email.data or "")
        except AddressError:
            return None


class CurrentPasswordForm(PageForm):
    """The password that somebody has; whether it is right is for the view to find out."""

    current_password = PasswordField("Your password")


class NewPasswordForm(PageForm):
    """A new password, twice, as nobody sees what they type. `about` is whose it is to be."""

    password = PasswordField("Password")
    password_again = PasswordField("The same password again")
    about = ""

    def validate_password(self, field: PasswordField) -> None:
        """Refuse what is guessed too easily."""
        try:
            password_rules.check(
                field.data or "", (self.about, current_app.config["HOST"], "Keelson")
            )
        except PasswordError as error:
            raise ValidationError(str(error)) from None

    def validate_password_again(self, field: PasswordField) -> None:
        """Notice a slip of the finger."""
        if field.data != self.password.data and not self.password.errors:
            raise ValidationError("This is not the same. Please type both once more.")


class ChangePasswordForm(CurrentPasswordForm, NewPasswordForm):
    """The old password, and the new one twice."""


class ChangeEmailForm(AddressForm, CurrentPasswordForm):
    """The new address, and the password."""


class FirstOperatorForm(AddressForm, NewPasswordForm):
    """Everything that makes an account, at once."""

    def validate_password(self, field: PasswordField) -> None:
        """Refuse what is guessed too easily by somebody who knows the address."""
        self.about = self.email.data or ""
        super().validate_password(field)


class DeleteForm(CurrentPasswordForm):
    """The password, and that one means it."""

    sure = BooleanField("Delete my account. I know that nobody can bring it back.")

    def validate_sure(self, field: BooleanField) -> None:
        """Ask for the tick."""
        if not field.data:
            raise ValidationError("Please tick the box if you mean it.")


class RoleForm(PageForm):
    """A role."""

    role = SelectField(
        "Role", [InputRequired("Please choose a role.")], choices=ROLES, default=MEMBER
    )


class InviteForm(AddressForm, RoleForm):
    """Whom to invite, and as what."""
