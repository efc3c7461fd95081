"""Whatever happens: never more is promised than there is, and the head of the queue comes first."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from accounts.models import User
from accounts.roles import Role
from applications.bidding import award, ending, offers, publication
from applications.bidding.eligibility import why_not
from applications.decisions import places
from applications.jobs import deadlines
from applications.models import Application, Bid, GroupProposal, Offer, Referral
from applications.moves import Refused
from applications.places.occupancy import over_promised
from applications.referrals import ending as referral_ending
from applications.referrals import issuing
from applications.refusals import Refusal
from applications.states import LIVE_OFFERS, ApplicationState, BidState, OfferState, ReferralState
from bulletin import opening
from bulletin.calendar import working_calendar
from bulletin.models import Group, Vacancy
from bulletin.school_years import school_year
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import ZONE
from tests.factories import ApplicationFactory, VacancyFactory, filer, reckon_all
from tests.staff import employee
from tests.thorough import THOROUGH, examples

pytestmark = pytest.mark.django_db

MICROSECOND = timedelta(microseconds=1)
REFUSALS = (Refused, ValidationError)


@dataclass
class World:
    """What there really is: children come with a contract and leave unseen; nobody asks the portal for it.

    `inside` are those who come, or have come, by the school year in which they do.
    """

    scene: SimpleNamespace
    group: Group
    official: User
    now: datetime
    seen: Counter[str]
    inside: Counter[int] = field(default_factory=Counter)
    published: list[Vacancy] = field(default_factory=list)

    def promised(self) -> int:
        """Children inside, bids and referrals with a place, and what anybody may still press for or be awarded."""
        total = self.inside.total()
        for vacancy in Vacancy.objects.filter(group=self.group).exclude(state=Vacancy.State.DRAFT):
            bids = Bid.objects.filter(vacancy=vacancy)
            total += bids.filter(holds_seat=True).exclude(referral__state=ReferralState.SIGNED).count()
            total += vacancy.offers.filter(state__in=LIVE_OFFERS).count()
            phase = opening.phase(vacancy, now=self.now)
            if phase not in (opening.Phase.CLOSED, opening.Phase.RECALLED):
                total += vacancy.seats_free
            elif vacancy.mode == Vacancy.Mode.QUEUE_ORDER and phase == opening.Phase.CLOSED:
                collected = bids.filter(state=BidState.PENDING, holds_seat=False).count()
                total += min(vacancy.seats_free, collected)
        return total

    # --- what may happen ------------------------------------------------------------------------------------

    def publish(self, draw):
        opens_at = self.now + draw(
            st.sampled_from([timedelta(hours=-1), timedelta(hours=1), timedelta(days=2), timedelta(days=70)])
        )
        collected = draw(st.booleans())
        closes_at = opens_at + timedelta(days=draw(st.integers(1, 9)))
        self._publish(
            seats_total=draw(st.integers(1, 6)),
            mode=Vacancy.Mode.QUEUE_ORDER if collected else Vacancy.Mode.FIRST_COME,
            opens_at=opens_at,
            closes_at=closes_at if collected or draw(st.booleans()) else None,
            vacant_from=opens_at + timedelta(days=draw(st.sampled_from([-300, 0, 60]))),
        )

    def publish_ahead(self, draw):
        """Places of the next school year, which may all be taken before anybody counts the children of this one."""
        opens_at = self.now + timedelta(hours=1)
        september = datetime(_year_of(opens_at) + 1, 9, 1, tzinfo=ZONE)
        self._publish(seats_total=draw(st.integers(1, 3)), opens_at=opens_at, vacant_from=september)

    def _publish(self, **fields):
        draft = VacancyFactory(
            group=self.group, birth_years=[2017], state=Vacancy.State.DRAFT, published_at=None, **fields
        )
        self.published.append(publication.publish_vacancy(draft, actor=self.scene.staff, now=self.now))
        self.seen["published"] += 1

    def bid(self, draw):
        waiting = Application.objects.filter(state=ApplicationState.WAITING).order_by("filed_at").first()
        offered = Vacancy.objects.filter(group=self.group, state=Vacancy.State.PUBLISHED).order_by("opens_at")
        if waiting and offered:
            vacancy = draw(st.sampled_from(list(offered)))
            self.now = max(self.now, vacancy.opens_at)
            place_bid(waiting, vacancy, actor=filer(waiting), now=self.now)
            self.seen["bid"] += 1

    def answer(self, draw):
        for bid in Bid.objects.filter(state=BidState.PENDING).order_by("placed_at")[:1]:
            if draw(st.sampled_from([True, True, False])):
                issuing.activate_bid(bid, actor=self.scene.staff, now=self.now)
            else:
                ending.reject_bid(bid, actor=self.scene.staff, reason="Топ толық", now=self.now)

    def sign(self, draw):
        for referral in Referral.objects.filter(state=ReferralState.ISSUED).order_by("issued_at")[:1]:
            referral_ending.sign_contract(referral, actor=self.scene.staff, now=self.now)
            vacancy = referral.bid.vacancy
            self.inside[_year_of(max(vacancy.opens_at, vacancy.vacant_from))] += 1
            self.seen["signed"] += 1

    def enrol(self, draw):
        """A family's whole way, which single steps seldom make."""
        self.bid(draw)
        for bid in Bid.objects.filter(state=BidState.PENDING, holds_seat=True).order_by("placed_at")[:1]:
            issuing.activate_bid(bid, actor=self.scene.staff, now=self.now)
        self.sign(draw)

    def revoke(self, draw):
        for referral in Referral.objects.filter(state=ReferralState.ISSUED).order_by("issued_at")[:1]:
            referral_ending.revoke_referral(referral, actor=self.scene.staff, reason="Жөндеу", now=self.now)

    def award(self, draw):
        for vacancy in award.vacancies_to_award(now=self.now):
            award.award_collected(vacancy, now=self.now)

    def pass_on(self, draw):
        deadlines.pass_on_offers(now=self.now)
        for offer in Offer.objects.filter(state=OfferState.OFFERED).order_by("made_at")[:1]:
            answer = draw(st.sampled_from([offers.accept_offer, offers.decline_offer]))
            answer(offer, actor=offer.application.filed_by, now=self.now)

    def end(self, draw):
        for vacancy in Vacancy.objects.filter(state=Vacancy.State.PUBLISHED).order_by("opens_at")[:1]:
            if draw(st.booleans()):
                publication.close_vacancy(vacancy, actor=self.scene.staff, now=self.now)
            else:
                publication.recall_vacancy(vacancy, actor=self.scene.staff, reason="Жөндеу", now=self.now)

    def leave(self, draw):
        for year, children in self.inside.items():
            self.inside[year] -= draw(st.integers(0, children))

    def count(self, draw):
        year = _year_of(self.now) + draw(st.integers(0, 1))
        children = sum(number for comes_in, number in self.inside.items() if comes_in <= year)
        places.count_children(self.group, year=year, children=children, actor=self.official, now=self.now)
        self.seen["counted"] += 1

    def resize(self, draw):
        proposal = GroupProposal(
            group=self.group,
            kindergarten=self.group.kindergarten,
            capacity=draw(st.integers(1, 30)),
            **{name: getattr(self.group, name) for name in ("name", "age_group", "language", "regime")},
        )
        places.propose_group(proposal, actor=self.official, now=self.now)

    def wait(self, draw):
        self.now += draw(
            st.sampled_from([timedelta(hours=1), timedelta(days=1), timedelta(days=5), timedelta(days=40)])
        )


