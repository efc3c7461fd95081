"""Counts as everyone may see them: a very small one might point at a family. Pure."""

from typing import Final

from django.utils.formats import number_format

FEW: Final = 5


def told(count: int, *, grouped: bool = True) -> str:
    """The count, or `<5`; zero is shown, since it points at nobody. In files thousands are not `grouped`."""
    if 0 < count < FEW:
        return f"<{FEW}"
    return number_format(count, force_grouping=True) if grouped else str(count)


def noun_number(count: int) -> int:
    """The number that decides the form of the noun beside `told(count)`: the form tells no more than the count."""
    return FEW if 0 < count < FEW else count
