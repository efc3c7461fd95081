"""The five sources of the open data. Each says its columns once: rows, CSV and the OpenAPI document follow from them.

A source is read in pieces, in the order of a key that no row changes: the key of the last row is the cursor for the
next piece, so rows that come and go meanwhile move nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from applications.models import Correction
from applications.queue.ledger import ledger, ledger_entries
from applications.queue.public_order import counted_queues
from applications.reports.asked import Slice
from applications.reports.published import PUBLISHED, Figure, table_of_published
from applications.states import ReferralState
from balabaqsha import statistics
from balabaqsha.open_data.columns import (
    COUNT,
    COUNT_OF_FEW,
    DAY,
    INSTANT,
    TEXT,
    WHOLE,
    Column,
    few_hidden,
    in_both,
    many,
    one_of,
    or_null,
)
from bulletin.models import AgeGroup, Kindergarten, Language, Locality, Vacancy
from bulletin.opening import Phase, phase
from bulletin.selectors import localities, published_vacancies, with_offer

Row = dict[str, Any]
# A cursor, and the row to which it belongs.
Keyed = tuple[str, Row]
_SLUG: Final = re.compile(r"[-\w]{1,80}", re.ASCII)
_QUEUE: Final = re.compile(rf"{_SLUG.pattern}\.\d{{4}}", re.ASCII)
_FIGURE: Final = re.compile(r"[-\w]{0,80}\.[a-z_0-9]+\.(\d{4}-\d{2})?", re.ASCII)
SHOWN_PHASES: Final = (Phase.ANNOUNCED, Phase.PRIORITY, Phase.OPEN, Phase.PAUSED, Phase.FULL)


class BadCursor(ValueError):
    """A cursor that no answer of the source gave."""


@dataclass(frozen=True)
class Source:
    """One table. `read` gives at most so many rows after a cursor, each with its own; "" is the beginning.

    `read` raises `BadCursor`.
    """

    name: str
    title: "str | Promise"
    about: "str | Promise"
    meaning: str
    columns: tuple[Column, ...]
    read: Callable[[str, int, datetime], list[Keyed]]


_LOCALITY: Final = (
    Column("locality", TEXT, "The place, as in addresses of the portal"),
    *in_both("locality_name", "Its name"),
)
_KINDERGARTEN: Final = (
    Column("kindergarten", TEXT, "The kindergarten, as in addresses of the portal"),
    *in_both("kindergarten_name", "Its name"),
)


def _locality(place: Locality) -> Row:
    return {"locality": place.slug, "locality_name_kk": place.name_kk, "locality_name_ru": place.name_ru}


def _instant(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else None


def _uuid(cursor: str) -> UUID:
    try:
        return UUID(cursor)
    except ValueError:
        raise BadCursor from None


# --- bulletin ------------------------------------------------------------------------------------------------


def _vacancies(after: str, most: int, now: datetime) -> list[Keyed]:
    found = published_vacancies(now=now).order_by("pk")
    if after:
        found = found.filter(pk__gt=_uuid(after))
    return [(str(vacancy.pk), _vacancy(vacancy, now=now)) for vacancy in found[:most]]


def _vacancy(vacancy: Vacancy, *, now: datetime) -> Row:
    group = vacancy.group
    kindergarten = group.kindergarten
    return {
        "id": str(vacancy.pk),
        "kindergarten": kindergarten.slug,
        "kindergarten_name_kk": kindergarten.name_kk,
        "kindergarten_name_ru": kindergarten.name_ru,
        **_locality(kindergarten.locality),
        "group": group.name,
        "age_group": group.age_group,
        "language": group.language,
        "birth_years": sorted(vacancy.birth_years),
        "place_type": vacancy.place_type,
        "mode": vacancy.mode,
        "seats_total": vacancy.seats_total,
        "seats_free": vacancy.seats_free,
        "phase": phase(vacancy, now=now).value,
        "published_at": _instant(vacancy.published_at),
        "opens_at": _instant(vacancy.opens_at),
        "priority_until": _instant(vacancy.priority_until),
        "closes_at": _instant(vacancy.closes_at),
        "vacant_from": _instant(vacancy.vacant_from),
    }


_BULLETIN: Final = Source(
    "bulletin",
    _("Bulletin of vacant places"),
    _(
        "Every announcement that is published and not over, with its free places and the minute of its opening."
    ),
    "Announcements in the bulletin that are not over",
    (
        Column("id", TEXT | {"format": "uuid"}, "The announcement, as in addresses of the portal"),
        *_KINDERGARTEN,
        *_LOCALITY,
        Column("group", TEXT, "The group's proper name, the same in both languages"),
        Column("age_group", one_of(*AgeGroup.values), "Ages in years"),
        Column("language", one_of(*Language.values), "Language of education (ISO 639-1)"),
        Column("birth_years", many(WHOLE), "Children born in these years are admitted"),
        Column("place_type", one_of(*Vacancy.PlaceType.values), "Vacant, temporary, or booked early"),
        Column("mode", one_of(*Vacancy.Mode.values), "Who gets a place"),
        Column("seats_total", COUNT, "Places in all"),
        Column("seats_free", COUNT, "Places that nobody has taken"),
        Column("phase", one_of(*(one.value for one in SHOWN_PHASES)), "What it is at present"),
        Column("published_at", or_null(INSTANT), "When it was published"),
        Column("opens_at", INSTANT, "From when families may apply"),
        Column("priority_until", or_null(INSTANT), "Until when only the head of the queue may"),
        Column("closes_at", or_null(INSTANT), "Until when families may apply"),
        Column("vacant_from", INSTANT, "From when the place is free"),
    ),
    _vacancies,
)

# --- queues --------------------------------------------------------------------------------------------------


def _after(rows: Iterable[Keyed], after: str, most: int, *, form: re.Pattern[str]) -> list[Keyed]:
    """A piece of what is computed as a whole; the cursor has the `form` of its keys, and need not be there any more."""
    if after and not form.fullmatch(after):
        raise BadCursor
    return list(islice((keyed for keyed in sorted(rows, key=_key) if keyed[0] > after), most))


def _key(keyed: Keyed) -> str:
    return keyed[0]


def _queues(after: str, most: int, now: datetime) -> list[Keyed]:
    rows = (
        (
            f"{queue.locality.slug}.{queue.birth_year}",
            {
                **_locality(queue.locality),
                "birth_year": queue.birth_year,
                "waiting": few_hidden(queue.waiting),
                **{
                    f"waiting_{language.value}": count if queue.tells[language] else None
                    for language, count in queue.by_language.items()
                },
            },
        )
        for queue in counted_queues()
    )
    return _after(rows, after, most, form=_QUEUE)


_QUEUES: Final = Source(
    "queues",
    _("Queues for preschools"),
    _("How many children wait, by locality, birth year and language of education."),
    "Children waiting, by place and birth year",
    (
        *_LOCALITY,
        Column("birth_year", WHOLE, "The year in which the children were born"),
        Column("waiting", COUNT_OF_FEW, "Children in the queue"),
        *(
            Column(
                f"waiting_{code}",
                COUNT_OF_FEW,
                f"Of them for this language ({code}); a child may name several",
            )
            for code in Language.values
        ),
    ),
    _queues,
)

# --- kindergartens -------------------------------------------------------------------------------------------


def _kindergartens(after: str, most: int, now: datetime) -> list[Keyed]:
    found = with_offer(Kindergarten.objects.select_related("locality"), now=now).order_by("slug")
    if after:
        if not _SLUG.fullmatch(after):
            raise BadCursor
        found = found.filter(slug__gt=after)
    return [(one.slug, _kindergarten(one)) for one in found[:most]]


def _kindergarten(one: Any) -> Row:
    """`one` is annotated by `with_offer`. Its head is a person, and is left out."""
    return {
        "kindergarten": one.slug,
        "kindergarten_name_kk": one.name_kk,
        "kindergarten_name_ru": one.name_ru,
        **_locality(one.locality),
        "type": one.type,
        "ownership": one.ownership,
        "address_kk": one.address_kk,
        "address_ru": one.address_ru,
        "phone": one.phone.as_e164 if one.phone else None,
        "languages": sorted({group.language for group in one.groups.all()}),
        "groups": one.group_count,
        "seats_free": one.free_places,
    }


_KINDERGARTENS: Final = Source(
    "kindergartens",
    _("Catalogue of preschool organisations"),
    _("Every kindergarten with its address, phone, languages and free places."),
    "Kindergartens",
    (
        *_KINDERGARTEN,
        *_LOCALITY,
        Column("type", one_of(*Kindergarten.Type.values), "What kind of organisation it is"),
        Column("ownership", one_of(*Kindergarten.Ownership.values), "Whose it is"),
        *in_both("address", "Its address"),
        Column("phone", or_null(TEXT), "Its phone (E.164)"),
        Column("languages", many(one_of(*Language.values)), "Languages of its groups"),
        Column("groups", COUNT, "How many groups it has"),
        Column("seats_free", COUNT, "Its free places in the bulletin"),
    ),
    _kindergartens,
)

# --- statistics ----------------------------------------------------------------------------------------------


# What became of the referrals that were issued in the last twelve months.
_OUTCOMES: Final = {
    ReferralState.ISSUED: ("referrals_valid", "Referrals of the last 12 months that are valid now"),
    ReferralState.SIGNED: (
        "referrals_signed",
        "Of those of the last 12 months, used for a contract that runs",
    ),
    ReferralState.EXPIRED: (
        "referrals_expired",
        "Of those of the last 12 months, not used by their last day",
    ),
    ReferralState.REVOKED: ("referrals_revoked", "Of those of the last 12 months, taken back"),
    ReferralState.ENDED: (
        "referrals_ended",
        "Of those of the last 12 months, used for a contract that has ended",
    ),
}
_FIGURES: Final = {
    "kindergartens": "Kindergartens in the catalogue",
    "seats_free": "Free places of all announcements that are not over, also before their opening",
    "waiting": "Children in the queues",
    "contracts_30_days": "Contracts signed in the last 30 days",
    "places_published": "Places of the announcements that were published in the month; the last month goes on",
    "contracts": "Contracts signed in the month; the last month goes on",
    **dict(_OUTCOMES.values()),
    "days_to_referral_median": "Days from filing to the referral, which half of the families did not exceed",
    "days_to_referral_slow": "Days from filing to the referral, which nine of ten families did not exceed",
}


def _statistics(after: str, most: int, now: datetime) -> list[Keyed]:
    places = localities()
    rows = (
        (
            ".".join([place.slug if place else "", figure, period or ""]),
            {
                "locality": place.slug if place else None,
                "locality_name_kk": place.name_kk if place else None,
                "locality_name_ru": place.name_ru if place else None,
                "figure": figure,
                "month": period,
                "value": value,
            },
        )
        for place in (None, *places)
        for figure, period, value in _figures(place, places, now=now)
    )
    return _after(rows, after, most, form=_FIGURE)


def _figures(
    place: Locality | None, places: list[Locality], *, now: datetime
) -> Iterator[tuple[str, str | None, int | None]]:
    """The figures of the statistics page: name, month where it counts one, value."""
    totals = statistics.headline(place, now=now)
    yield "kindergartens", None, totals.kindergartens
    yield "seats_free", None, totals.seats_free
    yield "waiting", None, few_hidden(totals.waiting)
    yield "contracts_30_days", None, few_hidden(totals.enrolled_rounded)
    asked: dict[str, Any] = {"place": place, "places": places, "now": now}
    for month in table_of_published(PUBLISHED["places"], Slice.MONTH, **asked).rows:
        yield "places_published", month.key.isoformat()[:7], _number(month.values["published"])
        yield "contracts", month.key.isoformat()[:7], _number(month.values["signed"])
    referrals = table_of_published(PUBLISHED["no-shows"], Slice.MONTH, **asked).total
    for state in ReferralState:
        yield _OUTCOMES[state][0], None, _number(referrals.values[state.value])
    waits = table_of_published(PUBLISHED["waits"], Slice.MONTH, **asked).total
    yield "days_to_referral_median", None, _number(waits.values["median"])
    yield "days_to_referral_slow", None, _number(waits.values["slow"])


def _number(figure: Figure) -> int | None:
    return figure if isinstance(figure, int) else None


_STATISTICS: Final = Source(
    "statistics",
    _("Statistics"),
    _("The figures of the statistics page, for each locality and for all together."),
    "The figures of the statistics page; referrals are of the last twelve months. Counts of contracts and of "
    "referrals are to the nearest five",
    (
        *(
            Column(column.name, or_null(column.schema), f"{column.meaning}; null: all places together")
            for column in _LOCALITY
        ),
        Column("figure", one_of(*_FIGURES), "; ".join(f"{name}: {told}" for name, told in _FIGURES.items())),
        Column(
            "month",
            or_null(TEXT | {"pattern": r"^\d{4}-\d{2}$"}),
            "The month that is counted; null: at present, or in the time that the figure names",
        ),
        Column("value", COUNT_OF_FEW, "The count, or days"),
    ),
    _statistics,
)

# --- corrections ---------------------------------------------------------------------------------------------


def _corrections(after: str, most: int, now: datetime) -> list[Keyed]:
    found = ledger().order_by("pk")
    if after:
        found = found.filter(pk__gt=_uuid(after))
    return [
        (
            str(entry.correction.pk),
            _correction(entry.correction, entry.locality, entry.decided_on.isoformat()),
        )
        for entry in ledger_entries(found[:most])
    ]


def _correction(one: Correction, place: Locality, decided_on: str) -> Row:
    is_time, is_year = one.new_filed_at is not None, one.new_birth_year is not None
    return {
        "id": str(one.pk),
        "application_number": one.application.number,
        "decided_on": decided_on,
        **_locality(place),
        "birth_year": one.previous_birth_year,
        "filed_at_before": _instant(one.previous_filed_at) if is_time else None,
        "filed_at_after": _instant(one.new_filed_at),
        "birth_year_before": one.previous_birth_year if is_year else None,
        "birth_year_after": one.new_birth_year,
        "document_number": one.document_number or None,
        "document_date": one.document_date.isoformat(),
        "reason": one.reason or None,
    }


_CORRECTIONS: Final = Source(
    "corrections",
    _("Ledger of corrections"),
    _("Every change of a queue by an official decision, with the order and the reason, without names."),
    "Changes of a queue by an official decision",
    (
        Column("id", TEXT | {"format": "uuid"}, "The correction"),
        Column("application_number", TEXT, "The application, as its family knows it"),
        Column("decided_on", DAY, "The day of the decision, in its place"),
        *_LOCALITY,
        Column("birth_year", WHOLE, "The queue: children born in this year"),
        Column("filed_at_before", or_null(INSTANT), "The time of filing before; null: it stays"),
        Column("filed_at_after", or_null(INSTANT), "The new time of filing; null: it stays"),
        Column("birth_year_before", or_null(WHOLE), "The birth year before; null: it stays"),
        Column("birth_year_after", or_null(WHOLE), "The new birth year; null: it stays"),
        Column("document_number", or_null(TEXT), "The order; null: data of the person registry"),
        Column("document_date", DAY, "The day of the order"),
        Column("reason", or_null(TEXT), "The reason, as an official typed it"),
    ),
    _corrections,
)

SOURCES: Final = {
    source.name: source for source in (_BULLETIN, _QUEUES, _KINDERGARTENS, _STATISTICS, _CORRECTIONS)
}
