"""A child moves to another group of its kindergarten, or back to the queue where its group closes."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import translation

from accounts.audit import journal_of
from applications.admin.work import page_of
from applications.closings import deciding, finishing
from applications.jobs.invariants import differences
from applications.models import Application, Bid, Contract, Event, Headcount, StopListEntry, Transfer
from applications.moves import Refused, write_event
from applications.places.enrolled import Stay, stays
from applications.places.occupancy import occupancies_of, over_promised, signed_contracts
from applications.queue.position import position
from applications.referrals import ending, issuing
from applications.referrals.leaving import end_contract
from applications.referrals.returning import return_to_queue
from applications.referrals.transferring import transfer, undo_transfer, undoable
from applications.refusals import Refusal
from applications.rosters import rosters
from applications.rules.transferring import why_not_suited
from applications.states import ApplicationState, Move, ProposalState, UndoKind
from applications.undoing import requests
from applications.undoing.leaving import take_back_leaving
from bulletin.models import Closing, Vacancy
from notifications.models import Notice
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import NOW
from tests.factories import ApplicationFactory, GroupFactory, VacancyFactory
from tests.staff import inside, official_of, press, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]

TODAY = NOW.date()
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("birth_year", "language", "is_agreed", "refusal"),
    [
        (2016, "kk", False, None),
        (2017, "kk", False, None),
        (2015, "kk", False, Refusal.OTHER_AGE),
        (2018, "kk", True, Refusal.OTHER_AGE),
        (2017, "ru", False, Refusal.LANGUAGE_NOT_AGREED),
        (2017, "ru", True, None),
    ],
)
def test_a_group_suits_by_age_and_another_language_by_consent(birth_year, language, is_agreed, refusal):
    found = why_not_suited(
        birth_year=birth_year,
        languages=["kk"],
        age_group="2-3",
        language=language,
        is_agreed=is_agreed,
        on=TODAY,
    )
    assert found == refusal


def test_a_child_was_where_it_came_to_until_it_moved_on():
    one, two, three = (NOW + HOUR * hours for hours in range(3))
    assert stays(1, signed_at=one, moves=[], ended_at=None) == [Stay(1, one, None)]
    assert stays(1, signed_at=one, moves=[(two, 2)], ended_at=three) == [
        Stay(1, one, two),
        Stay(2, two, three),
    ]
    assert stays(1, signed_at=one, moves=[(two, 2), (three, 1)], ended_at=None) == [
        Stay(1, one, two),
        Stay(2, two, three),
        Stay(1, three, None),
    ]


@pytest.fixture
def worker(scene):
    return worker_of(scene.group.kindergarten)


def signed(scene, application, worker, *, vacancy=None):
    write_event(application, Move.FILE, before="", actor=application.filed_by, now=application.filed_at)
    bid = place_bid(application, vacancy or scene.vacancy, actor=application.filed_by, now=NOW)
    return ending.sign_contract(issuing.activate_bid(bid, actor=worker, now=NOW), actor=worker, now=NOW)


def family(scene, **fields):
    birth = {"child__birth_date": scene.application.child.birth_date}
    return ApplicationFactory(locality=scene.locality, languages=["kk", "ru"], **birth | fields)


@pytest.fixture
def contract(scene, worker):
    return signed(scene, scene.application, worker)


@pytest.fixture
def other(scene):
    """Another group of the kindergarten, with room for one child."""
    return GroupFactory(kindergarten=scene.group.kindergarten, name="Балдырған", capacity=1)


def totals(*groups, at=NOW):
    """What each group holds this school year, as things stand."""
    found = occupancies_of(groups, now=at)
    return [next(one for one in found[group.pk] if one.concerns(2018)).total for group in groups]


def all_is_well():
    return [one for one in differences() if "may end at" not in one], over_promised(now=NOW)


def refusal_of(act):
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.reason


def test_the_child_is_in_the_new_group_and_its_place_is_free(scene, contract, other, worker):
    Vacancy.objects.update(state=Vacancy.State.CLOSED)
    assert totals(scene.group, other) == [1, 0]
    later = NOW + HOUR
    made = transfer(contract, target=other, reason="Туысы сол топта", actor=worker, now=later)
    contract = Contract.objects.get()
    assert (contract.group, made.source, made.target) == (other, scene.group, other)
    assert not Bid.objects.get().holds_seat
    assert Vacancy.objects.get().seats_taken == 0
    assert totals(scene.group, other) == [0, 1]
    assert signed_contracts([scene.group, other]) == {(other.pk, 2018): [later]}
    # Every list and page follows the contract's own group.
    sheet = rosters.enrolled(scene.group.kindergarten, Contract.objects.all(), reader=worker).first(9)
    assert [row[0] for row in sheet.rows] == ["Балдырған"]
    client = inside(worker)
    page = client.get(reverse("admin:applications_contract_changelist")).content.decode()
    assert ("Балдырған" in page, "Солнце" in page) == (True, False)
    notice = Notice.objects.get(kind="transferred")
    assert ("жаңа топ: Балдырған" in notice.text_kk, "новая группа: Балдырған" in notice.text_ru) == (
        True,
        True,
    )
    assert Event.objects.last().data["to"] == other.pk
    assert all_is_well() == ([], [])
    # It is full now: nobody else comes in, and nothing can be published there.
    second = signed(scene, family(scene), worker, vacancy=VacancyFactory(group=scene.group, opens_at=NOW))
    refused = refusal_of(lambda: transfer(second, target=other, reason="x", actor=worker, now=later))
    assert refused == Refusal.GROUP_FULL
    # When the child leaves, nothing of its old vacancy is given back twice, and the place is there again.
    end_contract(Contract.objects.get(pk=contract.pk), left_on=TODAY, reason="Көшті", actor=worker, now=later)
    assert totals(other) == [0]
    transfer(second, target=other, reason="x", actor=worker, now=later)
    assert refusal_of(
        lambda: take_back_leaving(Contract.objects.get(pk=contract.pk), actor=worker, now=later)
    ) == (Refusal.PLACE_GONE)
    undo_transfer(second, reason="Қате", actor=worker, now=later)
    take_back_leaving(Contract.objects.get(pk=contract.pk), actor=worker, now=later)
    assert (Contract.objects.get(pk=contract.pk).group, totals(other)) == (other, [1])
    assert all_is_well() == ([], [])


@pytest.mark.parametrize("held", ["published", "pending", "counted"])
def test_what_is_promised_in_the_new_group_is_nobody_elses(scene, contract, other, worker, held):
    if held == "counted":
        Headcount.objects.create(
            group=other,
            school_year=2018,
            children=1,
            counted_at=NOW,
            state=ProposalState.APPROVED,
            proposed_at=NOW,
            proposed_by=worker,
            decided_by=worker,
        )
    else:
        promised = VacancyFactory(group=other, seats_total=1, opens_at=NOW - HOUR)
        if held == "pending":
            application = family(scene)
            place_bid(application, promised, actor=application.filed_by, now=NOW)
            Vacancy.objects.filter(pk=promised.pk).update(state=Vacancy.State.CLOSED)
    before = totals(scene.group, other)
    assert refusal_of(lambda: transfer(contract, target=other, reason="x", actor=worker, now=NOW)) == (
        Refusal.GROUP_FULL
    )
    assert (Contract.objects.get().moved_to, Transfer.objects.exists(), totals(scene.group, other)) == (
        None,
        False,
        before,
    )


def test_counts_of_children_hold_who_was_there(scene, contract, other, worker):
    """A count from before the move holds the child in the old group alone; one from after it in the new one alone."""
    Vacancy.objects.update(state=Vacancy.State.CLOSED)
    other.capacity = 9
    other.save()

    def count(group, children, at):
        Headcount.objects.create(
            group=group,
            school_year=2018,
            children=children,
            counted_at=at,
            state=ProposalState.APPROVED,
            proposed_at=at,
            proposed_by=worker,
            decided_by=worker,
        )

    day = timedelta(days=1)
    moved = NOW + 2 * day
    count(scene.group, 5, NOW + day)
    count(other, 3, NOW + day)
    transfer(contract, target=other, reason="x", actor=worker, now=moved)
    assert totals(scene.group, other, at=moved) == [4, 4]
    # On the day of the move, too, the moment decides: counted before it, the child was still there.
    count(scene.group, 5, moved - HOUR)
    assert totals(scene.group, other, at=moved) == [4, 4]
    with transaction.atomic():
        count(scene.group, 4, moved)
        count(other, 4, moved)
        assert totals(scene.group, other, at=moved) == [4, 4]
        transaction.set_rollback(True)
    count(scene.group, 4, moved + day)
    count(other, 4, moved + day)
    assert totals(scene.group, other, at=moved + day) == [4, 4]
    # And back again: counted without it there, it comes on top.
    undo_transfer(contract, reason="x", actor=worker, now=moved + 2 * day)
    assert totals(scene.group, other, at=moved + 2 * day) == [5, 3]
    assert undoable(Contract.objects.get()) is None
    assert refusal_of(lambda: undo_transfer(contract, reason="x", actor=worker, now=moved + 3 * day)) == (
        Refusal.GONE_ON
    )


def test_who_comes_back_takes_its_own_place_unless_it_has_gone(scene, contract, other, worker):
    """Its vacancy is still in the bulletin: all its places are promised, and the freed one is the child's again."""
    scene.group.capacity = 2
    scene.group.save()
    transfer(contract, target=other, reason="x", actor=worker, now=NOW)
    scene.vacancy.refresh_from_db()
    assert (scene.vacancy.seats_taken, totals(scene.group, other)) == (0, [2, 1])
    with transaction.atomic():
        for _number in range(2):
            application = family(scene)
            place_bid(application, scene.vacancy, actor=application.filed_by, now=NOW)
        assert refusal_of(lambda: undo_transfer(contract, reason="x", actor=worker, now=NOW)) == (
            Refusal.GROUP_FULL
        )
        transaction.set_rollback(True)
    undo_transfer(contract, reason="x", actor=worker, now=NOW)
    assert (Contract.objects.get().moved_to, Bid.objects.get().holds_seat) == (None, True)
    assert totals(scene.group, other) == [2, 0]
    assert Notice.objects.filter(kind="transfer_undone").count() == 1
    assert all_is_well() == ([], [])
    # Whoever has moved holds no place on which a referral could stand again.
    assert refusal_of(
        lambda: requests.ask_to_undo(
            contract.referral.bid, kind=UndoKind.CONTRACT, reason="x", actor=worker, now=NOW
        )
    ) == (Refusal.GONE_ON)


