"""The composition root: settings, addresses, Celery and everything that needs more than one app."""
