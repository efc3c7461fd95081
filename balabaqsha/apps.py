"""The app configuration of the composition root and of the staff's admin site."""

from typing import Final

from django.apps import AppConfig, apps
from django.contrib.admin.apps import AdminConfig

# Files of django-leaflet that no page asks for: two megabytes, each of which would be compressed at set-up.
UNUSED: Final = (
    "draw",
    "*-src.js*",
    "proj4*",
    "leaflet.extras.*",
    "leaflet.forms.js",
    "leaflet_django.css",
    "Control.MiniMap.*",
)


class BalabaqshaConfig(AppConfig):
    name = "balabaqsha"
    default = True

    def ready(self) -> None:
        # Checks register themselves; tasks are of the app of Celery that was made. Whatever runs without Django, as
        # the supervisor and the web server's first process do, needs neither.
        from balabaqsha import celery, checks  # noqa: F401

        static_files = apps.get_app_config("staticfiles")
        static_files.ignore_patterns = [*static_files.ignore_patterns, *UNUSED]  # type: ignore[attr-defined]


class StaffAdminConfig(AdminConfig):
    """Django admin with the site that asks for a second factor."""

    default_site = "balabaqsha.admin_site.StaffAdminSite"
