"""The code on a referral's paper: twelve signs of Crockford's base32, which hold 60 bits of chance.

`read_code` forgives what people mistake: O for 0, I and L for 1, Cyrillic letters that look alike, small letters,
dashes and spaces; it also reads the code out of the address that the paper's QR code holds.
"""

import re
import secrets
from typing import Final

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import override

from accounts.crypto import keyed_hashes
from applications.models import Referral
from applications.models.check_code import CHECK_CODE, CheckCode, check_code_hash
from applications.states import ReferralState

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH: Final = 12
_GROUP: Final = 4
_MISTAKEN: Final = str.maketrans("OILАВСЕНІКМОРТХУ", "011ABCEH1KM0PTXY")
_CODE: Final = re.compile(f"[{ALPHABET}]{{{LENGTH}}}")


def read_code(typed: str) -> str:
    """The code that somebody typed or scanned, as it is kept; empty if it can be none. Pure."""
    last = typed.strip().rstrip("/").rpartition("/")[2]
    code = re.sub(r"[\s\-–—]", "", last).upper().translate(_MISTAKEN)
    return code if _CODE.fullmatch(code) else ""


def grouped(code: str) -> str:
    """A code as people read it, in three groups of four. Pure."""
    return "-".join(code[begin : begin + _GROUP] for begin in range(0, len(code), _GROUP))


def code_of(referral: Referral) -> str:
    """The code of a referral, made when it is first asked for. Safe to call at the same time."""
    known = CheckCode.objects.filter(referral=referral).first()
    if known is None:
        code = "".join(secrets.choice(ALPHABET) for _sign in range(LENGTH))
        made = {"code": code, "code_hash": check_code_hash(code)}
        known, _is_new = CheckCode.objects.get_or_create(referral=referral, defaults=made)
    return str(known.code)


def referral_of(code: str) -> Referral | None:
    """The referral with this code, as `read_code` gives it, with what its check tells; None if there is none.

    One statement, whether or not there is one.
    """
    return (
        Referral.objects.filter(check_code__code_hash__in=keyed_hashes(CHECK_CODE, code))
        .select_related(
            "application__locality", "bid__vacancy__group__kindergarten__locality", "extension", "contract"
        )
        .first()
    )


def without_code() -> QuerySet[Referral]:
    """Valid referrals whose paper was made before papers had codes."""
    return Referral.objects.filter(state=ReferralState.ISSUED, check_code=None).exclude(pdf="")


def address_of(code: str) -> str:
    """The absolute address of the check in Kazakh, with links to the other language; empty without `SITE_URL`."""
    if not settings.SITE_URL:
        return ""
    with override("kk"):
        return f"{settings.SITE_URL}{reverse('applications:checked_referral', args=[grouped(code)])}"
