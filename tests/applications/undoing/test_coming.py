"""The family came with its papers: noted in time, or confirmed after the referral ran out."""

from datetime import date, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.models import AuditEntry
from accounts.roles import Role
from applications.access.settling import settle
from applications.bidding import publication
from applications.jobs.deadlines import settle_what_ran_out
from applications.jobs.invariants import differences
from applications.journal_actions import Action
from applications.models import Application, Bid, Event, Rules, StopListEntry, UndoRequest
from applications.moves import Refused, write_event
from applications.places.occupancy import over_promised
from applications.places.retaking import is_place_free
from applications.referrals import coming, ending, issuing, stops
from applications.referrals.due import last_day_of
from applications.refusals import Refusal
from applications.rules.coming import last_day_to_sign, why_not_came
from applications.states import ApplicationState, Move, ProposalState, ReferralState, UndoKind
from applications.undoing import requests
from bulletin.models import Vacancy
from bulletin.workdays import Calendar
from notifications.models import Notice
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import NOW, ZONE
from tests.factories import (
    ApplicationFactory,
    BidFactory,
    DisputeFactory,
    KindergartenFactory,
    LocalityFactory,
    VacancyFactory,
)
from tests.staff import employee, inside, official_of, press, worker_of

pytestmark = pytest.mark.usefixtures("scene_once")

MICROSECOND = timedelta(microseconds=1)
# Issued on Wednesday the 26th, five working days: up to and including Wednesday the 3rd.
LAST_DAY = date(2019, 7, 3)
OVER = datetime(2019, 7, 4, tzinfo=ZONE)


class TestDays:
    """The rules alone."""

    DAYS = {"issued_on": date(2019, 6, 26), "last_day": LAST_DAY}

    @pytest.mark.parametrize(
        ("came_on", "today", "refusal"),
        [
            (date(2019, 6, 25), LAST_DAY, Refusal.CAME_BEFORE_ISSUE),
            (date(2019, 6, 26), LAST_DAY, None),
            (LAST_DAY, LAST_DAY, None),
            (LAST_DAY, date(2019, 7, 2), Refusal.CAME_IN_FUTURE),
            (date(2019, 7, 4), date(2019, 7, 4), Refusal.CAME_TOO_LATE),
        ],
    )
    def test_a_family_came_between_the_issue_and_the_last_day(self, came_on, today, refusal):
        assert why_not_came(came_on, today=today, **self.DAYS) == refusal

    def test_the_last_day_never_comes_earlier(self):
        calendar = Calendar(set(), set(), first=date(2019, 1, 1), last=date(2019, 12, 31))
        for last_day, becomes in ((LAST_DAY, date(2019, 7, 10)), (date(2019, 8, 1), date(2019, 8, 1))):
            assert last_day_to_sign(last_day, today=LAST_DAY, days=5, calendar=calendar) == becomes


@pytest.fixture
def referral(scene):
    write_event(scene.application, Move.FILE, before="", actor=scene.parent, now=NOW)
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=NOW)
    return issuing.activate_bid(bid, actor=scene.staff, now=NOW)


def refused(call, *args, **kwargs):
    with pytest.raises(Refused) as refusal:
        call(*args, **kwargs)
    return refusal.value.reason


def told(kind):
    return Notice.objects.filter(kind=kind).count()


