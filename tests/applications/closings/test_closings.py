"""A group or a kindergarten closes: nobody pays for it, nothing is given on, and a mistake can be undone."""

import re
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils.translation import gettext

from accounts.audit import history_of
from accounts.models import AuditEntry, Employee
from accounts.roles import Role
from applications.bidding.award import award_collected
from applications.bidding.ending import void_bid
from applications.bidding.obstacles import why_not_publish
from applications.bidding.offers import accept_offer, offer_to_the_next
from applications.bidding.publication import (
    close_vacancy,
    recall_vacancy,
    recalled_with_bids,
    void_recalled_bids,
)
from applications.closings import deciding, ending, finishing, moving
from applications.closings.finishing import overdue
from applications.closings.foreseen import foresee
from applications.closings.places import left_out
from applications.closings.touched import groups_of, touched_by
from applications.closings.workers import tell_workers
from applications.jobs.invariants import differences
from applications.models import (
    Application,
    Bid,
    Contract,
    Event,
    Headcount,
    Offer,
    Referral,
    StopListEntry,
    ToldOfClosing,
)
from applications.moves import Refused, write_event
from applications.places.occupancy import counted_without_contract, over_promised
from applications.places.with_room import groups_with_room
from applications.queue.position import position
from applications.referrals import ending as referral_ending
from applications.referrals import issuing
from applications.referrals.due import last_day_of
from applications.referrals.leaving import end_contract
from applications.referrals.returning import return_to_queue
from applications.referrals.transferring import transfer
from applications.refusals import Refusal
from applications.rules.closing import why_not_closed, why_not_moved
from applications.states import (
    LIVE_OFFERS,
    ApplicationState,
    BidState,
    Move,
    OfferState,
    ProposalState,
    ReferralState,
    UndoKind,
    state_after,
)
from applications.tasks import finish_closings
from applications.undoing import requests
from applications.undoing.leaving import take_back_leaving
from applications.waiting.filing import archive
from bulletin.closings import closing_of
from bulletin.models import Closing, Kindergarten, Vacancy
from children.models import Guardianship
from notifications.models import Mail, Message, Notice
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import NOW
from tests.factories import (
    ApplicationFactory,
    BidFactory,
    GroupFactory,
    KindergartenFactory,
    LocalityFactory,
    VacancyFactory,
)
from tests.shared import built_once
from tests.staff import employee, inside, official_of, press, worker_of
from tests.thorough import THOROUGH

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]

TODAY = NOW.date()
NEXT_DAY = NOW.replace(hour=0, minute=0) + timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
WAITING = ApplicationState.WAITING


@pytest.mark.parametrize(
    ("starts_on", "reopens_on", "refusal"),
    [
        (TODAY - timedelta(days=1), None, Refusal.CLOSES_IN_PAST),
        (TODAY, None, None),
        (TODAY, TODAY, Refusal.REOPENS_TOO_EARLY),
        (TODAY, TODAY + timedelta(days=1), None),
        (date(2022, 12, 31), None, None),
        (date(2022, 12, 31), date(2023, 1, 1), Refusal.DAY_TOO_FAR),
    ],
)
def test_it_closes_from_today_on_and_opens_later(starts_on, reopens_on, refusal):
    assert why_not_closed(starts_on, reopens_on, today=TODAY) == refusal


@pytest.fixture
def official(scene):
    return official_of(scene.locality)


def closing_for(scene, *, whole=False, **fields):
    """One that nobody has decided yet."""
    group = None if whole else scene.group
    return Closing(
        kindergarten=scene.group.kindergarten,
        group=group,
        **{"cause": "repair", "reason": "Су құбыры жарылды", "starts_on": TODAY} | fields,
    )


def closed(scene, official, *, now=NOW, **fields):
    closing = deciding.close(closing_for(scene, **fields), actor=official, now=now)
    finishing.finish(closing, now=now)
    return Closing.objects.get(pk=closing.pk)


def bid_of(application, vacancy):
    return place_bid(application, vacancy, actor=application.filed_by, now=NOW)


def family(scene, **fields):
    application = ApplicationFactory(
        locality=scene.locality,
        child__birth_date=scene.application.child.birth_date,
        languages=["kk", "ru"],
        **{"filed_at": scene.application.filed_at - timedelta(days=1)} | fields,
    )
    write_event(application, Move.FILE, before="", actor=application.filed_by, now=application.filed_at)
    return application


@pytest.fixture(scope="module")
def scene_once(scene_once, django_db_blocker):
    """With families that a closing touches: to bring them so far takes longer than most tests of it."""

    def build() -> SimpleNamespace:
        with time_machine.travel(NOW, tick=False):
            scene = scene_once()
            scene.families = build_families(scene)
            return scene

    with built_once(django_db_blocker, build) as scene:
        yield scene


@pytest.fixture
def families(scene):
    return scene.families


def build_families(scene):
    """One of each kind, in one group: a bid, a collected bid, an offer, a referral, a contract; and who lost."""
    worker = worker_of(scene.group.kindergarten)
    write_event(scene.application, Move.FILE, before="", actor=scene.parent, now=scene.application.filed_at)
    Vacancy.objects.filter(pk=scene.vacancy.pk).update(seats_total=4)
    scene.vacancy.refresh_from_db()
    of = SimpleNamespace(worker=worker)
    for kind in ("pending", "referred", "signed", "collected", "offered", "lost"):
        setattr(of, kind, family(scene))

    def bid(application, vacancy=scene.vacancy):
        return place_bid(application, vacancy, actor=application.filed_by, now=NOW)

    of.bid = bid(of.pending)
    of.referral = issuing.activate_bid(bid(of.referred), actor=worker, now=NOW)
    of.contract = referral_ending.sign_contract(
        issuing.activate_bid(bid(of.signed), actor=worker, now=NOW), actor=worker, now=NOW
    )
    collecting = VacancyFactory(
        group=scene.group,
        mode="queue_order",
        seats_total=1,
        opens_at=scene.vacancy.opens_at,
        closes_at=NOW + timedelta(days=2),
    )
    of.collected_bid = bid(of.collected, collecting)
    awarded = VacancyFactory(
        group=scene.group,
        mode="queue_order",
        seats_total=1,
        seats_taken=1,
        opens_at=scene.vacancy.opens_at,
        closes_at=NOW - timedelta(minutes=1),
        awarded_at=NOW - timedelta(minutes=1),
    )
    for application in (of.offered, of.lost):
        lost = BidFactory(
            application=application,
            vacancy=awarded,
            state=BidState.LOST,
            placed_at=NOW,
            placed_by=application.filed_by,
        )
        data = {"bid": str(lost.pk)}
        for move, before in ((Move.PLACE_BID, WAITING), (Move.LOSE_BID, ApplicationState.BID_PLACED)):
            application.state = state_after(move, before)
            write_event(application, move, before=before, actor=None, now=NOW, data=data)
    of.offer = Offer.objects.create(vacancy=awarded, freed_at=NOW)
    assert offer_to_the_next(of.offer, now=NOW)
    of.offer.refresh_from_db()
    # The earliest to have filed: two came at the same time.
    of.offered, of.lost = (
        (of.offered, of.lost) if of.offer.application == of.offered else (of.lost, of.offered)
    )
    return of


FALLEN = ("pending", "referred", "collected", "offered")


def numbers(scene):
    live = Application.objects.exclude(state=ApplicationState.ENROLLED)
    return {one.pk: position(one, now=NOW).number for one in live.select_related("locality")}


def interest():
    return dict(Application.objects.values_list("pk", "interest_confirmed_at"))


def told(application):
    return set(Notice.objects.filter(recipient=application.filed_by).values_list("kind", flat=True))


def all_is_well():
    return list(differences()), over_promised(now=NOW)


