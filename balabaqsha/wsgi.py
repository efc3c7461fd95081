"""The WSGI entry point for the application server."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from balabaqsha.replica import watch
from balabaqsha.wellformed import Guard

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "balabaqsha.settings")

application = Guard(get_wsgi_application())

if settings.REPLICA_URL:
    watch()