@pytest.mark.django_db
class TestNotedInTime:
    def test_in_the_last_microsecond_it_holds_the_place_until_its_own_end(self, scene, referral):
        """Five working days after the 3rd, with the 8th off: up to and including Thursday the 11th."""
        last, noted = OVER - MICROSECOND, {"came_on": LAST_DAY, "actor": scene.staff}
        assert refused(coming.note_coming, referral, **noted, now=OVER) == Refusal.REFERRAL_ENDED
        for wrong in (date(2019, 6, 25), date(2019, 7, 4)):
            with pytest.raises(Refused):
                coming.note_coming(referral, came_on=wrong, actor=scene.staff, now=last)
        referral = coming.note_coming(referral, **noted, now=last)
        assert last_day_of(referral) == date(2019, 7, 11)
        assert refused(coming.note_coming, referral, **noted, now=last) == Refusal.COMING_NOTED
        assert told("coming_noted") == 1
        assert AuditEntry.objects.filter(action=Action.COMING_NOTED, subject=scene.parent).count() == 1

        held = datetime(2019, 7, 12, tzinfo=ZONE)
        assert Application.objects.get().runs_out_at == held
        settle(Application.objects.get(), now=held - MICROSECOND)
        scene.vacancy.refresh_from_db()
        assert (Application.objects.get().state, scene.vacancy.seats_taken) == (ApplicationState.REFERRED, 1)
        settle(Application.objects.get(), now=held)
        scene.vacancy.refresh_from_db()
        assert (Application.objects.get().state, scene.vacancy.seats_taken) == (
            ApplicationState.STOP_LISTED,
            0,
        )
        assert StopListEntry.objects.get().starts_at == held

    def test_a_later_last_day_stays_and_the_rules_of_the_place_decide(self, scene, referral):
        Rules.objects.create(locality=scene.locality, valid_from=date(2019, 1, 1), coming_working_days=1)
        referral.refresh_from_db()
        noted = coming.note_coming(referral, came_on=NOW.date(), actor=scene.staff, now=NOW)
        assert (noted.valid_until, noted.came_on) == (referral.valid_until, NOW.date())
        assert ending.sign_contract(noted, actor=scene.staff, now=OVER - MICROSECOND)

    def test_an_extended_one_still_counts_calendar_days(self, scene, referral):
        """Its last day moves as for any other, but no working days are promised by that."""
        type(referral).objects.update(working_days=None)
        noted = coming.note_coming(referral, came_on=LAST_DAY, actor=scene.staff, now=OVER - MICROSECOND)
        assert (last_day_of(noted), noted.working_days) == (date(2019, 7, 11), None)

    def test_a_last_day_that_stands_still_is_not_over(self, scene, referral):
        DisputeFactory(guardianship__child=scene.application.child)
        type(referral).objects.update(held_since=NOW)
        later = OVER + timedelta(days=5)
        noted = coming.note_coming(referral, came_on=later.date(), actor=scene.staff, now=later)
        assert noted.came_on == later.date()


@pytest.fixture
def staff(scene):
    return worker_of(scene.group.kindergarten), employee(Role.OFFICIAL)


@pytest.fixture
def expired(scene, referral):
    ending.expire_referral(referral, now=OVER)
    return referral


def ask(referral, worker, *, came_on=LAST_DAY, now=OVER, reason="Құжаттарын 3 шілдеде әкелді"):
    return requests.ask_to_undo(
        referral.bid, kind=UndoKind.COMING, came_on=came_on, reason=reason, actor=worker, now=now
    )


def take_the_places(scene):
    """Other families apply for all places that are left."""
    for _place in range(Vacancy.objects.get(pk=scene.vacancy.pk).seats_free):
        other = ApplicationFactory(
            locality=scene.locality, child__birth_date=scene.application.child.birth_date
        )
        place_bid(other, scene.vacancy, actor=other.filed_by, now=OVER)


def close(scene):
    publication.close_vacancy(Vacancy.objects.get(pk=scene.vacancy.pk), actor=scene.staff, now=OVER)


def fill_the_group(scene):
    """The vacancy is over, and all places of the group are in the bulletin anew."""
    close(scene)
    VacancyFactory(group=scene.group, seats_total=scene.group.capacity, opens_at=OVER)


def close_alone(scene):
    close(scene)
    VacancyFactory(group=scene.group, seats_total=scene.group.capacity - 1, opens_at=OVER)


def recall(scene):
    vacancy = Vacancy.objects.get(pk=scene.vacancy.pk)
    publication.recall_vacancy(vacancy, actor=scene.staff, reason="Жөндеу", now=OVER)


def collect_a_bid(scene):
    BidFactory(vacancy=scene.vacancy, holds_seat=False)


def nothing(scene):
    """The place that the referral gave back is free."""