@pytest.mark.parametrize("whole", [False, True])
def test_it_costs_nobody_anything_and_gives_no_place_on(scene, families, official, whole):
    before = numbers(scene), interest()
    elsewhere = VacancyFactory(group=GroupFactory(kindergarten__locality=scene.locality), opens_at=NOW)
    closing = closed(scene, official, whole=whole)
    assert closing.finished_at == NOW
    for kind in FALLEN:
        application = Application.objects.get(pk=getattr(families, kind).pk)
        assert application.state == WAITING, kind
    assert (numbers(scene), interest()) == before
    assert not StopListEntry.objects.exists()
    kinds = [
        (families.pending, "bid_closed"),
        (families.collected, "bid_closed"),
        (families.offered, "offer_ended"),
    ]
    for application, kind in [
        *kinds,
        (families.referred, "referral_closed"),
        (families.signed, "group_closes"),
    ]:
        assert kind in told(application), kind
    assert Application.objects.get(pk=families.signed.pk).state == ApplicationState.ENROLLED
    notice = Notice.objects.get(recipient=families.pending.filed_by, kind="bid_closed")
    reader_of = {
        "bid_closed": "pending",
        "referral_closed": "referred",
        "offer_ended": "offered",
        "group_closes": "signed",
    }
    where = ("Бұл балабақша жабылады", "Этот детский сад закрывается") if whole else ("Бұл топ", "Эта группа")
    assert [where[0] in notice.text_kk, where[1] in notice.text_ru] == [True, True]
    # The cause is read in the reader's language; what the official typed is quoted as typed, and is no second cause.
    for kind in ("bid_closed", "referral_closed", "offer_ended", "group_closes"):
        text = Notice.objects.get(kind=kind, recipient=getattr(families, reader_of[kind]).filed_by)
        assert [text.text_kk.count("Негізі: жөндеу"), text.text_ru.count("Основание: ремонт")] == [1, 1], kind
        assert ["Себебі" in text.text_kk, "Причина" in text.text_ru] == [False, False], kind
        assert "пишет: Су құбыры жарылды" in text.text_ru, kind
    # Nothing is left to take there, and nobody else is offered what was held.
    ended = Vacancy.objects.filter(group=scene.group)
    assert set(ended.values_list("state", flat=True)) == {Vacancy.State.RECALLED}
    assert not Offer.objects.filter(state__in=LIVE_OFFERS).exists()
    draft = VacancyFactory(
        group=scene.group, state="draft", published_at=None, opens_at=NOW + timedelta(days=1)
    )
    assert Refusal.GROUP_CLOSED.at_work in [one.words for one in why_not_publish(draft, now=NOW)]
    assert scene.group not in groups_with_room(None, now=NOW)
    elsewhere.refresh_from_db()
    assert (elsewhere.state, closing_of(elsewhere.group)) == (Vacancy.State.PUBLISHED, None)
    assert [one.action for one in history_of(closing)] == ["closing_decided"]
    assert all_is_well() == ([], [])
    # Again: nothing more is done, and nobody is told twice.
    notices = Notice.objects.count()
    Closing.objects.update(finished_at=None)
    finishing.finish_all(now=NOW)
    assert (Notice.objects.count(), Closing.objects.get().finished_at) == (notices, NOW)


