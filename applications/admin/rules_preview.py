"""Who would be affected by a change of `Rules`, shown to officials before it is saved."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db.models import Count, Field, Q
from django.utils.dates import MONTHS
from django.utils.translation import gettext as _

from applications.admin.work import written
from applications.decisions.rules import beside
from applications.models import Application, Bid, Offer, Rules, StopListEntry
from applications.models.rules import VALUES
from applications.referrals.due import valid_referrals
from applications.rules.ages import oldest_birth_year
from applications.rules.in_force import choose
from applications.rules.interest import Campaign, next_campaign, running_campaign
from applications.states import AGEING_STATES, LIVE_STATES, ApplicationState, BidState, OfferState
from bulletin.models import Group, Locality, Vacancy

# A year more or less is a decision of a school year; from here on it looks like a slip of the finger.
_FAR_BY: Final = {"youngest_age": 2, "oldest_age": 2, "most_in_group": 5}


@dataclass(frozen=True)
class Changed:
    """One period or size that changes, by its name for employees; whether it ends up far from where it was."""

    label: str
    was: str
    becomes: str
    is_far: bool = False

    @property
    def in_words(self) -> str:
        words = f"{self.was} → {self.becomes}"
        return f"{words} ({_('far from the present value')})" if self.is_far else words


@dataclass(frozen=True)
class Touched:
    """What a change means in one locality.

    The new rules will apply to `waiting`, `lapsed` and `drafts`; `promised` counts the deadlines already given
    (referrals, stops, answers, offers, priority windows), which stay as they are.
    """

    locality: Locality
    changes: list[Changed]
    waiting: int
    lapsed: int
    drafts: int
    promised: int
    running: Campaign | None
    next_before: Campaign | None
    next_after: Campaign | None
    # How many of the applications that wait today would be too old on a day, beside those that will be anyway.
    leaving: list[tuple[date, int]]
    # Groups with more places than a changed norm; None: it does not change.
    beyond_norm: int | None

    @property
    def losses(self) -> list[tuple[str, str]]:
        """What families and groups lose by the change, in words; first the applications that leave the queue."""
        label = _("Of those who wait today, leave the queue by school age from this day on")
        found = [(label, f"{written(day)}: {number}") for day, number in self.leaving]
        if self.beyond_norm is not None:
            found.append((_("Groups with more places than the new norm"), str(self.beyond_norm)))
        return found


def touched_by(draft: Rules, *, now: datetime) -> list[Touched]:
    """The localities in which `draft` would apply, compared with the rules that would apply there without it."""
    before, after = beside(draft)
    places = [draft.locality] if draft.locality else Locality.objects.all()
    return [
        _touched(place, before=before, after=after, day=draft.valid_from, now=now)
        for place in places
        if choose(after, locality_id=place.pk, day=draft.valid_from) is draft
    ]


def _touched(
    place: Locality, *, before: list[Rules], after: list[Rules], day: date, now: datetime
) -> Touched:
    was = choose(before, locality_id=place.pk, day=day)
    becomes = choose(after, locality_id=place.pk, day=day)
    applications = Application.objects.filter(locality=place).aggregate(
        waiting=Count("pk", filter=Q(state=ApplicationState.WAITING)),
        lapsed=Count("pk", filter=Q(state=ApplicationState.LAPSED)),
    )
    return Touched(
        locality=place,
        changes=[
            _changed(name, getattr(was, name), getattr(becomes, name))
            for name in VALUES
            if getattr(was, name) != getattr(becomes, name)
        ],
        drafts=Vacancy.objects.filter(group__kindergarten__locality=place, state=Vacancy.State.DRAFT).count(),
        promised=_promised(place, now=now),
        running=running_campaign(before, locality=place, now=now),
        next_before=next_campaign(before, locality=place, now=now),
        next_after=next_campaign(after, locality=place, now=now),
        leaving=_leaving(place, before=before, after=after, day=day),
        beyond_norm=_beyond_norm(place, was=was, becomes=becomes),
        **applications,
    )


def _leaving(
    place: Locality, *, before: list[Rules], after: list[Rules], day: date
) -> list[tuple[date, int]]:
    """On the day on which the rules begin, and at the next two turns of the year; where nobody leaves, no row.

    Two, since those who leave in January are told in December, by the rules of its first day.
    """
    waiting = Application.objects.filter(locality=place, state__in=AGEING_STATES)
    rows = []
    for turn in (day, date(day.year + 1, 1, 1), date(day.year + 2, 1, 1)):
        was, becomes = (
            oldest_birth_year(turn.year, rules, locality=place, today=turn) for rules in (before, after)
        )
        rows.append((turn, waiting.filter(birth_year__gte=was, birth_year__lt=becomes).count()))
    return [(turn, number) for turn, number in rows if number]


def _beyond_norm(place: Locality, *, was: Rules, becomes: Rules) -> int | None:
    if was.most_in_group == becomes.most_in_group:
        return None
    return Group.objects.filter(kindergarten__locality=place, capacity__gt=becomes.most_in_group).count()


def _changed(name: str, was: int, becomes: int) -> Changed:
    if name == "interest_month":
        return Changed(_label(name), str(MONTHS[was]), str(MONTHS[becomes]))
    return Changed(
        _label(name),
        _shown(was),
        _shown(becomes),
        is_far=is_far(was, becomes) or _is_far_by(name, was, becomes),
    )


def is_far(was: int, becomes: int) -> bool:
    """Whether a size or period is more than doubled or less than halved: a slip of the finger looks like that. Pure."""
    return not isinstance(was, bool) and (becomes > 2 * was or 2 * becomes < was)


def _is_far_by(name: str, was: int, becomes: int) -> bool:
    return name in _FAR_BY and abs(becomes - was) >= _FAR_BY[name]


def _label(name: str) -> str:
    field = Rules._meta.get_field(name)
    assert isinstance(field, Field)
    return str(field.verbose_name)


def _shown(value: object) -> str:
    return (_("Yes") if value else _("No")) if isinstance(value, bool) else str(value)


def _promised(place: Locality, *, now: datetime) -> int:
    live = {"application__locality": place, "application__state__in": LIVE_STATES}
    return (
        valid_referrals(now=now).filter(**live).count()
        + StopListEntry.objects.filter(lifted_at=None, until__gt=now, **live).count()
        + Bid.objects.filter(state=BidState.PENDING, answer_due__gt=now, **live).count()
        + Offer.objects.filter(state=OfferState.OFFERED, until__gt=now, **live).count()
        + Vacancy.objects.filter(
            group__kindergarten__locality=place, state=Vacancy.State.PUBLISHED, priority_until__gt=now
        ).count()
    )
