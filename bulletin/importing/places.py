"""Localities and kindergartens as the cells of another file name them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from bulletin.importing.columns import Row
from bulletin.importing.kinds import LeftOut, Run
from bulletin.importing.problems import Problem
from bulletin.models import Kindergarten, Locality
from bulletin.sorting import fold

# What a locality is, as people write it before or behind its name.
_SORTS: Final = frozenset(
    fold(
        "қаласы қ г гор город кенті кент ауылы ауыл а с село п пос поселок посёлок ауданы аудан район"
    ).split()
)


def known_localities() -> Iterator[tuple[str, str]]:
    """The address of each locality on the site, with its name in the language of the reader."""
    return ((one.slug, one.name) for one in Locality.objects.all())


class Localities:
    """All localities, read once, each by its address, its names, and these without what it is (`г.`, `қаласы`)."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._found: dict[str, list[Locality]] = defaultdict(list)
        self._by_slug = {}
        for one in Locality.objects.all():
            self._by_slug[one.slug] = one
            names = {fold(one.name_kk), fold(one.name_ru)}
            for name in names | {_plain(name) for name in names}:
                self._found[name].append(one)

    def of(self, row: Row, column: str) -> Locality:
        """The one that the cell names. Raises `LeftOut`, also for one in which whoever imports does not work."""
        return self.named(row.values[column], row, column)

    def named(self, name: str, row: Row, column: str) -> Locality:
        """The one with this name, which stands in the cell; raises `LeftOut` like `of`."""
        found = self._named(name)
        if not found:
            raise LeftOut(row.fault(column, Problem.UNKNOWN, first="localities"))
        if len(found) > 1:
            raise LeftOut(row.fault(column, Problem.AMBIGUOUS))
        if not self._run.may_act_in(found[0].pk):
            raise LeftOut(row.fault(column, Problem.NOT_YOURS))
        return found[0]

    def _named(self, name: str) -> list[Locality]:
        slug, folded = name.lower(), fold(name)
        if slug in self._by_slug:
            return [self._by_slug[slug]]
        return self._found.get(folded) or self._found.get(_plain(folded), [])


def _plain(folded: str) -> str:
    """A folded name without what the locality is, unless nothing else is left of it."""
    return " ".join(word for word in folded.split() if word not in _SORTS) or folded


class Kindergartens:
    """Those that the rows of a portion name by their address on the site."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._found: dict[str, Kindergarten] = {}

    def prepare(self, rows: Sequence[Row], column: str) -> None:
        """Read them, with their localities and groups."""
        slugs = {row.values.get(column) for row in rows} - {None, ""}
        found = Kindergarten.objects.filter(slug__in=slugs).select_related("locality")
        self._found = {one.slug: one for one in found.prefetch_related("groups")}

    def of(self, row: Row, column: str) -> Kindergarten:
        """The one that the cell names. Raises `LeftOut`, also for one where whoever imports does not work."""
        found = self._found.get(row.values[column])
        if found is None:
            raise LeftOut(row.fault(column, Problem.UNKNOWN, first="kindergartens"))
        if not self._run.may_act_in(found.locality_id):
            raise LeftOut(row.fault(column, Problem.NOT_YOURS))
        self._run.places.add(found.locality_id)
        return found
