"""Who asked to be told of places, and how far they have been told of those that were published together."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from applications.models.application import Application
from bulletin.models import Kindergarten, Language, Vacancy
from notifications.fields import EncryptedTextField


class Alert(models.Model):
    """A guardian's wish to be told when a place for the child appears; one for each guardian and application.

    Which places those are, `applications.alerts.suiting` says: those that suit the application, and of these what is
    chosen here. Nothing chosen is no limit. `within_km` counts around a kindergarten, or around a point that the
    guardian's browser told, `latitude:longitude` to half a kilometre (`bulletin.nearness.coarse`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="alerts", verbose_name=_("user")
    )
    application = models.ForeignKey(
        Application, on_delete=models.CASCADE, related_name="alerts", verbose_name=_("application")
    )
    languages = ArrayField(
        models.CharField(max_length=2, choices=Language.choices),
        default=list,
        blank=True,
        verbose_name=_("languages of education"),
    )
    kindergartens = models.ManyToManyField(
        Kindergarten, related_name="+", blank=True, verbose_name=_("kindergartens")
    )
    within_km = models.PositiveSmallIntegerField(_("within so many kilometres"), null=True, blank=True)
    around = models.ForeignKey(
        Kindergarten,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("around the kindergarten"),
    )
    point = EncryptedTextField(_("around the point"), blank=True, default="", db_default="")
    is_on = models.BooleanField(_("switched on"), default=True)
    changed_at = models.DateTimeField(_("changed at"))

    class Meta:
        verbose_name = _("alert about places")
        verbose_name_plural = _("alerts about places")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["application", "user"], name="one_alert_each"),
            models.CheckConstraint(
                condition=models.Q(around=None) | models.Q(point=""), name="alert_has_one_middle"
            ),
        ]
        # A wave takes those that are switched on portion by portion, in the order of their keys.
        indexes = [
            models.Index(fields=["id"], condition=models.Q(is_on=True), name="alert_on"),
            models.Index(fields=["around"], condition=models.Q(around__isnull=False), name="alert_around"),
        ]

    def __str__(self) -> str:
        return str(self.application)


class Wave(models.Model):
    """Places that were published together, and how far the families who asked for them are told."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    begun_at = models.DateTimeField(_("begun at"))
    # The last alert that is told, in the order of their keys: with its messages it is written, or neither is.
    told_to = models.UUIDField(null=True)
    told = models.PositiveIntegerField(_("told"), default=0)
    done_at = models.DateTimeField(_("done at"), null=True)

    class Meta:
        verbose_name = _("wave of alerts")
        verbose_name_plural = _("waves of alerts")
        default_permissions = ()
        ordering = ["begun_at", "id"]

    def __str__(self) -> str:
        return f"{self.begun_at:%d.%m.%Y %H:%M}"


class ToldPlace(models.Model):
    """A published place belongs to a wave: it is told of once, whatever becomes of it later."""

    vacancy = models.OneToOneField(
        Vacancy, on_delete=models.CASCADE, primary_key=True, related_name="told", verbose_name=_("vacancy")
    )
    wave = models.ForeignKey(Wave, on_delete=models.CASCADE, related_name="places", verbose_name=_("wave"))

    class Meta:
        verbose_name = _("place told of")
        verbose_name_plural = _("places told of")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.vacancy)
