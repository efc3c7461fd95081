"""The start page of the workplace: what waits for this employee now."""

import re
from datetime import date, datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.identity import Identity
from accounts.models import FirstSignIn, User
from accounts.numbers import assisted, moves
from accounts.numbers.moves import Claimant, Kind, Proof
from accounts.roles import Role
from applications import workplace
from applications.bidding.obstacles import opening_too_soon
from applications.models import (
    Bid,
    CityExport,
    Correction,
    GroupProposal,
    Headcount,
    ProfileProposal,
    Referral,
    Rules,
    RulesProposal,
)
from applications.referrals import issuing
from applications.rules.in_force import rules_at
from applications.states import ProposalState
from balabaqsha.staff_inbox import MOST_ON_START
from bulletin.calendar import reaches, working_calendar
from bulletin.models import Holiday, Review, Vacancy
from notifications.kinds import KINDS, sample_context
from notifications.models import Mail, Message
from notifications.services import enqueue
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import ZONE
from tests.factories import (
    ApplicationFactory,
    BenefitFactory,
    ComplaintFactory,
    DisputeFactory,
    GroupFactory,
    GuardianClaimFactory,
    GuardianshipFactory,
    KindergartenFactory,
    LocalityFactory,
    ObjectionFactory,
    PhotoFactory,
    ReviewFactory,
    UndoRequestFactory,
    UserFactory,
    VacancyFactory,
)
from tests.staff import employee, inside, official_of, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]


def test_a_worker_sees_what_waits_in_their_kindergarten(scene, clock):
    worker = worker_of(scene.group.kindergarten)
    place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
    page = inside(worker).get(reverse("admin:index"))
    assert [bid.application for bid in page.context["today"].bids.shown] == [scene.application]
    assert page.context["today"].overdue == 0
    assert [vacancy.pk for vacancy in page.context["today"].vacancies.shown] == [scene.vacancy.pk]
    assert scene.application.child.last_name in page.content.decode()


def test_families_of_one_last_day_stand_in_the_order_of_the_alphabet(scene, clock):
    Vacancy.objects.filter(pk=scene.vacancy.pk).update(seats_total=3)
    scene.vacancy.refresh_from_db()
    for turn, name in enumerate(["Тасова", "Ясина", "Қасымова"]):
        application = ApplicationFactory(
            locality=scene.locality,
            child__birth_date=scene.application.child.birth_date,
            child__last_name=name,
        )
        at = scene.now + timedelta(minutes=turn)
        bid = place_bid(application, scene.vacancy, actor=application.filed_by, now=at)
        issuing.activate_bid(bid, actor=scene.staff, now=at)
    found = workplace.valid_referrals(now=scene.now + timedelta(hours=1))
    assert [one.application.child.last_name for one in found] == ["Қасымова", "Тасова", "Ясина"]


def test_nothing_of_another_kindergarten(scene, clock):
    stranger = worker_of(KindergartenFactory())
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
    issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
    today = inside(stranger).get(reverse("admin:index")).context["today"]
    assert (today.bids.total, today.ending.total, today.awaited.total, today.vacancies.total) == (
        0,
        0,
        0,
        0,
    )


def numbers_that_wait(asker, *, now):
    """A claim of a number in use, and a lost number that `asker` has asked to move; the claim."""
    claimed = moves.ask(
        UserFactory(),
        kind=Kind.RECYCLING,
        proof=Proof.CLAIM,
        new_phone=None,
        claimant=Claimant("ОМАРОВ ТІМУР", Identity(document_number="H12345678")),
        waits=False,
        asked_by=None,
        address=None,
        now=now,
    )
    asked = {"document": "passport", "why": "Телефон жоғалды", "address": None, "now": now}
    assisted.open_move(UserFactory(), new_phone="+77017770001", actor=asker, **asked)
    FirstSignIn.objects.create(
        user=UserFactory(phone=None, username="912345678"),
        registered_at=now,
        used_at=now,
        asked_by=asker,
        asked_at=now,
    )
    return claimed


