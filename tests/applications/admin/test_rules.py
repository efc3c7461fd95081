"""Rules by date and locality: shown before they are saved, never backdated, never against a promise."""

import re
from datetime import date, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db import IntegrityError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.urls import reverse
from django.utils.translation import gettext

from accounts.roles import Role
from applications.admin.rules_preview import is_far, touched_by
from applications.bidding import publication
from applications.decisions import rules as decisions
from applications.decisions.rules import earliest_start
from applications.models import Application, Bid, Referral, Rules, RulesProposal, StopListEntry
from applications.models.rules import BOUNDS, EARLIEST, LATEST, VALUES
from applications.moves import Refused
from applications.referrals import ending, extending, issuing, stops
from applications.refusals import Refusal
from applications.rules.in_force import choose, rules_at
from applications.states import ApplicationState, ProposalState
from applications.waiting import filing
from bulletin.models import Group, Locality, Vacancy
from tests.applications.bidding.given_back import offered_to
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import NOW, ZONE
from tests.factories import (
    ApplicationFactory,
    GroupFactory,
    LocalityFactory,
    StaffFactory,
    VacancyFactory,
    reckon_all,
)
from tests.staff import employee, give_app, inside, press

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

ADD = reverse("admin:applications_rules_add")
TODAY = date(2019, 6, 26)
TOMORROW = date(2019, 6, 27)
AFTER_TOMORROW = date(2019, 6, 28)


