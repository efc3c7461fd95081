"""Rows that reports count, and where each kind of row says what it is counted by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.postgres.fields import ArrayField
from django.db.models import DateField, DateTimeField, F, Func, Model, Q, QuerySet, Value
from django.db.models.expressions import Combinable

from applications.models import Benefit, Bid, Contract, Correction, Referral
from applications.reports.asked import Asked, Slice
from bulletin.models import Group, Vacancy

Key = Any


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
        rows = self.asked_for(asked)
        if slice_ is None:
            return {None: _numbers(rows.aggregate(**measures))}
        keyed = rows.annotate(row_key=self.key(asked, slice_)).values("row_key").annotate(**measures)
        nothing = dict.fromkeys(measures, 0)
        found: dict[Key, dict[str, int]] = {None: {**nothing}}
        for row in keyed:
            for key in (*keys_of(row.pop("row_key")), None):
                sums = found.setdefault(key, {**nothing})
                for name, value in _numbers(row).items():
                    sums[name] += value
        return found

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


def _numbers(row: Mapping[str, int | None]) -> dict[str, int]:
    """A sum of nothing is none."""
    return {name: value or 0 for name, value in row.items()}


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
