"""What employees are told of bids that wait: once each, at their instants, whatever was missed before."""

from datetime import datetime, time, timedelta
from html import unescape

import pytest
from django.urls import reverse

from accounts.models import Employee
from accounts.roles import Role
from applications.bidding.award import hold_seat
from applications.bidding.ending import withdraw_bid
from applications.jobs import employees
from applications.models import Bid
from bulletin.models import Vacancy
from notifications.models import Mail, Notice
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import ZONE
from tests.factories import (
    ApplicationFactory,
    GroupFactory,
    GuardianshipFactory,
    LocalityFactory,
    StaffFactory,
)
from tests.staff import employee, give_app, inside, official_of, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

MOMENT = timedelta(microseconds=1)


@pytest.fixture
def worker(scene):
    return worker_of(scene.group.kindergarten)


@pytest.fixture
def bids(scene, clock):
    """Three, one after another, of which nobody has been told."""
    Vacancy.objects.update(seats_total=9)
    scene.vacancy.refresh_from_db()
    return [bid_of(scene, minutes=number) for number in range(3)]


def bid_of(scene, *, minutes):
    one = ApplicationFactory(locality=scene.locality, child__birth_date=scene.application.child.birth_date)
    return place_bid(one, scene.vacancy, actor=one.filed_by, now=scene.now + timedelta(minutes=minutes))


def told(user, kind):
    return list(Notice.objects.filter(recipient=user, kind=kind).order_by("created_at"))


def half_time(bid):
    return bid.placed_at + (bid.answer_due - bid.placed_at) / 2


def test_the_kindergarten_at_half_of_its_time_and_not_before(scene, worker, bids):
    stranger = worker_of(GroupFactory().kindergarten)
    at = half_time(bids[-1])
    employees.tell_employees(now=half_time(bids[0]) - MOMENT)
    assert told(worker, "staff_half_time") == []
    employees.tell_employees(now=half_time(bids[0]))
    (first,) = told(worker, "staff_half_time")
    assert ": 1. " in first.text_kk
    assert scene.group.kindergarten.name_kk in first.text_kk
    assert "28.06.2019" in first.text_kk
    for _run in range(2):
        employees.tell_employees(now=at)
    # The others in one, however often it runs.
    assert [": 2. " in notice.text_ru for notice in told(worker, "staff_half_time")] == [False, True]
    assert told(stranger, "staff_half_time") == []


def test_what_was_missed_is_told_later_and_not_what_is_over(scene, worker, bids):
    """As after a night without beat."""
    withdraw_bid(bids[0], actor=bids[0].placed_by, now=scene.now)
    employees.tell_employees(now=bids[1].answer_due - MOMENT)
    (notice,) = told(worker, "staff_half_time")
    assert ": 2. " in notice.text_kk
    Bid.objects.update(reminded_at=None)
    employees.tell_employees(now=bids[1].answer_due)
    assert len(told(worker, "staff_half_time")) == 1


def test_whose_bid_waits_again_is_told_of_anew_by_its_new_time(scene, worker, bids):
    """As after a refusal by mistake has been undone."""
    (bid, *others), again = bids, scene.now + timedelta(days=30)
    for other in others:
        withdraw_bid(other, actor=other.placed_by, now=scene.now)
    employees.tell_employees(now=half_time(bid))
    employees.tell_employees(now=bid.answer_due)
    assert len(told(worker, "staff_half_time")) == 1
    bid.refresh_from_db()
    hold_seat(bid, scene.vacancy, now=again)
    bid.save()
    half = again + (bid.answer_due - again) / 2
    employees.tell_employees(now=half - MOMENT)
    assert len(told(worker, "staff_half_time")) == 1
    employees.tell_employees(now=half)
    assert len(told(worker, "staff_half_time")) == 2


def test_officials_of_the_locality_at_the_end_and_not_before(scene, worker, bids):
    official = official_of(scene.locality)
    elsewhere = official_of(LocalityFactory(slug="elsewhere"))
    due = bids[0].answer_due
    employees.tell_employees(now=due - MOMENT)
    assert told(official, "staff_late_answers") == []
    employees.tell_employees(now=due)
    employees.tell_employees(now=due + timedelta(days=3))
    (notice,) = told(official, "staff_late_answers")
    assert ": 3. " in notice.text_ru
    assert notice.link == reverse("admin:applications_bid_changelist") + "?answer=overdue"
    assert told(elsewhere, "staff_late_answers") == told(worker, "staff_late_answers") == []


def test_what_nobody_could_be_told_of_is_told_to_who_comes(scene, bids):
    """Nor is it used up by colleagues who can't decide, or have not set up how they sign in."""
    idle, invited = worker_of(scene.group.kindergarten), worker_of(scene.group.kindergarten)
    idle.groups.clear()
    newcomer = official_of(scene.locality)
    for user in (invited, newcomer):
        user.set_unusable_password()
        user.save()
    due = bids[0].answer_due
    for now in (half_time(bids[-1]), due):
        employees.tell_employees(now=now)
    assert not Notice.objects.filter(kind__startswith="staff_").exists()
    newcomer.set_password("staff-pass-1")
    newcomer.save()
    worker = worker_of(scene.group.kindergarten)
    employees.tell_employees(now=due + MOMENT)
    assert [len(told(newcomer, "staff_late_answers")), len(told(worker, "staff_new_bids"))] == [1, 1]
    assert told(idle, "staff_new_bids") == told(invited, "staff_new_bids") == []


