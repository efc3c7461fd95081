"""Groups in the workplace: what a kindergarten proposes and counts, an official confirms."""

import re
from datetime import datetime, timedelta
from html import unescape

import pytest
from django.contrib.messages import get_messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from accounts.roles import Role
from applications.decisions import places
from applications.models import GroupProposal, Headcount, Offer, Rules
from applications.moves import Refused
from applications.places.occupancy import over_promised
from applications.refusals import Refusal
from applications.states import LIVE_OFFERS, BidState, OfferState, ProposalState, ReferralState
from bulletin.models import AgeGroup, Group, Vacancy
from tests.applications.bidding.given_back import offered_to
from tests.applications.conftest import NOW, ZONE
from tests.factories import (
    BidFactory,
    ContractFactory,
    GroupFactory,
    KindergartenFactory,
    ReferralFactory,
    VacancyFactory,
)
from tests.staff import carried, employee, inside, press, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]

LIST = reverse("admin:bulletin_group_changelist")
PROPOSE = reverse("admin:applications_groupproposal_add")
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def worker(scene):
    return worker_of(scene.group.kindergarten)


@pytest.fixture
def official(scene):
    return employee(Role.OFFICIAL)


@pytest.fixture
def desk(worker):
    return inside(worker)


@pytest.fixture
def office(official):
    return inside(official)


def data(group, **changes):
    return {name: getattr(group, name) for name in places.DATA} | changes


def proposal_of(group, **changes):
    return GroupProposal(group=group, kindergarten=group.kindergarten, **data(group, **changes))


def work(obj, name):
    """Its Kazakh address, whatever language the last page was in."""
    with translation.override("kk"):
        return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_work", args=[obj.pk, name])


def said(answer):
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


class TestANewGroup:
    def sent(self, scene, **changes):
        return {
            "kindergarten": scene.group.kindergarten.pk,
            "name": "Балапан",
            "age_group": "3-4",
            "language": "kk",
            "regime": "day",
            "capacity": "25",
        } | changes

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_waits_for_an_official_and_has_no_places_before(self, scene, desk, office, prefix):
        assert desk.get(prefix + PROPOSE).status_code == 200
        assert prefix + PROPOSE in desk.get(prefix + LIST).content.decode()
        answer = desk.post(prefix + PROPOSE, self.sent(scene))
        proposal = GroupProposal.objects.get()
        assert answer.url == f"{prefix}/admin/applications/groupproposal/{proposal.pk}/change/"
        assert not Group.objects.filter(name="Балапан").exists()
        assert desk.post(work(proposal, "approve")).status_code == 403
        page = unescape(office.get(prefix + work(proposal, "approve")).content.decode())
        assert "Балапан" in page
        assert "25" in page
        press(office, work(proposal, "approve"))
        group = Group.objects.get(name="Балапан")
        assert data(group) == {
            "name": "Балапан", "age_group": "3-4", "language": "kk", "regime": "day", "capacity": 25,
        }  # fmt: skip
        proposal.refresh_from_db()
        assert (proposal.state, proposal.group) == (ProposalState.APPROVED, group)
        assert "staff-" in office.get(f"/admin/bulletin/group/{group.pk}/history/").content.decode()

    def test_of_an_official_is_there_at_once(self, scene, office):
        answer = office.post(PROPOSE, self.sent(scene))
        group = Group.objects.get(name="Балапан")
        assert answer.url == f"/admin/bulletin/group/{group.pk}/change/"

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"capacity": "500"}, "capacity"),
            ({"capacity": "27"}, "capacity"),
            ({"capacity": "0"}, "capacity"),
            ({"capacity": "-1"}, "capacity"),
            ({"capacity": "9" * 30}, "capacity"),
            ({"name": "Солнце"}, "name"),
            ({"name": ""}, "name"),
            ({"age_group": "9-10"}, "age_group"),
            ({"kindergarten": "999999"}, "kindergarten"),
        ],
    )
    def test_what_can_not_be(self, scene, desk, changes, field):
        answer = desk.post(PROPOSE, self.sent(scene, **changes))
        assert answer.status_code == 200
        assert field in answer.context["adminform"].form.errors
        assert not GroupProposal.objects.exists()

    def test_twice_the_same_waits_once(self, scene, desk):
        desk.post(PROPOSE, self.sent(scene))
        again = desk.post(PROPOSE, self.sent(scene, capacity="20"))
        assert list(again.context["adminform"].form.errors) == ["name"]
        assert GroupProposal.objects.get().capacity == 25

    def test_not_in_another_kindergarten(self, scene, desk):
        other = KindergartenFactory()
        answer = desk.post(PROPOSE, self.sent(scene, kindergarten=other.pk))
        assert list(answer.context["adminform"].form.errors) == ["kindergarten"]
        assert other.name_kk not in desk.get(PROPOSE).content.decode()

    def test_the_norm_is_that_of_the_place(self, scene, desk):
        Rules.objects.create(
            locality=scene.locality, valid_from=NOW.date() - timedelta(days=1), most_in_group=20
        )
        answer = desk.post(PROPOSE, self.sent(scene, capacity="21"))
        assert "20" in str(answer.context["adminform"].form.errors["capacity"])
        assert desk.post(PROPOSE, self.sent(scene, capacity="20")).status_code == 302


