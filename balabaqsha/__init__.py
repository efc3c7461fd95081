"""The composition root: settings, addresses, Celery and everything that needs more than one app."""

from typing import Final

# Of the release that this is, as in pyproject.toml.
__version__: Final = "0.1.0"
