"""The demo city: whole, sound, safe to build again, and there in demo mode only."""

import random
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from itertools import product

import pytest
import time_machine
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from accounts.iin import parse_iin
from accounts.models import Profile, Sex, User
from accounts.registry import simulated_people
from accounts.roles import Role
from applications.alerts.waves import QUIET, tell_of_places
from applications.benefits.claims import claims_to_check
from applications.bidding.stand_ins import ANSWER
from applications.models import Application, Benefit, Bid, Contract, Event, Referral, Rules, StopListEntry
from applications.states import ApplicationState, BenefitState, BidState, Move, ReferralState, Tier
from balabaqsha.demo import alerts, desk, history, moments, offers, reviews, staff
from balabaqsha.demo import city as demo_city
from balabaqsha.demo.families import simulated_iins
from balabaqsha.demo.lives import Book, Fate
from balabaqsha.demo.people import People
from balabaqsha.demo.places import KINDERGARTENS, PLACES
from bulletin.closings import is_announced
from bulletin.employment import with_somebody_able
from bulletin.models import (
    AgeGroup,
    Closing,
    Group,
    Holiday,
    Kindergarten,
    Language,
    Locality,
    Review,
    Vacancy,
)
from bulletin.opening import Phase, phase
from bulletin.workdays import Calendar
from children.models import Child, Guardianship
from notifications.clock import read_clock
from notifications.models import Message, Notice
from tests.balabaqsha.city_audit import findings
from tests.factories import ApplicationFactory, LocalityFactory
from tests.thorough import THOROUGH

SCALE = 0.05
FIRST_STEPS = {
    "working-day calendar and rules",
    "benefit categories",
    "localities, kindergartens and groups",
    "employees and their roles",
    "families, the queue and the past year",
}
ODD_DAYS = [
    datetime(2026, 12, 31, 19, 5, tzinfo=UTC),  # five minutes into a new year, in the holidays
    datetime(2027, 3, 24, 18, 50, tzinfo=UTC),  # ten minutes before midnight, after Nauryz
]


def build(*, scale=SCALE):
    output = StringIO()
    call_command("setup_demo", scale=scale, stdout=output)
    return output.getvalue()


@pytest.fixture(scope="class")
def city(django_db_setup, django_db_blocker):
    """A small city, built once for the tests that only look at it."""
    with django_db_blocker.unblock(), transaction.atomic():
        build()
        yield timezone.now()
        transaction.set_rollback(True)


def counts():
    models = [Locality, Kindergarten, Group, Vacancy, Holiday, Review, User, Profile, Child, Guardianship]
    models += [Application, Bid, Referral, Contract, StopListEntry, Event]
    return {model.__name__: model.objects.count() for model in models}


def kinds(model, field):
    return set(model.objects.values_list(field, flat=True))


def phases(now):
    return Counter(phase(vacancy, now=now) for vacancy in Vacancy.objects.all())


