"""Rules by date and locality: shown before they are saved, never backdated, never against a promise."""

from datetime import date, datetime, timedelta
from html import unescape

import pytest
from django.urls import reverse

from accounts.roles import Role
from applications.admin.rules_preview import earliest_start, touched_by
from applications.bidding import publication
from applications.models import Application, Bid, Referral, Rules, StopListEntry
from applications.referrals import ending, extending, issuing, stops
from applications.states import ApplicationState
from applications.waiting import filing
from bulletin.models import Vacancy
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import ZONE
from tests.factories import (
    ApplicationFactory,
    GroupFactory,
    LocalityFactory,
    StaffFactory,
    VacancyFactory,
    reckon_all,
)
from tests.staff import employee, give_app, inside

pytestmark = pytest.mark.django_db

ADD = reverse("admin:applications_rules_add")
TODAY = date(2019, 6, 26)
TOMORROW = date(2019, 6, 27)


def values(**changes):
    """What the form sends: harsher than the manual's in everything that a promise could depend on."""
    return {
        "locality": "",
        "valid_from": "27.06.2019",
        "referral_working_days": "1",
        "extension_calendar_days": "1",
        "stop_working_days": "90",
        "priority_working_days": "1",
        "priority_seats_multiple": "1",
        "general_per_priority": "3",
        "activation_working_days": "1",
        "publication_lead_hours": "1",
        "archive_undo_hours": "1",
        "youngest_age": "0",
        "oldest_age": "7",
        "interest_month": "9",
        "interest_day": "1",
        "interest_campaign_days": "14",
        "interest_grace_days": "7",
    } | changes


@pytest.fixture
def office(scene, clock):
    return inside(employee(Role.OFFICIAL))


def text(response):
    return unescape(response.content.decode())


class TestPreview:
    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_it_is_shown_and_nothing_is_saved(self, office, scene, prefix):
        ApplicationFactory(locality=scene.locality, state=ApplicationState.LAPSED)
        VacancyFactory(group=GroupFactory(kindergarten=scene.group.kindergarten), state=Vacancy.State.DRAFT)
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        ApplicationFactory.create_batch(3, locality=scene.locality)
        response = office.post(prefix + ADD, values())
        assert response.status_code == 200
        assert not Rules.objects.exists()
        (place,) = response.context["touched"]
        assert (place.waiting, place.lapsed, place.drafts, place.promised) == (3, 1, 1, 1)
        assert ("5", "1") in [(change.was, change.becomes) for change in place.changes]
        assert (place.next_before.last_day, place.next_after.last_day) == (
            date(2019, 10, 1),
            date(2019, 9, 1),
        )
        assert scene.locality.name_kk in text(response) or prefix

    def test_what_was_shown_is_what_is_saved(self, office, scene):
        shown = office.post(ADD, values())
        form = shown.context["form"]
        sent = {field.html_name: field.value() for field in form} | {"confirmed": "yes", "_save": "1"}
        sent["moving_keeps_date"] = "False"
        assert office.post(ADD, {name: value or "" for name, value in sent.items()}).status_code == 302
        rules = Rules.objects.get()
        assert (rules.stop_working_days, rules.moving_keeps_date, rules.valid_from) == (90, False, TOMORROW)

    def test_wrong_values_are_explained_instead(self, office):
        for wrong in (
            {"referral_working_days": "0"},
            {"youngest_age": "7", "oldest_age": "3"},
            {"interest_campaign_days": "13"},
            {"interest_grace_days": "301"},
            {"interest_month": "13"},
            {"interest_day": "29"},
            {"valid_from": "not a day"},
            {"locality": "999999"},
        ):
            response = office.post(ADD, values(**wrong))
            assert response.status_code == 200
            assert "touched" not in response.context
        assert not Rules.objects.exists()

    def test_rules_of_a_locality_touch_only_it(self, scene):
        other = LocalityFactory(slug="kentau")
        draft = Rules(valid_from=TOMORROW, locality=other)
        assert [place.locality for place in touched_by(draft, now=scene.now)] == [other]

    def test_rules_for_all_touch_no_locality_with_its_own(self, scene):
        other = LocalityFactory(slug="kentau")
        Rules.objects.create(locality=other, valid_from=date(2019, 1, 1))
        draft = Rules(valid_from=TOMORROW)
        assert [place.locality for place in touched_by(draft, now=scene.now)] == [scene.locality]

    def test_a_superuser_may_too(self, scene, clock):
        user = StaffFactory(is_superuser=True)
        give_app(user)
        assert "touched" in inside(user).post(ADD, values()).context

    def test_an_employee_of_a_kindergarten_may_not(self, scene, clock):
        client = inside(employee(Role.KINDERGARTEN))
        assert client.post(ADD, values()).status_code == 403
        assert client.post(ADD, values(confirmed="yes")).status_code == 403
        assert not Rules.objects.exists()