def test_nothing_begins_there_while_it_is_closed(scene, families, official):
    """What an employee or a family had begun before is refused, or ends without a penalty."""
    other = issuing.activate_bid(bid_of(family(scene), scene.vacancy), actor=families.worker, now=NOW)
    referral_ending.revoke_referral(other, actor=families.worker, reason="x", now=NOW)
    asked = requests.ask_to_undo(
        other.bid, kind=UndoKind.REVOCATION, reason="x", actor=families.worker, now=NOW
    )
    wrong = requests.ask_to_undo(
        families.contract.referral.bid, kind=UndoKind.CONTRACT, reason="x", actor=families.worker, now=NOW
    )
    closing = deciding.close(closing_for(scene), actor=official, now=NOW)
    # The run broke off here: the families are not handled yet.
    for act, refusal in (
        (lambda: issuing.activate_bid(families.bid, actor=families.worker, now=NOW), Refusal.GROUP_CLOSED),
        (
            lambda: referral_ending.sign_contract(families.referral, actor=families.worker, now=NOW),
            Refusal.GROUP_CLOSED,
        ),
        (
            lambda: accept_offer(families.offer, actor=families.offered.filed_by, now=NOW),
            Refusal.RECALLED,
        ),
        (lambda: requests.approve_undo(asked, actor=official, now=NOW), Refusal.PLACE_GONE),
        (lambda: requests.approve_undo(wrong, actor=official, now=NOW), Refusal.GROUP_CLOSED),
        (lambda: deciding.close(closing_for(scene), actor=official, now=NOW), Refusal.CLOSED_ALREADY),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.reason == refusal
    # Its last day passes before anybody is told: still no stop.
    referral_ending.expire_referral(families.referral, now=families.referral.valid_until)
    assert Referral.objects.get(pk=families.referral.pk).state == ReferralState.REVOKED
    assert not StopListEntry.objects.exists()
    finishing.finish_all(now=NOW)
    assert "referral_closed" in told(families.referred)
    # The place of a child who leaves is offered to nobody, though another family lost in its award.
    Vacancy.objects.filter(pk=families.contract.referral.bid.vacancy_id).update(
        state=Vacancy.State.CLOSED, mode="queue_order", closes_at=NOW, awarded_at=NOW
    )
    Bid.objects.filter(vacancy=families.offer.vacancy).update(vacancy=scene.vacancy)
    end_contract(families.contract, left_on=TODAY, reason="x", actor=families.worker, now=NOW)
    assert not Offer.objects.filter(state__in=LIVE_OFFERS).exists()
    assert closing == closing_of(scene.group)


def test_what_had_run_out_before_is_no_matter_of_the_closing(scene, families, official):
    """On the last microsecond of a referral it ends without a stop, and one later with it."""
    late = families.referral.valid_until
    closing = deciding.close(closing_for(scene, starts_on=scene.locality.day(late)), actor=official, now=late)
    finishing.finish(closing, now=late)
    assert Referral.objects.get(pk=families.referral.pk).state == ReferralState.ISSUED
    referral_ending.expire_referral(families.referral, now=late)
    assert StopListEntry.objects.get().referral == families.referral
    Closing.objects.update(decided_at=late - MICROSECOND)
    other = issuing.activate_bid(
        bid_of(
            family(scene),
            VacancyFactory(group__kindergarten__locality=scene.locality, opens_at=scene.vacancy.opens_at),
        ),
        actor=employee(Role.KINDERGARTEN),
        now=NOW,
    )
    assert other.valid_until == late
    Vacancy.objects.filter(pk=other.bid.vacancy_id).update(group=scene.group)
    referral_ending.expire_referral(Referral.objects.get(pk=other.pk), now=late)
    assert Referral.objects.get(pk=other.pk).state == ReferralState.REVOKED


def test_a_mistake_gives_everybody_back_what_they_had(scene, families, official):
    before = numbers(scene)
    closing = closed(scene, official)
    # Who has applied elsewhere since has gone on.
    elsewhere = VacancyFactory(group__kindergarten__locality=scene.locality, opens_at=scene.vacancy.opens_at)
    moved_on = place_bid(families.pending, elsewhere, actor=families.pending.filed_by, now=NOW)
    latest = NEXT_DAY - MICROSECOND
    with pytest.raises(Refused) as refused:
        ending.undo(closing, actor=official, reason="Қате", now=NEXT_DAY)
    assert refused.value.reason == Refusal.NOT_ALLOWED
    finishing.finish(ending.undo(closing, actor=official, reason="Қате", now=latest), now=latest)
    state_of = dict(Bid.objects.values_list("pk", "state"))
    assert (state_of[families.bid.pk], state_of[moved_on.pk]) == (BidState.VOID, BidState.PENDING)
    assert state_of[families.collected_bid.pk] == BidState.PENDING
    assert not Bid.objects.get(pk=families.collected_bid.pk).holds_seat
    referral = Referral.objects.get(pk=families.referral.pk)
    assert (referral.state, referral.valid_until >= families.referral.valid_until) == (
        ReferralState.ISSUED,
        True,
    )
    assert Application.objects.get(pk=families.referred.pk).state == ApplicationState.REFERRED
    # The offer looks for the next in the queue again; nobody gains by being fast.
    assert Offer.objects.get(state__in=LIVE_OFFERS).state == OfferState.SEEKING
    states = {one.pk: one.state for one in Vacancy.objects.filter(group=scene.group)}
    assert states[scene.vacancy.pk] == Vacancy.State.CLOSED
    assert states[families.collected_bid.vacancy_id] == Vacancy.State.PUBLISHED
    page = inside(official).get(reverse("admin:bulletin_closing_change", args=[closing.pk]))
    words = gettext(
        "Bids ended: %(bids)s; referrals ended: %(referrals)s; families with a contract told: %(told)s"
    )
    assert words % {"bids": 2, "referrals": 1, "told": 1} in page.content.decode()
    assert {"bid_returned"} <= told(families.collected)
    assert {"referral_returned"} <= told(families.referred)
    # It reads that nothing comes back; who got something back does not.
    assert children_told("closing_undone") == [families.pending.child_id]
    assert {"group_closes", "group_reopens"} <= told(families.signed)
    assert numbers(scene) == before
    assert not Closing.objects.filter(finished_at=None).exists()
    assert all_is_well() == ([], [])
    assert (
        why_not_publish(
            VacancyFactory.build(group=scene.group, opens_at=NOW + timedelta(days=2), seats_total=1),
            now=latest,
        )
        == []
    )


def test_places_that_stay_out_of_the_bulletin_are_named_and_published_anew(scene, families, official):
    """Before the undoing, exactly those that are out of it afterwards; until each is published anew."""
    closing = closed(scene, official)
    # Its four places were a bid, a referral, a contract, and one that nobody had; what is collected goes on.
    assert foresee(closing, now=NOW).stay_out == [(scene.vacancy, 1)]
    assert left_out(closing, now=NOW) == []
    client, page = inside(official), reverse("admin:bulletin_closing_change", args=[closing.pk])
    work = reverse("admin:bulletin_closing_work", args=[closing.pk, "mistake"])
    wrong = {"reason_kk": "Қате топ таңдалды", "reason_ru": "Выбрана не та группа"}
    assert "reason_ru" in client.post(work, wrong | {"reason_ru": ""}).context["form"].errors
    asked = client.post(work, wrong)
    effect = {str(row["label"]): str(row["value"]) for row in asked.context["effect"]}
    assert (
        f"{scene.group.name}: 1"
        in effect[gettext("Free places that do not come back to the bulletin, by group")]
    )
    for label, names in (
        (gettext("Bids that come back"), ("pending", "collected")),
        (gettext("Referrals that come back"), ("referred",)),
        (gettext("Without room: their bids or referrals do not come back"), ()),
    ):
        found = re.findall(r">([^<]+)</a>", effect[label])
        assert sorted(found) == sorted(getattr(families, name).number for name in names), label
    assert Closing.objects.get().state == Closing.State.RUNNING
    client.post(work, wrong | {"confirmed": "yes"})
    finishing.finish_all(now=NOW)
    closing.refresh_from_db()
    assert closing.end_reason == "Қате топ таңдалды / Выбрана не та группа"
    assert left_out(closing, now=NOW) == [(scene.vacancy, 1)]
    anew = f"{reverse('admin:bulletin_vacancy_add')}?copy={scene.vacancy.pk}"
    workers = inside(families.worker).get(page)
    assert [row["url"] for row in workers.context["left_out"]] == [anew]
    assert anew in workers.content.decode()
    read = client.get(page)
    assert anew not in read.content.decode()
    assert [(row["group"], row["free"]) for row in read.context["left_out"]] == [(scene.group, 1)]
    VacancyFactory(group=scene.group, state="draft", published_at=None, opens_at=NOW + timedelta(days=1))
    assert left_out(closing, now=NOW) == []


def test_a_worker_that_is_late_ends_no_bid_of_a_closing_that_was_undone(scene, families, official):
    closing = deciding.close(closing_for(scene), actor=official, now=NOW)
    ending.undo(closing, actor=official, reason="x", now=NOW)
    assert Vacancy.objects.get(pk=scene.vacancy.pk).state == Vacancy.State.RECALLED
    with pytest.raises(Refused) as caught:
        void_bid(families.bid, actor=None, reason="x", now=NOW)
    assert caught.value.reason == Refusal.BID_ENDED
    assert Bid.objects.get(pk=families.bid.pk).state == BidState.PENDING


def test_a_referral_that_stood_still_comes_back_with_the_days_it_had_then(scene, families, official):
    """Its last day was 03.07.2019; of Thursday and Friday, while it stood still, it loses none."""
    Referral.objects.filter(pk=families.referral.pk).update(held_since=NOW)
    friday = NOW + timedelta(days=2)
    closing = closed(scene, official, now=friday, starts_on=TODAY + timedelta(days=20))
    finishing.finish(ending.undo(closing, actor=official, reason="x", now=friday), now=friday)
    referral = Referral.objects.get(pk=families.referral.pk)
    assert (referral.state, last_day_of(referral)) == (ReferralState.ISSUED, date(2019, 7, 5))


def test_of_a_vacancy_that_is_no_longer_recalled_nothing_is_foreseen_and_nothing_comes(
    scene, families, official
):
    closing = closed(scene, official)
    Vacancy.objects.filter(group=scene.group).update(state=Vacancy.State.CLOSED)
    found = foresee(closing, now=NOW)
    assert [*found.bids, *found.referrals, *found.without_room, *found.elsewhere] == []
    finishing.finish(ending.undo(closing, actor=official, reason="x", now=NOW), now=NOW)
    assert not Bid.objects.filter(state=BidState.PENDING, vacancy__group=scene.group).exists()
    assert not Referral.objects.filter(state=ReferralState.ISSUED, bid__vacancy__group=scene.group).exists()


def _counted_by_a_worker(scene, families, official, *, children):
    Headcount.objects.create(
        group=scene.group,
        school_year=2018,
        children=children,
        counted_at=NOW,
        proposed_by=families.worker,
        proposed_at=NOW,
        state=ProposalState.APPROVED,
        decided_by=official,
        decided_at=NOW,
    )


# Room for the enrolled child, and for so many more: for none, for some and for all.
ROOM = range(6) if THOROUGH else (0, 2, 5)


@pytest.mark.parametrize(
    ("since", "more"), [*(("nothing", more) for more in ROOM), ("applied", 2), ("other language", 2)]
)
def test_what_is_foreseen_of_an_undoing_is_what_comes_of_it(scene, families, official, more, since):
    """Whose bid or referral comes back, for whom there is no room, what is offered on, and what is in the bulletin."""
    closing = closed(scene, official, starts_on=TODAY + timedelta(days=20))
    later = NOW + timedelta(hours=3)
    _counted_by_a_worker(scene, families, official, children=1)
    scene.group.capacity = 1 + more
    scene.group.save()
    if since == "applied":
        elsewhere = VacancyFactory(group=GroupFactory(kindergarten__locality=scene.locality), opens_at=NOW)
        place_bid(
            Application.objects.get(pk=families.referred.pk),
            elsewhere,
            actor=families.referred.filed_by,
            now=later,
        )
    elif since == "other language":
        Application.objects.filter(pk=families.pending.pk).update(languages=["en"])
    found = foresee(closing, now=later)
    finishing.finish(ending.undo(closing, actor=official, reason="x", now=later), now=later)
    for vacancy in recalled_with_bids():
        void_recalled_bids(vacancy, now=later)
    came_back = Bid.objects.filter(state=BidState.PENDING, vacancy__group=scene.group)
    assert {bid.pk for bid in found.bids} == set(came_back.values_list("pk", flat=True))
    valid = Referral.objects.filter(state=ReferralState.ISSUED, bid__vacancy__group=scene.group)
    assert {bid.pk for bid in found.referrals} == set(valid.values_list("bid", flat=True))
    touched = {families.bid.pk, families.referral.bid_id, families.collected_bid.pk}
    lost = {bid.pk for bid in (*found.without_room, *found.elsewhere)}
    assert lost == touched - {bid.pk for bid in (*found.bids, *found.referrals)}
    assert bool(found.elsewhere) == (since != "nothing")
    assert found.offers.total() == Offer.objects.filter(state__in=LIVE_OFFERS).count()
    published = Vacancy.objects.filter(group=scene.group, state=Vacancy.State.PUBLISHED)
    assert dict(found.shown) == {one: one.seats_free for one in published}
    assert found.told == Notice.objects.filter(kind="group_reopens").count() == 1
    assert all_is_well() == ([], [])


@pytest.mark.parametrize("is_closed_again", [False, True])
def test_nothing_is_foreseen_where_a_group_stays_closed_by_itself(scene, families, official, is_closed_again):
    closing = closed(scene, official, whole=True)
    if is_closed_again:
        Closing.objects.create(
            kindergarten=scene.group.kindergarten,
            group=scene.group,
            cause="repair",
            reason="x",
            starts_on=TODAY,
            decided_at=NOW,
            decided_by=official,
        )
    found = foresee(closing, now=NOW)
    assert (bool(found.bids), bool(found.referrals), bool(found.offers), bool(found.told)) == (
        (not is_closed_again,) * 4
    )
    assert len(found.without_room) == (3 if is_closed_again else 0)


def test_a_group_closed_by_itself_says_what_is_to_be_opened_before_it(scene, families, official):
    """Its own closing keeps its buttons, or says by a link why it has none; the group's page leads to both."""
    own = closed(scene, official, starts_on=TODAY + timedelta(days=9))
    whole = closed(scene, official, whole=True)
    client = inside(official)
    addresses = {one: reverse("admin:bulletin_closing_change", args=[one.pk]) for one in (own, whole)}
    page = client.get(addresses[own])
    assert [one["label"] for one in page.context["works"]] == [gettext("Change the days")]
    assert len(page.context["why_not"]) == 1
    assert Refusal.STILL_CLOSED.at_work in page.context["why_not"][0]
    assert addresses[whole] in page.context["why_not"][0]
    work = reverse("admin:bulletin_closing_work", args=[own.pk, "mistake"])
    refused = client.get(work, follow=True)
    assert Refusal.STILL_CLOSED.at_work in refused.content.decode()
    group = client.get(reverse("admin:bulletin_group_change", args=[scene.group.pk])).content.decode()
    assert all(address in group for address in addresses.values())
    # Who reads no closings is told the same, without a link.
    finishing.finish(ending.reopen(whole, actor=official, now=NOW), now=NOW)
    assert len(client.get(addresses[own]).context["works"]) == 3


@pytest.mark.parametrize("whole", [False, True])
def test_what_is_closed_already_is_said_before_anything_is_filled_in(scene, official, whole):
    closing = closed(scene, official, whole=whole)
    group = reverse("admin:bulletin_closing_of_group", args=[scene.group.pk])
    kindergarten = reverse("admin:bulletin_closing_of_kindergarten", args=[scene.group.kindergarten_id])
    for address in (group, kindergarten) if whole else (group,):
        for page in (inside(official).get(address), inside(official).post(address, {"cause": "repair"})):
            html = page.content.decode()
            assert reverse("admin:bulletin_closing_change", args=[closing.pk]) in html
            assert "starts_on" not in html
    if not whole:
        assert "starts_on" in inside(official).get(kindergarten).content.decode()


def test_a_closing_that_has_yet_to_begin_is_listed_as_such(scene, official, clock):
    first = TODAY + timedelta(days=9)
    closed(scene, official, starts_on=first)
    addresses = [
        reverse("admin:bulletin_closing_changelist"),
        reverse("admin:bulletin_group_change", args=[scene.group.pk]),
    ]
    ahead, since = ("акроется: 05.07.2019", "Группа закрыта с: 05.07.2019")
    assert first == date(2019, 7, 5)
    for day, listed in (
        (NOW + timedelta(days=8), (ahead, ahead)),
        (NOW + timedelta(days=9), (">закрыто<", since)),
    ):
        clock.move_to(day)
        for address, words in zip(addresses, listed, strict=True):
            html = inside(official).get(f"/ru{address}").content.decode()
            assert [one for one in (ahead, since, ">закрыто<") if one in html] == [words], (day, address)


def test_a_worker_who_can_not_be_told_holds_up_no_family(scene, families, official, monkeypatch):
    closing = deciding.close(closing_for(scene), actor=official, now=NOW)

    def broken(closing, *, now):
        raise RuntimeError("no address")

    with monkeypatch.context() as patch:
        patch.setattr(finishing, "tell_workers", broken)
        finishing.finish_all(now=NOW)
    assert not Bid.objects.filter(pk=families.pending.bids.get().pk, state=BidState.PENDING).exists()
    assert ToldOfClosing.objects.filter(closing=closing).count() == 1
    assert Closing.objects.get().finished_at is None
    finishing.finish_all(now=NOW)
    assert Closing.objects.get().finished_at == NOW


def test_the_workers_read_of_it_and_of_its_end(scene, official):
    """Once of each, with the reason and a link to its page; on their start page while it runs. No other does."""
    kindergarten = scene.group.kindergarten
    worker, other = worker_of(kindergarten), worker_of(GroupFactory().kindergarten)
    Employee.objects.update_or_create(user=worker, defaults={"email": "worker@example.org"})
    closing = closed(scene, official)
    Closing.objects.update(finished_at=None)
    finishing.finish_all(now=NOW)
    notice = Notice.objects.get(recipient=worker)
    assert (notice.kind, Mail.objects.filter(kind="staff_closing").count()) == ("staff_closing", 1)
    assert closing.reason in notice.text_kk
    assert notice.link.endswith(reverse("admin:bulletin_closing_change", args=[closing.pk]))
    listed = f"{reverse('admin:bulletin_closing_changelist')}?state__exact=running"
    assert listed in inside(worker).get(reverse("admin:index")).content.decode()
    assert listed not in inside(other).get(reverse("admin:index")).content.decode()
    finishing.finish(ending.undo(closing, actor=official, reason="Қате топ таңдалды", now=NOW), now=NOW)
    over = Notice.objects.get(recipient=worker, kind="staff_closing_over")
    assert ["Қате топ таңдалды" in over.text_kk, "опубликуйте их заново" in over.text_ru] == [True, True]
    assert listed not in inside(worker).get(reverse("admin:index")).content.decode()
    whole = closed(scene, official, whole=True)
    finishing.finish(ending.reopen(whole, actor=official, now=NOW), now=NOW)
    again = Notice.objects.filter(recipient=worker, kind="staff_closing_over").exclude(pk=over.pk).get()
    assert "Балабақша қайта ашылды" in again.text_kk
    assert not Notice.objects.filter(recipient__in=(other, official)).exists()
    # Whoever handles the closing may be slower than its end: of what was undone nobody reads that it closes.
    slow = deciding.close(closing_for(scene), actor=official, now=NOW)
    ending.undo(slow, actor=official, reason="Қате топ таңдалды", now=NOW)
    before = Notice.objects.filter(recipient=worker).count()
    tell_workers(slow, now=NOW)
    assert Notice.objects.filter(recipient=worker).count() == before


def test_a_group_that_opens_again_takes_places_and_gives_nothing_back(scene, families, official):
    one = closed(scene, official)
    whole = closed(scene, official, whole=True)
    with pytest.raises(Refused) as refused:
        ending.reopen(one, actor=official, reason="x", now=NEXT_DAY)
    assert refused.value.reason == Refusal.STILL_CLOSED
    finishing.finish(ending.reopen(whole, actor=official, reason="Жөндеу бітті", now=NEXT_DAY), now=NEXT_DAY)
    assert closing_of(scene.group) == one
    # Its own closing goes on: nobody is told that it is open.
    assert not Notice.objects.filter(kind="group_reopens").exists()
    finishing.finish(ending.reopen(one, actor=official, reason="Жөндеу бітті", now=NEXT_DAY), now=NEXT_DAY)
    assert closing_of(scene.group) is None
    assert Application.objects.get(pk=families.pending.pk).state == WAITING
    assert Notice.objects.filter(kind="group_reopens").count() == 1
    assert all_is_well() == ([], [])


def test_what_comes_back_is_no_more_than_the_group_has_room_for(scene, families, official):
    """The first day may be weeks ahead: children have come to the group meanwhile."""
    second = bid_of(family(scene), families.collected_bid.vacancy)
    Vacancy.objects.filter(pk=second.vacancy_id).update(seats_total=2)
    closing = closed(scene, official, starts_on=TODAY + timedelta(days=20))
    # Room for the enrolled child, for who had a referral or a bid, and for one more.
    scene.group.capacity = 4
    scene.group.save()
    later = NOW + timedelta(days=3)
    _counted_by_a_worker(scene, families, official, children=1)
    finishing.finish(ending.undo(closing, actor=official, reason="x", now=later), now=later)
    assert over_promised(now=later) == []
    awarding = Vacancy.objects.get(pk=second.vacancy_id)
    given = award_collected(awarding, now=awarding.closes_at or later)
    # To a number, or to who was offered a place: whichever vacancy comes first.
    assert given + Offer.objects.filter(state__in=LIVE_OFFERS).count() == 1
    assert all_is_well() == ([], [])


def test_what_is_collected_lasts_longer_by_what_it_was_closed(scene, families, official):
    before = families.collected_bid.vacancy.closes_at
    closing = closed(scene, official, starts_on=TODAY + timedelta(days=20))
    at = NOW + timedelta(days=4) - timedelta(seconds=30)
    finishing.finish(ending.undo(closing, actor=official, reason="x", now=at), now=at)
    vacancy = Vacancy.objects.get(pk=families.collected_bid.vacancy_id)
    assert (vacancy.state, vacancy.closes_at) == (Vacancy.State.PUBLISHED, before + timedelta(days=4))
    newest = history_of(vacancy).first()
    assert (newest.action, newest.actor, newest.reason) == ("vacancy_returned", official, "x")


def test_what_was_recalled_or_closed_by_hand_before(scene, families, official):
    """A referral stays valid at a recall by hand; the closing ends it, and its undoing gives it back."""
    close_vacancy(families.bid.vacancy, actor=families.worker, now=NOW)
    other = VacancyFactory(group=scene.group, opens_at=scene.vacancy.opens_at)
    referral = issuing.activate_bid(bid_of(family(scene), other), actor=families.worker, now=NOW)
    recall_vacancy(other, actor=families.worker, reason="x", now=NOW)
    later = NOW + timedelta(minutes=5)
    closing = closed(scene, official, now=later)
    assert Referral.objects.get(pk=referral.pk).state == ReferralState.REVOKED
    finishing.finish(ending.undo(closing, actor=official, reason="x", now=later), now=later)
    assert Referral.objects.get(pk=referral.pk).state == ReferralState.ISSUED
    vacancies = dict(Vacancy.objects.values_list("pk", "state"))
    assert vacancies[other.pk] == Vacancy.State.RECALLED
    first = Vacancy.objects.get(pk=families.bid.vacancy_id)
    assert (first.state, first.ended_at) == (Vacancy.State.CLOSED, NOW)
    assert all_is_well() == ([], [])


def test_who_took_its_number_back_reads_how_the_contract_can_go_on(scene, families, official):
    closing = closed(scene, official)
    return_to_queue(families.contract, reason="x", actor=families.worker, now=NOW)
    finishing.finish(ending.undo(closing, actor=official, reason="x", now=NOW), now=NOW)
    assert not {"group_reopens"} & told(families.signed)
    notice = Notice.objects.get(kind="closing_undone", about=families.signed.child_id)
    assert ("шартты жалғастыру" in notice.text_kk, "договор может быть продолжен" in notice.text_ru) == (
        True,
        True,
    )
    # So it can, as the notice says.
    bid = families.contract.referral.bid
    asked = requests.ask_to_undo(bid, kind=UndoKind.LEAVING, reason="x", actor=families.worker, now=NOW)
    requests.approve_undo(asked, actor=official, now=NOW)
    assert Application.objects.get(pk=families.signed.pk).state == ApplicationState.ENROLLED
    assert all_is_well() == ([], [])


@pytest.mark.parametrize("is_undone", [False, True])
def test_it_closes_again_while_an_undoing_is_unfinished(scene, families, official, is_undone):
    """What had come back ends by the new closing, and nothing more comes back, unless that is undone, too."""
    first = ending.undo(closed(scene, official), actor=official, reason="x", now=NOW)
    ending._restore(families.bid, first, now=NOW)
    again = closed(scene, official)
    finishing.finish_all(now=NOW)
    states = set(Vacancy.objects.filter(group=scene.group).values_list("state", flat=True))
    assert states == {Vacancy.State.RECALLED}
    assert not touched_by(again).bids.exists()
    assert not touched_by(again).referrals.exists()
    assert not Closing.objects.filter(finished_at=None).exists()
    assert all_is_well() == ([], [])
    # Whom the first had not reached reads that nothing comes back now.
    lost = sorted(getattr(families, name).child_id for name in ("referred", "collected"))
    assert children_told("closing_undone") == lost
    if not is_undone:
        finishing.finish(ending.reopen(again, actor=official, now=NOW), now=NOW)
        assert touched_by(again).bids.count() == touched_by(again).referrals.count() == 0
        return
    # That one was a mistake, too: what it ended comes back, and what the first had not given back.
    finishing.finish(ending.undo(again, actor=official, reason="x", now=NOW), now=NOW)
    came_back = Bid.objects.filter(
        pk__in=(families.bid.pk, families.collected_bid.pk), state=BidState.PENDING
    )
    assert came_back.count() == 2
    assert Referral.objects.get(pk=families.referral.pk).state == ReferralState.ISSUED
    assert Offer.objects.get(state__in=LIVE_OFFERS).state == OfferState.SEEKING
    collecting = Vacancy.objects.get(pk=families.collected_bid.vacancy_id)
    assert collecting.state == Vacancy.State.PUBLISHED
    again.refresh_from_db()
    assert left_out(again, now=NOW) == [(scene.vacancy, 1)]
    assert children_told("closing_undone") == lost
    assert all_is_well() == ([], [])


def test_who_lost_its_place_by_the_last_closing_gets_it_back_first(scene, families, official):
    """The first closing had told a family that nothing comes back, and its place went to another."""
    first = closed(scene, official)
    Vacancy.objects.filter(pk=scene.vacancy.pk).update(seats_total=2)
    first = ending.undo(first, actor=official, reason="x", now=NOW)
    Bid.objects.filter(pk=families.bid.pk).update(placed_at=NOW + timedelta(minutes=1))
    ending._restore(families.bid, first, now=NOW)
    assert Bid.objects.get(pk=families.bid.pk).state == BidState.PENDING
    again = closed(scene, official)
    assert next(bid.pk for bid, _had in ending.bids_ended_by(again)) == families.bid.pk
    finishing.finish_all(now=NOW)
    finishing.finish(ending.undo(again, actor=official, reason="x", now=NOW), now=NOW)
    assert Bid.objects.get(pk=families.bid.pk).state == BidState.PENDING
    assert Referral.objects.get(pk=families.referral.pk).state == ReferralState.REVOKED
    assert all_is_well() == ([], [])


def test_after_it_has_opened_again_a_contract_ended_by_mistake_goes_on(scene, families, official):
    closing = closed(scene, official)
    finishing.finish(ending.reopen(closing, actor=official, now=NOW), now=NOW)
    end_contract(families.contract, left_on=TODAY, reason="x", actor=families.worker, now=NOW)
    scene.group.capacity = 1
    scene.group.save()
    promised = VacancyFactory(group=scene.group, seats_total=1, opens_at=NOW + timedelta(days=1))
    with pytest.raises(Refused) as refused:
        take_back_leaving(families.contract, actor=families.worker, now=NOW)
    assert refused.value.reason == Refusal.PLACE_GONE
    promised.delete()
    take_back_leaving(families.contract, actor=families.worker, now=NOW)
    families.contract.refresh_from_db()
    assert (families.contract.ended_at, all_is_well()) == (None, ([], []))


def enrolled(scene, families, **fields):
    """A contract with another family, at the same place."""
    bid = bid_of(family(scene, **fields), scene.vacancy)
    referral = issuing.activate_bid(bid, actor=families.worker, now=NOW)
    return referral_ending.sign_contract(referral, actor=families.worker, now=NOW)


def children_told(kind):
    return sorted(Notice.objects.filter(kind=kind).values_list("about", flat=True))


def test_a_guardian_of_two_children_is_told_of_both(scene, families, official):
    parent = families.signed.filed_by
    second = enrolled(scene, families, filed_by=parent)
    closing = closed(scene, official)
    both = sorted([families.signed.child_id, second.referral.application.child_id])
    assert children_told("group_closes") == both
    finishing.finish(ending.reopen(closing, actor=official, now=NOW), now=NOW)
    assert children_told("group_reopens") == both


def test_nobody_is_told_of_a_closing_that_is_over_or_is_not_theirs(scene, families, official):
    """Whoever handles the families of a closing may be slower than its end, or than a child that moves on."""
    Vacancy.objects.filter(pk=scene.vacancy.pk).update(seats_total=5)
    moved = enrolled(scene, families)
    other = GroupFactory(kindergarten=scene.group.kindergarten, age_group=scene.group.age_group, name="other")
    closing = deciding.close(closing_for(scene), actor=official, now=NOW)
    late = Referral.objects.get(pk=families.referral.pk)
    transfer(moved, target=other, reason="x", is_agreed=True, actor=families.worker, now=NOW)
    deciding._tell(moved, closing, now=NOW)
    deciding._tell(families.contract, closing, now=NOW)
    ended = ending.reopen(closing, actor=official, now=NOW)
    finishing.finish(ended, now=NOW)
    deciding._tell(families.contract, closing, now=NOW)
    assert not referral_ending.close_referral(late, closing, now=NOW)
    assert (children_told("group_closes"), children_told("group_reopens")) == (
        [families.signed.child_id],
    ) * 2
    # Nor is it told at first that it closes, once that was undone.
    again = deciding.close(closing_for(scene), actor=official, now=NOW)
    finishing.finish(ending.undo(again, actor=official, reason="x", now=NOW), now=NOW)
    deciding._tell(families.contract, again, now=NOW)
    assert Notice.objects.filter(kind="group_closes").count() == 1
    # Told of the closing of its first group, which opens again after it has moved.
    third = closed(scene, official)
    transfer(families.contract, target=other, reason="x", is_agreed=True, actor=families.worker, now=NOW)
    finishing.finish(ending.reopen(third, actor=official, now=NOW), now=NOW)
    assert Notice.objects.filter(kind="group_reopens").count() == 1
    assert Closing.objects.filter(finished_at=None).count() == 0


def test_only_an_official_of_the_place_closes_it(scene, families, official):
    """By the page: first whom it touches, by kind and name; then it is done. A worker reads it, and no more."""
    address = reverse("admin:bulletin_closing_of_group", args=[scene.group.pk])
    for other, status in ((families.worker, 403), (official_of(LocalityFactory(slug="far")), 404)):
        assert inside(other).get(address).status_code == status
        with pytest.raises(PermissionDenied):
            deciding.close(closing_for(scene), actor=other, now=NOW)
    sent = {"cause": "licence", "starts_on": "2019-07-01", "reopens_on": ""}
    sent |= {"reason_kk": "Лицензия тоқтатылды", "reason_ru": "Лицензия приостановлена"}
    client = inside(official)
    page = client.post(address, sent)
    effect = {str(row["label"]): str(row["value"]) for row in page.context["effect"]}
    assert effect[gettext("Bids that end")].startswith("2<ul>")
    assert families.pending.number in effect[gettext("Bids that end")]
    assert families.pending.child.last_name in effect[gettext("Bids that end")]
    for label, of in (
        (gettext("Referrals that end"), "referred"),
        (gettext("Enrolled children whose families are told"), "signed"),
    ):
        assert effect[label].startswith(f"1<ul><li>{getattr(families, of).number}")
    # However many they are, all are named, those past the first few behind a heading.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("applications.admin.closings.NAMED", 1)
        every_name = client.post(address, sent).content.decode()
    ended = (
        Bid.objects.filter(state=BidState.PENDING)
        .select_related("application__child")
        .order_by("placed_at", "pk")
    )
    first, second = (f"{bid.application.number} {bid.application.child.last_name}" for bid in ended)
    assert re.search(
        f"2<ul><li>{first}.*<details><summary>Қалғандары: 1</summary><ul><li>{second}", every_name
    )
    # The portal can't tell those who came another way.
    uncounted = gettext("Children counted there without a contract here: call their families yourselves")
    assert effect[uncounted] == "0"
    Headcount.objects.create(
        group=scene.group,
        school_year=2018,
        children=23,
        counted_at=NOW,
        state=ProposalState.APPROVED,
        proposed_at=NOW,
        proposed_by=families.worker,
        decided_by=official,
        decided_at=NOW,
    )
    page = client.post(address, sent)
    assert {str(row["label"]): row["value"] for row in page.context["effect"]}[uncounted] == 22
    # What has run out before ends by itself.
    Referral.objects.filter(pk=families.referral.pk).update(
        issued_at=NOW - timedelta(days=9), valid_until=NOW - MICROSECOND
    )
    page = client.post(address, sent)
    assert {str(row["label"]): row["value"] for row in page.context["effect"]}[
        gettext("Referrals that end")
    ] == "0"
    Referral.objects.filter(pk=families.referral.pk).update(valid_until=families.referral.valid_until)
    assert not Closing.objects.exists()
    assert AuditEntry.objects.filter(action="roster_taken", actor=official).exists()
    # Everything that is to be mended is said at once. Whom to call is the kindergarten, by the number of its page.
    Kindergarten.objects.update(phone="+77273397222")
    wrong = {"starts_on": "2019-06-25", "reason_kk": "Су құбыры жарылды: 8 701 123 45 67"}
    wrong["reason_ru"] = "Прорвало трубу " * 10
    errors = client.post(address, {**sent, **wrong}).context["form"].errors
    assert {*errors} == {"starts_on", "reason_kk", "reason_ru"}
    page = client.post(address, {**sent, "reason_kk": "Су құбыры жарылды: 8 (727) 339-72-22"})
    assert page.context["effect"]
    done = press(client, address, {**sent, "confirmed": "yes"})
    closing = Closing.objects.get()
    # The press decides; a worker handles the families.
    assert (closing.group, closing.cause, ToldOfClosing.objects.count()) == (scene.group, "licence", 0)
    later = closing.decided_at + timedelta(hours=1)
    assert [list(overdue(now=at)) for at in (later - MICROSECOND, later)] == [[], [closing]]
    finish_closings()
    assert (ToldOfClosing.objects.count(), list(overdue(now=later))) == (1, [])
    assert done is not None
    group_page = client.get(reverse("admin:bulletin_group_change", args=[scene.group.pk])).content.decode()
    assert address not in group_page
    assert (
        client.get(reverse("bulletin:kindergarten", args=[scene.group.kindergarten.slug])).status_code == 200
    )
    work = reverse("admin:bulletin_closing_work", args=[closing.pk, "reopen"])
    assert inside(families.worker).get(work).status_code == 403
    press(client, work, {"reason_kk": "Лицензия қайтарылды", "reason_ru": "Лицензия возвращена"})
    assert Closing.objects.get().state == Closing.State.REOPENED


def test_the_official_may_be_a_guardian_of_a_child_there(scene, families, official):
    """It is no decision about that family: its referral ends like the others, in nobody's name."""
    Guardianship.objects.filter(child=families.referred.child).update(user=official)
    closed(scene, official)
    event = Event.objects.get(application=families.referred, move=Move.REVOKE_REFERRAL)
    assert event.actor is None
    touched = touched_by(Closing.objects.get())
    assert not touched.referrals.exists()


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("before", "after", "refusal"),
    [
        ((TODAY + DAY, None), (TODAY + DAY, None), Refusal.SAME_DAYS),
        ((TODAY + DAY, None), (TODAY, None), None),
        ((TODAY + DAY, None), (TODAY - DAY, None), Refusal.CLOSES_IN_PAST),
        ((TODAY, None), (TODAY + DAY, None), Refusal.CLOSED_SINCE),
        ((TODAY - DAY, None), (TODAY - DAY, TODAY + DAY), None),
        ((TODAY - DAY, TODAY), (TODAY - DAY, TODAY - DAY), Refusal.REOPENS_TOO_EARLY),
        ((TODAY - 9 * DAY, None), (TODAY - 9 * DAY, TODAY - DAY), Refusal.REOPENS_IN_PAST),
        ((TODAY - 9 * DAY, TODAY + DAY), (TODAY - 9 * DAY, TODAY), Refusal.REOPENS_IN_PAST),
        ((TODAY - 9 * DAY, TODAY + DAY), (TODAY - 9 * DAY, None), None),
        ((TODAY + DAY, TODAY + 2 * DAY), (TODAY + 2 * DAY, TODAY + 2 * DAY), Refusal.REOPENS_TOO_EARLY),
    ],
)
def test_the_first_day_moves_until_it_has_begun(before, after, refusal):
    assert why_not_moved(before, after, today=TODAY) == refusal


