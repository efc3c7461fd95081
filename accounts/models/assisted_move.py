"""A lost number whose owner came to an employee with a document."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.number_move import NumberMove


class AssistedMove(models.Model):
    """What the employee saw who asked for a move of a number; a second one decides (`accounts.numbers.assisted`)."""

    class Document(models.TextChoices):
        CARD = "card", _("identity card")
        PASSPORT = "passport", _("passport")
        PERMIT = "permit", _("residence permit")
        OTHER = "other", _("other document with a photo")

    move = models.OneToOneField(
        NumberMove, on_delete=models.CASCADE, related_name="assisted", verbose_name=_("move of a number")
    )
    document = models.CharField(_("document that was seen"), max_length=8, choices=Document.choices)
    why = models.CharField(_("what happened"), max_length=300)

    class Meta:
        verbose_name = _("assisted move of a number")
        verbose_name_plural = _("assisted moves of numbers")
        ordering = ["-move__asked_at", "-id"]

    def __str__(self) -> str:
        return str(self.move)
