"""What falls due as a family's calendar gets it: day by day as files, and all of it by an address of its own."""

import re
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import icalendar
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import limits
from accounts.models import AuditEntry
from applications.families.due import DueKind
from applications.families.due_days import MOST_OPENINGS, dues_of, dues_of_family
from applications.families.situation import situation_of
from applications.journal_actions import Action
from applications.models import Application, CalendarAddress, PriorityCutoff, Referral, Rules
from applications.moves import write_event
from applications.personal_data.leaving import Applications
from applications.states import Move, Tier
from children.models import Guardianship
from tests.city import build_city
from tests.factories import (
    ApplicationFactory,
    DisputeFactory,
    GuardianshipFactory,
    UserFactory,
    VacancyFactory,
)

pytestmark = pytest.mark.django_db
PAGE, MAKE, TAKE_AWAY = (
    "/cabinet/calendar/",
    "/cabinet/calendar/address/",
    "/cabinet/calendar/address/remove/",
)
SESSIONS, NEW_PASSWORD = "/cabinet/sessions/", "another-pass-1"


@pytest.fixture
def city() -> SimpleNamespace:
    return build_city()


@pytest.fixture
def family(city, client_of) -> Client:
    return client_of(city.parent)


@pytest.fixture
def referral(city) -> Referral:
    return Referral.objects.get(application=city.applications["referred"])


def address_of(client, prefix="") -> str:
    """A new address, without its host."""
    html = client.post(f"{prefix}{MAKE}").content.decode()
    return re.search(r'<code class="address">https?://[^/]+([^<]+)<', html)[1]


def read(address, **headers):
    response = Client().get(address, headers=headers)
    assert response.status_code == 200
    return response


def entries_at(address):
    return icalendar.Calendar.from_ical(read(address).content).events


def file_of(referral):
    return reverse("applications:calendar_file", args=[referral.application_id, "referral", referral.pk])


class TestDays:
    def test_are_those_that_the_pages_show(self, city):
        dues = dues_of_family(city.parent, now=timezone.now())
        kinds = {(due.kind, due.application) for due in dues}
        ours = {state: application.pk for state, application in city.applications.items()}
        assert kinds >= {
            (DueKind.REFERRAL, ours["referred"]),
            (DueKind.STOP, ours["stop_listed"]),
            (DueKind.ANSWER, ours["bid_placed"]),
        }
        assert not {application for _kind, application in kinds} & {ours["archived"]}

    def test_the_deadline_of_each_page_is_the_one_of_the_calendar(self, city, family):
        for due in dues_of_family(city.parent, now=timezone.now()):
            html = family.get(reverse("applications:application", args=[due.application])).content.decode()
            if due.kind in (DueKind.REFERRAL, DueKind.STOP, DueKind.ANSWER):
                assert f'href="{due.get_absolute_url()}"' in html
                assert f'datetime="{due.when}"' in html

    def test_an_opening_and_the_window_before_it(self, city):
        now = timezone.now()
        opens_at = now + timedelta(days=2)
        waiting = city.applications["waiting"]
        place = VacancyFactory(
            group=city.vacancy.group,
            birth_years=city.vacancy.birth_years,
            opens_at=opens_at,
            priority_until=opens_at + timedelta(days=1),
        )

        def openings():
            dues = dues_of_family(city.parent, now=now)
            return {(due.kind, due.when) for due in dues if due.about == place.pk}

        # Not at the head: it opens with the end of the window.
        assert openings() == {(DueKind.OPENING, place.priority_until)}
        (due,) = (due for due in dues_of_family(city.parent, now=now) if due.about == place.pk)
        assert (due.kindergarten, due.path) == (city.kindergarten.name, place.get_absolute_url())
        PriorityCutoff.objects.create(
            vacancy=place,
            birth_year=waiting.birth_year,
            tier=Tier.GENERAL,
            filed_at=waiting.filed_at,
            sequence=waiting.sequence,
        )
        Application.objects.filter(pk=waiting.pk).update(tier=Tier.GENERAL)
        assert openings() == {(DueKind.OPENING, opens_at), (DueKind.WINDOW, place.priority_until)}
        place.birth_years = [waiting.birth_year - 1]
        place.save()
        assert openings() == set()

    def test_a_day_that_stands_still_is_in_no_calendar(self, city, referral):
        Referral.objects.filter(pk=referral.pk).update(held_since=timezone.now())
        kinds = {due.kind for due in dues_of_family(city.parent, now=timezone.now())}
        assert DueKind.REFERRAL not in kinds

    def test_school_age_is_told_in_december(self, city, parent):
        born = 2026 - Rules().oldest_age
        child = GuardianshipFactory(user=parent, child__birth_date=date(born, 5, 1)).child
        ApplicationFactory(filed_by=parent, locality=city.kindergarten.locality, child=child, birth_year=born)

        def last_days(now):
            return [due.when for due in dues_of_family(parent, now=now) if due.kind == DueKind.SCHOOL_AGE]

        assert last_days(datetime(2026, 11, 30, 18, 59, tzinfo=UTC)) == []
        assert last_days(datetime(2026, 11, 30, 19, 0, tzinfo=UTC)) == [date(2026, 12, 31)]

    def test_more_openings_cost_no_more_statements(self, city):
        now = timezone.now()
        situation = situation_of(city.applications["waiting"], now=now)

        def statements():
            with CaptureQueriesContext(connection) as made:
                openings = [due for due in dues_of(situation) if due.kind == DueKind.OPENING]
            return len(openings), len(made)

        def announce(places):
            VacancyFactory.create_batch(
                places,
                group=city.vacancy.group,
                birth_years=city.vacancy.birth_years,
                opens_at=now + timedelta(days=1),
            )

        announce(2)
        statements()
        few = statements()
        announce(30)
        assert statements() == (MOST_OPENINGS, few[1])
        assert few[0] == 2