class TestOtherData:
    def test_nothing_changes_before_an_official_confirms(self, scene, desk, office):
        scene.vacancy.delete()
        answer = press(desk, work(scene.group, "change"), data(scene.group, capacity=20, age_group="3-4"))
        assert answer.status_code == 302
        scene.group.refresh_from_db()
        assert (scene.group.capacity, scene.group.age_group) == (25, AgeGroup.FIRST_JUNIOR)
        proposal = GroupProposal.objects.get()
        page = desk.get(f"/admin/bulletin/group/{scene.group.pk}/change/").content.decode()
        # Django's own button leads to the list: «close» is said of what no longer takes bids.
        assert "Тізімге</a>" in page
        assert f"/admin/applications/groupproposal/{proposal.pk}/change/" in page
        press(office, work(proposal, "approve"))
        scene.group.refresh_from_db()
        assert (scene.group.capacity, scene.group.age_group) == (20, AgeGroup.SECOND_JUNIOR)

    def test_declined_with_a_reason(self, scene, desk, office):
        press(desk, work(scene.group, "change"), data(scene.group, capacity=20))
        proposal = GroupProposal.objects.get()
        office.post(work(proposal, "decline"), {"reason": "Бөлме үлкенірек"})
        scene.group.refresh_from_db()
        proposal.refresh_from_db()
        assert (scene.group.capacity, proposal.state) == (25, ProposalState.DECLINED)
        assert "Бөлме үлкенірек" in desk.get(proposal_page(proposal)).content.decode()
        for decide in ("approve", "decline"):
            office.post(work(proposal, decide), {"reason": "Бөлме үлкенірек"})
        proposal.refresh_from_db()
        assert proposal.state == ProposalState.DECLINED

    @pytest.mark.parametrize(("capacity", "kept"), [(12, True), (11, False)])
    def test_it_keeps_room_for_what_is_promised(self, scene, official, capacity, kept):
        Vacancy.objects.update(seats_total=12)
        if kept:
            places.propose_group(proposal_of(scene.group, capacity=capacity), actor=official, now=NOW)
        else:
            with pytest.raises(ValidationError) as refusal:
                places.propose_group(proposal_of(scene.group, capacity=capacity), actor=official, now=NOW)
            assert set(refusal.value.message_dict) == {"capacity"}
        assert Group.objects.get().capacity == (capacity if kept else 25)

    def test_what_became_too_small_meanwhile_is_refused(self, scene, worker, official):
        proposal = places.propose_group(proposal_of(scene.group, capacity=10), actor=worker, now=NOW)
        Vacancy.objects.update(seats_total=12)
        with pytest.raises(ValidationError):
            places.confirm_group(proposal, actor=official, now=NOW)
        proposal.refresh_from_db()
        assert (proposal.state, Group.objects.get().capacity) == (ProposalState.PROPOSED, 25)

    def test_a_group_of_hundreds_is_brought_down_to_the_norm_whatever_was_promised(self, scene, official):
        Vacancy.objects.update(seats_total=40)
        group = Group(pk=scene.group.pk, capacity=500)
        group.kindergarten = scene.group.kindergarten
        proposal = GroupProposal(
            group=group, kindergarten=group.kindergarten, **(data(scene.group) | {"capacity": 26})
        )
        assert "capacity" not in places.why_not_confirm(proposal, now=NOW)
        proposal.capacity = 25
        assert "capacity" in places.why_not_confirm(proposal, now=NOW)

    @pytest.mark.parametrize("change", [{"language": "kk"}, {"age_group": "3-4"}, {"regime": "round"}])
    def test_what_families_chose_stays_while_they_rely_on_it(self, scene, official, change):
        def propose():
            places.propose_group(proposal_of(scene.group, **change), actor=official, now=NOW)

        with pytest.raises(ValidationError) as refusal:
            propose()
        assert set(refusal.value.message_dict) == set(change)
        Vacancy.objects.update(state=Vacancy.State.CLOSED)
        bid = BidFactory(vacancy=scene.vacancy)
        with pytest.raises(ValidationError):
            propose()
        bid.state = BidState.WITHDRAWN
        bid.save()
        propose()
        assert getattr(Group.objects.get(), next(iter(change))) == next(iter(change.values()))

    @pytest.mark.parametrize("state", LIVE_OFFERS)
    def test_what_families_chose_stays_while_a_place_is_offered_to_them(self, scene, official, state):
        offer = offered_to(scene)
        if state == OfferState.SEEKING:
            Offer.objects.update(state=state, application=None, made_at=None, until=None)
        with pytest.raises(ValidationError) as refusal:
            places.propose_group(proposal_of(scene.group, language="kk"), actor=official, now=NOW)
        assert set(refusal.value.message_dict) == {"language"}
        Offer.objects.filter(pk=offer.pk).update(state=OfferState.RECALLED, ended_at=NOW)
        places.propose_group(proposal_of(scene.group, language="kk"), actor=official, now=NOW)

    def test_an_older_form_brings_no_former_name_back(self, scene, office, official):
        address = work(scene.group, "change")
        shown = carried(office.get(address)) | data(scene.group)
        places.propose_group(proposal_of(scene.group, name="Жұлдыз"), actor=official, now=NOW)
        for mark in ({}, {"seen": ""}):
            answer = office.post(address, shown | {"capacity": 24} | mark)
            assert answer.context["errors"]["__all__"] == [str(Refusal.CHANGED_MEANWHILE.label)]
        # The form holds what is stored now.
        assert answer.context["form"]["name"].value() == "Жұлдыз"
        again = {field.html_name: field.value() for field in answer.context["form"]}
        assert office.post(address, again | {"capacity": 24}).status_code == 302
        group = Group.objects.get()
        assert (group.name, group.capacity) == ("Жұлдыз", 24)

    def test_what_was_typed_stays_in_a_form_that_is_wrong(self, scene, office):
        answer = press(office, work(scene.group, "change"), data(scene.group, name="Жұлдыз", capacity=27))
        assert answer.status_code == 200
        assert answer.context["form"]["name"].value() == "Жұлдыз"

    def test_nor_is_it_confirmed_beside_another_group_than_was_read(self, scene, office, worker, official):
        proposal = places.propose_group(proposal_of(scene.group, capacity=24), actor=worker, now=NOW)
        read = carried(office.get(work(proposal, "approve")))
        Group.objects.update(name="Жұлдыз")
        office.post(work(proposal, "approve"), read)
        assert Group.objects.get().name == "Жұлдыз"
        press(office, work(proposal, "approve"))
        assert Group.objects.get().name == scene.group.name

    def test_the_kindergartens_own_page_shows_groups_and_changes_none(self, scene, desk):
        address = f"/admin/bulletin/kindergarten/{scene.group.kindergarten.pk}/change/"
        page = desk.get(address).content.decode()
        assert scene.group.name in page
        assert f"/admin/bulletin/group/{scene.group.pk}/change/" in page
        sent = {
            "address_kk": "Абай 1", "address_ru": "Абая 1", "phone": "", "head": "",
            "groups-TOTAL_FORMS": "2", "groups-INITIAL_FORMS": "1", "groups-0-id": scene.group.pk,
            "groups-0-capacity": "500", "groups-1-name": "Жаңа", "groups-1-age_group": "3-4",
            "groups-1-language": "kk", "groups-1-regime": "day", "groups-1-capacity": "500",
        }  # fmt: skip
        desk.post(address, sent)
        assert Group.objects.get().capacity == 25

    def test_only_closing_a_group_is_called_so(self, scene, desk):
        page = desk.get(f"/admin/bulletin/group/{scene.group.pk}/change/").content.decode()
        assert re.findall(r'class="closelink">([^<]*)<', page) == ["Тізімге"]
        assert ">Жабу<" not in page

    def test_another_kindergartens_group_is_not_there(self, scene, desk):
        strange = GroupFactory(kindergarten=KindergartenFactory())
        assert strange.name not in desk.get(LIST).content.decode()
        for address in (f"/admin/bulletin/group/{strange.pk}/change/", work(strange, "change")):
            assert desk.get(address).status_code == 404

    def test_the_database_takes_no_group_of_hundreds(self, scene):
        for wrong in (0, 51, 500):
            with pytest.raises(IntegrityError), transaction.atomic():
                Group.objects.filter(pk=scene.group.pk).update(capacity=wrong)