def test_each_needs_a_reason(contract, other, worker):
    said = {"reason": " ", "actor": worker, "now": NOW}
    for act in (partial(transfer, target=other), undo_transfer, return_to_queue):
        assert refusal_of(lambda act=act: act(contract, **said)) == Refusal.REASON_MISSING


def test_a_group_that_does_not_suit_is_refused_whoever_asks(scene, contract, worker):
    senior = GroupFactory(kindergarten=scene.group.kindergarten, name="Үлкендер", age_group="5-6")
    said = {"reason": "x", "actor": worker, "now": NOW}
    for target, refusal in ((scene.group, Refusal.OTHER_GROUP_NEEDED), (senior, Refusal.OTHER_AGE)):
        assert refusal_of(lambda target=target: transfer(contract, target=target, **said)) == refusal


def close(scene, official, group):
    closing = Closing(
        kindergarten=group.kindergarten, group=group, cause="repair", reason="Су құбыры", starts_on=TODAY
    )
    closing = deciding.close(closing, actor=official, now=NOW)
    finishing.finish(closing, now=NOW)
    return closing


def test_a_closed_group_is_left_and_not_entered(scene, contract, other, worker):
    official = official_of(scene.locality)
    before = position(Application.objects.get(), now=NOW)
    assert before is None
    assert refusal_of(lambda: return_to_queue(contract, reason="x", actor=worker, now=NOW)) == (
        Refusal.NOT_CLOSED
    )
    close(scene, official, other)
    assert refusal_of(lambda: transfer(contract, target=other, reason="x", actor=worker, now=NOW)) == (
        Refusal.GROUP_CLOSED
    )
    close(scene, official, scene.group)
    third = GroupFactory(kindergarten=scene.group.kindergarten, name="Үшінші")
    with transaction.atomic():
        transfer(contract, target=third, reason="x", actor=worker, now=NOW)
        assert Contract.objects.get().group == third
        transaction.set_rollback(True)
    filed_at = scene.application.filed_at
    return_to_queue(contract, reason="Отбасының қалауы", actor=worker, now=NOW)
    application = Application.objects.get()
    assert (application.state, application.filed_at) == (ApplicationState.WAITING, filed_at)
    assert position(application, now=NOW).number == 1
    assert (application.interest_confirmed_at, StopListEntry.objects.count()) == (NOW, 0)
    assert "бұрынғы күнімен" in Notice.objects.get(kind="returned_to_queue").text_kk
    assert all_is_well() == ([], [])
    # A mistake is taken back once the group is open, not before.
    assert refusal_of(lambda: take_back_leaving(contract, actor=worker, now=NOW)) == Refusal.PLACE_GONE
    Closing.objects.update(state="reopened", ended_at=NOW, ended_by=official)
    Vacancy.objects.update(state=Vacancy.State.CLOSED)
    take_back_leaving(contract, actor=worker, now=NOW)
    assert Application.objects.get().state == ApplicationState.ENROLLED
    assert all_is_well() == ([], [])


