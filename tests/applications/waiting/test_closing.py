"""How an application ends without a place: by the family's own hand, by school age; and what the archive tells."""

from datetime import date, datetime, timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from applications.jobs import deadlines, telling
from applications.models import Application, Rules, StopListEntry
from applications.moves import Refused
from applications.referrals import ending, issuing
from applications.refusals import Refusal
from applications.rules.ages import oldest_birth_year, year_to_announce
from applications.states import ApplicationState
from applications.waiting import aging, changes, filing
from notifications.models import Message, Notice
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import ZONE
from tests.factories import ApplicationFactory, ChildFactory, GuardianshipFactory, LocalityFactory, reckon_all

pytestmark = pytest.mark.usefixtures("scene_once")

MICROSECOND = timedelta(microseconds=1)
NEW_YEAR = datetime(2020, 1, 1, tzinfo=ZONE)
DECEMBER = datetime(2019, 12, 1, tzinfo=ZONE)


def refused(reason):
    return pytest.raises(Refused, check=lambda error: error.reason == reason)


def state_of(application):
    application.refresh_from_db()
    return application.state


@pytest.fixture
def oldest(scene):
    """Seven by birth year in 2019, so too old in 2020."""
    return ApplicationFactory(
        locality=scene.locality,
        filed_by=scene.parent,
        child__birth_date=date(2012, 12, 31),
        filed_at=scene.application.filed_at,
        interest_confirmed_at=datetime(2019, 9, 1, tzinfo=ZONE),
    )


class TestTheOtherGuardians:
    """An inbox is read when there is time. Who archived has a day to think better of it, the others two weeks."""

    def test_undo_what_one_of_them_put_into_the_bin_for_two_weeks(self, scene, clock, client_of):
        mother = GuardianshipFactory(child=scene.application.child, user__language="ru").user
        archived = filing.archive(scene.application, actor=scene.parent, now=scene.now)
        own, of_mother = scene.now + timedelta(days=1), scene.now + timedelta(days=14)
        for person, kind, until in (
            (scene.parent, "application_archived", own),
            (mother, "archived_by_other", of_mother),
        ):
            notice = Notice.objects.get(kind=kind)
            assert notice.recipient == person
            for text in (notice.text_kk, notice.text_ru):
                assert until.astimezone(ZONE).strftime("%d.%m.%Y %H:%M") in text
        sms = Message.objects.get(kind="archived_by_other")
        assert sms.recipient == mother
        assert of_mother.astimezone(ZONE).strftime("%d.%m.%Y %H:%M") in sms.text
        # A day later the page offers it to her alone.
        clock.move_to(own)
        for person, may in ((scene.parent, False), (mother, True)):
            page = client_of(person).get(reverse("applications:archive")).content.decode()
            assert (reverse("applications:restore", args=[archived.pk]) in page) is may
        last = of_mother - MICROSECOND
        for person, at in ((scene.parent, last), (mother, of_mother)):
            with refused(Refusal.UNDO_OVER):
                filing.restore(archived, actor=person, now=at)
        restored = filing.restore(archived, actor=mother, now=last)
        assert (restored.state, restored.filed_at) == (ApplicationState.WAITING, scene.application.filed_at)

    @pytest.mark.parametrize("is_helped", [False, True])
    def test_read_who_filed_also_where_an_employee_helped(self, scene, is_helped):
        child = GuardianshipFactory(user=scene.parent).child
        mother = GuardianshipFactory(child=child).user
        filing.file_application(
            child=child,
            locality=scene.locality,
            languages=["kk"],
            actor=scene.parent,
            assisted_by=scene.staff if is_helped else None,
            now=scene.now,
        )
        told = Notice.objects.filter(kind="application_filed")
        assert told.get(recipient=scene.parent).text_ru.startswith("Ваше заявление принято.")
        assert told.get(recipient=mother).text_ru.startswith("Другой законный представитель ребёнка подал")

    def test_and_when_it_is_moved_to_another_place(self, scene, clock):
        mother = GuardianshipFactory(child=scene.application.child).user
        kentau = LocalityFactory(slug="kentau", name_kk="Кентау", name_ru="Кентау")
        for _ in range(2):
            changes.change_locality(
                scene.application, locality=kentau, keeps=True, actor=scene.parent, now=scene.now
            )
        assert Message.objects.get(kind="moved_by_other").recipient == mother

    def test_an_only_guardian_needs_none(self, scene, clock):
        filing.archive(scene.application, actor=scene.parent, now=scene.now)
        assert not Message.objects.filter(kind="archived_by_other").exists()


