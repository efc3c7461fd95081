"""Two places with different clocks: every time is told as it is where it belongs, whatever the server's zone."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from applications.models import Application, Bid
from applications.referrals import issuing
from applications.views.listings import listing, public_vacancies
from applications.waiting import filing
from bulletin.chosen_place import PLACE_COOKIE
from bulletin.models import Employment, Vacancy
from notifications.clock import estimate_clock
from notifications.models import Message, Notice
from tests.applications.bidding.reference import place_bid
from tests.factories import (
    ApplicationFactory,
    GroupFactory,
    GuardianshipFactory,
    KindergartenFactory,
    LocalityFactory,
    UserFactory,
    VacancyFactory,
)
from tests.staff import employee, inside, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]

# In the evening of the one place it is the next day in the other (UTC+6 and UTC+9 in 2019).
EVENING = datetime(2019, 6, 26, 16, 30, tzinfo=UTC)
HERE, THERE = "22:30", "01:30"


@pytest.fixture
def east(scene):
    return LocalityFactory(slug="east", name_kk="Шығыс қ.", name_ru="г. Восток", timezone="Asia/Tokyo")


@pytest.fixture
def far(scene, east):
    """A place in the eastern city that opens in the evening, by the clock of the other city."""
    Vacancy.objects.filter(pk=scene.vacancy.pk).update(opens_at=EVENING)
    group = GroupFactory(name="Ай", language="ru", kindergarten=KindergartenFactory(locality=east))
    return VacancyFactory(group=group, birth_years=[2017], seats_total=3, opens_at=EVENING)


@pytest.fixture
def family(east):
    return ApplicationFactory(
        locality=east,
        child__birth_date=date(2017, 7, 20),
        languages=["ru"],
        filed_at=EVENING - timedelta(days=10),
    )


def shown(day, clock):
    """A date and a time as `components/time.html` writes them."""
    return f'<span class="nowrap">{day}</span> <span class="nowrap">{clock}</span>'


@pytest.mark.parametrize("prefix", ["", "/ru"])
def test_the_bulletin_tells_each_row_by_its_own_clock(client, scene, far, prefix):
    pages = [
        client.get(f"{prefix}/bulletin/", {"place": place.slug}).content.decode()
        for place in (scene.locality, far.locality)
    ]
    # What is still to open tells it twice: in the card of a phone, and in the table.
    assert [shown("26.06.2019", HERE) in page for page in pages] == [True, False]
    assert [shown("27.06.2019", THERE) in page for page in pages] == [False, True]


def test_alike_rows_of_two_places_are_not_taken_for_each_other(scene, far):
    """Rows are remembered by what they show: the same instant is another time elsewhere."""
    names = [vacancy.group for vacancy in (scene.vacancy, far)]
    for group in names:
        group.name = "Бірдей"
        group.kindergarten.name_kk = "Бірдей"
    cells = []
    for vacancy in public_vacancies():
        vacancy.group.name = vacancy.group.kindergarten.name_kk = "Бірдей"
        vacancy.seats_total, vacancy.pk = 1, scene.vacancy.pk
        cells.append(listing(vacancy, family=[], now=estimate_clock()).cells)
    assert sum(HERE in cell for cell in cells) == 1
    assert sum(THERE in cell for cell in cells) == 1


@pytest.mark.parametrize("prefix", ["", "/ru"])
def test_a_vacancy_is_told_by_its_own_clock(client, client_of, family, far, prefix):
    address = prefix + reverse("applications:vacancy", args=[far.pk])
    for browser in (client, client_of(family.filed_by)):
        page = browser.get(address).content.decode()
        assert shown("27.06.2019", THERE) in page
        assert HERE not in page
        assert "UTC+09" in page
    # The next page of the same process is by the portal's clock again.
    assert "UTC+06" in client.get(f"{prefix}/bulletin/").content.decode()


def test_waiting_and_an_early_press_are_told_by_the_clock_of_the_place(client_of, family, far):
    browser = client_of(family.filed_by)
    address = reverse("applications:apply", args=[family.pk, far.pk])
    Vacancy.objects.filter(pk=far.pk).update(opens_at=EVENING)
    assert shown("27.06.2019", THERE) in browser.get(address).content.decode()
    early = browser.post(address, {"application": str(family.pk)})
    assert early.status_code == 409
    assert f"27.06.2019 {THERE}:00" in early.content.decode()


@pytest.mark.parametrize("name", ["application", "delete"])
def test_an_application_is_told_by_the_clock_of_its_place(client_of, family, name):
    page = client_of(family.filed_by).get(reverse(f"applications:{name}", args=[family.pk])).content.decode()
    assert shown("17.06.2019", THERE) in page
    assert HERE not in page


def test_lists_of_a_family_with_two_places(client_of, scene, family):
    Application.objects.filter(pk=scene.application.pk).update(filed_at=EVENING - timedelta(days=10))
    GuardianshipFactory(user=family.filed_by, child=scene.application.child)
    page = client_of(family.filed_by).get(reverse("applications:list")).content.decode()
    assert shown("16.06.2019", HERE) in page
    assert shown("17.06.2019", THERE) in page


def test_inbox_and_sms_tell_the_time_of_the_place(client_of, family):
    other = UserFactory()
    GuardianshipFactory(user=other, child=family.child)
    filing.archive(family, actor=family.filed_by, now=EVENING)
    until = (EVENING + filing.OTHERS_UNDO_FOR).astimezone(family.locality.zone)
    for text in (
        Notice.objects.get(recipient=other).text_kk,
        Message.objects.get(recipient_id=other.pk).text,
    ):
        assert f"{until:%d.%m.%Y} {THERE}" in text
    archive = client_of(other).get(reverse("applications:archive")).content.decode()
    assert shown(f"{until:%d.%m.%Y}", THERE) in archive


def test_inbox_and_journal_go_by_the_place_that_the_reader_chose(client_of, family):
    filing.archive(family, actor=family.filed_by, now=EVENING)
    browser = client_of(family.filed_by)
    for name in ("notifications:inbox", "accounts:journal"):
        assert shown("26.06.2019", HERE) in browser.get(reverse(name)).content.decode()
        browser.cookies[PLACE_COOKIE] = "east"
        assert shown("27.06.2019", THERE) in browser.get(reverse(name)).content.decode()
        del browser.cookies[PLACE_COOKIE]


def test_the_file_of_the_bulletin(client, scene, far):
    for place, time in ((scene.locality, f"26.06.2019 {HERE}"), (far.locality, f"27.06.2019 {THERE}")):
        assert time in client.get("/bulletin.csv", {"place": place.slug}).getvalue().decode()


class TestWorkplace:
    @pytest.fixture
    def bid(self, family, far):
        Vacancy.objects.filter(pk=far.pk).update(opens_at=EVENING - timedelta(days=1))
        far.refresh_from_db()
        return place_bid(family, far, actor=family.filed_by, now=EVENING)

    def test_lists_and_pages_tell_each_row_by_its_own_clock(self, scene, clock, bid):
        clock.move_to(EVENING + timedelta(hours=1))
        Vacancy.objects.filter(pk=scene.vacancy.pk).update(opens_at=EVENING - timedelta(days=1))
        scene.vacancy.refresh_from_db()
        near = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=EVENING)
        worker = worker_of(scene.group.kindergarten)
        Employment.objects.create(
            user=worker, kindergarten=bid.vacancy.group.kindergarten, since=date(2000, 1, 1)
        )
        desk = inside(worker)
        page = desk.get(reverse("admin:applications_bid_changelist")).content.decode()
        assert f"26.06.2019 {HERE}" in page
        assert f"27.06.2019 {THERE}" in page
        for one, time in ((near, f"26.06.2019 {HERE}"), (bid, f"27.06.2019 {THERE}")):
            own = desk.get(reverse("admin:applications_bid_change", args=[one.pk])).content.decode()
            assert time in own
            confirm = desk.get(reverse("admin:applications_bid_work", args=[one.pk, "activate"]))
            assert time in confirm.content.decode()
        events = (
            inside(employee(Role.OFFICIAL))
            .get(reverse("admin:applications_event_changelist"))
            .content.decode()
        )
        assert f"27.06.2019 {THERE}" in events
        today = desk.get(reverse("admin:index")).content.decode()
        assert shown("26.06.2019", HERE) in today
        assert shown("27.06.2019", THERE) in today

    def test_a_referral_ends_tomorrow_by_the_calendar_of_its_place(self, scene, clock, bid, far):
        referral = issuing.activate_bid(bid, actor=scene.staff, now=EVENING)
        # The last instant at which its last day is not yet tomorrow there.
        eve = referral.valid_until - timedelta(days=2, microseconds=1)
        for now, count in ((eve, 0), (eve + timedelta(microseconds=1), 1)):
            clock.move_to(now)
            desk = inside(worker_of(far.group.kindergarten))
            listing = desk.get(reverse("admin:applications_referral_changelist"), {"valid": "soon"})
            assert listing.context["cl"].result_count == count
            assert len(desk.get(reverse("admin:index")).context["today"].ending.shown) == count


def test_no_zone_outlives_its_request(client, far):
    before = timezone.get_current_timezone()
    client.get(reverse("applications:vacancy", args=[far.pk]))
    assert timezone.get_current_timezone() is before
    assert not Bid.objects.exists()