class TestFile:
    def test_of_a_referral(self, city, family, referral):
        response = family.get(file_of(referral))
        assert response["Content-Type"] == "text/calendar; charset=utf-8"
        number = referral.application.number
        assert (
            response["Content-Disposition"] == f'attachment; filename="balabaqsha-{number[-4:]}-referral.ics"'
        )
        (entry,) = icalendar.Calendar.from_ical(response.content).events
        assert entry.decoded("dtstart") == city.kindergarten.locality.last_day(referral.valid_until)
        assert entry["url"].endswith(f"/cabinet/applications/{referral.application_id}/")

    def test_in_the_language_of_the_page(self, family, referral):
        assert "жолдама" in family.get(file_of(referral)).content.decode().lower()
        assert "направлени" in family.get(f"/ru{file_of(referral)}").content.decode()

    def test_of_a_moved_day_is_the_same_entry_and_newer(self, family, referral):
        (before,) = icalendar.Calendar.from_ical(family.get(file_of(referral)).content).events
        Referral.objects.filter(pk=referral.pk).update(valid_until=referral.valid_until + timedelta(days=9))
        write_event(
            referral.application,
            Move.EXTEND_REFERRAL,
            before=referral.application.state,
            actor=None,
            now=timezone.now(),
        )
        (after,) = icalendar.Calendar.from_ical(family.get(file_of(referral)).content).events
        assert before["uid"] == after["uid"]
        assert after["sequence"] == before["sequence"] + 1
        assert after.decoded("dtstart") == before.decoded("dtstart") + timedelta(days=9)

    @pytest.mark.parametrize("kind", ["offer", "referral"])
    def test_of_what_is_over_leads_to_the_application(self, family, referral, kind):
        address = reverse("applications:calendar_file", args=[referral.application_id, kind, uuid4()])
        response = family.get(address, follow=True)
        assert response.redirect_chain == [(referral.application.get_absolute_url(), 302)]
        assert "бұл күн өтті" in response.content.decode().lower()

    def test_of_no_kind_is_404(self, family, referral):
        assert family.get(file_of(referral).replace("referral", "party")).status_code == 404

    def test_a_stranger_gets_none(self, client_of, referral):
        assert client_of(UserFactory()).get(file_of(referral)).status_code == 404
        assert Client().get(file_of(referral)).status_code == 302


