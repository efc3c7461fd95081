"""What officials tell of trouble and of planned work: never rewritten, only told further."""

from typing import Any, Final

from django.conf import settings
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from bulletin.models.offer import Locality

LONGEST_TITLE: Final = 120
LONGEST_TEXT: Final = 600


class ReportedIncidents(models.QuerySet["ReportedIncident"]):
    """Incidents, with what their last note says."""

    def as_told(self) -> "models.QuerySet[Any]":
        """The same rows with `told_at`, `until` and `is_over`, as the last note of each says, and its `last_number`."""
        last = IncidentNote.objects.filter(incident=OuterRef("pk")).order_by("-number")
        found: models.QuerySet[Any] = self.annotate(
            told_at=Subquery(last.values("written_at")[:1]),
            until=Subquery(last.values("until")[:1]),
            is_over=Subquery(last.values("is_over")[:1]),
            last_number=Subquery(last.values("number")[:1]),
        )
        return found


class ReportedIncident(models.Model):
    """Something that does not work, or will not, as an official tells everybody; how it goes on stands in its notes.

    The portal notes by itself what it sees standing still (`balabaqsha.models.Incident`). Append-only, with at least
    one note from its beginning.
    """

    locality = models.ForeignKey(
        Locality,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="incidents",
        verbose_name=_("locality"),
    )
    title_kk = models.CharField(_("title in Kazakh"), max_length=LONGEST_TITLE)
    title_ru = models.CharField(_("title in Russian"), max_length=LONGEST_TITLE)
    broken_kk = models.CharField(_("what doesn't work, in Kazakh"), max_length=LONGEST_TEXT)
    broken_ru = models.CharField(_("what doesn't work, in Russian"), max_length=LONGEST_TEXT)
    works_kk = models.CharField(_("what works, in Kazakh"), max_length=LONGEST_TEXT)
    works_ru = models.CharField(_("what works, in Russian"), max_length=LONGEST_TEXT)
    # In the future for planned work.
    started_at = models.DateTimeField(_("beginning"))

    objects = ReportedIncidents.as_manager()

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents and planned work")
        default_permissions = ("add", "change", "view")
        ordering = ["-started_at", "-id"]
        constraints = [
            # A button that is pressed twice tells it once.
            models.UniqueConstraint(
                fields=["locality", "title_kk", "started_at"], nulls_distinct=False, name="incident_told_once"
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """The title in the language of the page."""
        return self.title_ru if get_language() == "ru" else self.title_kk

    @property
    def broken(self) -> str:
        return self.broken_ru if get_language() == "ru" else self.broken_kk

    @property
    def scope(self) -> str:
        """Where it holds, in words."""
        return self.locality.name if self.locality else gettext("All localities")


class IncidentNote(models.Model):
    """One word of an official about an incident: what is done, and when it ends. The last one holds. Append-only."""

    incident = models.ForeignKey(
        ReportedIncident, on_delete=models.PROTECT, related_name="notes", verbose_name=_("incident")
    )
    # From 1: of two who write at once, one reads the other's first.
    number = models.PositiveSmallIntegerField(_("number"))
    text_kk = models.CharField(_("what is done, in Kazakh"), max_length=LONGEST_TEXT)
    text_ru = models.CharField(_("what is done, in Russian"), max_length=LONGEST_TEXT)
    # When it ended; of one that goes on, when that is expected. Work that was called off has no end.
    until = models.DateTimeField(_("end"), null=True)
    is_over = models.BooleanField(_("it is over"))
    written_at = models.DateTimeField(_("written at"))
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("written by")
    )

    class Meta:
        verbose_name = _("note about an incident")
        verbose_name_plural = _("notes about incidents")
        default_permissions = ()
        ordering = ["incident", "number"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "number"], name="incident_note_number"),
            models.CheckConstraint(
                condition=Q(is_over=False) | Q(until=None) | Q(until__lte=F("written_at")),
                name="incident_is_over_when_it_ended",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incident} {self.number}"
