"""What a kindergarten tells of itself on its public page, and its photos."""

import uuid
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from accounts.public_text import refuse_personal_numbers
from bulletin.models.offer import Kindergarten

# Tenge a month; no kindergarten asks more.
HIGHEST_FEE: Final = 1_000_000
# The texts that are told in both languages, by the beginnings of their names.
TEXTS: Final = ("about", "food", "access", "special")


def _text(label: Any, *, longest: int = 500) -> "models.TextField[str, str]":
    return models.TextField(label, max_length=longest, blank=True, validators=[refuse_personal_numbers])


class ProfileValues(models.Model):
    """What families ask of a kindergarten; whatever is empty is not told."""

    class Payer(models.TextChoices):
        STATE = "state", _("the state pays everything")
        BOTH = "both", _("the family pays for food, the state for the rest")
        FAMILY = "family", _("the family pays everything")

    about_kk = _text(_("about the kindergarten, in Kazakh"), longest=1500)
    about_ru = _text(_("about the kindergarten, in Russian"), longest=1500)
    day_begins = models.TimeField(_("open from"), null=True, blank=True)
    day_ends = models.TimeField(_("open until"), null=True, blank=True)
    food_kk = _text(_("food, in Kazakh"))
    food_ru = _text(_("food, in Russian"))
    fee = models.PositiveIntegerField(
        _("fee of the family, tenge a month"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(HIGHEST_FEE)],
        help_text=_("0: the family pays nothing."),
    )
    payer = models.CharField(_("who pays"), max_length=8, choices=Payer.choices, blank=True)
    licence = models.CharField(
        _("licence"), max_length=120, blank=True, help_text=_("Number and date, as on the paper.")
    )
    access_kk = _text(_("accessibility, in Kazakh"))
    access_ru = _text(_("accessibility, in Russian"))
    special_kk = _text(_("special groups and specialists, in Kazakh"))
    special_ru = _text(_("special groups and specialists, in Russian"))

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(day_begins=None, day_ends=None)
                | Q(day_begins__isnull=False, day_ends__isnull=False, day_ends__gt=F("day_begins")),
                name="%(class)s_day_runs_forward",
                violation_error_message=_("Tell both hours; the day ends after it begins."),
            ),
            models.CheckConstraint(
                condition=Q(fee=None, payer="") | (Q(fee__isnull=False, fee__lte=HIGHEST_FEE) & ~Q(payer="")),
                name="%(class)s_fee_has_payer",
                violation_error_message=_("Tell both the fee and who pays."),
            ),
        ]

    def clean(self) -> None:
        """A text is told in both languages or in none."""
        super().clean()
        missing = {}
        for name in TEXTS:
            kk, ru = (getattr(self, f"{name}_{code}").strip() for code in ("kk", "ru"))
            if bool(kk) != bool(ru):
                missing[f"{name}_{'ru' if kk else 'kk'}"] = gettext(
                    "Families read both languages: write it here, too."
                )
        if missing:
            raise ValidationError(missing)

    def _told(self, name: str) -> str:
        text: str = getattr(self, f"{name}_{'ru' if get_language() == 'ru' else 'kk'}")
        return text

    @property
    def about(self) -> str:
        return self._told("about")

    @property
    def food(self) -> str:
        return self._told("food")

    @property
    def access(self) -> str:
        return self._told("access")

    @property
    def special(self) -> str:
        return self._told("special")

    @property
    def hours(self) -> str:
        """As it stands on a door; empty if it is not told."""
        if self.day_begins is None or self.day_ends is None:
            return ""
        return f"{self.day_begins:%H:%M}–{self.day_ends:%H:%M}"


# The fields of `ProfileValues`, in the order in which they are filled in.
PROFILE_FIELDS: Final = tuple(field.name for field in ProfileValues._meta.local_fields)


class KindergartenProfile(ProfileValues):
    """What an official confirmed of it, which everybody reads. Written by `applications.decisions.profiles` alone."""

    kindergarten = models.OneToOneField(
        Kindergarten, on_delete=models.CASCADE, related_name="profile", verbose_name=_("kindergarten")
    )
    confirmed_at = models.DateTimeField(_("confirmed at"))

    class Meta(ProfileValues.Meta):
        verbose_name = _("page of a kindergarten")
        verbose_name_plural = _("pages of kindergartens")
        default_permissions = ()
        constraints = [*ProfileValues.Meta.constraints]

    def __str__(self) -> str:
        return str(self.kindergarten)


class Photo(models.Model):
    """A photo of a kindergarten, redrawn in two sizes; shown once an official published it."""

    class State(models.TextChoices):
        PENDING = "pending", _("waits for moderation")
        PUBLISHED = "published", _("published")
        REJECTED = "rejected", _("not published")
        # An end: by the kindergarten that sent it, and nobody publishes it again.
        TAKEN_DOWN = "taken_down", _("taken down by the kindergarten")

    class Children(models.TextChoices):
        """What its sender answers for."""

        NOBODY = "nobody", _("no child can be recognised")
        CONSENT = (
            "consent",
            _("children can be recognised, and their guardians' written consent is kept"),
        )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kindergarten = models.ForeignKey(
        Kindergarten, on_delete=models.CASCADE, related_name="photos", verbose_name=_("kindergarten")
    )
    image = models.FileField(_("photo"), upload_to="kindergartens/")
    thumbnail = models.FileField(_("small photo"), upload_to="kindergartens/")
    # Of `image`, in pixels: the page keeps its room before it comes.
    width = models.PositiveSmallIntegerField(editable=False)
    height = models.PositiveSmallIntegerField(editable=False)
    caption_kk = models.CharField(
        _("what the photo shows, in Kazakh"), max_length=120, validators=[refuse_personal_numbers]
    )
    caption_ru = models.CharField(
        _("what the photo shows, in Russian"), max_length=120, validators=[refuse_personal_numbers]
    )
    children = models.CharField(
        _("children on the photo"),
        max_length=10,
        choices=Children.choices,
        # No photo could be sent before this was asked.
        db_default=Children.NOBODY,
    )
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PENDING)
    sent_at = models.DateTimeField(_("sent at"))
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("sent by")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decision_reason = models.CharField(_("reason for not publishing"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("photo of a kindergarten")
        verbose_name_plural = _("photos of kindergartens")
        ordering = ["sent_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="pending") | Q(decided_by__isnull=False),
                name="photo_is_decided_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return self.caption

    @property
    def caption(self) -> str:
        """What it shows, in the language of the page."""
        return self.caption_ru if get_language() == "ru" else self.caption_kk
