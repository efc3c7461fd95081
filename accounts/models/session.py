"""Sessions, as Django keeps them, and whose they are."""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User


class Session(AbstractBaseSession):
    """One session of a browser. `expire_date` is the whole truth about its end, whatever brought it about.

    The other columns are how that end is worked out, and only a family's session has the last three
    (`accounts.sessions`).
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="sessions")
    # The last request that was noted.
    seen_at = models.DateTimeField(null=True)
    # So long after the sign-in it ends, however busy it is.
    ends_at = models.DateTimeField(null=True)
    # A page waits for an opening: until then it doesn't end.
    kept_until = models.DateTimeField(null=True)

    class Meta:
        # Django's own table, with more columns: a new release signs nobody out.
        db_table = "django_session"
        verbose_name = _("session")
        verbose_name_plural = _("sessions")

    @classmethod
    def get_session_store_class(cls) -> type[Any]:
        engine: type[Any] = import_module(settings.SESSION_ENGINE).SessionStore
        return engine
