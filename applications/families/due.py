"""What a family can put into its calendar: days on which something ends, instants at which something begins. Pure."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import TextChoices
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class DueKind(TextChoices):
    """What falls due. The values stand in addresses and make the identity of an entry, so they never change."""

    REFERRAL = "referral", _("Last day of the referral: sign the contract")
    OFFER = "offer", _("Last day to accept or decline the offered place")
    INTEREST = "interest", _("Last day to confirm your interest")
    COMING_BACK = "coming-back", _("Last day to come back to the queue")
    STOP = "stop", _("Last day of the stop-list")
    ANSWER = "answer", _("Last day for the kindergarten to answer")
    AWARD = "award", _("Places are given by queue number")
    OPENING = "opening", _("A place opens to your child")
    WINDOW = "window", _("A place opens to all: until now it was for the head of the queue")
    BENEFIT = "benefit", _("Last day of the benefit")
    SCHOOL_AGE = "school-age", _("Last day in the queue: after it the child is of school age")


@dataclass(frozen=True)
class Due:
    """One entry of the calendar. With `about`, the key of what falls due, `kind` names it for as long as it is there.

    `when` is a day in the place of the application, or an aware instant. `path` leads to where something can be done.
    """

    kind: DueKind
    about: UUID
    when: date | datetime
    application: UUID
    # Of the application, as an SMS names it.
    digits: str
    path: str
    # Of its place.
    zone: ZoneInfo
    # Where a place opens, as the bulletin tells everybody.
    kindergarten: str = ""

    def get_absolute_url(self) -> str:
        """Where it is had as a file."""
        return reverse("applications:calendar_file", args=[self.application, self.kind, self.about])

    @property
    def is_day(self) -> bool:
        """Whether `when` is a whole day."""
        return not isinstance(self.when, datetime)