def test_numbers_that_wait_stand_on_the_page_of_whoever_may_do_something(scene, clock):
    """The contact centre answers no bids, and still reads what a colleague has asked for."""
    asker, colleague, official = (
        employee(Role.CONTACT_CENTRE),
        employee(Role.CONTACT_CENTRE),
        employee(Role.OFFICIAL),
    )
    claimed = numbers_that_wait(asker, now=scene.now)
    figures = {}
    for who in (asker, colleague, official, worker_of(scene.group.kindergarten)):
        page = inside(who).get(reverse("admin:index"))
        figures[who] = page.context["numbers"]
        links = [
            reverse("admin:accounts_numbermove_changelist"),
            reverse("admin:accounts_assistedmove_changelist"),
        ]
        shown = [f"{link}?decision=open" in page.content.decode() for link in links]
        assert shown == [getattr(figures[who], name, None) is not None for name in ("claims", "assisted")]
    assert (figures[asker].assisted, figures[colleague].assisted) == (0, 1)
    assert (figures[asker].papers, figures[colleague].papers, figures[official].papers) == (0, 1, None)
    assert figures[official].claims == 1
    assert figures[who] is None
    # One's own is for another official.
    User.objects.filter(pk=official.pk).update(staff_iin_hash=claimed.claimant_hash)
    assert inside(official).get(reverse("admin:index")).context["numbers"].claims == 0


def test_a_late_answer_is_marked(scene, clock):
    worker = worker_of(scene.group.kindergarten)
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
    clock.move_to(bid.answer_due - timedelta(microseconds=1))
    assert inside(worker).get(reverse("admin:index")).context["today"].overdue == 0
    clock.move_to(bid.answer_due)
    assert inside(worker).get(reverse("admin:index")).context["today"].overdue == 1


def test_a_referral_moves_up_when_its_last_day_is_tomorrow(scene, clock):
    worker = worker_of(scene.group.kindergarten)
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
    referral = issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
    two_days_before_the_end = referral.valid_until - timedelta(days=2)

    def lists():
        today = inside(worker).get(reverse("admin:index")).context["today"]
        return (today.ending.total, today.awaited.total)

    clock.move_to(two_days_before_the_end - timedelta(microseconds=1))
    assert lists() == (0, 1)
    clock.move_to(two_days_before_the_end)
    assert lists() == (1, 0)
    clock.move_to(referral.valid_until - timedelta(microseconds=1))
    assert lists() == (1, 0)
    clock.move_to(referral.valid_until)
    assert lists() == (0, 0)


def test_an_official_sees_all_kindergartens(scene, clock):
    place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
    page = inside(employee(Role.OFFICIAL)).get(reverse("admin:index"))
    assert page.context["today"].bids.total == 1


@pytest.mark.parametrize("path", ["/admin/", "/ru/admin/"])
def test_the_lists_stay_below(path):
    worker = employee(Role.KINDERGARTEN)
    assert reverse("admin:applications_bid_changelist") in inside(worker).get("/admin/").content.decode()
    assert inside(worker).get(path).status_code == 200


def test_an_official_reads_what_waits_to_be_confirmed_and_a_worker_does_not(scene, clock):
    official, other = (employee(Role.OFFICIAL, username=name) for name in ("one", "other"))
    who = {"proposed_at": scene.now, "proposed_by": official}
    RulesProposal.objects.create(reason="x", **who)
    RulesProposal.objects.create(
        locality=scene.locality, reason="x", state=ProposalState.DECLINED, decided_by=other, **who
    )
    GroupProposal.objects.create(
        kindergarten=scene.group.kindergarten, name="Алма", age_group="2-3", language="kk", capacity=20, **who
    )
    Headcount.objects.create(group=scene.group, school_year=2018, children=1, counted_at=scene.now, **who)

    def counts(user):
        today = inside(user).get(reverse("admin:index")).context["today"]
        return (today.rules, today.groups, today.headcounts)

    # Nobody decides on rules of their own.
    assert counts(official) == (0, 1, 1)
    assert counts(other) == (1, 1, 1)
    assert counts(worker_of(scene.group.kindergarten)) == (None, None, None)


