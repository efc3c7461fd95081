"""Telling all families at once of places that were published together.

A wave takes the places; every place belongs to one. Its messages are written in portions by COPY, each portion in one
transaction with how far the wave has come. Whoever dies in the middle leaves whole portions, and the next worker goes
on behind the last: nobody is told twice, and nobody is left out.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import CharField, Exists, Max, Min, OuterRef, Q
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils import translation

from applications.alerts.choosing import near
from applications.alerts.suiting import Near, Places, Suiting, Wish, places_of, to_be_had
from applications.bidding.eligibility import SEEKING
from applications.models import Alert, Application, ToldPlace, Wave
from bulletin.models import Vacancy
from children.access import informed_guardianships, present_people
from children.models import Child
from notifications.alone import alone
from notifications.hours import Hours
from notifications.many import Letter, Number, Reader, Texts, call_off, enqueue_many, gap
from notifications.models import PushSubscription
from notifications.sweeps import sweep
from notifications.troubles import Trouble

KIND: Final = "place_appeared"
# How many are told in one transaction: some seconds of work at most, and little memory.
PORTION: Final = 2_000
# How many places a notice names; the page of the application has all of them.
NAMED: Final = 5

# Places are told of together once none has been published for so long, …
QUIET: Final = timedelta(minutes=1)
# … at the latest when the first of them has waited so long, …
LONGEST: Final = timedelta(minutes=5)
# … and at once where one opens so soon.
SOON: Final = timedelta(minutes=15)
# The SMS of a wave go out from then on, when all are written: nobody is earlier because of a key.
WRITTEN_IN: Final = timedelta(minutes=1)
# For no longer does any of them wait for its hour.
WAITING_AT_MOST: Final = timedelta(days=2)

_NIL: Final = UUID(int=0)
_NUMBER, _CHILD = gap(0), gap(1)


def tell_of_places(*, now: datetime) -> int:
    """Tell the families that asked for it of the places that have been published; returns how many are told.

    One worker at a time; beside another it does nothing.
    """
    with alone("alerts") as is_alone:
        if not is_alone:
            return 0
        begin_wave(now=now)
        told: list[int] = []
        # A wave that can't be told holds up no other.
        sweep(
            Wave.objects.filter(done_at=None).order_by("begun_at", "pk"),
            lambda wave: told.append(_go_on(wave, now=now)),
        )
        _call_off_what_is_gone(now=now)
        return sum(told)


def _call_off_what_is_gone(*, now: datetime) -> None:
    """Nobody is rung in the morning for places of the evening before none of which can be had any more."""
    late = now - WAITING_AT_MOST
    to_be_told = to_be_had(Vacancy.objects.filter(told__wave__begun_at__gt=late), now=now)
    gone = Wave.objects.filter(begun_at__gt=late, done_at__isnull=False)
    gone = gone.exclude(pk__in=to_be_told.order_by().values("told__wave"))
    if written_at := list(gone.values_list("begun_at", flat=True)):
        call_off(KIND, written_at=written_at, why=Trouble.GONE)


def begin_wave(*, now: datetime) -> Wave | None:
    """Take the places that nobody has been told of, if they are all there (`is_ripe`); None if there are none."""
    untold = to_be_had(Vacancy.objects.filter(state=Vacancy.State.PUBLISHED, told=None), now=now)
    found = untold.order_by().aggregate(
        first=Min("published_at"), last=Max("published_at"), opens_at=Min("opens_at")
    )
    if found["first"] is None or not is_ripe(**found, now=now):
        return None
    with transaction.atomic():
        wave = Wave.objects.create(begun_at=now)
        ToldPlace.objects.bulk_create(
            ToldPlace(vacancy_id=pk, wave=wave) for pk in untold.values_list("pk", flat=True)
        )
    return wave


def is_ripe(*, first: datetime, last: datetime, opens_at: datetime, now: datetime) -> bool:
    """Whether to tell now of places published from `first` to `last`, of which one opens at `opens_at`. Pure."""
    return last + QUIET <= now or first + LONGEST <= now or opens_at - SOON <= now


def _go_on(wave: Wave, *, now: datetime) -> int:
    """Tell whom `wave` has yet to tell; places that have been recalled meanwhile are none any more."""
    places = places_of(Vacancy.objects.filter(told__wave=wave), now=now)
    saying = Saying(wave, places)
    told = 0
    while (portion := _tell_portion(wave.pk, saying, now=now)) is not None:
        told += portion
    return told


def _tell_portion(pk: UUID, saying: "Saying", *, now: datetime) -> int | None:
    """Tell the next ones of a wave, and note it, in one transaction; None once all are told."""
    with transaction.atomic():
        wave = Wave.objects.select_for_update().get(pk=pk)
        if wave.done_at is not None:
            return None
        keys = _next_keys(after=wave.told_to)
        letters = list(saying.letters(_asking(keys, saying.places)))
        enqueue_many(KIND, letters, now=wave.begun_at, sent_from=wave.begun_at + WRITTEN_IN)
        wave.told += len(letters)
        if keys:
            wave.told_to = keys[-1]
        if len(keys) < PORTION:
            wave.done_at = now
        wave.save(update_fields=["told", "told_to", "done_at"])
        return len(letters)


class _Asking(NamedTuple):
    """Somebody who asked to be told, as bare values: objects would cost more than all else."""

    alert: UUID
    application: UUID
    number: str
    child: UUID
    child_name: str
    zone: ZoneInfo
    reader: Reader
    wish: Wish


_COLUMNS: Final = (
    "pk",
    "user_id",
    *("application_id", "application__number", "application__child_id", "application__locality__timezone"),
    *(f"application__child__{name}" for name in ("last_name", "first_name", "middle_name")),
    *(f"application__{name}" for name in Wish._fields[:6]),
    *(f"user__{name}" for name in ("language", "email", "mails_notices", "telegram", "chosen_ways")),
    *(
        "user__quiet_from",
        "user__quiet_to",
        "user__profile__second_phone_proven_at",
    ),
    *("languages", "chosen", "phone", "second_phone", "has_push_device"),
    *("within_km", "point", "around__locality_id", "around__latitude", "around__longitude"),
)


def _next_keys(*, after: UUID | None) -> list[UUID]:
    """The next alerts that are switched on, whomever they suit: found by an index, however many there are."""
    on = Alert.objects.filter(is_on=True)
    if after is not None:
        on = on.filter(pk__gt=after)
    return list(on.order_by("pk").values_list("pk", flat=True)[:PORTION])


def _asking(keys: Sequence[UUID], places: Places) -> list[_Asking]:
    """Those of these alerts whose guardians may be told of one of the places; `Places.suiting` says of which.

    Their applications may bid (`SEEKING`), and they are told where the child is given a place.
    """
    queues = Q(locality__in=places.localities, birth_year__in=places.birth_years)
    told = informed_guardianships().filter(user=OuterRef("user"), child=OuterRef("application__child"))
    chosen = Alert.kindergartens.through.objects.filter(
        alert=OuterRef("pk"), kindergarten__locality=OuterRef("application__locality")
    )
    asking = Alert.objects.filter(
        Exists(told),
        pk__in=keys,
        user__in=present_people(),
        application__in=Application.objects.filter(SEEKING, queues),
    )
    rows = asking.annotate(
        chosen=ArraySubquery(chosen.values("kindergarten")),
        # As text: to parse the numbers would take longer than all else.
        phone=Cast("user__phone", CharField()),
        second_phone=Cast("user__profile__second_phone", CharField()),
        has_push_device=Exists(PushSubscription.objects.filter(recipient=OuterRef("user"), gone_at=None)),
    )
    return [_as_asking(row) for row in rows.values_list(*_COLUMNS, named=True)]


def _as_asking(row: Any) -> _Asking:
    child = Child(
        last_name=row.application__child__last_name,
        first_name=row.application__child__first_name,
        middle_name=row.application__child__middle_name,
    )
    second_phone = row.second_phone if row.user__profile__second_phone_proven_at else None
    quiet = (row.user__quiet_from, row.user__quiet_to)
    reader = Reader(
        row.user_id,
        phone=Number(row.phone) if row.phone else None,
        language=row.user__language,
        email=row.user__email or "",
        mails_notices=row.user__mails_notices,
        telegram=row.user__telegram or "",
        has_push_device=row.has_push_device,
        proven_second_phone=second_phone or "",
        chosen_ways=row.user__chosen_ways,
        quiet_hours=Hours(*quiet) if all(quiet) else None,
    )
    wish = Wish(
        row.application__locality_id,
        row.application__birth_year,
        tuple(row.application__languages),
        row.application__tier,
        row.application__filed_at,
        row.application__sequence,
        tuple(one for one in row.application__languages if one in row.languages),
        tuple(row.chosen),
        _near(row) if row.within_km else None,
    )
    return _Asking(
        row.pk,
        row.application_id,
        row.application__number,
        row.application__child_id,
        child.full_name,
        ZoneInfo(row.application__locality__timezone),
        reader,
        wish,
    )


def _near(row: Any) -> Near | None:
    is_here = row.around__locality_id == row.application__locality_id and row.around__latitude is not None
    middle = (float(row.around__latitude), float(row.around__longitude)) if is_here else None
    return near(row.within_km, point=row.point, kindergarten=middle)


class Saying:
    """What a wave says to each: whoever is told of the same places gets the same texts, but for the child."""

    def __init__(self, wave: Wave, places: Places) -> None:
        self.places = places
        self._wave = wave
        with translation.override(settings.LANGUAGE_CODE):
            self._link = reverse("applications:alert", args=[_NIL])

    def letters(self, asking: Iterable[_Asking]) -> Iterator[Letter]:
        # By the tuples themselves, which `Places` gives to all who ask alike: a thousand places are not compared.
        said: dict[int, tuple[tuple[Suiting, ...], Texts]] = {}
        for one in asking:
            suiting = self.places.suiting(one.wish)
            if not suiting:
                continue
            if id(suiting) not in said:
                said[id(suiting)] = suiting, texts_of(suiting)
            yield self._letter(one, suiting, said[id(suiting)][1])

    def _letter(self, one: _Asking, suiting: tuple[Suiting, ...], texts: Texts) -> Letter:
        opens_at = suiting[0].opens_at
        is_ahead = opens_at > self._wave.begun_at + WRITTEN_IN
        return Letter(
            reader=one.reader,
            texts=texts,
            # The whole number first: its last digits are a part of it.
            values={_NUMBER: one.number, _NUMBER[-4:]: one.number[-4:], _CHILD: one.child_name},
            dedupe_key=f"{self._wave.pk}:{one.alert}",
            link=self._link.replace(str(_NIL), str(one.application)),
            about=one.child,
            zone=one.zone,
            known_by=opens_at if is_ahead else None,
        )


def texts_of(suiting: Sequence[Suiting]) -> Texts:
    """What is said of these places, with gaps for whose child they suit."""
    application = SimpleNamespace(
        number=_NUMBER, child=SimpleNamespace(full_name=_CHILD), locality=suiting[0].vacancy.locality
    )
    return Texts(
        KIND,
        {
            "application": application,
            "places": sum(one.vacancy.seats_free for one in suiting),
            "appeared": suiting[:NAMED],
            "others": max(len(suiting) - NAMED, 0),
            "first": suiting[0],
        },
    )