def proposal_page(proposal):
    return reverse(f"admin:applications_{proposal._meta.model_name}_change", args=[proposal.pk])


class TestCounting:
    def count(self, scene, actor, children=10, year=2018, now=NOW):
        return places.count_children(scene.group, year=year, children=children, actor=actor, now=now)

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_it_counts_once_an_official_has_confirmed_it(self, scene, desk, office, prefix):
        Vacancy.objects.update(seats_total=10)
        form = desk.get(prefix + work(scene.group, "count")).context["form"]
        assert form.fields["school_year"].choices == [(2018, "2018/19"), (2019, "2019/20")]
        assert (
            desk.post(work(scene.group, "count"), {"school_year": "2018", "children": "16"}).status_code
            == 302
        )
        count = Headcount.objects.get()
        assert over_promised(now=NOW) == []
        office.post(work(count, "approve"))
        (found,) = over_promised(now=NOW)
        assert found.excess == 1
        page = office.get(f"{prefix}{LIST}?room=over").content.decode()
        assert scene.group.name in page
        # Nothing is cut.
        assert Vacancy.objects.get().seats_total == 10
        shown = unescape(
            office.get(f"{prefix}/admin/bulletin/group/{scene.group.pk}/change/").content.decode()
        )
        assert "2018/19" in shown

    def test_the_list_of_over_promised_groups_is_empty_where_all_is_well(self, scene, office):
        assert office.get(f"{LIST}?room=over").context["cl"].result_count == 0
        assert office.get(LIST).context["cl"].result_count == 1

    @pytest.mark.parametrize(
        ("year", "children"), [(2017, 1), (2020, 1), (2018, -1), (2018, 501), (2018, 32_000)]
    )
    def test_what_can_not_be(self, scene, worker, year, children):
        with pytest.raises(ValidationError):
            self.count(scene, worker, year=year, children=children)
        assert not Headcount.objects.exists()

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_the_contracts_that_belong_into_a_count_are_named(self, scene, worker, desk, office, prefix):
        Vacancy.objects.update(vacant_from=datetime(2019, 9, 1, tzinfo=ZONE))
        for signed_at in (NOW, NOW + timedelta(hours=1)):
            bid = BidFactory(vacancy=scene.vacancy, state=BidState.ACTIVATED, holds_seat=True)
            referral = ReferralFactory(application=bid.application, bid=bid, state=ReferralState.SIGNED)
            ContractFactory(referral=referral, signed_at=signed_at)
        rows = desk.get(prefix + work(scene.group, "count")).context["rows"]
        assert [row["value"] for row in rows if "2018/19" in row["label"]] == [0]
        assert [row["value"] for row in rows if "2019/20" in row["label"]] == [2]
        for year, contracts in ((2018, 0), (2019, 1)):
            count = self.count(scene, worker, year=year)
            values = [row["value"] for row in office.get(prefix + work(count, "approve")).context["rows"]]
            assert values[3:5] == [10, contracts]

    def test_a_group_from_before_the_norm_is_counted_as_it_is(self, scene, desk, office):
        desk.post(work(scene.group, "count"), {"school_year": "2018", "children": "63"})
        office.post(work(Headcount.objects.get(), "approve"))
        (found,) = over_promised(now=NOW)
        assert found.occupancy.children == 63

    def test_the_years_are_those_of_the_place(self, scene):
        midnight = datetime(2019, 9, 1, tzinfo=ZONE)
        assert places.countable_years(scene.group, now=midnight - MICROSECOND) == (2018, 2019)
        assert places.countable_years(scene.group, now=midnight) == (2019, 2020)

    def test_one_at_a_time_waits(self, scene, worker, official):
        self.count(scene, worker)
        self.count(scene, worker, year=2019)
        with pytest.raises(Refused, check=lambda error: error.reason == Refusal.PROPOSAL_WAITS):
            self.count(scene, worker, children=11)
        # An official's own count needs nobody to confirm it.
        assert self.count(scene, official, children=11).state == ProposalState.APPROVED

    def test_an_older_count_that_would_change_nothing_is_not_confirmed(self, scene, worker, official):
        older = self.count(scene, worker, children=25)
        self.count(scene, official, children=5, year=2019, now=NOW + timedelta(hours=1))
        self.count(scene, official, children=5, now=NOW + timedelta(hours=1))
        with pytest.raises(Refused, check=lambda error: error.reason == Refusal.COUNTED_ANEW):
            places.confirm_count(older, actor=official, now=NOW + timedelta(hours=2))
        older.refresh_from_db()
        assert older.state == ProposalState.PROPOSED
        assert over_promised(now=NOW + timedelta(hours=3)) == []

    def test_many_are_confirmed_from_the_list(self, scene, worker, office):
        counts = [self.count(scene, worker, year=year) for year in (2018, 2019)]
        page = reverse("admin:applications_headcount_changelist")
        chosen = {"action": "confirm_selected", "_selected_action": [one.pk for one in counts]}
        assert office.post(page, chosen).status_code == 200
        answer = office.post(page, chosen | {"confirmed": "yes"})
        assert "2" in said(answer)
        assert set(Headcount.objects.values_list("state", flat=True)) == {ProposalState.APPROVED}

    def test_the_page_that_asks_costs_the_same_for_many(self, scene, worker, office):
        page, costs = reverse("admin:applications_headcount_changelist"), []
        # Twice for one, since the first page also reads what is then remembered.
        for number in (1, 1, 4):
            counts = [
                places.count_children(
                    GroupFactory(kindergarten=scene.group.kindergarten),
                    year=2018,
                    children=3,
                    actor=worker,
                    now=NOW,
                )
                for _group in range(number)
            ]
            chosen = {"action": "confirm_selected", "_selected_action": [one.pk for one in counts]}
            with CaptureQueriesContext(connection) as queries:
                assert len(office.post(page, chosen).context["rows"]) == number
            costs.append(len(queries))
        assert costs[1] == costs[2]

    def test_the_page_that_asks_about_groups_costs_the_same_for_many(self, scene, worker, office):
        page, costs = reverse("admin:applications_groupproposal_changelist"), []
        # Twice for one, since the first page also reads what is then remembered.
        for number in (1, 1, 4):
            groups = [GroupFactory(kindergarten=scene.group.kindergarten) for _group in range(number)]
            proposals = [
                places.propose_group(proposal_of(group, capacity=20), actor=worker, now=NOW)
                for group in groups
            ]
            chosen = {"action": "confirm_selected", "_selected_action": [one.pk for one in proposals]}
            with CaptureQueriesContext(connection) as queries:
                assert len(office.post(page, chosen).context["rows"]) == number
            costs.append(len(queries))
        assert costs[1] == costs[2]

    def test_a_declined_one_changes_nothing(self, scene, worker, office):
        count = self.count(scene, worker, children=25)
        office.post(work(count, "decline"), {"reason": "Қайта санаңыз"})
        count.refresh_from_db()
        assert (count.state, count.decision_reason) == (ProposalState.DECLINED, "Қайта санаңыз")
        assert over_promised(now=NOW) == []

    def test_a_kindergarten_confirms_nothing(self, scene, worker):
        count = self.count(scene, worker)
        proposal = places.propose_group(proposal_of(scene.group, capacity=20), actor=worker, now=NOW)
        for decide in (
            lambda: places.confirm_count(count, actor=worker, now=NOW),
            lambda: places.decline_count(count, actor=worker, reason="x", now=NOW),
            lambda: places.confirm_group(proposal, actor=worker, now=NOW),
            lambda: places.decline_group(proposal, actor=worker, reason="x", now=NOW),
        ):
            with pytest.raises(PermissionDenied):
                decide()

    def test_after_a_count_so_much_less_is_published(self, scene, desk, official):
        self.count(scene, official, children=20)
        draft = VacancyFactory(
            group=scene.group, seats_total=4, state=Vacancy.State.DRAFT, published_at=None,
            opens_at=NOW + timedelta(hours=2),
        )  # fmt: skip
        answer = press(desk, work(draft, "publish"))
        assert "3" in said(answer)
        drafts = Vacancy.objects.filter(pk=draft.pk, state=Vacancy.State.DRAFT)
        assert drafts.update(seats_total=3) == 1
        press(desk, work(draft, "publish"))
        assert not drafts.exists()