class TestNoBackdating:
    @pytest.mark.parametrize("day", ["01.01.2019", "25.06.2019", "26.06.2019"])
    @pytest.mark.parametrize("confirmed", [{}, {"confirmed": "yes"}])
    def test_new_rules_begin_tomorrow_at_the_earliest(self, office, day, confirmed):
        response = office.post(ADD, values(valid_from=day) | confirmed)
        assert response.status_code == 200
        assert "27.06.2019" in text(response)
        assert not Rules.objects.exists()

    def test_where_nothing_was_promised_any_day_will_do(self, office, scene):
        other = LocalityFactory(slug="kentau")
        assert earliest_start(locality=other, now=scene.now) is None
        assert earliest_start(locality=scene.locality, now=scene.now) == TOMORROW
        assert earliest_start(locality=None, now=scene.now) == TOMORROW
        sent = values(valid_from="01.01.2019", locality=str(other.pk), confirmed="yes")
        assert office.post(ADD, sent).status_code == 302

    def test_tomorrow_is_the_localitys(self, scene):
        midnight = scene.now.replace(hour=23, minute=59, tzinfo=ZONE)
        assert earliest_start(locality=scene.locality, now=midnight) == TOMORROW
        assert earliest_start(
            locality=scene.locality, now=midnight + timedelta(minutes=1)
        ) == TOMORROW + timedelta(days=1)

    def test_rules_that_hold_are_not_changed(self, office, scene):
        rules = Rules.objects.create(valid_from=TODAY)
        url = reverse("admin:applications_rules_change", args=[rules.pk])
        assert office.get(url).status_code == 200
        assert office.post(url, values()).status_code == 403
        assert office.post(url, values(confirmed="yes")).status_code == 403
        rules.refresh_from_db()
        assert rules.stop_working_days == 10

    def test_rules_to_come_are_changed_after_a_preview(self, office, scene):
        rules = Rules.objects.create(valid_from=TOMORROW)
        url = reverse("admin:applications_rules_change", args=[rules.pk])
        assert ("10", "90") in [
            (change.was, change.becomes)
            for change in office.post(url, values()).context["touched"][0].changes
        ]
        assert office.post(url, values(confirmed="yes")).status_code == 302
        rules.refresh_from_db()
        assert rules.stop_working_days == 90

    def test_they_are_never_deleted(self, office):
        rules = Rules.objects.create(valid_from=TOMORROW)
        assert office.post(reverse("admin:applications_rules_delete", args=[rules.pk])).status_code == 403


def test_who_is_asked_earlier_by_new_rules_is_looked_at_earlier(office, scene):
    Application.objects.update(interest_confirmed_at=scene.application.filed_at)
    reckon_all()
    before = Application.objects.get().runs_out_at
    assert office.post(ADD, values(confirmed="yes")).status_code == 302
    # The campaign of 1 September in the place of that of 1 October.
    assert Application.objects.get().runs_out_at == datetime(2019, 9, 2, tzinfo=ZONE) < before


class TestPromises:
    """Whatever was promised before the harsher rules were saved stays exactly as it was."""

    @pytest.fixture
    def harsher(self, office):
        def save():
            assert office.post(ADD, values(confirmed="yes")).status_code == 302

        return save

    def unchanged(self, rows, harsher):
        before = list(rows.order_by("pk").values())
        harsher()
        assert before
        assert list(rows.order_by("pk").values()) == before

    def test_the_answer_that_a_kindergarten_owes(self, scene, harsher):
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        self.unchanged(Bid.objects.all(), harsher)

    def test_a_referral_and_its_extension(self, scene, harsher):
        bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        referral = issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
        longest = extending.longest_extension(referral)
        self.unchanged(Referral.objects.all(), harsher)
        assert extending.longest_extension(referral) == longest

    def test_the_stop_of_which_the_family_was_warned(self, scene, harsher):
        bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        referral = issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
        harsher()
        ending.expire_referral(referral, now=referral.valid_until)
        assert StopListEntry.objects.get().last_moment.astimezone(ZONE).date() == date(2019, 7, 18)

    def test_a_kinder_stop_counts_at_once(self, scene):
        bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        referral = issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
        Rules.objects.create(valid_from=TOMORROW, stop_working_days=1)
        assert stops.stop_days_of(referral) == 1

    def test_a_running_stop(self, scene, harsher):
        bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        referral = issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
        ending.expire_referral(referral, now=referral.valid_until)
        self.unchanged(StopListEntry.objects.all(), harsher)

    def test_the_priority_window_of_a_published_vacancy(self, scene, harsher):
        draft = VacancyFactory(
            group=scene.group,
            state=Vacancy.State.DRAFT,
            published_at=None,
            opens_at=scene.now + timedelta(days=3),
        )
        published = publication.publish_vacancy(draft, actor=scene.staff, now=scene.now)
        assert published.priority_until is not None
        cutoffs = list(published.cutoffs.values())
        self.unchanged(Vacancy.objects.filter(pk=published.pk), harsher)
        assert list(published.cutoffs.values()) == cutoffs

    def test_the_undo_of_an_archiving(self, scene, harsher):
        archived = filing.archive(scene.application, actor=scene.parent, now=scene.now)
        until = filing.archive_undo_until(archived, now=scene.now)
        self.unchanged(Application.objects.all(), harsher)
        assert filing.archive_undo_until(archived, now=scene.now) == until
