"""Rows that reports count, and where each kind of row says what it is counted by."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.contrib.postgres.fields import ArrayField
from django.db.models import DateField, DateTimeField, F, Func, Model, Q, QuerySet, Value
from django.db.models.expressions import Combinable

from applications.models import Benefit, Bid, Contract, Correction, Referral
from applications.reports.asked import Asked, Slice
from bulletin.models import Group, Vacancy

Key = Any
# The columns by which several localities are read together.
_CELL: Final = {one: f"cell_{one}" for one in (Slice.LOCALITY, Slice.YEAR, Slice.LANGUAGE, Slice.MONTH)}


@dataclass(frozen=True)
class Facts:
    """`at`: when a row happened (empty: it has no time); `paths`: the lookup of each slice from the row."""

    rows: Callable[[], QuerySet[Any]]
    at: str
    paths: Mapping[Slice, str]

    def asked_for(self, asked: Asked) -> QuerySet[Any]:
        """The rows that the reader asks for, unordered."""
        rows = self.rows().order_by().filter(self._where(asked))
        return (
            rows.filter(**{f"{self.at}__gte": asked.begins, f"{self.at}__lt": asked.ends})
            if self.at
            else rows
        )

    def by(self, asked: Asked, slice_: Slice | None, **measures: Any) -> dict[Key, dict[str, int]]:
        """The measures, counts or sums, of each key of the slice, and of all rows under None. One statement."""
        nothing = dict.fromkeys(measures, 0)
        found: dict[Key, dict[str, int]] = {None: {**nothing}}
        for keys, numbers in self.cells(asked, slice_, **measures):
            for key in (*keys, None):
                sums = found.setdefault(key, {**nothing})
                for name, value in numbers.items():
                    # A sum of nothing is none.
                    sums[name] += value or 0
        return found

    def cells(
        self, asked: Asked, slice_: Slice | None, **measures: Any
    ) -> Iterator[tuple[Sequence[Key], Mapping[str, Any]]]:
        """The measures of rows that belong together, and to which rows of the slice they belong. One statement.

        Where `asked` is one of several together, the statement is the first one's.
        """
        if asked.together is not None:
            yield from self._cells_together(asked, slice_, measures)
        elif slice_ is None:
            yield [], self.asked_for(asked).aggregate(**measures)
        else:
            rows = self.asked_for(asked).annotate(row_key=self.key(asked, slice_))
            for row in rows.values("row_key").annotate(**measures):
                yield keys_of(row.pop("row_key")), row

    def _cells_together(
        self, asked: Asked, slice_: Slice | None, measures: Mapping[str, Any]
    ) -> Iterator[tuple[Sequence[Key], Mapping[str, Any]]]:
        assert asked.together is not None
        # Where months begin depends on the zone.
        read = (id(self), *measures, *asked.beginnings)
        if read not in asked.together:
            asked.together[read] = self._all_cells(asked, measures)
        for row in asked.together[read]:
            if asked.holds(row[_CELL[Slice.LOCALITY]]):
                keys = keys_of(row[_CELL[slice_]]) if slice_ else []
                yield keys, {name: row[name] for name in measures}

    def _all_cells(self, asked: Asked, measures: Mapping[str, Any]) -> list[dict[str, Any]]:
        """By everything at once that public figures are cut by, wherever it is."""
        slices = [one for one in _CELL if one in self.paths or (one is Slice.MONTH and self.at)]
        rows = self.asked_for(replace(asked, are_everywhere=True)).annotate(
            **{_CELL[one]: self.key(asked, one) for one in slices}
        )
        return list(rows.values(*(_CELL[one] for one in slices)).annotate(**measures))

    def key(self, asked: Asked, slice_: Slice) -> Combinable:
        """By what a row belongs to the slice; `keys_of` says to which of its rows."""
        return month_of(self.at, asked) if slice_ is Slice.MONTH else F(self.paths[slice_])

    def _where(self, asked: Asked) -> Q:
        found = Q()
        if asked.localities is not None and not asked.are_everywhere:
            found &= Q(**{f"{self.paths[Slice.LOCALITY]}__in": [one.pk for one in asked.localities]})
        if asked.birth_year is not None and Slice.YEAR in self.paths:
            found &= self._is(self.paths[Slice.YEAR], asked.birth_year)
        if asked.language:
            found &= self._is(self.paths[Slice.LANGUAGE], asked.language)
        return found

    def _is(self, path: str, value: object) -> Q:
        return Q(**{f"{path}__contains": [value]}) if self._is_list(path) else Q(**{path: value})

    def _is_list(self, path: str) -> bool:
        model: type[Model] = self.rows().model
        *way, last = path.split("__")
        for name in way:
            related = model._meta.get_field(name).related_model
            assert isinstance(related, type)
            model = related
        return isinstance(model._meta.get_field(last), ArrayField)


def keys_of(value: Any) -> list[Key]:
    """The rows of a report to which what the database says belongs: each language that a family names. Pure."""
    return value if isinstance(value, list) else [value]


def month_of(at: str, asked: Asked) -> Combinable:
    """The first day of the month of an instant that lies in the months that are asked for.

    Found among their beginnings: to reckon with the zone for each row took half of what a report by months takes.
    """
    begins = Value(asked.beginnings, ArrayField(DateTimeField()))
    number = Func(F(at), begins, function="width_bucket")
    days = Value(asked.months, ArrayField(DateField()))
    return Func(days, number, template="(%(expressions)s]", arg_joiner=")[", output_field=DateField())


def _of_application(path: str, **more: str) -> dict[Slice, str]:
    return {
        Slice.LOCALITY: f"{path}locality",
        Slice.YEAR: f"{path}birth_year",
        Slice.LANGUAGE: f"{path}languages",
        **{Slice[name]: lookup for name, lookup in more.items()},
    }


def _of_group(path: str, *, year: str = "") -> dict[Slice, str]:
    return {
        Slice.LOCALITY: f"{path}kindergarten__locality",
        Slice.LANGUAGE: f"{path}language",
        Slice.KINDERGARTEN: f"{path}kindergarten",
        Slice.AGE_GROUP: f"{path}age_group",
        **({Slice.YEAR: year} if year else {}),
    }


REFERRALS: Final = Facts(
    Referral.objects.all,
    "issued_at",
    _of_application("application__", KINDERGARTEN="bid__vacancy__group__kindergarten"),
)
# Of whom a kindergarten owed, or owes, an answer.
ANSWERS: Final = Facts(
    lambda: Bid.objects.filter(answer_due__isnull=False),
    "placed_at",
    _of_application("application__", KINDERGARTEN="vacancy__group__kindergarten"),
)
BENEFITS: Final = Facts(
    Benefit.objects.all, "claimed_at", _of_application("application__", CATEGORY="category")
)
CORRECTIONS: Final = Facts(Correction.objects.all, "proposed_at", _of_application("application__"))
GROUPS: Final = Facts(Group.objects.all, "", _of_group(""))
PUBLISHED: Final = Facts(
    lambda: Vacancy.objects.filter(published_at__isnull=False),
    "published_at",
    _of_group("group__", year="birth_years"),
)
SIGNED: Final = Facts(
    Contract.objects.all,
    "signed_at",
    _of_group("referral__bid__vacancy__group__", year="referral__application__birth_year"),
)