def test_each_counter_is_the_length_of_its_list(scene, clock):
    """Of every role, with something in each list, also what this employee may not decide."""
    official, other = (employee(Role.OFFICIAL, username=name) for name in ("one", "other"))
    worker = worker_of(scene.group.kindergarten)
    Vacancy.objects.update(seats_total=9)
    scene.vacancy.refresh_from_db()
    families = [
        ApplicationFactory(locality=scene.locality, child__birth_date=scene.application.child.birth_date)
        for _number in range(6)
    ]
    bids = [place_bid(one, scene.vacancy, actor=one.filed_by, now=scene.now) for one in families]
    Bid.objects.filter(pk=bids[0].pk).update(answer_due=scene.now)
    for bid in bids[2:]:
        issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
    Referral.objects.filter(bid=bids[2]).update(valid_until=scene.now + timedelta(hours=1))
    for proposer, locality in ((official, scene.locality), (other, None)):
        who = {"proposed_at": scene.now, "proposed_by": proposer}
        RulesProposal.objects.create(locality=locality, reason="x", **who)
        Correction.objects.create(
            application=families[0] if locality else families[1],
            new_birth_year=2016, previous_birth_year=2017, previous_filed_at=scene.now, reason="x",
            document_number="1", document_date=scene.now.date(), **who,
        )  # fmt: skip
    who = {"proposed_at": scene.now, "proposed_by": official}
    GroupProposal.objects.create(
        kindergarten=scene.group.kindergarten, name="Алма", age_group="2-3", language="kk", capacity=20, **who
    )
    ProfileProposal.objects.create(kindergarten=scene.group.kindergarten, licence="№ 1", **who)
    PhotoFactory(kindergarten=scene.group.kindergarten)
    Headcount.objects.create(group=scene.group, school_year=2018, children=1, counted_at=scene.now, **who)
    CityExport.objects.create(keys="age1", reason="x", **who)
    UndoRequestFactory(bid=bids[1], **who)
    UndoRequestFactory(bid=bids[0], proposed_by=other)
    BenefitFactory(application=scene.application)
    for due_at in (scene.now, scene.now + timedelta(days=2)):
        DisputeFactory(guardianship=GuardianshipFactory(child=scene.application.child), due_at=due_at)
        ObjectionFactory(sent_at=scene.now, due_at=due_at)
        ComplaintFactory(locality=scene.locality, sent_at=scene.now, due_at=due_at)
    GuardianClaimFactory()
    for state in Review.State:
        ReviewFactory(state=state)
    ReviewFactory(kindergarten=scene.group.kindergarten)
    numbers_that_wait(employee(Role.CONTACT_CENTRE), now=scene.now)
    GroupFactory(kindergarten=scene.group.kindergarten)
    draft_that_opens(scene.now + timedelta(minutes=59), group=scene.group)
    undelivered_of(scene.parent, now=scene.now)
    administrator = employee(Role.ADMINISTRATOR)

    for user in (worker, official, other, administrator):
        desk, told = inside(user), {}
        page = unescape(desk.get(reverse("admin:index")).content.decode())
        for address, number in re.findall(r'<li[^>]*><a href="([^"]+)"><strong>(\d+)</strong>', page):
            told[address] = int(number)
            assert desk.get(address).context["cl"].result_count == int(number), (user, address)
        # Nothing is empty by chance.
        assert all(told.values())
        # Nobody allows an export that they asked for.
        assert len(told) == {worker: 6, administrator: 2, other: 26}.get(user, 25)


def draft_that_opens(at, **fields):
    return VacancyFactory(state=Vacancy.State.DRAFT, published_at=None, opens_at=at, **fields)


def undelivered_of(parent, *, now):
    """An SMS and an e-mail given up now, a code, and an SMS of a week ago."""
    sent = {"recipient": parent, "state": Message.State.FAILED, "next_attempt_at": now, "give_up_at": now}
    for number, (kind, at) in enumerate(
        [("bid_placed", now), ("reset_code", now), ("bid_placed", now - timedelta(days=7))]
    ):
        outgoing = sent | {"kind": kind, "created_at": at, "language": "kk", "dedupe_key": f"failed-{number}"}
        Message.objects.create(phone="+77017770000", **outgoing)
        Mail.objects.create(address="family@example.kz", **outgoing)


def test_what_opens_too_soon_by_the_rules_of_its_place(scene, clock):
    """One microsecond on either side, for the rules that `rules_at` chooses."""
    step = timedelta(microseconds=1)
    elsewhere = GroupFactory(
        kindergarten=KindergartenFactory(locality=LocalityFactory(slug="aqtau", timezone="Asia/Aqtau"))
    )
    today = scene.now.date()
    Rules.objects.create(valid_from=today, publication_lead_hours=4)
    Rules.objects.create(
        locality=scene.locality, valid_from=today - timedelta(days=9), publication_lead_hours=9
    )
    Rules.objects.create(
        locality=scene.locality,
        valid_from=today + timedelta(days=1),
        early_from=scene.now,
        publication_lead_hours=2,
    )
    Rules.objects.create(
        locality=scene.locality, valid_from=today + timedelta(days=2), publication_lead_hours=8
    )
    for group in (scene.group, elsewhere):
        hours = rules_at(group.kindergarten.locality, scene.now).publication_lead_hours
        assert hours == (2 if group == scene.group else 4)
        lead = timedelta(hours=hours)
        drafts = [
            draft_that_opens(scene.now + ahead, group=group) for ahead in (-step, 0 * step, lead - step, lead)
        ]
        found = opening_too_soon(now=scene.now).filter(group=group)
        assert {*found} == {*drafts[1:3]}