class TestOldestAge:
    """Pure: no database."""

    def oldest(self, year, *rules, today=None):
        place = LocalityFactory.build(pk=1)
        return oldest_birth_year(year, rules, locality=place, today=today or date(year, 1, 1))

    def test_it_is_counted_by_birth_year(self):
        assert self.oldest(2019) == 2012
        assert self.oldest(2020) == 2013

    def test_a_lower_age_waits_for_its_announcement(self):
        lower = Rules(valid_from=date(2019, 12, 2), oldest_age=6)
        assert self.oldest(2020, lower, today=date(2020, 6, 1)) == 2013
        assert self.oldest(2021, lower) == 2015

    def test_a_lower_age_that_held_when_families_were_told_counts(self):
        assert self.oldest(2020, Rules(valid_from=date(2019, 12, 1), oldest_age=6)) == 2014

    def test_a_higher_age_counts_at_once(self):
        higher = Rules(valid_from=date(2020, 1, 1), oldest_age=8)
        assert self.oldest(2020, higher) == 2012

    def test_the_announcement_is_made_in_december(self):
        place = LocalityFactory.build(pk=1)
        assert year_to_announce(place, now=DECEMBER - MICROSECOND) is None
        assert year_to_announce(place, now=DECEMBER) == 2020
        assert year_to_announce(place, now=NEW_YEAR - MICROSECOND) == 2020
        assert year_to_announce(place, now=NEW_YEAR) is None


@pytest.mark.django_db
class TestSchoolAge:
    def test_it_leaves_at_the_turn_of_the_year(self, scene, oldest):
        assert deadlines.settle_what_ran_out(now=NEW_YEAR - MICROSECOND) == 0
        assert deadlines.settle_what_ran_out(now=NEW_YEAR) == 1
        assert deadlines.settle_what_ran_out(now=NEW_YEAR) == 0
        assert state_of(oldest) == ApplicationState.ARCHIVED
        assert state_of(scene.application) == ApplicationState.WAITING
        notice = Notice.objects.get(kind="aged_out")
        assert notice.recipient == scene.parent
        assert Message.objects.filter(kind="aged_out").count() == 1

    def test_the_family_is_told_once_a_month_before(self, oldest):
        assert telling.remind_aging(now=DECEMBER - MICROSECOND) == 0
        for day in range(31):
            telling.remind_aging(now=DECEMBER + timedelta(days=day, hours=10))
        notice = Notice.objects.get(kind="aging_out")
        assert "31.12.2019" in notice.text_kk
        assert "31.12.2019" in notice.text_ru

    def test_the_birth_year_of_the_application_counts(self, oldest):
        Application.objects.filter(pk=oldest.pk).update(birth_year=2013)
        reckon_all()
        assert deadlines.settle_what_ran_out(now=NEW_YEAR) == 0

    def test_a_bid_under_way_is_carried_through_first(self, oldest):
        Application.objects.filter(pk=oldest.pk).update(state=ApplicationState.REFERRED)
        deadlines.settle_what_ran_out(now=NEW_YEAR)
        assert state_of(oldest) == ApplicationState.REFERRED
        Application.objects.filter(pk=oldest.pk).update(state=ApplicationState.WAITING)
        reckon_all()
        deadlines.settle_what_ran_out(now=NEW_YEAR)
        assert state_of(oldest) == ApplicationState.ARCHIVED

    def test_the_stop_ends_with_it(self, scene):
        bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        referral = issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
        ending.expire_referral(referral, now=referral.valid_until)
        StopListEntry.objects.update(until=NEW_YEAR + timedelta(days=9))
        Application.objects.update(birth_year=2012)
        reckon_all()
        assert deadlines.settle_what_ran_out(now=NEW_YEAR) == 1
        assert StopListEntry.objects.get().lifted_at == NEW_YEAR
        assert deadlines.settle_what_ran_out(now=NEW_YEAR + timedelta(days=9)) == 0
        assert state_of(scene.application) == ApplicationState.ARCHIVED

    def test_a_lapsed_one_leaves_too(self, oldest):
        Application.objects.filter(pk=oldest.pk).update(state=ApplicationState.LAPSED)
        reckon_all()
        assert deadlines.settle_what_ran_out(now=NEW_YEAR) == 1

    def test_at_the_turn_of_the_year_nobody_else_moves(self, scene, oldest):
        before = list(Application.objects.exclude(pk=oldest.pk).values())
        deadlines.settle_what_ran_out(now=NEW_YEAR)
        assert list(Application.objects.exclude(pk=oldest.pk).values()) == before

    def test_it_can_not_be_restored(self, scene, oldest):
        closed = aging.age_out(oldest, now=NEW_YEAR)
        with refused(Refusal.NOT_RESTORABLE):
            filing.restore(closed, actor=scene.parent, now=NEW_YEAR)