def values(**changes):
    """What the form sends: harsher than the manual's in everything that a promise could depend on.

    For Turkistan alone, so that one official suffices.
    """
    return {
        "locality": str(Locality.objects.get(slug="turkistan").pk),
        "valid_from": "27.06.2019",
        "referral_working_days": "1",
        "coming_working_days": "1",
        "extension_calendar_days": "1",
        "stop_working_days": "30",
        "priority_working_days": "1",
        "priority_seats_multiple": "1",
        "general_per_priority": "3",
        "activation_working_days": "1",
        "offer_working_days": "1",
        "complaint_working_days": "1",
        "publication_lead_hours": "1",
        "most_in_group": "26",
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


@pytest.fixture
def officials(scene, clock):
    return [employee(Role.OFFICIAL, username=f"official-{number}") for number in range(2)]


# What the form sends, as values of the rules.
HARSHER = {
    "referral_working_days": 1,
    "coming_working_days": 1,
    "extension_calendar_days": 1,
    "stop_working_days": 30,
    "priority_working_days": 1,
    "priority_seats_multiple": 1,
    "activation_working_days": 1,
    "offer_working_days": 1,
    "complaint_working_days": 1,
    "archive_undo_hours": 1,
}


def emergency(officials, *, locality=None, at=NOW, **fields):
    """Rules that two officials put in the place of today's, from a minute after `at`."""
    proposal = decisions.propose_rules(
        Rules(locality=locality, valid_from=TODAY, **fields),
        is_emergency=True,
        reason="Бюллетень тоқтап тұр",
        actor=officials[0],
        now=at,
    )
    return decisions.approve_rules(proposal, actor=officials[1], now=at)


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
        assert (scene.locality.name_ru if prefix else scene.locality.name_kk) in text(response)

    def test_what_was_shown_is_what_is_saved(self, office, scene):
        shown = office.post(ADD, values())
        form = shown.context["form"]
        sent = {field.html_name: field.value() for field in form} | {"confirmed": "yes", "_save": "1"}
        sent["moving_keeps_date"] = "False"
        assert office.post(ADD, {name: value or "" for name, value in sent.items()}).status_code == 302
        rules = Rules.objects.get()
        assert (rules.stop_working_days, rules.moving_keeps_date, rules.valid_from) == (30, False, TOMORROW)

    def test_the_form_says_what_its_button_does(self, office):
        """It leads on to the page that saves, or proposes; and says which rules need no second official."""
        page = text(office.get(ADD))
        assert re.findall(r'<input type="submit" value="([^"]*)"', page) == ["Жалғастыру"]
        assert "екінші маман" in page
        assert "view-related" not in page
        shown = text(office.post(ADD, values(locality="", reason="Жаңа бұйрық")))
        assert 'type="submit">Ұсыну<' in shown
        assert 'type="submit">Сақтау<' not in shown

    def test_wrong_values_are_explained_instead(self, office):
        for wrong in (
            {"youngest_age": "6", "oldest_age": "3"},
            {"valid_from": "not a day"},
            {"valid_from": ""},
            {"valid_from": "01.01.2100"},
            {"locality": "999999"},
        ):
            response = office.post(ADD, values(**wrong))
            assert response.status_code == 200
            assert "touched" not in response.context
        assert not Rules.objects.exists()

    def test_every_value_has_bounds_in_the_form(self, office):
        def answer(sent):
            return office.post(ADD, values(**{name: str(value) for name, value in sent.items()})).context

        least, most = ({name: bounds[end] for name, bounds in BOUNDS.items()} for end in (0, 1))
        assert "touched" in answer(least)
        assert "touched" in answer(most)
        for beyond in (
            {name: value - 1 for name, value in least.items()},
            {name: value + 1 for name, value in most.items()},
            dict.fromkeys(BOUNDS, 32_000),
            dict.fromkeys(BOUNDS, 500_000),
        ):
            assert set(BOUNDS) <= set(answer(beyond)["adminform"].form.errors), beyond

    @pytest.mark.parametrize(
        ("was", "becomes", "far"),
        [
            (5, 10, False),
            (5, 11, True),
            (5, 3, False),
            (5, 2, True),
            (0, 0, False),
            (0, 1, True),
            (1, 0, True),
        ],
    )
    def test_what_is_far_from_the_present_value(self, was, becomes, far):
        assert is_far(was, becomes) is far

    @pytest.mark.parametrize(
        ("prefix", "words"), [("", "қазіргі мәннен алыс"), ("/ru", "далеко от нынешнего значения")]
    )
    def test_it_is_called_out(self, office, prefix, words):
        page = text(office.post(prefix + ADD, values(referral_working_days="4", stop_working_days="30")))
        assert re.search(rf">30</strong> <span[^>]*>{words}", page)
        assert not re.search(rf">4</strong> <span[^>]*>{words}", page)

    def test_whom_a_lower_school_age_puts_out_and_which_groups_exceed_the_norm(self, office, scene):
        """Of this year at the first January for which families can be told; the norm counts the groups above it."""
        for year in (2013, 2014, 2015, 2016):
            ApplicationFactory(locality=scene.locality, child__birth_date=date(year, 3, 1))
        Group.objects.update(capacity=20)
        GroupFactory(kindergarten=scene.group.kindergarten, capacity=21)
        sent = values(valid_from="2019-12-02", oldest_age="4", most_in_group="20")
        response = office.post(ADD, sent)
        (place,) = response.context["touched"]
        # Announced in December 2019 by the rules of its first day: the lower age counts a year later.
        assert place.leaving == [(date(2021, 1, 1), 3)]
        assert place.beyond_norm == 1
        assert {"20", "4"} <= {change.becomes for change in place.changes if change.is_far}
        assert "01.01.2021: " in text(response)

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_only_what_differs_is_shown(self, office, scene, prefix):
        same = {name: str(getattr(Rules(), name)) for name in VALUES} | {"moving_keeps_date": "on"}
        sent = values(**same | {"interest_month": "11", "stop_working_days": "12"})
        response = office.post(prefix + ADD, sent)
        (place,) = response.context["touched"]
        assert [(change.was, change.becomes) for change in place.changes] == [
            ("10", "12"),
            ("Октябрь", "Ноябрь") if prefix else ("Қазан", "Қараша"),
        ]

    @pytest.mark.parametrize("confirmed", [{}, {"confirmed": "yes"}])
    @pytest.mark.parametrize("how", [{}, {"locality": "", "reason": "Жаңа бұйрық"}])
    def test_what_changes_nothing_is_refused(self, office, scene, how, confirmed):
        same = {name: str(getattr(Rules(), name)) for name in VALUES} | {"moving_keeps_date": "on"}
        answer = office.post(ADD, values(**same, **how) | confirmed)
        assert answer.status_code == 200
        assert "__all__" in answer.context["adminform"].form.errors
        assert not Rules.objects.exists()
        assert not RulesProposal.objects.exists()
        # Against rules that begin later it is a change: it keeps the place as it is.
        Rules.objects.create(valid_from=AFTER_TOMORROW, stop_working_days=20)
        if not how:
            assert office.post(ADD, values(**same)).context["touched"][0].changes == []

    def test_planned_rules_that_should_not_hold_are_made_the_same_as_the_others(self, office, scene):
        rules = Rules.objects.create(locality=scene.locality, valid_from=TOMORROW, stop_working_days=20)
        url = reverse("admin:applications_rules_change", args=[rules.pk])
        kept = {name: str(getattr(rules, name)) for name in VALUES} | {"moving_keeps_date": "on"}
        assert "__all__" in office.post(url, values(**kept)).context["adminform"].form.errors
        cancelled = values(**kept | {"stop_working_days": "10"})
        assert office.post(url, cancelled).context["touched"][0].changes == []
        assert press(office, url, cancelled | {"confirmed": "yes"}).status_code == 302
        rules.refresh_from_db()
        assert rules.stop_working_days == 10

    def test_what_replaces_planned_rules_is_compared_with_them(self, scene):
        Rules.objects.create(valid_from=TOMORROW, stop_working_days=20)
        (place,) = touched_by(Rules(valid_from=TOMORROW, stop_working_days=15), now=NOW)
        assert [(change.was, change.becomes) for change in place.changes] == [("20", "15")]
        assert decisions.changes_nothing(Rules(valid_from=TOMORROW, stop_working_days=20))
        assert not decisions.changes_nothing(Rules(valid_from=TOMORROW))
        # In an emergency they hold before that day.
        at = NOW + timedelta(minutes=1)
        assert not decisions.changes_nothing(Rules(valid_from=TOMORROW, early_from=at, stop_working_days=20))
        assert not decisions.changes_nothing(Rules(valid_from=TOMORROW, early_from=at))

    def test_rules_of_a_locality_touch_only_it(self, scene):
        other = LocalityFactory(slug="kentau")
        draft = Rules(valid_from=TOMORROW, locality=other)
        assert [place.locality for place in touched_by(draft, now=scene.now)] == [other]

    def test_an_offered_place_has_been_promised_until_its_end(self, scene):
        offer = offered_to(scene)
        draft = Rules(locality=scene.locality, valid_from=TOMORROW)
        before, after = (
            touched_by(draft, now=at)[0].promised
            for at in (offer.until - timedelta(microseconds=1), offer.until)
        )
        assert before == after + 1

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

    def test_a_slip_in_the_year_is_caught(self, office):
        for confirmed in ({}, {"confirmed": "yes"}):
            answer = office.post(ADD, values(valid_from="30.11.2099") | confirmed)
            assert answer.context["adminform"].form.errors["valid_from"] == [gettext("Check the year.")]
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
        rules = Rules.objects.create(locality=scene.locality, valid_from=TODAY)
        url = reverse("admin:applications_rules_change", args=[rules.pk])
        assert office.get(url).status_code == 200
        assert office.post(url, values()).status_code == 403
        assert office.post(url, values(confirmed="yes")).status_code == 403
        rules.refresh_from_db()
        assert rules.stop_working_days == 10

    def test_rules_to_come_are_changed_after_a_preview(self, office, scene):
        rules = Rules.objects.create(locality=scene.locality, valid_from=TOMORROW)
        url = reverse("admin:applications_rules_change", args=[rules.pk])
        assert ("10", "30") in [
            (change.was, change.becomes)
            for change in office.post(url, values()).context["touched"][0].changes
        ]
        assert press(office, url, values(confirmed="yes")).status_code == 302
        rules.refresh_from_db()
        assert rules.stop_working_days == 30

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

    @pytest.fixture(params=["from tomorrow on", "in an emergency"])
    def harsher(self, request, office, officials):
        def save():
            if request.param == "from tomorrow on":
                assert office.post(ADD, values(confirmed="yes")).status_code == 302
            else:
                emergency(officials, **HARSHER)

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

    def test_an_extension_that_was_made(self, scene, harsher):
        bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        referral = issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
        extending.extend_referral(
            referral,
            actor=scene.parent,
            until=extending.longest_extension(referral),
            reason="illness",
            documents=[("anyktama.pdf", ContentFile(b"%PDF-1.4", name="anyktama.pdf"))],
            now=scene.now,
        )
        self.unchanged(Referral.objects.all(), harsher)
        assert Referral.objects.get().last_moment.astimezone(ZONE).date() == date(2019, 8, 2)

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
        until = filing.archive_undo_until(archived, by=scene.parent, now=scene.now)
        self.unchanged(Application.objects.all(), harsher)
        assert filing.archive_undo_until(archived, by=scene.parent, now=scene.now) == until


class TestBoundsOfTheDatabase:
    def test_no_value_beyond_them_is_stored(self, scene):
        fits = {"youngest_age": 0, "oldest_age": 10}
        for name, (least, most) in BOUNDS.items():
            for model, fields in (
                (Rules, {"valid_from": TOMORROW}),
                (RulesProposal, {"reason": "x", "proposed_at": NOW, "proposed_by": scene.staff}),
            ):
                for value in (least, most):
                    model.objects.create(**fields, **(fits | {name: value})).delete()
                for value in (most + 1, *([least - 1] if least else [])):
                    with pytest.raises(IntegrityError), transaction.atomic():
                        model.objects.create(**fields, **(fits | {name: value}))

    @pytest.mark.parametrize("day", [EARLIEST - timedelta(days=1), LATEST + timedelta(days=1)])
    def test_nor_a_day_beyond_the_years(self, scene, day):
        with pytest.raises(IntegrityError), transaction.atomic():
            Rules.objects.create(valid_from=day)

    def test_nor_a_youngest_above_the_oldest(self, scene):
        with pytest.raises(IntegrityError), transaction.atomic():
            Rules.objects.create(valid_from=TOMORROW, youngest_age=5, oldest_age=4)

    def test_every_value_has_some(self):
        assert {*BOUNDS, "moving_keeps_date"} == set(VALUES)

    def test_the_document_names_them(self):
        document = (Path(settings.BASE_DIR) / "docs" / "rules.md").read_text()
        rows = re.findall(r"^\| `(\w+)`[^|]*\| (\d+) \| (\d+) \| (\d+) \|$", document, re.MULTILINE)
        usual = Rules(valid_from=TODAY)
        assert [(name, int(value), (int(least), int(most))) for name, value, least, most in rows] == [
            (name, getattr(usual, name), bounds) for name, bounds in BOUNDS.items()
        ]

    def test_rules_from_before_stay_as_they_are(self):
        """They explain the promises of their time: a portal that had some is not asked about those."""
        migration = MigrationLoader(None).disk_migrations["applications", "0012_rules_by_two"]
        unasked = {
            one.constraint.name for one in migration.operations if isinstance(one, AddConstraintNotValid)
        }
        before = ("activation_working_days", "referral_working_days", "stop_working_days", "oldest_age")
        assert {f"rules_{name}_bounds" for name in before} <= unasked


class TestFourEyes:
    """Rules for all localities, and those of an emergency, need a second official."""

    @pytest.fixture
    def proposal(self, officials):
        draft = Rules(valid_from=TOMORROW, **HARSHER)
        return decisions.propose_rules(draft, reason="Жаңа бұйрық", actor=officials[0], now=NOW)

    def work(self, proposal, name):
        return reverse("admin:applications_rulesproposal_work", args=[proposal.pk, name])

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    @pytest.mark.parametrize("how", [{"locality": ""}, {"is_emergency": "on", "valid_from": ""}])
    def test_the_form_only_proposes(self, office, scene, how, prefix):
        shown = office.post(prefix + ADD, values(reason="Жаңа бұйрық", **how))
        assert shown.status_code == 200
        assert shown.context["touched"]
        assert not RulesProposal.objects.exists()
        form = shown.context["form"]
        sent = {field.html_name: field.value() or "" for field in form} | {"confirmed": "yes"}
        answer = office.post(prefix + ADD, sent | {"moving_keeps_date": "True"})
        proposal = RulesProposal.objects.get()
        assert answer.url == f"{prefix}/admin/applications/rulesproposal/{proposal.pk}/change/"
        assert office.get(answer.url).status_code == 200
        assert not Rules.objects.exists()
        assert (proposal.stop_working_days, proposal.moving_keeps_date) == (30, True)
        assert proposal.valid_from == (None if "is_emergency" in how else TOMORROW)

    def test_with_a_reason_and_one_at_a_time(self, office, proposal):
        for sent, field in (
            (values(locality=""), "reason"),
            (values(locality="", reason="  "), "reason"),
            (values(locality="", reason="x", valid_from="26.06.2019"), "valid_from"),
            (values(locality="", reason="Жаңа бұйрық"), "__all__"),
        ):
            for confirmed in ({}, {"confirmed": "yes"}):
                answer = office.post(ADD, sent | confirmed)
                assert answer.status_code == 200
                assert field in answer.context["adminform"].form.errors
        assert RulesProposal.objects.get() == proposal

    def test_another_official_approves(self, scene, officials, proposal):
        desk = inside(officials[1])
        page = text(desk.get(self.work(proposal, "approve")))
        assert "5 → 1" in page
        assert "10 → 30" in page
        assert desk.post(self.work(proposal, "approve")).status_code == 302
        rules = Rules.objects.get()
        assert (rules.locality, rules.valid_from, rules.early_from) == (None, TOMORROW, None)
        assert rules.stop_working_days == 30
        proposal.refresh_from_db()
        assert (proposal.state, proposal.decided_by) == (ProposalState.APPROVED, officials[1])
        history = desk.get(f"/admin/applications/rulesproposal/{proposal.pk}/history/").content.decode()
        assert "official-0" in history
        assert "official-1" in history

    def test_what_is_approved_is_not_refused_by_what_follows_the_commit(
        self, officials, proposal, monkeypatch, django_capture_on_commit_callbacks
    ):
        """Somebody holds an application locked: pressed again, the button would be refused for good."""

        def busy(*, now):
            raise Refused(Refusal.BUSY)

        desk = inside(officials[1])
        with django_capture_on_commit_callbacks(execute=True):
            answer = desk.post(self.work(proposal, "approve"))
            monkeypatch.setattr(decisions, "bring_forward", busy)
        assert answer.status_code == 302
        assert Rules.objects.get().stop_working_days == 30

    def test_the_proposer_does_not(self, officials, proposal):
        desk = inside(officials[0])
        for name, sent in (("approve", {}), ("decline", {"reason": "Қате жазылған"})):
            desk.post(self.work(proposal, name), sent)
            proposal.refresh_from_db()
            assert proposal.state == ProposalState.PROPOSED
        assert not Rules.objects.exists()
        with pytest.raises(IntegrityError), transaction.atomic():
            RulesProposal.objects.filter(pk=proposal.pk).update(decided_by=officials[0])

    def test_a_declined_one_changes_nothing_and_makes_room(self, officials, proposal):
        assert (
            inside(officials[1])
            .post(self.work(proposal, "decline"), {"reason": "Күні қате жазылған"})
            .status_code
            == 302
        )
        assert not Rules.objects.exists()
        for decide in (
            lambda: decisions.approve_rules(proposal, actor=officials[1], now=NOW),
            lambda: decisions.decline_rules(proposal, actor=officials[1], reason="Тағы", now=NOW),
        ):
            with pytest.raises(Refused, check=lambda error: error.reason == Refusal.PROPOSAL_DECIDED):
                decide()
        decisions.propose_rules(Rules(valid_from=TOMORROW), reason="Қайта", actor=officials[1], now=NOW)

    def test_approved_too_late_it_would_be_backdated(self, officials, proposal):
        midnight = datetime(2019, 6, 27, tzinfo=ZONE)
        moment = decisions.MOMENT
        with pytest.raises(Refused, check=lambda error: error.reason == Refusal.RULES_TOO_EARLY):
            decisions.approve_rules(proposal, actor=officials[1], now=midnight - moment)
        decisions.approve_rules(
            proposal, actor=officials[1], now=midnight - moment - timedelta(microseconds=1)
        )

    def test_nor_is_it_stored_after_its_day_has_begun(self, officials, proposal, monkeypatch):
        begins = datetime(2019, 6, 27, tzinfo=ZONE)
        ticks = iter([0.0, 60.0])
        monkeypatch.setattr(decisions, "monotonic", lambda: next(ticks))
        with pytest.raises(Refused, check=lambda error: error.reason == Refusal.RULES_TOO_EARLY):
            decisions.approve_rules(proposal, actor=officials[1], now=begins - timedelta(seconds=90))
        assert not Rules.objects.exists()

    def test_it_replaces_rules_of_the_same_day_that_have_not_begun(self, officials, proposal):
        planned = Rules.objects.create(valid_from=TOMORROW, stop_working_days=11)
        decisions.approve_rules(proposal, actor=officials[1], now=NOW)
        assert Rules.objects.get().pk == planned.pk
        assert Rules.objects.get().stop_working_days == 30

    def test_planned_rules_for_all_are_not_changed_by_one_alone(self, office):
        rules = Rules.objects.create(valid_from=TOMORROW)
        url = reverse("admin:applications_rules_change", args=[rules.pk])
        assert office.post(url, values(locality="", confirmed="yes")).status_code == 403

    def test_nor_do_rules_of_one_become_those_of_all(self, office, scene):
        rules = Rules.objects.create(locality=scene.locality, valid_from=TOMORROW)
        url = reverse("admin:applications_rules_change", args=[rules.pk])
        assert press(office, url, values(locality="", confirmed="yes")).status_code == 302
        rules.refresh_from_db()
        assert rules.locality == scene.locality

    def test_kindergartens_have_no_part_in_it(self, scene, proposal):
        worker = employee(Role.KINDERGARTEN)
        for decide in (
            lambda: decisions.approve_rules(proposal, actor=worker, now=NOW),
            lambda: decisions.decline_rules(proposal, actor=worker, reason="x", now=NOW),
            lambda: decisions.propose_rules(Rules(valid_from=TOMORROW), reason="x", actor=worker, now=NOW),
        ):
            with pytest.raises(PermissionDenied):
                decide()


class TestEmergency:
    """It holds for whatever is promised from its instant on, and for nothing before."""

    @pytest.fixture
    def rules(self, officials):
        return emergency(officials, **HARSHER)

    def test_it_holds_from_its_instant_on(self, scene, rules):
        assert (rules.early_from, rules.valid_from) == (NOW + decisions.MOMENT, TOMORROW)
        before = rules.early_from - timedelta(microseconds=1)
        assert rules_at(scene.locality, before).stop_working_days == 10
        assert rules_at(scene.locality, rules.early_from) == rules
        # So does a page for visitors who have chosen no place.
        assert rules_at(None, before).stop_working_days == 10
        assert rules_at(None, rules.early_from) == rules

    def test_the_press_goes_by_the_same_instant(self, scene, rules):
        def answer_due(at):
            with connection.cursor() as cursor:
                cursor.execute("SELECT bid_answer_due(%s, %s)", [scene.locality.pk, at])
                return cursor.fetchone()[0]

        before = rules.early_from - timedelta(microseconds=1)
        assert answer_due(before) == datetime(2019, 6, 29, tzinfo=ZONE)
        assert answer_due(rules.early_from) == datetime(2019, 6, 28, tzinfo=ZONE)

    def test_what_is_counted_in_days_follows_at_midnight(self, scene, officials):
        changed = emergency(officials, general_per_priority=7)
        everything = list(Rules.objects.all())
        assert choose(everything, locality_id=scene.locality.pk, day=TODAY).general_per_priority == 3
        assert choose(everything, locality_id=scene.locality.pk, day=TOMORROW) == changed

    def test_it_wins_over_rules_that_begin_the_next_day(self, scene, officials):
        Rules.objects.create(valid_from=TOMORROW, stop_working_days=11)
        rules = emergency(officials, **HARSHER)
        assert rules_at(scene.locality, NOW + timedelta(days=1)) == rules
        with connection.cursor() as cursor:
            cursor.execute("SELECT bid_answer_due(%s, %s)", [scene.locality.pk, NOW + timedelta(days=1)])
            # One working day instead of two.
            assert cursor.fetchone()[0] == datetime(2019, 6, 29, tzinfo=ZONE)

    @pytest.mark.parametrize(("took", "stands"), [(30, True), (30.001, False)])
    def test_an_approval_that_takes_too_long_is_undone(self, officials, monkeypatch, took, stands):
        """Otherwise promises made after its instant would not have seen it."""
        ticks = iter([100.0, 100.0 + took])
        monkeypatch.setattr(decisions, "monotonic", lambda: next(ticks))
        if stands:
            emergency(officials)
        else:
            with pytest.raises(Refused, check=lambda error: error.reason == Refusal.BUSY):
                emergency(officials)
        assert Rules.objects.exists() == stands
        assert RulesProposal.objects.get().state == ("approved" if stands else "proposed")

    @pytest.mark.parametrize("own", [True, False])
    def test_others_begin_after_its_day_and_then_hold(self, scene, officials, own):
        """On its day they would be approved and never hold."""
        place = scene.locality if own else None
        emergency(officials, locality=place, **HARSHER)
        later = NOW + timedelta(hours=1)

        def propose(day):
            return decisions.propose_rules(
                Rules(locality=place, valid_from=day), reason="x", actor=officials[0], now=later
            )

        with pytest.raises(Refused, check=lambda error: error.reason == Refusal.RULES_TOO_EARLY):
            propose(TOMORROW)
        after = decisions.approve_rules(propose(AFTER_TOMORROW), actor=officials[1], now=later)
        assert rules_at(place, datetime(2019, 6, 28, tzinfo=ZONE)) == after
        assert earliest_start(locality=None if own else scene.locality, now=later) == TOMORROW

    def test_what_was_proposed_before_it_is_not_approved_for_its_day(self, scene, officials):
        proposal = decisions.propose_rules(
            Rules(locality=scene.locality, valid_from=TOMORROW), reason="x", actor=officials[0], now=NOW
        )
        Rules.objects.create(locality=scene.locality, valid_from=TOMORROW, early_from=NOW)
        with pytest.raises(Refused, check=lambda error: error.reason == Refusal.RULES_TOO_EARLY):
            decisions.approve_rules(proposal, actor=officials[1], now=NOW)

    def test_one_official_adds_none_for_its_day(self, scene, office):
        Rules.objects.create(locality=scene.locality, valid_from=TOMORROW, early_from=NOW)
        answer = office.post(ADD, values(confirmed="yes"))
        assert list(answer.context["adminform"].form.errors) == ["valid_from"]
        assert "28.06.2019" in text(answer)
        assert office.post(ADD, values(confirmed="yes", valid_from="28.06.2019")).status_code == 302

    def test_rules_planned_for_its_day_begin_a_day_later(self, scene, officials):
        planned = Rules.objects.create(valid_from=TOMORROW, stop_working_days=11)
        others = Rules.objects.create(locality=scene.locality, valid_from=TOMORROW)
        rules = emergency(officials, **HARSHER)
        planned.refresh_from_db()
        others.refresh_from_db()
        assert (planned.valid_from, others.valid_from) == (AFTER_TOMORROW, TOMORROW)
        midnight = datetime(2019, 6, 28, tzinfo=ZONE)
        assert rules_at(None, midnight - timedelta(microseconds=1)) == rules
        assert rules_at(None, midnight) == planned

    def test_rules_that_others_follow_at_once_are_not_put_off(self, scene, officials):
        planned, following = (Rules.objects.create(valid_from=day) for day in (TOMORROW, AFTER_TOMORROW))
        emergency(officials, **HARSHER)
        planned.refresh_from_db()
        assert planned.valid_from == TOMORROW
        assert rules_at(None, datetime(2019, 6, 28, tzinfo=ZONE)) == following

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_both_officials_read_that_planned_rules_are_put_off(self, scene, office, officials, prefix):
        Rules.objects.create(locality=scene.locality, valid_from=TOMORROW, stop_working_days=11)
        sent = values(is_emergency="on", reason="Бюллетень тоқтап тұр", valid_from="")
        assert "28.06.2019" in text(office.post(prefix + ADD, sent))
        assert office.post(prefix + ADD, sent | {"confirmed": "yes"}).status_code == 302
        page = inside(officials[1]).get(
            prefix + reverse("admin:applications_rulesproposal_work", args=[RulesProposal.objects.get().pk, "approve"])
            .removeprefix("/ru")
        )  # fmt: skip
        assert "28.06.2019" in text(page)

    def test_a_second_one_wins_over_the_first(self, scene, officials, rules):
        later = NOW + timedelta(hours=1)
        second = emergency(officials, at=later, stop_working_days=12)
        assert rules_at(scene.locality, later) == rules
        assert rules_at(scene.locality, later + decisions.MOMENT) == second

    def test_a_locality_with_rules_of_its_own_keeps_them(self, scene, officials):
        own = Rules.objects.create(locality=scene.locality, valid_from=date(2019, 1, 1))
        emergency(officials, **HARSHER)
        assert rules_at(scene.locality, NOW + timedelta(hours=1)) == own

    def test_it_ends_a_standstill_that_wrong_rules_brought(self, scene, officials):
        """Nothing can be promised where the calendar ends before the deadline; an hour later all goes on."""
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE applications_rules DROP CONSTRAINT rules_activation_working_days_bounds"
            )
        Rules.objects.create(valid_from=date(2019, 1, 1), activation_working_days=500)
        with pytest.raises(Refused, check=lambda error: error.reason == Refusal.CALENDAR):
            place_bid(scene.application, scene.vacancy, actor=scene.parent, now=NOW)
        rules = emergency(officials)
        placed = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=rules.early_from)
        assert placed.answer_due == datetime(2019, 6, 29, tzinfo=ZONE)

    def test_an_ordinary_proposal_of_the_same_scope_waits(self, officials):
        decisions.propose_rules(
            Rules(valid_from=TOMORROW), is_emergency=True, reason="x", actor=officials[0], now=NOW
        )
        with pytest.raises(Refused, check=lambda error: error.reason == Refusal.PROPOSAL_WAITS):
            decisions.propose_rules(Rules(valid_from=TOMORROW), reason="x", actor=officials[1], now=NOW)