def test_who_had_moved_returns_to_the_queue_from_the_group_where_it_is(scene, contract, other, worker):
    transfer(contract, target=other, reason="x", actor=worker, now=NOW)
    close(scene, official_of(scene.locality), other)
    return_to_queue(contract, reason="x", actor=worker, now=NOW)
    assert Application.objects.get().state == ApplicationState.WAITING
    assert all_is_well() == ([], [])


def test_who_has_filed_anew_has_no_number_to_return_to(scene, contract, worker):
    close(scene, official_of(scene.locality), scene.group)
    ApplicationFactory(child=scene.application.child, locality=scene.locality, filed_by=scene.parent)
    with transaction.atomic():
        assert refusal_of(lambda: return_to_queue(contract, reason="x", actor=worker, now=NOW)) == (
            Refusal.GONE_ON
        )
        transaction.set_rollback(True)
    assert Contract.objects.get().ended_at is None


def test_a_worker_moves_a_child_by_the_page(scene, contract, other, worker):
    """Groups of the child's age are offered, with their places; what changes is shown before; slips are explained."""
    stranger = GroupFactory(name="Бөтен")
    older = GroupFactory(kindergarten=scene.group.kindergarten, name="Үлкен", age_group="5-6")
    closed = GroupFactory(kindergarten=scene.group.kindergarten, name="Жабық")
    close(scene, official_of(scene.locality), closed)
    other.language = "uz"
    other.save()
    address = reverse("admin:applications_contract_work", args=[contract.pk, "transfer"])
    client = inside(worker)
    page = client.get(address)
    form = page.context["form"]
    assert list(form.fields["target"].queryset) == [other]
    assert "бос орын: 1" in form.fields["target"].label_from_instance(other)
    assert len(page.context["rows"]) == 5
    sent = {"target": other.pk, "reason": "Туысы сол топта"}
    for group in (stranger, older, closed, scene.group):
        assert client.post(address, {**sent, "target": group.pk}).context["form"].errors["target"]
    # A group whose place is in the bulletin has none to give: the page leads to the announcement that holds it.
    with transaction.atomic():
        held = VacancyFactory(group=other, seats_total=1, opens_at=NOW - HOUR)
        page = client.post(address, {**sent, "is_agreed": "on"})
        assert page.context["form"].errors["target"] == [Refusal.GROUP_FULL.at_work]
        assert "бос орын: 0" in page.context["form"].fields["target"].label_from_instance(other)
        assert f'<a href="{page_of(held)}">Балдырған; бос орын: 1</a>' in page.content.decode()
        transaction.set_rollback(True)
    assert client.post(address, sent).context["form"].errors["is_agreed"]
    effect = client.post(address, {**sent, "is_agreed": "on"}).context["effect"]
    # The place of the old group goes back to its announcement in the bulletin, which promises it already.
    assert ["2 → 2" in effect[0]["value"], "бюллетеньде" in effect[0]["value"]] == [True, True]
    assert ["0 → 1" in effect[1]["value"], "1 → 0" in effect[1]["value"], len(effect)] == [True, True, 4]
    with transaction.atomic():
        Vacancy.objects.update(state=Vacancy.State.CLOSED)
        told = client.post(address, {**sent, "is_agreed": "on"}).context["effect"][0]["value"]
        assert ["1 → 0" in told, "24 → 25" in told, "бюллетеньде" in told] == [True, True, False]
        transaction.set_rollback(True)
    assert (Transfer.objects.exists(), Bid.objects.get().holds_seat) == (False, True)
    press(client, address, {**sent, "is_agreed": "on", "confirmed": "yes"})
    assert Contract.objects.get().group == other
    # That the family agreed to the language can be proved later.
    assert Event.objects.get(move=Move.TRANSFER).data["is_agreed"] is True
    assert "agreed in writing" in told_in_journal(scene.parent)
    back = reverse("admin:applications_contract_work", args=[contract.pk, "undo-transfer"])
    assert client.get(back).status_code == 200
    family_page = scene.application.get_absolute_url()
    browser = inside_family(scene.parent)
    assert "Балдырған" in browser.get(family_page).content.decode()


def told_in_journal(parent):
    with translation.override("en"):
        return str(journal_of(parent).first().get_action_display())


def inside_family(parent):
    from django.test import Client

    browser = Client()
    browser.force_login(parent, backend="django.contrib.auth.backends.ModelBackend")
    return browser
