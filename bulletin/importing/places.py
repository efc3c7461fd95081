"""Localities and kindergartens as the cells of another file name them."""

from collections import defaultdict
from collections.abc import Sequence

from bulletin.importing.columns import Row
from bulletin.importing.kinds import LeftOut, Run
from bulletin.importing.problems import Problem
from bulletin.models import Kindergarten, Locality
from bulletin.sorting import fold


class Localities:
    """All localities, read once."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._found: dict[str, list[Locality]] = defaultdict(list)
        self._by_slug = {}
        for one in Locality.objects.all():
            self._by_slug[one.slug] = one
            for name in {fold(one.name_kk), fold(one.name_ru)}:
                self._found[name].append(one)

    def of(self, row: Row, column: str) -> Locality:
        """The one that the cell names. Raises `LeftOut`, also for one in which whoever imports does not work."""
        return self.named(row.values[column], row, column)

    def named(self, name: str, row: Row, column: str) -> Locality:
        """The one with this name, which stands in the cell; raises `LeftOut` like `of`."""
        found = [self._by_slug[name]] if name in self._by_slug else self._found[fold(name)]
        if not found:
            raise LeftOut(row.fault(column, Problem.UNKNOWN, first="localities"))
        if len(found) > 1:
            raise LeftOut(row.fault(column, Problem.AMBIGUOUS))
        if not self._run.may_act_in(found[0].pk):
            raise LeftOut(row.fault(column, Problem.NOT_YOURS))
        return found[0]


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
