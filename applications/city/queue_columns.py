"""The columns of a file of the former queue."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from accounts.identity import DocumentError, Paper, parse_identity
from accounts.models import Sex
from applications.models import BenefitCategory
from bulletin.importing.columns import Choice, Column, Day, Iin, Moment, Phone, Several, Takes, Text
from bulletin.importing.places import known_localities
from bulletin.importing.problems import Problem, Wrong
from bulletin.models import Language


class FormerState(TextChoices):
    """What the former queue says of a child; anything but waiting needs its last day, or that it has left."""

    WAITING = "waiting", _("waits")
    STOP_LISTED = "stop_listed", _("on the stop-list until")
    REFERRED = "referred", _("has a referral until")
    LEFT = "left", _("left the former queue")


# Who is in one of these stands outside of the queue until a day.
HELD: Final = frozenset({FormerState.STOP_LISTED, FormerState.REFERRED})


class Certificate(Takes):
    """The number of a birth certificate, its letters in one alphabet."""

    words = _("the number of a birth certificate, for a child without an IIN")
    is_secret = True

    def read(self, text: str) -> str:
        try:
            return parse_identity(text, paper=Paper.OTHER).document_number
        except DocumentError:
            raise Wrong(Problem.NOT_CERTIFICATE) from None


class Filed(Takes):
    """When something was, as it is in the place: with its time, or a day, which begins at midnight."""

    words = _("a date, with its time if that is known: 26.06.2019 10:00 or 26.06.2019")

    def read(self, text: str) -> datetime:
        try:
            return Moment().read(text)
        except Wrong:
            return datetime.combine(Day().read(text), datetime.min.time())


def known_benefits() -> Iterator[tuple[str, str]]:
    """The code of each category of benefits, with its name in the language of the reader."""
    return ((one.slug, one.name) for one in BenefitCategory.objects.all())


_NAME: Final = Text(100)

COLUMNS: Final = (
    Column("old_number", _("number in the former queue"), Text(40), "2017-004512"),
    Column(
        "locality",
        _("locality"),
        Text(200),
        "turkistan",
        about=_("Its address on the site, or its name."),
        known=known_localities,
    ),
    Column("filed_at", _("time of filing"), Filed(), "26.06.2017 10:15"),
    Column("child_iin", _("child's IIN"), Iin(), "800101300016", required=False),
    Column(
        "certificate",
        _("child's birth certificate"),
        Certificate(),
        "",
        required=False,
        about=_("Only where the child has no IIN."),
    ),
    Column("last_name", _("child's last name"), _NAME, "КАМЕНОВА"),
    Column("first_name", _("child's first name"), _NAME, "АЛИЯ"),
    Column("middle_name", _("child's patronymic"), _NAME, "", required=False),
    Column("birth_date", _("child's birth date"), Day(), "01.01.2022"),
    Column(
        "sex",
        _("child's sex"),
        Choice(Sex),
        "F",
        required=False,
        about=_("Needed where the child has no IIN; the registry corrects it later."),
    ),
    Column("guardian_iin", _("guardian's IIN"), Iin(), "", required=False),
    Column(
        "phone",
        _("guardian's phone"),
        Phone(),
        "+7 701 777 98 76",
        required=False,
        about=_("By it the family is invited, and claims its application."),
    ),
    Column("languages", _("languages of education"), Several(Choice(Language)), "kk, ru"),
    Column(
        "benefit",
        _("benefit"),
        Text(200),
        "",
        required=False,
        about=_("The code or the name of a benefit category that the former queue had verified."),
        known=known_benefits,
    ),
    Column(
        "benefit_until",
        _("last day of the benefit"),
        Day(),
        "",
        required=False,
        empty=None,
        about=_("Empty: without an end."),
    ),
    Column(
        "interest_confirmed_at",
        _("interest confirmed at"),
        Filed(),
        "",
        required=False,
        empty=None,
        about=_("Kept; it ends nothing."),
    ),
    Column(
        "state",
        _("state in the former queue"),
        Choice(FormerState),
        "waiting",
        required=False,
        empty=FormerState.WAITING.value,
    ),
    Column(
        "until",
        _("last day of the stop or of the referral"),
        Day(),
        "",
        required=False,
        empty=None,
        about=_("Needed for these two states. From the day after on the child waits at its date."),
    ),
)