def _year_of(at):
    return school_year(at.astimezone(ZONE).date())


# Twice, what has to happen often for the rest to matter.
STEPS = [
    "publish",
    "bid",
    "publish",
    "bid",
    "enrol",
    "enrol",
    "publish_ahead",
    "publish_ahead",
    "answer",
    "sign",
    "answer",
    "sign",
    "revoke",
    "award",
    "pass_on",
    "end",
    "leave",
    "count",
    "resize",
    "wait",
]


def test_never_more_is_promised_than_there_is(scene):
    seen: Counter[str] = Counter()

    @given(data=st.data())
    @settings(max_examples=examples(45), deadline=None, phases=[Phase.explicit, Phase.generate])
    def run(data):
        with transaction.atomic():
            _let_it_happen(scene, data.draw, seen)
            transaction.set_rollback(True)

    run()
    # Otherwise it would prove nothing. In a few examples not everything happens.
    everything = ("published", "bid", "refused", *(("signed", "counted") if THOROUGH else ()))
    assert min(seen[name] for name in everything) > 0, seen


def _let_it_happen(scene, draw, seen):
    Vacancy.objects.all().delete()
    Group.objects.filter(pk=scene.group.pk).update(capacity=6)
    for day in range(1, 8):
        ApplicationFactory(
            locality=scene.locality,
            child__birth_date=date(2017, 1, 1),
            languages=["ru"],
            filed_at=datetime(2019, 5, day, tzinfo=ZONE),
        )
    Application.objects.update(interest_confirmed_at=scene.now)
    reckon_all()
    group = Group.objects.select_related("kindergarten__locality").get(pk=scene.group.pk)
    world = World(scene, group, employee(Role.OFFICIAL), scene.now, seen)
    for name in draw(st.lists(st.sampled_from(STEPS), min_size=12, max_size=30)):
        # No two things of a group happen at one instant: each is done under its lock, by the database's clock.
        world.now += MICROSECOND
        try:
            with transaction.atomic():
                getattr(world, name)(draw)
        except REFUSALS:
            seen["refused"] += 1
        world.group.refresh_from_db(fields=["capacity"])
        assert world.promised() <= world.group.capacity, name
        assert over_promised(now=world.now) == []
    for vacancy in world.published:
        _the_queue_came_first(vacancy)


def _the_queue_came_first(vacancy):
    """Until three working days after it could be read and was open, it is for the head of the queue alone."""
    begins = max(vacancy.opens_at, vacancy.published_at).astimezone(ZONE)
    window_ends = datetime.combine(working_calendar().add(begins.date(), 3), begins.timetz())
    vacancy = Vacancy.objects.get(pk=vacancy.pk)
    vacancy.state, vacancy.closes_at, vacancy.seats_taken = Vacancy.State.PUBLISHED, None, 0
    assert vacancy.opens_at >= vacancy.published_at + timedelta(hours=1)
    outside = ApplicationFactory(
        locality=vacancy.locality,
        child__birth_date=date(2017, 1, 1),
        languages=["ru"],
        filed_at=vacancy.published_at + MICROSECOND,
    )
    for at in (begins, window_ends - MICROSECOND):
        assert opening.phase(vacancy, now=at) == opening.Phase.PRIORITY
        assert why_not(outside, vacancy, now=at) == Refusal.PRIORITY
    assert why_not(outside, vacancy, now=window_ends) is None
