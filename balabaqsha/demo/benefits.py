"""The demo city's benefits: most were verified soon after filing, some lately, and a few wait for the official."""

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from accounts.models import User
from applications.models import Application, Benefit, BenefitCategory
from applications.states import ApplicationState, BenefitState, Move, Tier
from balabaqsha.demo import moments
from balabaqsha.demo.lives import SHARED_DOCUMENT, Book
from bulletin.workdays import end_of_day

TO_CHECK = 14
REJECTED = 5
REJECTION = "Анықтаманың мерзімі өткен. / Срок действия справки истёк."
# A certificate of a month was brought so long ago: before the bids of today's bulletin, and it still counts.
FRESH = (timedelta(days=28), timedelta(days=20))


@dataclass
class Office:
    """The official who checks benefits, in the order of time."""

    book: Book
    official: User
    chance: random.Random
    categories: dict[Tier, list[BenefitCategory]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for category in BenefitCategory.objects.all():
            self.categories[Tier(category.tier)].append(category)

    def check_at_filing(self, application: Application, *, tier: Tier) -> None:
        """The next working morning a benefit without an end is verified; of the last days it still waits."""
        lasting = [category for category in self.categories[tier] if category.valid_days is None]
        if tier != Tier.PRIORITY or not lasting:
            return
        category = self.chance.choice(lasting)
        claimed_at = application.filed_at + timedelta(minutes=3)
        decided_at = self._next_morning(claimed_at)
        campaign = self.book.campaign(application)
        if campaign is not None and decided_at >= campaign.begins_at > application.filed_at:
            decided_at = application.filed_at + (campaign.begins_at - application.filed_at) / 2
            claimed_at = application.filed_at
        if decided_at < self.book.now:
            self._verify(application, category, claimed_at=claimed_at, at=decided_at)
        elif claimed_at < self.book.now:
            self._claim(application, category, at=claimed_at)

    def check_lately(self, application: Application, *, tier: Tier) -> None:
        """A certificate that lives a month was verified some weeks ago, where nothing has happened since."""
        if tier != Tier.EXTRAORDINARY or application.state != ApplicationState.WAITING:
            return
        monthly = [category for category in self.categories[tier] if category.valid_days is not None]
        first, last = (self.book.now - age for age in FRESH)
        if not monthly or self.book.events[-1].at >= first:
            return
        at = moments.between(first + timedelta(hours=1), last, chance=self.chance)
        self._verify(application, self.chance.choice(monthly), claimed_at=at - timedelta(hours=1), at=at)

    def leave_work(self) -> None:
        """Claims of the last days for the official of the demo to check, and a few that were refused."""
        everyone = [category for some in self.categories.values() for category in some]
        waiting = [
            application
            for application in self.book.filed
            if application.state == ApplicationState.WAITING
            and application.tier == Tier.GENERAL
            and application.filed_at < self.book.now - timedelta(days=40)
        ]
        chosen = self.chance.sample(waiting, min(len(waiting), TO_CHECK + REJECTED)) if everyone else []
        for number, application in enumerate(chosen):
            days = timedelta(days=number % 6, hours=self.chance.randint(1, 9))
            category = everyone[number % len(everyone)]
            benefit = self._claim(application, category, at=self.book.now - days)
            if number >= TO_CHECK:
                benefit.claimed_at -= timedelta(days=12)
                benefit.state, benefit.reason = BenefitState.REJECTED, REJECTION
                benefit.decided_at = self._next_morning(benefit.claimed_at)
                benefit.decided_by = self.official

    def _claim(self, application: Application, category: BenefitCategory, *, at: datetime) -> Benefit:
        benefit = Benefit(
            application=application,
            category=category,
            document=SHARED_DOCUMENT,
            original_name="анықтама.jpg",
            claimed_at=at,
            claimed_by=application.filed_by,
        )
        self.book.benefits.append(benefit)
        return benefit

    def _verify(
        self, application: Application, category: BenefitCategory, *, claimed_at: datetime, at: datetime
    ) -> None:
        benefit = self._claim(application, category, at=claimed_at)
        benefit.state, benefit.decided_at, benefit.decided_by = BenefitState.VERIFIED, at, self.official
        if category.valid_days is not None:
            zone = application.locality.zone
            last_day = at.astimezone(zone).date() + timedelta(days=category.valid_days)
            benefit.valid_until = end_of_day(last_day, zone)
        application.tier = category.tier
        data = {"benefit": str(benefit.pk), "category": category.slug}
        self.book.move(application, Move.VERIFY_BENEFIT, at=at, actor=self.official, data=data)

    def _next_morning(self, moment: datetime) -> datetime:
        """Some time in office hours of the next working day."""
        day = self.book.calendar.next_working_day(moment.astimezone(self.book.zone).date())
        morning = moments.at(day, moments.MORNING, zone=self.book.zone)
        return morning + timedelta(minutes=self.chance.randint(5, 480))