@pytest.mark.usefixtures("city")
@pytest.mark.django_db
class TestCity:
    def test_states_seats_events_and_numbers_tell_one_story(self, city):
        assert findings(now=timezone.now()) == []

    def test_building_again_changes_nothing(self):
        before = counts()
        output = build()
        assert counts() == before
        assert output.count("already there") == len(demo_city.steps())

    def test_the_families_of_the_desk_were_told_and_it_arrived(self, city):
        """Their inboxes were empty. What the state of each implies stands in it, in both languages."""
        implied = {
            "waiting": "application_filed",
            "bid_placed": "bid_placed",
            "referred": "referral_issued",
            "enrolled": "contract_signed",
            "stop_listed": "stop_started",
            "lapsed": "interest_lapsed",
        }
        families = desk.families()
        assert len(families) >= 5
        for family in families:
            application = Application.objects.get(pk=family.application)
            notices = Notice.objects.filter(about=application.child_id, recipient=application.filed_by)
            kinds_told = set(notices.values_list("kind", flat=True))
            assert {"application_filed", implied.get(family.state, "application_filed")} <= kinds_told
            assert all(notice.text_kk and notice.text_ru for notice in notices)
            sent = Message.objects.filter(about=application.child_id, created_at__lt=city - timedelta(days=1))
            assert {(one.state, one.provider_id.partition(":")[0]) for one in sent} <= {("sent", "file")}
        assert Notice.objects.filter(kind="application_filed", read_at=None).count() < len(families)

    def test_a_step_that_broke_is_made_again(self):
        Review.objects.all().delete()
        output = build()
        assert Review.objects.count() == len(reviews.PUBLISHED) + len(reviews.PENDING)
        assert output.count("already there") == len(demo_city.steps()) - 1

    def test_has_places_and_kindergartens_of_every_kind(self):
        assert Locality.objects.count() == len(PLACES) >= 4
        assert Kindergarten.objects.count() == len(KINDERGARTENS) >= 30
        assert kinds(Kindergarten, "ownership") == set(Kindergarten.Ownership.values)
        assert kinds(Kindergarten, "type") == set(Kindergarten.Type.values)
        assert kinds(Group, "age_group") == set(AgeGroup.values)
        assert kinds(Group, "language") == set(Language.values)
        assert kinds(Group, "regime") == set(Group.Regime.values)

    @pytest.mark.parametrize("path", ["README.md", "docs/demo.md"])
    def test_documents_tell_how_many_kindergartens_there_are(self, path):
        text = (settings.BASE_DIR / path).read_text()
        assert re.findall(r"(\d+) kindergartens", text) == [str(len(KINDERGARTENS))]

    def test_somebody_who_can_sign_in_answers_in_every_kindergarten(self, city):
        today = timezone.localdate(city)
        assert not Kindergarten.objects.exclude(
            pk__in=with_somebody_able(ANSWER, today=today).values("pk")
        ).exists()
        assert len(staff.logins(now=city)) == len(staff.EMPLOYEES)

    def test_the_desk_s_families_are_in_every_state_and_their_pages_open(self, client):
        ready = desk.families()
        assert {one.state for one in ready} >= set(ApplicationState) - {ApplicationState.LAPSED}
        for one in ready:
            page = client.post("/demo/enter/", {"family": one.application}, follow=True)
            assert (page.status_code, one.number in page.content.decode()) == (200, True), one.state

    @pytest.mark.parametrize("name", ["Амина балабақшасы", "Әлия", "Ханзада", "Керемет", "Балпан"])
    def test_has_the_manual_s_kindergartens(self, name):
        assert Kindergarten.objects.filter(name_kk__contains=f"«{name}»").count() == 1

    @pytest.mark.parametrize(
        ("slug", "group", "total", "free", "language", "ages"),
        [
            ("amina", "Солнце", 23, 22, "ru", [2]),
            ("aliya", "№1 «Балапан» тобы", 2, 0, "kk", [3]),
            ("khanzada", "Ақбөбек тобы", 1, 1, "kk", [3]),
            ("keremet", "Ертөстік", 1, 1, "kk", [4, 5]),
            ("balpan", "Жұлдызша", 5, 5, "kk", [3, 4]),
            ("balpan", "Ақжелек", 5, 5, "kk", [3, 4]),
            ("balpan", "Балбөбек", 5, 5, "kk", [4, 5]),
        ],
    )
    def test_has_the_manual_s_rows(self, slug, group, total, free, language, ages):
        vacancy = Vacancy.objects.get(
            group__kindergarten__slug=slug, group__name=group, state=Vacancy.State.PUBLISHED
        )
        assert (vacancy.seats_total, vacancy.seats_free, vacancy.group.language) == (total, free, language)
        assert sorted(timezone.localdate().year - year for year in vacancy.birth_years) == ages

    def test_the_bulletin_has_vacancies_in_every_phase(self, city):
        found = phases(city)
        assert found[Phase.OPEN] >= 15
        assert found[Phase.PRIORITY] >= 5
        assert found[Phase.FULL] >= 3
        assert found[Phase.CLOSED] >= 3
        assert found[Phase.RECALLED] == 1
        days = {vacancy.opens_at.astimezone(vacancy.locality.zone).date() for vacancy in announced(city)}
        # Shortly before midnight what opens soon opens tomorrow, too.
        assert len(days) in (1, 2)
        assert len(offers.OFFERS) >= 40

    def test_a_recalled_vacancy_says_why_and_its_families_wait_again(self):
        vacancy = Vacancy.objects.get(state=Vacancy.State.RECALLED)
        assert vacancy.end_reason
        bids = vacancy.bids.all()
        assert {bid.state for bid in bids} == {BidState.VOID}
        assert {bid.application.state for bid in bids} == {ApplicationState.WAITING}

    def test_some_vacancies_collect_bids(self, city):
        collecting = [
            vacancy
            for vacancy in Vacancy.objects.filter(mode=Vacancy.Mode.QUEUE_ORDER)
            if phase(vacancy, now=city) == Phase.OPEN
        ]
        assert len(collecting) >= 2
        assert all(vacancy.bids.filter(state=BidState.PENDING).count() >= 2 for vacancy in collecting)

    def test_the_manual_s_younger_children_find_a_place_now(self, city):
        open_now = [
            vacancy
            for vacancy in Vacancy.objects.filter(group__kindergarten__locality__slug="turkistan")
            if phase(vacancy, now=city) == Phase.OPEN and vacancy.mode == Vacancy.Mode.FIRST_COME
        ]
        father = simulated_people.everyone(today=timezone.localdate())[0]
        years = {ward.birth_date.year for ward in father.wards if ward.birth_date.year > 2017}
        assert len(years) == 3
        for year, language in product(years, ("kk", "ru")):
            assert any(
                year in vacancy.birth_years and vacancy.group.language == language for vacancy in open_now
            )

    def test_employees_have_something_to_do(self):
        for employee in User.objects.filter(username__in=["amina", "aliya", "khanzada", "balpan"]):
            kindergarten = employee.employments.get().kindergarten
            waiting = Bid.objects.filter(vacancy__group__kindergarten=kindergarten, state=BidState.PENDING)
            assert waiting.filter(holds_seat=True).exists()
            assert employee.groups.get().name == Role.KINDERGARTEN
        assert User.objects.get(username="official").groups.get().name == Role.OFFICIAL
        assert User.objects.get(username="administrator").is_superuser
        assert claims_to_check().count() >= 10
        kinds_of_benefits = set(Benefit.objects.values_list("state", flat=True))
        assert kinds_of_benefits == {BenefitState.CLAIMED, BenefitState.VERIFIED, BenefitState.REJECTED}

    def test_the_past_year_left_every_outcome(self):
        assert set(Referral.objects.values_list("state", flat=True)) == set(ReferralState.values)
        assert set(Application.objects.values_list("state", flat=True)) == set(ApplicationState.values)
        assert set(Application.objects.values_list("tier", flat=True)) == set(Tier.values)
        assert StopListEntry.objects.filter(lifted_at=None).exists()
        assert StopListEntry.objects.exclude(lifted_at=None).exists()

    def test_a_child_has_left_and_a_group_is_closed(self):
        """As an employee meets them; nothing that the bulletin offers has ended by it."""
        closing, contract = Closing.objects.get(), Contract.objects.get(ended_at__isnull=False)
        assert closing.finished_at is not None
        assert not is_announced(closing, now=read_clock())
        assert not closing.vacancies.exists()
        assert Contract.objects.filter(told_of_closings__closing=closing).exists()
        assert contract.referral.application.state == ApplicationState.ARCHIVED

    def test_some_families_that_wait_are_told_of_today_s_places(self, city):
        assert tell_of_places(now=timezone.now() + QUIET) == alerts.FAMILIES
        assert Notice.objects.filter(kind="place_appeared").count() == alerts.FAMILIES

    def test_reviews_are_in_both_languages_and_some_wait(self):
        states = Counter(Review.objects.values_list("state", flat=True))
        assert states == {Review.State.PUBLISHED: len(reviews.PUBLISHED), Review.State.PENDING: 3}
        kazakh = [review for review in Review.objects.all() if set(review.text.lower()) & set("әғқңөұүһі")]
        assert 10 <= len(kazakh) <= len(reviews.PUBLISHED) - 8
        assert not Review.objects.filter(author=None).exists()

    def test_nobody_of_the_city_has_an_iin_of_the_registry(self):
        iins = {child.iin for child in Child.objects.all()} | {
            profile.iin for profile in Profile.objects.all()
        }
        assert not iins & simulated_iins(today=timezone.localdate())
        assert all(parse_iin(iin) == iin for iin in iins)

    def test_printing_shows_people_and_employees_and_builds_nothing(self):
        before, output = counts(), StringIO()
        call_command("setup_demo", print=True, stdout=output)
        assert counts() == before
        assert simulated_people.MANUAL_PARENT_IIN in output.getvalue()
        assert "amina-demo-1" in output.getvalue()