def test_other_days_of_an_announced_closing_are_told_again(scene, families, official):
    """To the families and the workers, once of each change; nothing else happens to anybody."""
    first = TODAY + timedelta(days=10)
    closing = closed(scene, official, starts_on=first)
    work = reverse("admin:bulletin_closing_work", args=[closing.pk, "days"])
    client, later = inside(official), {"starts_on": "2019-07-16", "reopens_on": "2019-09-02"}
    effect = client.post(work, later).context["effect"]
    assert [str(row["value"]) for row in effect] == ["06.07.2019 → 16.07.2019", "— → 02.09.2019", "1"]
    assert Closing.objects.get().starts_on == first
    assert "starts_on" in client.post(work, later | {"starts_on": "2019-06-25"}).context["form"].errors
    press(client, work, later | {"confirmed": "yes"})
    moved = Closing.objects.get()
    assert (moved.starts_on, moved.reopens_on) == (date(2019, 7, 16), date(2019, 9, 2))
    assert history_of(moved).first().reason == "06.07.2019–… → 16.07.2019–02.09.2019"
    for _again in range(2):
        finishing.finish_all(now=NOW + timedelta(minutes=2))
        Closing.objects.update(finished_at=None)
    told_days = Notice.objects.filter(kind="group_closes", recipient=families.signed.filed_by)
    assert told_days.count() == 2
    newest = told_days.get(text_kk__contains="16.07.2019")
    assert "Дни закрытия" in newest.text_ru
    # From which days, to whoever knew them: not in the words of a new closing.
    assert "Закрывается с: 16.07.2019 (раньше сообщалось: 06.07.2019)." in newest.text_ru
    assert "Открыться планирует: 02.09.2019 (раньше сообщалось: неизвестно)." in newest.text_ru
    sms = Message.objects.filter(kind="group_closes", recipient=families.signed.filed_by).order_by(
        "created_at"
    )
    assert [("06.07.2019 → 16.07.2019" in one.text, "жабылады" in one.text) for one in sms] == [
        (False, True),
        (True, False),
    ]
    workers = Notice.objects.filter(kind="staff_closing", text_ru__contains="Дни закрытия изменены")
    assert "06.07.2019–… → 16.07.2019–02.09.2019" in workers.get(recipient=families.worker).text_ru
    assert Application.objects.get(pk=families.pending.pk).state == WAITING
    assert inside(families.worker).get(work).status_code == 403
    finishing.finish(ending.undo(moved, actor=official, reason="x", now=NOW), now=NOW)
    assert client.get(work).status_code == 302
    assert all_is_well() == ([], [])