class TestAddress:
    def test_is_shown_once_and_kept_as_a_hash(self, city, family):
        assert "<code" not in family.get(PAGE).content.decode()
        response = family.post(MAKE)
        secret = re.search(r"\?key=([\w-]{43})<", response.content.decode())[1]
        assert "no-store" in response["Cache-Control"]
        assert f'href="webcal://testserver/calendar.ics?key={secret}"' in response.content.decode()
        assert secret not in family.get(PAGE).content.decode()
        assert secret not in str(CalendarAddress.objects.values())
        assert (
            AuditEntry.objects.filter(subject=city.parent, action=Action.CALENDAR_ADDRESS_MADE).count() == 1
        )

    def test_is_kept_while_its_reader_changes_the_language(self, city, family, client_of):
        html = family.post(reverse("applications:make_calendar")).content.decode()
        assert re.search(r'<form method="post" action="/ru/cabinet/calendar/">.*?<button lang="ru">', html)
        secret = re.search(r'name="key" value="([^"]+)"', html)[1]
        shown = f"/ru/calendar.ics?key={secret}"
        other = family.post("/ru/cabinet/calendar/", {"key": secret})
        assert shown in other.content.decode()
        assert "no-store" in other["Cache-Control"]
        assert CalendarAddress.objects.count() == 1
        assert read(shown).status_code == 200
        # Left otherwise, it is never shown again; nor what is a stranger's, or was taken away.
        assert secret not in family.get("/ru/cabinet/calendar/").content.decode()
        assert (
            secret
            not in client_of(UserFactory()).post("/ru/cabinet/calendar/", {"key": secret}).content.decode()
        )
        family.post(reverse("applications:take_calendar_away"))
        assert secret not in family.post("/ru/cabinet/calendar/", {"key": secret}).content.decode()

    def test_tells_everything_without_a_name(self, city, family):
        address = address_of(family)
        entries = entries_at(address)
        assert {(entry["summary"][-16:-12], entry.decoded("dtstart")) for entry in entries} == {
            (due.digits, due.when.replace(microsecond=0) if isinstance(due.when, datetime) else due.when)
            for due in dues_of_family(city.parent, now=timezone.now())
        }
        body = read(address).content.decode()
        for name in ("ОМАРОВ", "АЛМА", "САРА", "Айша"):
            assert name not in body
        for application in city.applications.values():
            assert application.number not in body

    def test_in_the_language_in_which_it_was_made(self, family):
        assert address_of(family, "/ru").startswith("/ru/calendar.ics?key=")
        assert "Последний день" in read(address_of(family, "/ru")).content.decode().replace("\r\n ", "")

    def test_is_asked_again_for_nothing_while_nothing_changed(self, family, referral):
        address = address_of(family)
        first = read(address)
        assert first["Cache-Control"] == "private, no-cache"
        assert first["X-Robots-Tag"] == "noindex"
        again = Client().get(address, headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        Referral.objects.filter(pk=referral.pk).update(valid_until=referral.valid_until + timedelta(days=9))
        assert Client().get(address, headers={"If-None-Match": first["ETag"]}).status_code == 200

    def test_what_has_ended_is_there_no_more(self, city, family, referral):
        address = address_of(family)
        uid = {entry["uid"] for entry in entries_at(address) if "олдама" in entry["summary"]}
        Referral.objects.filter(pk=referral.pk).update(state="revoked")
        Application.objects.filter(pk=referral.application_id).update(state="waiting")
        assert len(uid) == 1
        assert not uid & {entry["uid"] for entry in entries_at(address)}

    def test_leaves_no_cookie_and_needs_none(self, family):
        response = read(address_of(family))
        assert response.cookies == {}

    def test_a_new_one_ends_the_former(self, family):
        former, newer = address_of(family), address_of(family)
        assert Client().get(former).status_code == 404
        assert Client().get(newer).status_code == 200

    def test_is_taken_away(self, city, family):
        address = address_of(family)
        family.post(TAKE_AWAY)
        assert Client().get(address).status_code == 404
        assert AuditEntry.objects.filter(action=Action.CALENDAR_ADDRESS_TAKEN_AWAY).count() == 1
        family.post(TAKE_AWAY)
        assert AuditEntry.objects.filter(action=Action.CALENDAR_ADDRESS_TAKEN_AWAY).count() == 1

    @pytest.mark.parametrize("key", ["", "x", "ә" * 43, "\0", "a" * 2000])
    def test_any_other_is_404(self, family, key):
        address_of(family)
        assert Client().get("/calendar.ics", {"key": key}).status_code == 404
        assert Client().get("/calendar.ics").status_code == 404

    @pytest.mark.parametrize(
        "change", [{"is_active": False}, {"leaving_since": datetime(2026, 1, 1, tzinfo=UTC)}]
    )
    def test_opens_nothing_while_the_account_is_closed_or_blocked(self, city, family, change):
        address = address_of(family)
        type(city.parent).objects.filter(pk=city.parent.pk).update(**change)
        assert Client().get(address).status_code == 404

    def test_goes_with_the_account(self, city, family):
        address_of(family)
        Applications().close(city.parent, now=timezone.now())
        assert not CalendarAddress.objects.exists()

    def test_tells_nothing_of_a_child_whose_guardian_one_is_no_more(self, city, family):
        address = address_of(family)
        Guardianship.objects.filter(user=city.parent).update(ended_at=timezone.now())
        assert entries_at(address) == []

    def test_tells_nothing_to_who_is_disputed(self, city, family, referral):
        address = address_of(family)
        before = len(entries_at(address))
        disputed = Guardianship.objects.get(child=referral.application.child, user=city.parent)
        DisputeFactory(guardianship=disputed)
        assert len(entries_at(address)) == before - 1

    def test_a_calendar_that_asks_without_end_is_told_to_wait(self, family, monkeypatch):
        address = address_of(family)
        few = limits.Limit("calendar-address", 2, limits.HOUR)
        monkeypatch.setattr(limits, "CALENDAR_PER_ADDRESS", few)
        answers = [Client().get(address) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[-1]["Retry-After"] == "3600"
        assert Client().get(address_of(family)).status_code == 200

    def test_ends_with_another_password_and_its_owner_makes_a_new_one(self, city, family):
        address = address_of(family)
        family.post(
            reverse("accounts:password"),
            {"old_password": "parent-pass-1", "password": NEW_PASSWORD, "repeated": NEW_PASSWORD},
        )
        assert Client().get(address).status_code == 404
        assert f'action="{TAKE_AWAY}"' not in family.get(PAGE).content.decode()
        assert family.get(SESSIONS).context["reading_along"] == []
        assert Client().get(address_of(family)).status_code == 200

    def test_ends_with_a_password_that_anything_else_sets(self, city, family):
        address = address_of(family)
        city.parent.set_unusable_password()
        city.parent.save()
        assert Client().get(address).status_code == 404

    @pytest.mark.parametrize("pressed", [{}, {"all": "1"}], ids=["others", "everywhere"])
    def test_stands_beside_the_devices_and_ends_with_them(self, city, client_of, pressed):
        family, other = client_of(city.parent), client_of(UserFactory())
        assert family.get(SESSIONS).context["reading_along"] == []
        address, theirs = address_of(family), address_of(other)
        html = family.get(SESSIONS).content.decode()
        assert f'href="{PAGE}">Күнтізбе' in html
        family.post(reverse("accounts:end_session"), {"session": "none"})
        assert Client().get(address).status_code == 200
        family.post(reverse("accounts:end_session"), pressed)
        assert [Client().get(one).status_code for one in (address, theirs)] == [404, 200]
        assert AuditEntry.objects.filter(action=Action.CALENDAR_ADDRESS_TAKEN_AWAY).count() == 1


class TestPage:
    def test_lists_each_day_with_its_file(self, city, family):
        html = family.get(PAGE).content.decode()
        for due in dues_of_family(city.parent, now=timezone.now()):
            assert f'href="{due.get_absolute_url()}"' in html

    def test_says_where_nothing_falls_due(self, parent_client):
        html = parent_client.get(PAGE).content.decode()
        assert 'class="empty"' in html
        assert f'action="{MAKE}"' in html
