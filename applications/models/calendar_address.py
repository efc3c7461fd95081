"""The secret address from which somebody's own calendar reads what falls due for their family."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class CalendarAddress(models.Model):
    """One for each user at most. Only a hash of the secret is kept: who has lost the address makes a new one."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("user"),
    )
    digest = models.CharField(max_length=64, unique=True)
    # The password with which it was made, as a session holds it (`User.get_session_auth_hash`): another one ends it.
    stamp = models.CharField(max_length=64, db_default="", default="", editable=False)
    made_at = models.DateTimeField(_("made at"))

    class Meta:
        verbose_name = _("calendar address")
        verbose_name_plural = _("calendar addresses")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.user)