def test_of_days_that_moved_twice_a_family_reads_those_that_it_was_told(scene, families, official):
    """The second change came before anybody was told of the first."""
    closing = closed(scene, official, starts_on=date(2019, 7, 10), reopens_on=date(2019, 9, 1))
    for at, first in ((1, 12), (2, 15)):
        moving.move_days(
            closing,
            starts_on=date(2019, 7, first),
            reopens_on=date(2019, 9, 1),
            actor=official,
            now=NOW + timedelta(minutes=at),
        )
    finishing.finish_all(now=NOW + timedelta(minutes=3))
    told_days = Notice.objects.filter(kind="group_closes", recipient=families.signed.filed_by)
    newest = told_days.get(text_ru__contains="изменились")
    assert "Закрывается с: 15.07.2019 (раньше сообщалось: 10.07.2019)." in newest.text_ru
    assert "Открыться планирует: 01.09.2019." in newest.text_ru


def test_who_was_counted_without_a_contract_costs_three_statements(
    scene, families, official, django_assert_num_queries
):
    """Of however many groups; by the newest count of each, and by the group in which a child was then."""
    other = GroupFactory(kindergarten=scene.group.kindergarten, age_group=scene.group.age_group, name="other")
    transfer(families.contract, target=other, reason="x", is_agreed=True, actor=families.worker, now=NOW)
    for group, children, year in ((scene.group, 9, 2017), (scene.group, 4, 2018), (other, 3, 2018)):
        Headcount.objects.create(
            group=group,
            school_year=year,
            children=children,
            counted_at=NOW,
            state=ProposalState.APPROVED,
            proposed_at=NOW,
            proposed_by=families.worker,
            decided_by=official,
            decided_at=NOW,
        )
    with django_assert_num_queries(3):
        assert without_contract(scene, whole=True) == 4 + (3 - 1)
    assert without_contract(scene) == 4


