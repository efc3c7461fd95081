"""The composition root: settings, addresses, Celery and everything that needs more than one app."""

from balabaqsha.celery import app as celery_app

__all__ = ["celery_app"]
