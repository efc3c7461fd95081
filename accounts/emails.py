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
    recipient in it, and what would stay inside the mail server (`@localhost`, an address of the network in place of a
    domain).
    """
    address = unicodedata.normalize("NFKC", text).strip()
    name, at, domain = address.rpartition("@")
    address = f"{name}@{domain.lower()}"
    if not at:
        raise ValidationError(_("Enter the whole e-mail address, with the sign @"), code="email")
    try:
        EmailValidator(allowlist=[])(address)
    except ValidationError:
        raise ValidationError(_WRONG, code="email") from None
    # No domain of the internet ends in digits alone, and none is in brackets.
    is_of_a_network = domain.endswith("]") or domain.rpartition(".")[2].isdigit()
    if len(address) > LONGEST or not name.isascii() or is_of_a_network:
        raise ValidationError(_WRONG, code="email")
    return address