def without_contract(scene, *, whole=False):
    return counted_without_contract(groups_of(closing_for(scene, whole=whole)), year=2018)


def test_a_child_who_moved_or_left_is_of_those_whom_a_count_before_held(scene, families, official):
    """Who came after the count was not in it, so it is not one of the children counted there."""
    other = GroupFactory(kindergarten=scene.group.kindergarten, age_group=scene.group.age_group, name="other")
    for group in (scene.group, other):
        Headcount.objects.create(
            group=group, school_year=2018, children=4, counted_at=NOW, state=ProposalState.APPROVED,
            proposed_at=NOW, proposed_by=families.worker, decided_by=official, decided_at=NOW,
        )  # fmt: skip
    later = NOW + timedelta(minutes=1)
    assert without_contract(scene, whole=True) == 3 + 4
    transfer(families.contract, target=other, reason="x", is_agreed=True, actor=families.worker, now=later)
    assert without_contract(scene, whole=True) == 3 + 4
    contract = Contract.objects.get(pk=families.contract.pk)
    end_contract(contract, left_on=TODAY, reason="x", actor=families.worker, now=later)
    assert without_contract(scene, whole=True) == 3 + 4


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [({"reason": " "}, Refusal.REASON_MISSING), ({"starts_on": TODAY - DAY}, Refusal.CLOSES_IN_PAST)],
)
def test_a_closing_that_can_not_be_is_refused_with_the_reason(scene, official, fields, refusal):
    with pytest.raises(Refused) as refused:
        deciding.close(closing_for(scene, **fields), actor=official, now=NOW)
    assert (refused.value.reason, Closing.objects.count()) == (refusal, 0)