def test_the_calendar_is_told_of_before_it_ends_to_who_may_change_it(scene, clock):
    last = date(2020, 12, 31)
    assert working_calendar().last == last
    for day, knows in ((last, True), (last + timedelta(days=1), False)):
        assert reaches(day).exists() == knows
    alone = Holiday.objects.create(date=date(2030, 1, 1), name_kk="x", name_ru="x")
    assert not reaches(date(2030, 1, 1)).exists()
    alone.delete()
    people = [
        employee(Role.OFFICIAL), employee(Role.ADMINISTRATOR), employee(Role.AUDITOR), official_of(scene.locality),
        worker_of(scene.group.kindergarten),
    ]  # fmt: skip
    LocalityFactory(slug="elsewhere")
    for at, warns in (
        (datetime(2020, 11, 1, 23, tzinfo=ZONE), False),
        (datetime(2020, 11, 2, 0, tzinfo=ZONE), True),
    ):
        clock.move_to(at)
        told = ["strong>!" in inside(user).get(reverse("admin:index")).content.decode() for user in people]
        assert told == [warns, warns, False, False, False]
    Holiday.objects.all().delete()
    assert not reaches(last).exists()


def test_what_was_left_to_the_inbox_today_is_as_many_rows_as_it_says(scene, clock):
    for number, days in enumerate((0, 0, 1)):
        Message.objects.create(
            recipient=scene.parent, phone="+77017770000", kind="bid_placed", language="kk",
            state=Message.State.WITHHELD, dedupe_key=str(number), next_attempt_at=scene.now,
            give_up_at=scene.now, created_at=scene.now - timedelta(days=days),
        )  # fmt: skip
    for user, rows in ((employee(Role.OFFICIAL), 2), (official_of(LocalityFactory(slug="elsewhere")), 0)):
        desk = inside(user)
        page = unescape(desk.get(reverse("admin:index")).content.decode())
        found = re.findall(r'<a href="([^"]+state__exact=withheld[^"]*)"><strong>(\d+)</strong>', page)
        assert [int(number) for _address, number in found] == ([rows] if rows else [])
        for address, _number in found:
            assert desk.get(address).context["cl"].result_count == rows


def test_groups_with_room_are_for_who_writes_vacancies_there(scene, clock):
    own = GroupFactory(kindergarten=scene.group.kindergarten)
    GroupFactory()
    desk = inside(worker_of(scene.group.kindergarten))
    assert desk.get(reverse("admin:index")).context["today"].groups_with_room == 1
    assert list(
        desk.get(reverse("admin:bulletin_group_changelist") + "?room=free").context["cl"].result_list
    ) == [own]
    assert (
        inside(employee(Role.OFFICIAL)).get(reverse("admin:index")).context["today"].groups_with_room is None
    )


@pytest.mark.parametrize(("path", "words"), [("/admin/", "балабақша"), ("/ru/admin/", "детского сада")])
def test_whose_answer_a_bid_waits_for(scene, clock, path, words):
    place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
    figure = r'answer=due"><strong>1</strong>(.*?)</a>'
    (office,) = re.findall(figure, inside(employee(Role.OFFICIAL)).get(path).content.decode())
    (desk,) = re.findall(figure, inside(worker_of(scene.group.kindergarten)).get(path).content.decode())
    assert words in office
    assert words not in desk


