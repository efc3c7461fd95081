"""The state's person registry: one interface, a simulator for the demo, and HTTP for the real one."""

from typing import cast

from django.conf import settings

from accounts.registry.base import (
    Person,
    PersonNotFound,
    PersonRegistry,
    PhoneTie,
    RegistryUnavailable,
    UnusableAnswer,
)
from notifications.named_classes import find_class

__all__ = [
    "Person",
    "PersonNotFound",
    "PersonRegistry",
    "PhoneTie",
    "RegistryUnavailable",
    "UnusableAnswer",
    "get_registry",
    "is_simulated",
]


def get_registry() -> PersonRegistry:
    """The registry that `settings.PERSON_REGISTRY` names."""
    return cast(PersonRegistry, find_class(settings.PERSON_REGISTRY, having="find_person")())


def is_simulated() -> bool:
    """Whether that registry makes its people up. Raises what an import raises if there is none of that name."""
    return bool(getattr(find_class(settings.PERSON_REGISTRY, having="find_person"), "simulated", False))
