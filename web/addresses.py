"""E-mail addresses as people type them."""

from email_validator import EmailNotValidError, validate_email

from common.outbox import LONGEST_ADDRESS


class AddressError(ValueError):
    """Not an address that we can send to; the message is for the person who typed it."""


def normalize(typed: str) -> str:
    """Return the address as SMTP takes it: ASCII, the domain in lower case and punycode.

    Looks nothing up. Raises AddressError for what is no address, or needs SMTPUTF8, which not
    every relay speaks.
    """
    typed = typed.strip()
    if not typed:
        raise AddressError("Please write your e-mail address.")
    if len(typed) > LONGEST_ADDRESS:
        message = f"An e-mail address has at most {LONGEST_ADDRESS} characters; this one has more."
        raise AddressError(message)
    if not typed.partition("@")[0].isascii():
        raise AddressError(
            "We can't send to an address with accents or other special letters before the @."
        )
    try:
        address = validate_email(
            typed, check_deliverability=False, allow_smtputf8=False, strict=True
        )
    except EmailNotValidError as error:
        message = f"This is not an e-mail address we can send to. {error}"
        raise AddressError(message) from None
    if address.ascii_email is None:
        raise AddressError("We can't send to this address: it can't be written in plain letters.")
    return address.ascii_email
