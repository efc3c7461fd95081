"""When families confirm that they still want a place. Pure.

Once a year, by the day that `Rules` name, every waiting family confirms its interest with one button. The campaign
begins some days before. A family that has not confirmed when the day is over lapses, and can come back at its original
date until the grace is over. All of it is decided by the rules in force on the day the campaign begins: a later change
of `Rules` changes no day that families have been told.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from applications.models import Rules
from applications.rules.in_force import choose
from bulletin.models import Locality
from bulletin.workdays import end_of_day, start_of_day

# How many days before the last one families are reminded again.
REMIND_BEFORE = (14, 2)
# A reminder delayed by more than this is dropped rather than sent late.
REMIND_WITHIN = timedelta(days=3)


class Stage(StrEnum):
    """How far a campaign has come. A phase is a vacancy's."""

    AHEAD = "ahead"
    RUNNING = "running"
    GRACE = "grace"
    OVER = "over"


@dataclass(frozen=True)
class Campaign:
    """One year's confirmation in one locality.

    It runs from `begins_at` up to, but not including, `ends_at`; a lapsed application can come back before
    `grace_ends_at`. `last_day` and `last_grace_day` are the last dates for confirming and for coming back, in the
    locality's zone.
    """

    year: int
    last_day: date
    last_grace_day: date
    begins_at: datetime
    ends_at: datetime
    grace_ends_at: datetime

    def stage(self, *, now: datetime) -> Stage:
        if now < self.begins_at:
            return Stage.AHEAD
        if now < self.ends_at:
            return Stage.RUNNING
        return Stage.GRACE if now < self.grace_ends_at else Stage.OVER

    def is_confirmed(self, confirmed_at: datetime) -> bool:
        """Whether interest confirmed (or an application filed) at that moment counts for this campaign."""
        return confirmed_at >= self.begins_at

    def reminder(self, *, now: datetime) -> str | None:
        """The reminder that is due: "start", or the days left; None between them and outside the campaign."""
        due: tuple[datetime, str] | None = None
        for at, name in self._reminders():
            if at <= now < at + REMIND_WITHIN:
                due = (at, name)
        return due[1] if due and now < self.ends_at else None

    def _reminders(self) -> list[tuple[datetime, str]]:
        later = [(self.ends_at - timedelta(days=days + 1), str(days)) for days in REMIND_BEFORE]
        return [(self.begins_at, "start"), *(one for one in later if one[0] > self.begins_at)]


def campaign_of(year: int, rules: Iterable[Rules], *, locality: Locality) -> Campaign | None:
    """The campaign whose last day is in `year`; `rules` are all there are.

    None if the rules came into force after their own campaign should have begun: no family gets less time than the
    rules give.
    """
    known = [one for one in rules if one.locality_id in (None, locality.pk)]
    changes = sorted({one.valid_from for one in known})
    for since, until in zip([date.min, *changes], [*changes, date.max], strict=True):
        terms = choose(known, locality_id=locality.pk, day=since)
        last_day = date(year, terms.interest_month, terms.interest_day)
        first_day = last_day - timedelta(days=terms.interest_campaign_days)
        if since <= first_day < until:
            last_grace_day = last_day + timedelta(days=terms.interest_grace_days)
            return Campaign(
                year=year,
                last_day=last_day,
                last_grace_day=last_grace_day,
                begins_at=start_of_day(first_day, locality.zone),
                ends_at=end_of_day(last_day, locality.zone),
                grace_ends_at=end_of_day(last_grace_day, locality.zone),
            )
    return None


def running_campaign(rules: Iterable[Rules], *, locality: Locality, now: datetime) -> Campaign | None:
    """The campaign that is running at `now`, if any; it may have begun in the year before its last day."""
    return _newest_in(Stage.RUNNING, rules, locality=locality, now=now)


def ended_campaign(rules: Iterable[Rules], *, locality: Locality, now: datetime) -> Campaign | None:
    """The newest campaign that is over at `now`: this year's or last year's."""
    year, known = _year(locality, now), list(rules)
    for candidate in (year, year - 1):
        campaign = campaign_of(candidate, known, locality=locality)
        if campaign is not None and now >= campaign.ends_at:
            return campaign
    return None


def next_campaign(rules: Iterable[Rules], *, locality: Locality, now: datetime) -> Campaign | None:
    """The first campaign that has not begun at `now`, as the rules stand: until it begins they may change."""
    return _newest_in(Stage.AHEAD, rules, locality=locality, now=now)


def unconfirmed_from(
    confirmed_at: datetime, rules: Iterable[Rules], *, locality: Locality, now: datetime
) -> datetime:
    """The first instant after `now` at which interest confirmed at that moment may no longer count, as the rules stand.

    It is the end of the first campaign for which it does not count. If the coming two years have none, it is an
    instant before any later one.
    """
    for campaign in campaigns_ahead(rules, locality=locality, now=now):
        if not campaign.is_confirmed(confirmed_at):
            return campaign.ends_at
    return start_of_day(date(_year(locality, now) + 2, 1, 1), locality.zone)


def campaigns_ahead(rules: Iterable[Rules], *, locality: Locality, now: datetime) -> list[Campaign]:
    """The campaigns that end this year or the next, the earliest first, and are not over at `now`."""
    year, known = _year(locality, now), list(rules)
    both = (campaign_of(one, known, locality=locality) for one in (year, year + 1))
    return [campaign for campaign in both if campaign is not None and now < campaign.ends_at]


def _newest_in(stage: Stage, rules: Iterable[Rules], *, locality: Locality, now: datetime) -> Campaign | None:
    year, known = _year(locality, now), list(rules)
    for candidate in (year, year + 1):
        campaign = campaign_of(candidate, known, locality=locality)
        if campaign is not None and campaign.stage(now=now) == stage:
            return campaign
    return None


def _year(locality: Locality, now: datetime) -> int:
    return locality.day(now).year