def test_where_no_official_is_employed_those_who_work_everywhere_are_told(scene, bids, clock):
    """A department without anybody of the locality, or whose only official there is of the child's family."""
    everywhere, centre = employee(Role.OFFICIAL), employee(Role.CONTACT_CENTRE)
    first = StaffFactory(is_superuser=True)
    give_app(first)
    due = bids[0].answer_due
    clock.move_to(due)
    employees.tell_employees(now=due)
    for one in (everywhere, first):
        (notice,) = told(one, "staff_late_answers")
        assert ": 3. " in notice.text_ru
        assert inside(one).get(notice.link).context["cl"].result_count == 3
    assert told(centre, "staff_late_answers") == []

    parent = official_of(scene.locality)
    GuardianshipFactory(child=bids[0].application.child, user=parent)
    Bid.objects.update(escalated_at=None)
    employees.tell_employees(now=due + MOMENT)
    assert [": 2. " in one.text_ru for one in told(parent, "staff_late_answers")] == [True]
    assert ["ответа: 1." in one.text_ru for one in told(everywhere, "staff_late_answers")] == [False, True]
    colleague = official_of(scene.locality)
    Bid.objects.update(escalated_at=None)
    employees.tell_employees(now=due + 2 * MOMENT)
    assert [len(told(one, "staff_late_answers")) for one in (parent, colleague, everywhere)] == [2, 1, 2]
    assert not Bid.objects.filter(escalated_at=None).exists()


def test_new_bids_are_listed_once_a_day_at_the_hour_of_the_setting(scene, worker, bids, settings):
    settings.STAFF_DIGEST_HOUR = 8
    morning = datetime.combine(scene.now.date() + timedelta(days=1), time(8), tzinfo=ZONE)
    employees.tell_employees(now=morning - MOMENT)
    assert told(worker, "staff_new_bids") == []
    for instant in (morning, morning + timedelta(hours=2)):
        employees.tell_employees(now=instant)
    (first,) = told(worker, "staff_new_bids")
    assert ": 3. " in first.text_kk
    # Another one, and one that was under way at eight: tomorrow, together.
    for minutes in (15 * 60 + 30, 15 * 60 + 45):
        bid_of(scene, minutes=minutes)
    employees.tell_employees(now=morning + timedelta(hours=9))
    assert len(told(worker, "staff_new_bids")) == 1
    employees.tell_employees(now=morning + timedelta(days=1, hours=7))
    assert [": 2. " in one.text_kk for one in told(worker, "staff_new_bids")] == [False, True]


def test_the_last_digest_is_the_newest_such_hour():
    noon = datetime(2019, 6, 26, 12, 0, tzinfo=ZONE)
    assert employees.last_digest(noon, ZONE, hour=12) == noon
    assert employees.last_digest(noon - MOMENT, ZONE, hour=12) == noon - timedelta(days=1)


def test_by_email_too_where_there_is_an_address(scene, worker, bids, settings):
    settings.SENDS_MAIL = True
    worker.email, worker.language = "worker@example.kz", "ru"
    worker.save()
    worker_of(scene.group.kindergarten)
    colleague = worker_of(scene.group.kindergarten, email="own@example.kz")
    Employee.objects.create(
        user=colleague, last_name="Ахметова", first_name="Асель", position="Әдіскер", email="work@example.kz"
    )
    for _run in range(2):
        employees.tell_employees(now=half_time(bids[-1]))
    mails = {mail.address: mail.text for mail in Mail.objects.filter(kind="staff_half_time")}
    assert set(mails) == {"worker@example.kz", "work@example.kz"}
    assert all(": 3. " in text for text in mails.values())
    assert "Заявки" in mails["worker@example.kz"]


def test_the_inbox_of_the_workplace(scene, worker, bids, clock):
    clock.move_to(half_time(bids[-1]))
    employees.tell_employees(now=half_time(bids[-1]))
    desk = inside(worker)
    home = desk.get(reverse("admin:index"))
    assert str(home.context["unread"]) == "2"
    page = desk.get(reverse("admin:inbox"))
    (newest, *_others) = page.context["rows"]
    assert scene.group.kindergarten.name in unescape(page.content.decode())
    assert newest["url"] in page.content.decode()
    assert desk.get(newest["url"]).context["cl"].result_count == 3
    assert not desk.get(reverse("admin:index")).context["unread"]
    russian = desk.get("/ru/admin/inbox/").content.decode()
    assert "/ru/admin/applications/bid/" in russian
    assert inside(worker_of(scene.group.kindergarten)).get(reverse("admin:inbox")).context["rows"] == []