def test_a_mistake_needs_a_reason_and_nobody_else_than_an_official_ends_it(scene, families, official):
    closing = closed(scene, official)
    with pytest.raises(Refused) as refused:
        ending.undo(closing, actor=official, reason=" ", now=NOW)
    assert refused.value.reason == Refusal.REASON_MISSING
    for actor in (families.worker, official_of(LocalityFactory(slug="far"))):
        with pytest.raises(PermissionDenied):
            ending.undo(closing, actor=actor, reason="x", now=NOW)
    assert Closing.objects.get().state == Closing.State.RUNNING


@pytest.fixture
def meanwhile(monkeypatch):
    """Let something happen while a worker waits for the lock of a family."""

    def happens(module, application, act):
        lock = module.lock_application

        def wait(pk):
            if pk == application.pk:
                monkeypatch.setattr(module, "lock_application", lock)
                act()
            return lock(pk)

        monkeypatch.setattr(module, "lock_application", wait)

    return happens


def test_a_child_that_has_left_meanwhile_is_told_neither_of_the_closing_nor_of_its_end(
    scene, families, official, meanwhile
):
    closing = deciding.close(closing_for(scene), actor=official, now=NOW)

    def leave():
        end_contract(families.contract, left_on=TODAY, reason="x", actor=families.worker, now=NOW)

    meanwhile(deciding, families.signed, leave)
    finishing.finish(closing, now=NOW)
    assert not ToldOfClosing.objects.exists()
    assert "group_closes" not in told(families.signed)
    # Told, and gone before the end of the closing.
    ToldOfClosing.objects.create(closing=closing, contract=families.contract, told_at=NOW)
    finishing.finish(ending.reopen(closing, actor=official, now=NOW), now=NOW)
    assert not {"group_reopens", "closing_undone"} & told(families.signed)