@pytest.mark.django_db
class TestArchivePages:
    @pytest.fixture
    def family(self, scene, clock, client_of):
        return client_of(scene.parent)

    def text(self, response):
        return unescape(response.content.decode())

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_the_bin_says_what_is_lost(self, family, scene, prefix):
        ApplicationFactory(
            locality=scene.locality,
            child__birth_date=date(2017, 1, 1),
            filed_at=scene.application.filed_at - timedelta(days=1),
        )
        response = family.get(prefix + reverse("applications:delete", args=[scene.application.pk]))
        page = self.text(response)
        assert response.context["place"].number == 2
        assert "01.06.2019" in page
        assert response.context["undo_until"] == scene.now + timedelta(hours=24)
        assert "27.06.2019" in page

    def test_the_undo_is_as_long_as_was_promised(self, scene):
        archived = filing.archive(scene.application, actor=scene.parent, now=scene.now)
        Rules.objects.create(valid_from=scene.now.date() + timedelta(days=1), archive_undo_hours=1)
        last = scene.now + timedelta(hours=24) - MICROSECOND
        assert filing.restore(archived, actor=scene.parent, now=last).state == ApplicationState.WAITING

    def test_the_archive_gives_each_its_reason_and_date(self, scene, oldest, clock, client_of):
        filing.archive(scene.application, actor=scene.parent, now=NEW_YEAR)
        aging.age_out(oldest, now=NEW_YEAR)
        clock.move_to(NEW_YEAR)
        family = client_of(scene.parent)
        for prefix, language in [("", "kk"), ("/ru", "ru")]:
            page = self.text(family.get(prefix + reverse("applications:archive")))
            with translation.override(language):
                assert gettext("By the family") in page
                assert gettext("The child has reached school age") in page
            assert "01.01.2020" in page
            assert reverse("applications:restore", args=[scene.application.pk]) in page
            assert reverse("applications:restore", args=[oldest.pk]) not in page

    def test_restoring_what_a_rule_closed_is_refused_in_words(self, family, scene, oldest):
        aging.age_out(oldest, now=NEW_YEAR)
        response = family.post(reverse("applications:restore", args=[oldest.pk]), follow=True)
        assert [message.level_tag for message in response.context["messages"]] == ["error"]
        assert state_of(oldest) == ApplicationState.ARCHIVED

    def test_restoring_twice_restores_once(self, family, scene):
        filing.archive(scene.application, actor=scene.parent, now=scene.now)
        url = reverse("applications:restore", args=[scene.application.pk])
        assert family.post(url)["Location"] == scene.application.get_absolute_url()
        assert family.post(url)["Location"] == scene.application.get_absolute_url()
        assert Notice.objects.filter(kind="application_restored").count() == 1

    def test_a_closed_application_leads_to_a_new_one(self, family, scene, oldest, clock):
        aging.age_out(oldest, now=NEW_YEAR)
        page = self.text(family.get(oldest.get_absolute_url()))
        assert reverse("applications:new") in page
        assert reverse("applications:restore", args=[oldest.pk]) not in page


@pytest.mark.django_db
def test_after_closing_the_child_may_be_filed_anew_elsewhere_by_its_rules(scene):
    child = ChildFactory(birth_date=date(2012, 5, 1))
    GuardianshipFactory(child=child, user=scene.parent)
    Rules.objects.create(valid_from=date(2020, 1, 1), oldest_age=8)
    filed = filing.file_application(
        child=child, locality=scene.locality, languages=["kk"], actor=scene.parent, now=NEW_YEAR
    )
    assert deadlines.settle_what_ran_out(now=NEW_YEAR) == 0
    assert filed.state == ApplicationState.WAITING
