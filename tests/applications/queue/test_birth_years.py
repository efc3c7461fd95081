"""A birth date that the registry corrected: proposed by itself, told to both sides, and decided by an official."""

from datetime import date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.registry import Person
from accounts.roles import Role
from applications.jobs.invariants import differences
from applications.jobs.registry import propose_registry_years
from applications.journal_actions import Action
from applications.models import Application, Correction, Rules
from applications.moves import Refused, write_event
from applications.queue import corrections
from applications.queue.birth_years import propose_registry_year
from applications.refusals import Refusal
from applications.states import LIVE_STATES, ApplicationState, CorrectionState, Move
from applications.waiting.changes import change_locality
from bulletin.models import Vacancy
from children import services
from children.models import Child
from notifications.models import Message, Notice
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import ZONE
from tests.factories import GuardianshipFactory, LocalityFactory
from tests.staff import employee, inside

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]


@pytest.fixture
def official(db):
    return employee(Role.OFFICIAL)


def registry_says(year: int) -> None:
    Child.objects.update(birth_date=date(year, 12, 31))


def proposed() -> list[tuple[int, int | None]]:
    return list(Correction.objects.values_list("previous_birth_year", "new_birth_year"))


def order(scene, actor, **fields):
    values = {
        "reason": "Сот шешімі бойынша туған жылы",
        "document_number": "114-Н",
        "document_date": date(2019, 6, 20),
        "actor": actor,
        "now": scene.now,
    }
    return corrections.propose_correction(scene.application, **values | fields)


def test_another_year_is_proposed_once(scene):
    registry_says(2016)
    assert propose_registry_years(now=scene.now) == 1
    assert propose_registry_years(now=scene.now) == 0
    correction = Correction.objects.get()
    assert (correction.previous_birth_year, correction.new_birth_year) == (2017, 2016)
    assert (correction.proposed_by, correction.new_filed_at) == (None, None)
    scene.application.refresh_from_db()
    # Nothing moves before an official has decided.
    assert scene.application.birth_year == 2017


@pytest.mark.parametrize("day", [date(2017, 1, 1), date(2017, 12, 31)])
def test_another_day_of_the_same_year_is_none(scene, day):
    Child.objects.update(birth_date=day)
    assert propose_registry_years(now=scene.now) == 0


@pytest.mark.parametrize("state", ApplicationState)
def test_only_who_may_still_get_a_place_is_looked_at(scene, state):
    archived_at = scene.now if state == ApplicationState.ARCHIVED else None
    Application.objects.update(state=state, archived_at=archived_at)
    registry_says(2016)
    assert propose_registry_years(now=scene.now) == (state in LIVE_STATES)


def test_the_recheck_of_a_guardianship_leads_to_it(scene, monkeypatch):
    """The way in which a corrected date comes here."""
    child = scene.application.child
    person = Person(
        iin=child.iin,
        document_number="",
        last_name=child.last_name,
        first_name=child.first_name,
        middle_name=child.middle_name,
        birth_date=date(2016, 12, 31),
        sex=child.sex,
    )
    monkeypatch.setattr(services, "ask_registry", lambda user, iin: person)
    assert services.recheck_guardianship(child.guardianships.get(), now=scene.now)
    assert propose_registry_years(now=scene.now) == 1
    assert proposed() == [(2017, 2016)]


class TestTelling:
    def test_every_guardian_and_every_official(self, scene, official, clock):
        other = GuardianshipFactory(child=scene.application.child).user
        registry_says(2016)
        propose_registry_years(now=scene.now)
        for guardian in (scene.parent, other):
            notice = Notice.objects.get(recipient=guardian, kind="birth_year_differs")
            for text in (notice.text_kk, notice.text_ru):
                assert "2017" in text
                assert "2016" in text
            assert Message.objects.filter(recipient=guardian, kind="birth_year_differs").count() == 1
            assert guardian.journal.get(action=Action.CORRECTION_PROPOSED).actor is None
        start = inside(official).get(reverse("admin:index"))
        assert start.context["today"].corrections == 1

    def test_an_official_is_not_asked_about_their_own_proposal(self, scene, official, clock):
        order(scene, official, new_birth_year=2016)
        assert inside(official).get(reverse("admin:index")).context["today"].corrections == 0

    @pytest.mark.parametrize(
        ("prefix", "registry"), [("", "Тұлғалар тізілімі"), ("/ru", "Реестр физических лиц")]
    )
    def test_its_pages_say_who_proposed_it(self, scene, official, clock, client, prefix, registry):
        registry_says(2016)
        propose_registry_years(now=scene.now)
        correction = Correction.objects.get()
        desk = inside(official)
        pages = [
            reverse("admin:applications_correction_changelist"),
            reverse("admin:applications_correction_change", args=[correction.pk]),
            reverse("admin:applications_correction_work", args=[correction.pk, "approve"]),
        ]
        for page in pages:
            answer = desk.get(prefix + page)
            assert answer.status_code == 200
            assert registry in answer.content.decode()
        corrections.approve_correction(correction, actor=official, now=scene.now)
        ledger = client.get(f"{prefix}/queue/corrections/").content.decode()
        assert registry in ledger
        assert "№ ," not in ledger
        assert registry in b"".join(client.get(f"{prefix}/queue/corrections.csv")).decode()
        family = Notice.objects.get(kind="corrected")
        assert "тізілімде" in family.text_kk
        assert "реестре" in family.text_ru