def test_two_workers_tell_of_the_end_once(scene, families, official, meanwhile):
    ended = ending.reopen(closed(scene, official), actor=official, now=NOW)
    meanwhile(ending, families.signed, lambda: finishing.finish(ended, now=NOW))
    finishing.finish(ended, now=NOW)
    assert children_told("group_reopens") == [families.signed.child_id]


def test_two_workers_give_back_once(scene, families, official, meanwhile):
    """The one comes to a collected bid when the other has given all of it back."""
    undone = ending.undo(closed(scene, official), actor=official, reason="x", now=NOW)
    meanwhile(ending, families.collected, lambda: finishing.finish(undone, now=NOW))
    finishing.finish(undone, now=NOW)
    returned = Event.objects.filter(move__in=(Move.RESTORE_BID, Move.UNDO_CLOSING))
    assert sorted(returned.values_list("application", flat=True)) == sorted(
        one.pk for one in (families.pending, families.collected, families.referred)
    )
    assert Offer.objects.filter(state__in=LIVE_OFFERS).count() == 1
    assert all_is_well() == ([], [])


@pytest.mark.parametrize("kind", ["pending", "collected"])
def test_a_family_that_can_not_be_handled_keeps_its_place_until_the_next_run(
    scene, families, official, meanwhile, kind
):
    """Its vacancy goes on only when it has its bid again: what is free there may be its place."""
    undone = ending.undo(closed(scene, official), actor=official, reason="x", now=NOW)

    def break_off():
        raise RuntimeError

    bid = getattr(families, {"pending": "bid", "collected": "collected_bid"}[kind])
    meanwhile(ending, getattr(families, kind), break_off)
    finishing.finish(undone, now=NOW)
    assert Vacancy.objects.get(pk=bid.vacancy_id).state == Vacancy.State.RECALLED
    assert Closing.objects.get().finished_at is None
    finishing.finish(undone, now=NOW)
    assert Bid.objects.get(pk=bid.pk).state == BidState.PENDING
    assert Closing.objects.get().finished_at == NOW
    assert all_is_well() == ([], [])


def test_where_no_room_is_left_nothing_comes_back_and_only_who_waits_is_told(scene, families, official):
    closing = closed(scene, official)
    archive(families.pending, actor=families.pending.filed_by, now=NOW)
    # Room for the enrolled child alone.
    scene.group.capacity = 1
    scene.group.save()
    finishing.finish(ending.undo(closing, actor=official, reason="x", now=NOW), now=NOW)
    assert not Bid.objects.filter(state=BidState.PENDING).exists()
    assert not Offer.objects.filter(state__in=LIVE_OFFERS).exists()
    assert sorted(children_told("closing_undone")) == sorted(
        one.child_id for one in (families.referred, families.collected)
    )
    assert all_is_well() == ([], [])


def test_a_collection_for_which_no_room_is_left_ends_with_its_bids(scene, families, official, monkeypatch):
    """A place of the group was given between its bids and itself."""
    undone = ending.undo(closed(scene, official), actor=official, reason="x", now=NOW)
    give_back, collecting = ending._give_back, families.collected_bid.vacancy

    def later(vacancy, closing, *, now):
        if vacancy == collecting:
            scene.group.capacity = 1
            scene.group.save()
        give_back(vacancy, closing, now=now)

    monkeypatch.setattr(ending, "_give_back", later)
    finishing.finish(undone, now=NOW)
    assert list(recalled_with_bids()) == [collecting]
    void_recalled_bids(collecting, now=NOW)
    assert Bid.objects.get(pk=families.collected_bid.pk).state == BidState.VOID
    assert Application.objects.get(pk=families.collected.pk).state == WAITING


def test_an_announced_opening_and_a_time_for_some_are_what_they_were(scene, families, official):
    """Announced long enough ahead it is in the bulletin again; who has priority keeps it for as long as it had."""
    soon = VacancyFactory(group=scene.group, opens_at=NOW + timedelta(days=10))
    collecting = families.collected_bid.vacancy
    until = NOW + timedelta(days=1)
    Vacancy.objects.filter(pk=collecting.pk).update(priority_until=until)
    closing = closed(scene, official)
    later = NOW + timedelta(minutes=30)
    finishing.finish(ending.undo(closing, actor=official, reason="x", now=later), now=later)
    soon.refresh_from_db()
    assert (soon.state, soon.opens_at) == (Vacancy.State.PUBLISHED, NOW + timedelta(days=10))
    collecting.refresh_from_db()
    assert (collecting.state, collecting.priority_until) == (
        Vacancy.State.PUBLISHED,
        until + timedelta(minutes=30),
    )


def test_of_two_officials_at_once_one_closes_a_kindergarten_without_groups(scene, official, monkeypatch):
    """There is no group to lock: the second has looked before the first was done."""
    kindergarten = KindergartenFactory(locality=scene.locality)
    fields = {"kindergarten": kindergarten, "cause": "repair", "reason": "x", "starts_on": TODAY}
    deciding.close(Closing(**fields), actor=official, now=NOW)
    monkeypatch.setattr(deciding, "is_closed_already", lambda closing: False)
    with pytest.raises(Refused) as refused:
        deciding.close(Closing(**fields), actor=official, now=NOW)
    assert (refused.value.reason, Closing.objects.count()) == (Refusal.CLOSED_ALREADY, 1)


def test_two_workers_tell_of_other_days_once(scene, families, official, meanwhile):
    closing = closed(scene, official, starts_on=TODAY + 10 * DAY)
    later = NOW + timedelta(minutes=1)
    first = TODAY + 20 * DAY
    moved = moving.move_days(closing, starts_on=first, reopens_on=None, actor=official, now=later)
    meanwhile(deciding, families.signed, lambda: finishing.finish(moved, now=later))
    finishing.finish(moved, now=later)
    assert children_told("group_closes") == [families.signed.child_id] * 2


@pytest.mark.parametrize("run_ahead", [-1, 1])
def test_other_days_are_told_once_whatever_clock_the_run_has(scene, families, official, run_ahead):
    """A run may have read its clock before the days changed, or after an official who waits for the row did."""
    closing = closed(scene, official, starts_on=TODAY + 10 * DAY)
    moved_at = NOW + timedelta(minutes=1)
    run_at = moved_at + timedelta(seconds=run_ahead)
    if run_ahead > 0:
        ToldOfClosing.objects.update(told_at=run_at)
    moving.move_days(closing, starts_on=TODAY + 20 * DAY, reopens_on=None, actor=official, now=moved_at)
    for _again in range(2):
        finishing.finish(closing, now=run_at)
        finishing.finish_all(now=NOW + timedelta(minutes=5))
    assert Closing.objects.get().finished_at is not None
    # Of the first days once, of the others once.
    told = [notice.text_kk for notice in Notice.objects.filter(kind="group_closes")]
    assert sorted("16.07.2019" in text for text in told) == [False, True]


def test_the_days_of_a_closing_that_has_ended_stay(scene, official):
    ended = ending.reopen(closed(scene, official, starts_on=TODAY + DAY), actor=official, now=NOW)
    with pytest.raises(Refused) as refused:
        moving.move_days(ended, starts_on=TODAY + 2 * DAY, reopens_on=None, actor=official, now=NOW)
    assert refused.value.reason == Refusal.NOT_ALLOWED
    assert Closing.objects.get().starts_on == TODAY + DAY
