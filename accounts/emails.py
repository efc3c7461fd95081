"""E-mail addresses as people type them."""

import unicodedata
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

# RFC 5321.
LONGEST = 254
_WRONG: Final = gettext_lazy("This can't be an e-mail address: check what stands before and after the sign @")


def parse_email(text: str) -> str:
    """The address without surrounding spaces, its domain in small letters.

    Raises `ValidationError` for what can't be one: among others anything with a line break, a comma or a second
    recipient in it.
    """
    address = unicodedata.normalize("NFKC", text).strip()
    name, at, domain = address.rpartition("@")
    address = f"{name}@{domain.lower()}"
    if not at:
        raise ValidationError(_("Enter the whole e-mail address, with the sign @"), code="email")
    try:
        EmailValidator()(address)
    except ValidationError:
        raise ValidationError(_WRONG, code="email") from None
    if len(address) > LONGEST or not name.isascii():
        raise ValidationError(_WRONG, code="email")
    return address