def announced(now):
    return [vacancy for vacancy in Vacancy.objects.all() if phase(vacancy, now=now) == Phase.ANNOUNCED]


def test_the_whole_city_is_as_large_as_promised():
    assert history.WAITING >= 5_000
    assert len(offers.OFFERS) >= 40
    assert len(reviews.PUBLISHED) == 25


@pytest.mark.django_db
@pytest.mark.parametrize("moment", ODD_DAYS if THOROUGH else ODD_DAYS[:1])
def test_the_city_is_sound_on_odd_days(moment):
    with time_machine.travel(moment, tick=False):
        build(scale=0.02)
        assert findings(now=moment) == []
        found = phases(moment)
    assert found[Phase.OPEN] >= 15
    assert found[Phase.PRIORITY] >= 5
    assert found[Phase.ANNOUNCED] >= 5
    assert found[Phase.FULL] >= 3


@pytest.mark.django_db
def test_what_is_already_there_is_left_alone(monkeypatch):
    """In a quick run as far as the step that finds it: what follows is built on it as on any other city."""
    before = [one for one in demo_city.steps() if THOROUGH or one.name in FIRST_STEPS]
    monkeypatch.setattr(demo_city, "steps", lambda: before)
    application = ApplicationFactory(locality=LocalityFactory(name_kk="Түркістан"))
    build()
    assert list(Application.objects.all()) == [application]
    assert Locality.objects.get(slug="turkistan").name_kk == "Түркістан"


