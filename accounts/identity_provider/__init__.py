"""A provider that proves who somebody is (eGov QR, EDS): one interface, a simulator for the demo, HTTP for a real one.

Off unless `settings.IDENTITY_PROVIDER` names a class. The contract is in docs/identity.md.
"""

from typing import cast

from django.conf import settings

from accounts.identity_provider.base import IdentityProvider, NotProven, Proven
from notifications.named_classes import find_class

__all__ = ["IdentityProvider", "NotProven", "Proven", "get_provider"]


def get_provider() -> IdentityProvider | None:
    """The provider that the settings name; None where there is none."""
    if not settings.IDENTITY_PROVIDER:
        return None
    return cast(IdentityProvider, find_class(settings.IDENTITY_PROVIDER, having="finish")())