class TestDecision:
    @pytest.fixture
    def correction(self, scene):
        registry_says(2016)
        propose_registry_years(now=scene.now)
        return Correction.objects.get()

    def test_one_official_approves_it_and_the_next_bid_goes_by_the_new_year(
        self, scene, official, correction
    ):
        Vacancy.objects.update(birth_years=[2016])
        with pytest.raises(Refused) as refused:
            place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        assert refused.value.reason == Refusal.OTHER_BIRTH_YEAR
        corrections.approve_correction(correction, actor=official, now=scene.now)
        application, vacancy = Application.objects.get(), Vacancy.objects.get()
        assert application.birth_year == 2016
        place_bid(application, vacancy, actor=scene.parent, now=scene.now)
        assert propose_registry_years(now=scene.now) == 0

    def test_declined_it_is_not_proposed_again_until_the_registry_says_something_else(
        self, scene, official, correction
    ):
        corrections.decline_correction(
            correction, actor=official, reason="Тізілімдегі қате расталды", now=scene.now
        )
        assert propose_registry_years(now=scene.now + timedelta(days=9)) == 0
        registry_says(2018)
        assert propose_registry_years(now=scene.now + timedelta(days=9)) == 1
        registry_says(2017)
        assert propose_registry_years(now=scene.now + timedelta(days=9)) == 0

    def test_an_order_against_the_registry_stands(self, scene, official):
        """What two officials decided is not proposed back."""
        second = employee(Role.OFFICIAL)
        corrections.approve_correction(
            order(scene, official, new_birth_year=2016), actor=second, now=scene.now
        )
        assert propose_registry_years(now=scene.now) == 0
        registry_says(2018)
        assert propose_registry_years(now=scene.now) == 1

    def test_another_open_correction_is_decided_first(self, scene, official):
        waiting = order(scene, official, new_filed_at=datetime(2019, 4, 1, tzinfo=ZONE))
        registry_says(2016)
        assert propose_registry_years(now=scene.now) == 0
        corrections.decline_correction(
            waiting, actor=employee(Role.OFFICIAL), reason="Бұйрық табылмады", now=scene.now
        )
        assert propose_registry_years(now=scene.now) == 1

    def test_another_time_of_filing_does_not_stand_in_its_way(self, scene, official, correction):
        """A family that moves to where dates are not kept can't escape its birth year, nor has it to."""
        kentau = LocalityFactory(slug="kentau")
        Rules.objects.create(locality=kentau, valid_from=date(2019, 1, 1), moving_keeps_date=False)
        change_locality(scene.application, locality=kentau, keeps=False, actor=scene.parent, now=scene.now)
        corrections.approve_correction(correction, actor=official, now=scene.now)
        application = Application.objects.get()
        assert (application.birth_year, application.filed_at) == (2016, scene.now)

    @pytest.mark.parametrize("year", [2017, 2018])
    def test_what_the_registry_has_taken_back_is_not_carried_out(self, scene, official, correction, year):
        registry_says(year)
        with pytest.raises(Refused, check=lambda error: error.reason == Refusal.CORRECTION_OUTDATED):
            corrections.approve_correction(correction, actor=official, now=scene.now)
        assert Application.objects.get().birth_year == 2017
        corrections.decline_correction(
            correction, actor=official, reason="Тізілім қайта түзетілді", now=scene.now
        )
        assert propose_registry_years(now=scene.now) == (year == 2018)

    def test_a_second_worker_finds_nothing_to_do(self, scene, correction):
        assert propose_registry_year(scene.application, now=scene.now) is None

    @pytest.mark.parametrize(
        "fields",
        [{"document_number": "1"}, {"new_filed_at": datetime(2019, 4, 1, tzinfo=ZONE)}],
    )
    def test_the_registry_corrects_years_and_orders_nothing(self, correction, fields):
        with pytest.raises(IntegrityError, match="correction_has_its_source"), transaction.atomic():
            Correction.objects.update(**fields)

    def test_nobody_proposes_without_an_order(self, scene, official):
        made = order(scene, official, new_birth_year=2016)
        for lost in ({"document_number": ""}, {"reason": ""}):
            with pytest.raises(IntegrityError, match="correction_has_its_source"), transaction.atomic():
                Correction.objects.filter(pk=made.pk).update(**lost)


def test_the_nightly_check_names_the_difference_until_it_is_decided(scene, official):
    application = scene.application
    write_event(application, Move.FILE, before="", actor=scene.parent, now=application.filed_at)
    Application.objects.update(interest_confirmed_at=scene.now)
    registry_says(2016)
    named = f"application {application.number}: stands in the queue of 2017, but the registry says 2016"
    assert named in list(differences())
    propose_registry_years(now=scene.now)
    assert named in list(differences())
    corrections.approve_correction(Correction.objects.get(), actor=official, now=scene.now)
    assert not [one for one in differences() if "the registry says" in one]
    assert Correction.objects.get().state == CorrectionState.APPROVED