@pytest.mark.django_db
class TestConfirmedLater:
    def test_what_can_not_be_asked(self, scene, referral, staff):
        worker, official = staff
        assert refused(ask, referral, worker, now=NOW) == Refusal.GONE_ON
        ending.expire_referral(referral, now=OVER)
        assert refused(ask, referral, worker, came_on=OVER.date()) == Refusal.CAME_TOO_LATE
        assert refused(ask, referral, worker, came_on=date(2019, 6, 25)) == Refusal.CAME_BEFORE_ISSUE
        assert refused(ask, referral, worker, reason=" ") == Refusal.REASON_MISSING
        with pytest.raises(PermissionDenied):
            ask(referral, scene.staff)
        request = ask(referral, worker)
        assert refused(ask, referral, official) == Refusal.PROPOSAL_WAITS
        with pytest.raises(PermissionDenied):
            requests.approve_undo(request, actor=worker, now=OVER)
        stranger = worker_of(KindergartenFactory(locality=scene.locality))
        elsewhere = official_of(LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау"))
        with pytest.raises(PermissionDenied):
            ask(referral, stranger)
        with pytest.raises(PermissionDenied):
            requests.approve_undo(request, actor=elsewhere, now=OVER)
        by_an_official = UndoRequest.objects.get()
        UndoRequest.objects.update(proposed_by=official)
        for decide, more in ((requests.approve_undo, {}), (requests.decline_undo, {"reason": "x"})):
            assert refused(decide, by_an_official, actor=official, now=OVER, **more) == Refusal.PROPOSER
        assert list(requests.undo_to_decide(official)) == []
        with pytest.raises(IntegrityError), transaction.atomic():
            UndoRequest.objects.update(decided_by=official)
        assert Application.objects.get().state == ApplicationState.STOP_LISTED

    @pytest.mark.parametrize("meanwhile", [nothing, close_alone])
    def test_the_stop_ends_and_the_place_comes_back(self, scene, expired, staff, meanwhile):
        """From the 4th five working days, with the 8th off: up to and including the 12th."""
        meanwhile(scene)
        worker, official = staff
        request = ask(expired, worker)
        requests.approve_undo(request, actor=official, now=OVER)
        expired.refresh_from_db()
        scene.vacancy.refresh_from_db()
        assert (expired.state, expired.came_on, last_day_of(expired)) == (
            ReferralState.ISSUED,
            LAST_DAY,
            date(2019, 7, 12),
        )
        assert (scene.vacancy.seats_taken, Bid.objects.get(pk=expired.bid_id).holds_seat) == (1, True)
        assert StopListEntry.objects.get().lifted_by == official
        event = Event.objects.latest("id")
        assert (event.move, event.actor, event.reason) == (Move.CONFIRM_COMING, official, request.reason)
        assert told("coming_confirmed") == 1
        assert refused(requests.approve_undo, request, actor=official, now=OVER) == Refusal.PROPOSAL_DECIDED
        end = datetime(2019, 7, 13, tzinfo=ZONE)
        assert expired.is_valid(now=end - MICROSECOND)
        assert not expired.is_valid(now=end)
        assert over_promised(now=OVER) == []
        assert list(differences()) == []

    @pytest.mark.parametrize("meanwhile", [take_the_places, fill_the_group, recall, collect_a_bid])
    def test_a_place_that_is_gone_is_nobodys_loss(self, scene, expired, staff, meanwhile):
        meanwhile(scene)
        worker, official = staff
        requests.approve_undo(ask(expired, worker), actor=official, now=OVER)
        expired.refresh_from_db()
        application = Application.objects.get(pk=scene.application.pk)
        assert (expired.state, application.state) == (ReferralState.EXPIRED, ApplicationState.WAITING)
        assert (told("coming_place_gone"), told("coming_confirmed")) == (1, 0)
        assert not Bid.objects.get(pk=expired.bid_id).holds_seat
        assert over_promised(now=OVER) == []

    def test_once_the_stop_is_over_there_is_nothing_to_undo(self, scene, expired, staff):
        worker, official = staff
        request, until = ask(expired, worker), StopListEntry.objects.get().until
        settle(Application.objects.get(), now=until - MICROSECOND)
        assert requests.may_ask(expired.bid, UndoKind.COMING) is False
        settle(Application.objects.get(), now=until)
        assert refused(requests.approve_undo, request, actor=official, now=until) == Refusal.GONE_ON
        declined = requests.decline_undo(request, actor=official, reason="Тоқтатым бітті", now=until)
        assert declined.state == ProposalState.DECLINED

    def test_while_a_guardian_is_disputed_its_new_last_day_stands_still(self, scene, expired, staff):
        DisputeFactory(guardianship__child=scene.application.child)
        requests.approve_undo(ask(expired, staff[0]), actor=staff[1], now=OVER)
        expired.refresh_from_db()
        assert expired.held_since == OVER


@pytest.mark.django_db
def test_from_the_workers_button_to_the_familys_page(scene, clock, staff, client_of):
    worker, official = staff
    bids = [place_bid(scene.application, scene.vacancy, actor=scene.parent, now=NOW)]
    referral = issuing.activate_bid(bids[0], actor=worker, now=NOW)
    page = reverse("admin:applications_referral_change", args=[referral.pk])
    desk, office = inside(worker), inside(official)
    button = {
        name: reverse("admin:applications_referral_work", args=[referral.pk, name])
        for name in ("came", "came-in-time")
    }
    too_late = press(desk, button["came"], {"came_on": "2019-06-27"})
    assert "came_on" in too_late.context["errors"]
    assert press(desk, button["came"], {"came_on": "2019-06-26"}).url == page
    family = client_of(scene.parent)
    address = reverse("applications:application", args=[scene.application.pk])
    assert "26.06.2019" in family.get(address).content.decode()

    type(referral).objects.update(came_on=None)
    referral.refresh_from_db()
    over = referral.valid_until
    clock.move_to(over)
    settle(Application.objects.get(), now=over)
    desk, office = inside(worker), inside(official)
    asked = press(
        desk, button["came-in-time"], {"came_on": "2019-07-03", "reason": "Құжаттарын уақытында әкелді"}
    )
    assert asked.url == page
    request = UndoRequest.objects.get()
    assert (
        reverse("admin:applications_undorequest_change", args=[request.pk]) in desk.get(page).content.decode()
    )
    assert office.get(reverse("admin:index")).context["today"].undoing == 1
    listed = office.get(reverse("admin:applications_undorequest_changelist") + "?waits=you")
    assert list(listed.context["cl"].result_list) == [request]
    confirm = reverse("admin:applications_undorequest_work", args=[request.pk, "approve"])
    assert desk.get(confirm).status_code == 403
    values = [row["value"] for row in office.get(confirm).context["rows"]]
    assert request.reason in values
    press(office, confirm)
    assert Application.objects.get().state == ApplicationState.REFERRED
    family = client_of(scene.parent)
    assert "03.07.2019" in family.get(address).content.decode()
    history = reverse("admin:applications_undorequest_history", args=[request.pk])
    done = [one.what for one in office.get(history).context["happened"]]
    assert {Action.UNDO_ASKED.label, Action.UNDO_APPROVED.label} <= {*done}


def by_the_page(now):
    settle(Application.objects.get(), now=now)


def by_the_sweep(now):
    assert settle_what_ran_out(now=now) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("end", [by_the_page, by_the_sweep])
def test_without_a_contract_it_runs_out_once_more(scene, expired, staff, clock, client_of, end):
    """The family is stopped anew. An early end of that stop says nothing of its place, which is free."""
    requests.approve_undo(ask(expired, staff[0]), actor=staff[1], now=OVER)
    over = datetime(2019, 7, 13, tzinfo=ZONE)
    end(over)
    scene.vacancy.refresh_from_db()
    assert (Application.objects.get().state, scene.vacancy.seats_taken) == (ApplicationState.STOP_LISTED, 0)
    anew, first = StopListEntry.objects.order_by("-starts_at")
    assert (anew.starts_at, anew.lifted_at, first.lifted_by) == (over, None, staff[1])
    assert told("stop_started") == 2
    assert refused(ask, expired, staff[0], now=over) == Refusal.COMING_NOTED
    assert list(differences()) == []

    address = reverse("applications:application", args=[scene.application.pk])
    clock.move_to(over + MICROSECOND)
    assert client_of(scene.parent).get(address).context["situation"].stop == anew
    stops.lift_stop(anew, actor=staff[1], reason="Ауырды", now=over + MICROSECOND)
    assert client_of(scene.parent).get(address).context["situation"].setback is None


@pytest.mark.django_db
def test_a_family_that_came_and_was_revoked_reads_the_reason(scene, referral, client_of, clock):
    noted = coming.note_coming(referral, came_on=NOW.date(), actor=scene.staff, now=NOW)
    ending.revoke_referral(noted, actor=scene.staff, reason="Топ жабылды", now=NOW)
    clock.move_to(NOW + MICROSECOND)
    page = client_of(scene.parent).get(reverse("applications:application", args=[scene.application.pk]))
    assert "Топ жабылды" in page.context["situation"].setback_text


@pytest.mark.django_db
def test_a_family_whose_place_has_gone_reads_why(scene, expired, staff, clock, client_of):
    take_the_places(scene)
    requests.approve_undo(ask(expired, staff[0]), actor=staff[1], now=OVER)
    clock.move_to(OVER + MICROSECOND)
    page = client_of(scene.parent).get(reverse("applications:application", args=[scene.application.pk]))
    assert page.context["situation"].setback == expired
    assert "03.07.2019" in page.content.decode()


@pytest.mark.django_db
def test_a_place_is_free_while_the_bulletin_promises_it(scene):
    vacancy, group = scene.vacancy, scene.group
    assert is_place_free(vacancy, group, now=NOW)
    vacancy.seats_taken = vacancy.seats_total
    assert not is_place_free(vacancy, group, now=NOW)