def test_what_is_about_ones_own_family_is_neither_counted_nor_listed_and_its_page_says_why(scene, clock):
    """As the other guardian of one's child, too: somebody else decides about them."""
    child = GuardianshipFactory().child
    mother = GuardianshipFactory(child=child).user
    me = GuardianshipFactory(child=child).user
    own = employee(Role.OFFICIAL, staff_iin_hash=me.profile.iin_hash)
    asked = {"document": "passport", "why": "Телефон жоғалды", "address": None, "now": scene.now}
    move = assisted.open_move(mother, new_phone="+77017770002", actor=employee(Role.CONTACT_CENTRE), **asked)
    claimed = moves.ask(
        GuardianshipFactory(child=child).user,
        kind=Kind.RECYCLING,
        proof=Proof.CLAIM,
        new_phone=None,
        claimant=Claimant("ОМАРОВ ТІМУР", Identity(document_number="H12345678")),
        waits=False,
        asked_by=None,
        address=None,
        now=scene.now,
    )
    rows = {
        "accounts_assistedmove": (move, "decision=open", lambda page: page["numbers"].assisted),
        "accounts_numbermove": (claimed, "decision=open", lambda page: page["numbers"].claims),
        "accounts_objection": (
            ObjectionFactory(user=mother, child=child.pk, due_at=scene.now),
            "answer=open",
            lambda page: page["today"].objections.total + page["today"].objections.late,
        ),
        "children_guardianclaim": (
            GuardianClaimFactory(iin=child.iin, child_hash=child.iin_hash),
            "waits=you",
            lambda page: page["today"].guardian_claims.total,
        ),
        "children_dispute": (
            DisputeFactory(guardianship=child.guardianships.get(user=mother), raised_by=me),
            "decision=open",
            lambda page: page["today"].disputes.total,
        ),
    }
    other = employee(Role.OFFICIAL)
    for who, waits in ((own, False), (other, True)):
        desk = inside(who)
        home = desk.get(reverse("admin:index")).context
        for name, (row, query, count) in rows.items():
            listed = desk.get(f"{reverse(f'admin:{name}_changelist')}?{query}").context["cl"].result_list
            # The dispute holds the mother's number for everybody: it is decided first.
            is_held = name == "accounts_assistedmove"
            assert (row in listed) == (waits and not is_held), name
            assert bool(count(home)) == (waits and not is_held), name
            page = desk.get(reverse(f"admin:{name}_change", args=[row.pk]))
            assert bool(page.context["who_else_decides"]) != waits, name
            assert bool(page.context["works"]) == waits, name
            assert waits or page.context["who_else_decides"] in unescape(page.content.decode())


class TestCounting:
    """Everything that a start page counts is one statement, however many things wait."""

    def test_each_is_counted_by_its_name(self, scene, django_assert_num_queries):
        UserFactory.create_batch(2)
        everybody, nobody = User.objects.all(), User.objects.filter(pk__in=[])
        kinds = User.objects.values("is_staff").distinct()
        asked = {"all": everybody, "nobody": nobody, "kinds": kinds, "not theirs": None}
        with django_assert_num_queries(1):
            counted = workplace.count_all(asked, now=scene.now)
        people = User.objects.count()
        assert counted == {"all": (people, 0), "nobody": (0, 0), "kinds": (len(kinds), 0), "not theirs": None}
        assert people > len(kinds) > 0
        first = workplace.count_all({"first": everybody.order_by()[: people - 1]}, now=scene.now)
        assert first == {"first": (people - 1, 0)}

    def test_what_is_late_is_counted_whatever_else_waits(self, scene, clock, monkeypatch):
        monkeypatch.setattr(workplace, "MOST_COUNTED", 2)
        DisputeFactory.create_batch(4, due_at=scene.now + timedelta(days=1))
        DisputeFactory(due_at=scene.now)
        assert inside(employee(Role.OFFICIAL)).get(reverse("admin:index")).context["today"].disputes == (3, 1)

    @pytest.mark.parametrize(("waiting", "figure"), [(1, "1"), (2, "2"), (3, "2+")])
    def test_a_figure_ends_where_nobody_counts_further(self, scene, monkeypatch, waiting, figure):
        monkeypatch.setattr(workplace, "MOST_COUNTED", 2)
        DisputeFactory.create_batch(waiting)
        page = inside(employee(Role.OFFICIAL)).get(reverse("admin:index")).content.decode()
        link = f'<a href="{reverse("admin:children_dispute_changelist")}?decision=open">'
        assert f"{link}<strong>{figure}</strong>" in page

    def test_nothing_to_count_asks_nothing(self, scene, django_assert_num_queries):
        with django_assert_num_queries(0):
            asked = {"not theirs": None, "nobody": User.objects.none()}
            assert workplace.count_all(asked, now=scene.now) == {"not theirs": None, "nobody": (0, 0)}


def test_the_newest_unread_messages_stand_first_and_all_are_counted(scene):
    worker = worker_of(scene.group.kindergarten)
    for number in range(MOST_ON_START + 1):
        enqueue(
            worker,
            "staff_new_bids",
            context=sample_context(KINDS["staff_new_bids"]),
            dedupe_key=str(number),
            now=scene.now + timedelta(minutes=number),
        )
    desk = inside(worker)
    with CaptureQueriesContext(connection) as asked:
        page = desk.get(reverse("admin:index"))
    minutes = [(row["notice"].created_at - scene.now) // timedelta(minutes=1) for row in page.context["told"]]
    assert minutes == [3, 2, 1]
    assert page.context["unread"] == MOST_ON_START + 1
    assert sum('FROM "notifications_notice"' in query["sql"] for query in asked) == 1
