"""The state's person registry: one interface, a simulator for the demo, and HTTP for the real one."""

from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

from accounts.registry.base import Person, PersonNotFound, PersonRegistry, PhoneTie, RegistryUnavailable

__all__ = ["Person", "PersonNotFound", "PersonRegistry", "PhoneTie", "RegistryUnavailable", "get_registry"]


def get_registry() -> PersonRegistry:
    """The registry that `settings.PERSON_REGISTRY` names."""
    return cast(PersonRegistry, import_string(settings.PERSON_REGISTRY)())
