"""Rows that reports count, and where each kind of row says what it is counted by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField, F, Func, Model, Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import TruncMonth

from applications.models import Benefit, Bid, Contract, Correction, Referral
from applications.reports.asked import Asked, Slice
from bulletin.models import Group, Vacancy

Key = Any


class Unnest(Func):
    """A row for each element: what names several languages is counted in each."""

    function = "unnest"
    set_returning = True


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
        """The measures, counts or sums, of each key of the slice, and of all rows together under None."""
        rows = self.asked_for(asked)
        if slice_ is None:
            return {None: _numbers(rows.aggregate(**measures))}
        keyed = rows.annotate(row_key=self.key(asked, slice_)).values("row_key").annotate(**measures)
        found = {plain(row.pop("row_key")): _numbers(row) for row in keyed}
        if self.counts_twice(slice_):
            return {**found, None: _numbers(rows.aggregate(**measures))}
        return {**found, None: {name: sum(row[name] for row in found.values()) for name in measures}}

    def counts_twice(self, slice_: Slice | None) -> bool:
        """Whether one row may stand under several keys, so that they add up to more than there is."""
        return slice_ is not None and slice_ is not Slice.MONTH and self._is_list(self.paths[slice_])

    def key(self, asked: Asked, slice_: Slice) -> Combinable:
        """By what a row belongs to the slice."""
        if slice_ is Slice.MONTH:
            return TruncMonth(self.at, tzinfo=asked.zone)
        path = self.paths[slice_]
        return Unnest(F(path), output_field=CharField()) if self._is_list(path) else F(path)

    def _where(self, asked: Asked) -> Q:
        found = Q()
        if asked.localities is not None:
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


def plain(key: Key) -> Key:
    """A key of the database as a row of the report names it: a month by its first day. Pure."""
    return key.date() if isinstance(key, datetime) else key


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