@pytest.mark.django_db
def test_is_refused_outside_demo_mode(settings):
    settings.DEMO = False
    with pytest.raises(CommandError, match="demo mode"):
        build()
    assert not Locality.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("scale", [0, -1, 1.5])
def test_a_scale_outside_its_range_is_refused(scale):
    with pytest.raises(CommandError, match="scale"):
        build(scale=scale)


def test_people_are_the_same_for_the_same_seed_and_never_twice():
    def some():
        people = People(random.Random(7), taken=set())
        adults = [people.adult(today=date(2026, 11, 22)) for _number in range(200)]
        return adults + [people.child(adult, birth_date=date(2024, 2, 29)) for adult in adults]

    everyone = some()
    assert everyone == some()
    assert len({person.iin for person in everyone}) == len(everyone)
    mother, child = next(
        pair for pair in zip(everyone, everyone[200:], strict=False) if pair[0].sex == Sex.FEMALE
    )
    assert child.last_name.removesuffix("А") == mother.last_name.removesuffix("А")


def test_people_avoid_identifiers_that_are_taken():
    wanted = People(random.Random(7), taken=set()).adult(today=date(2026, 11, 22)).iin
    assert People(random.Random(7), taken={wanted}).adult(today=date(2026, 11, 22)).iin != wanted


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("09:00", "22.11 18:00"),
        ("17:29", "22.11 18:00"),
        ("17:31", "22.11 19:00"),
        ("20:10", "22.11 22:00"),
        ("23:30", "22.11 23:50"),
        ("23:50", "23.11 01:00"),
    ],
)
def test_later_today_is_after_now_and_today_as_long_as_it_can_be(now, opens):
    zone = LocalityFactory.build().zone
    hour, minute = now.split(":")
    moment = datetime(2026, 11, 22, int(hour), int(minute), tzinfo=zone)
    assert moments.later_today(moment, zone=zone).strftime("%d.%m %H:%M") == opens


@pytest.fixture
def book():
    """An empty book in an empty database."""
    year = date(2026, 1, 1), date(2026, 12, 31)
    return Book(
        now=datetime(2026, 11, 22, 7, 0, tzinfo=UTC),
        zone=LocalityFactory.build().zone,
        calendar=Calendar(days_off=frozenset(), working_days=frozenset(), first=year[0], last=year[1]),
        rules=Rules(),
        chance=random.Random(1),
    )


def test_a_move_that_is_not_allowed_is_refused(book):
    application = Application(state=ApplicationState.ENROLLED)
    with pytest.raises(ValueError, match="enrolled"):
        book.move(application, Move.ARCHIVE, at=book.now, actor=None)


def test_a_bid_in_the_future_is_not_placed_yet(book):
    book.bid(Application(), Vacancy(), Fate.SIGNED, placed_at=book.now, worker=User())
    assert book.bids == []
    assert book.events == []
