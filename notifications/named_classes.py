"""Classes that an operator chooses by a dotted path."""

from typing import Any

from django.utils.module_loading import import_string


def find_class(path: str, *, having: str) -> type[Any]:
    """The class at a dotted path that an operator wrote, with the method `having`. Raises ImportError, nothing else."""
    try:
        found = import_string(path)
    except (TypeError, ValueError) as error:
        # A path of dots alone, or one that no module could have.
        raise ImportError(f"{path!r} is no dotted path") from error
    if not (isinstance(found, type) and hasattr(found, having)) or getattr(found, "_is_protocol", False):
        raise ImportError(f"{path!r} is no class with the method {having}")
    return found
