"""Localities as a cell of another file names them: by their address on the site, or by their name in any language."""

from collections import defaultdict

from bulletin.importing.columns import Row
from bulletin.importing.kinds import LeftOut, Run
from bulletin.importing.problems import Problem
from bulletin.models import Locality
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

    def named(self, row: Row, column: str) -> Locality:
        """The one that the cell names. Raises `LeftOut`, also for one in which whoever imports does not work."""
        name = row.values[column]
        found = [self._by_slug[name]] if name in self._by_slug else self._found[fold(name)]
        if not found:
            raise LeftOut(row.fault(column, Problem.UNKNOWN, first="import_localities"))
        if len(found) > 1:
            raise LeftOut(row.fault(column, Problem.AMBIGUOUS))
        if not self._run.may_act_in(found[0].pk):
            raise LeftOut(row.fault(column, Problem.NOT_YOURS))
        return found[0]
