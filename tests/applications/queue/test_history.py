"""A family's explanation from real events, the operators' commands, and the replay of everything."""

import re
from collections import Counter
from datetime import date, datetime, timedelta
from html import unescape
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils.translation import override

from accounts.roles import Role
from applications import moves
from applications.models import Application, Event, Rules
from applications.moves import write_event
from applications.queue import history
from applications.queue.corrections import approve_correction, propose_correction
from applications.queue.history import RULES_CAUSE, Explanation, Row, differences, explain
from applications.queue.position import position
from applications.referrals import ending, issuing, stops
from applications.states import ApplicationState, Move, Tier
from applications.views.cabinet import explanation
from applications.waiting import filing
from notifications.clock import read_clock
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import ZONE, build_calendar, build_scene
from tests.factories import ApplicationFactory, ChildFactory, GuardianshipFactory, UserFactory, filer
from tests.shared import built_once
from tests.staff import employee

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("six_once")]

START = datetime(2019, 6, 1, 12, tzinfo=ZONE)


def six_families() -> SimpleNamespace:
    build_calendar()
    scene = build_scene()
    Application.objects.all().delete()
    scene.families = [filed(scene, START + timedelta(minutes=minute)) for minute in range(6)]
    return scene


@pytest.fixture(scope="module")
def six_once(django_db_setup, django_db_blocker):
    with built_once(django_db_blocker, six_families) as scene:
        yield scene


@pytest.fixture
def scene(six_once):
    return six_once()


@pytest.fixture
def families(scene):
    """Six families that filed one after another; the sixth is the one that asks. The scene's own family is removed."""
    return scene.families


@pytest.fixture
def unheard_of(scene):
    """An application that no move led to."""
    return ApplicationFactory(locality=scene.locality)


def filed(scene, now):
    child, parent = ChildFactory(birth_date=date(2017, 7, 20)), UserFactory()
    GuardianshipFactory(child=child, user=parent)
    return filing.file_application(
        child=child, locality=scene.locality, languages=["kk", "ru"], actor=parent, now=now
    )


def enrol(scene, application, now):
    bid = place_bid(application, scene.vacancy, actor=application.filed_by, now=now)
    referral = issuing.activate_bid(bid, actor=scene.staff, now=now)
    ending.sign_contract(referral, actor=scene.staff, now=now)


def test_each_move_has_its_day_and_reason_and_the_sum_closes(scene, families):
    mine = families[-1]
    day = scene.now
    enrol(scene, families[0], day)
    archived = filing.archive(families[1], actor=families[1].filed_by, now=day + timedelta(hours=1))
    filing.archive(families[2], actor=families[2].filed_by, now=day + timedelta(days=1))
    filing.restore(archived, actor=filer(archived), now=day + timedelta(hours=2))
    explanation = explain(mine, since=mine.filed_at, until=day + timedelta(days=2))
    assert [(row.before, row.after, row.forward) for row in explanation.rows] == [
        (6, 5, 1),
        (5, 4, 1),
        (4, 3, 1),
        (3, 4, -1),
    ]
    assert (explanation.old, explanation.new) == (6, 4)
    assert explanation.forward == 2
    assert explanation.new == position(mine, now=day).number


def test_a_bid_of_somebody_ahead_moves_nobody(scene, families):
    place_bid(families[0], scene.vacancy, actor=families[0].filed_by, now=scene.now)
    assert explain(families[-1], since=START + timedelta(hours=1), until=scene.now).rows == []


def test_between_any_two_moments(scene, families):
    enrol(scene, families[0], scene.now)
    enrol(scene, families[1], scene.now + timedelta(hours=1))
    mine = families[-1]
    half = explain(mine, since=scene.now, until=scene.now + timedelta(hours=1))
    assert (half.old, half.new, half.forward) == (5, 4, 1)
    assert explain(mine, since=scene.now + timedelta(hours=1), until=scene.now + timedelta(days=9)).rows == []


def test_the_own_stop_list_is_a_bridge_over_the_time_without_a_number(scene, families):
    mine = families[1]
    bid = place_bid(mine, scene.vacancy, actor=mine.filed_by, now=scene.now)
    referral = issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
    ending.expire_referral(referral, now=referral.valid_until)
    enrol(scene, families[0], referral.valid_until)
    stop = mine.stops.get()
    mine = stops.lift_stop(stop, now=stop.until)
    explanation = explain(mine, since=mine.filed_at, until=stop.until)
    assert (explanation.old, explanation.new, explanation.forward) == (2, 1, 1)
    assert [(row.before, row.after) for row in explanation.rows] == [(2, None), (None, 1)]


def test_from_any_moment_on_it_is_what_a_replay_of_everything_says(scene, families, monkeypatch):
    """Only what was after `since` is replayed: of every family, from before, between and after all moves."""
    Rules.objects.create(valid_from=date(2019, 6, 27), general_per_priority=1)
    for other in families[4:]:
        with moves.locking():
            locked = moves.lock_application(other.pk)
            moves.move(
                locked, Move.VERIFY_BENEFIT, actor=None, now=START + timedelta(hours=1), tier=Tier.PRIORITY
            )
    enrol(scene, families[0], scene.now)
    bid = place_bid(families[1], scene.vacancy, actor=families[1].filed_by, now=scene.now)
    referral = issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
    ending.expire_referral(referral, now=referral.valid_until)
    stop = families[1].stops.get()
    stops.lift_stop(stop, now=stop.until)
    away = filing.archive(families[2], actor=families[2].filed_by, now=stop.until + timedelta(hours=1))
    filing.restore(away, actor=filer(away), now=stop.until + timedelta(hours=2))
    moments = sorted({START - timedelta(days=1), *Event.objects.values_list("at", flat=True)})
    until = stop.until + timedelta(days=1)

    def all_of_them():
        everyone = [Application.objects.get(pk=one.pk) for one in families]
        return [explain(one, since=at, until=until) for one in everyone for at in moments]

    in_parts = all_of_them()
    replayed = Counter(one.rows != [] for one in in_parts)
    assert replayed[True] > len(moments)
    monkeypatch.setattr(history, "_first_replayed", lambda *_args, **_options: None)
    assert in_parts == all_of_them()


def test_all_events_lead_to_the_queue_as_it_is(scene, families):
    enrol(scene, families[0], scene.now)
    assert list(differences()) == []
    call_command("rebuild_queue", "--check")


def test_whoever_changes_an_application_past_the_transitions_is_found(scene, families):
    Application.objects.filter(pk=families[3].pk).update(filed_at=START - timedelta(days=9))
    (difference,) = differences()
    assert families[3].number in difference
    with pytest.raises(CommandError):
        call_command("rebuild_queue", "--check")


@pytest.mark.parametrize("something_happens_later", [False, True])
def test_a_change_of_the_rules_is_a_reason_of_its_own(
    scene, families, client_of, clock, something_happens_later
):
    """Two of six have priority. Until the 27th three go between them, from then on one."""
    for other in families[4:]:
        with moves.locking():
            locked = moves.lock_application(other.pk)
            moves.move(
                locked, Move.VERIFY_BENEFIT, actor=None, now=START + timedelta(hours=1), tier=Tier.PRIORITY
            )
    Rules.objects.create(valid_from=date(2019, 6, 27), general_per_priority=1)
    clock.move_to(datetime(2019, 6, 28, 9, tzinfo=ZONE))
    if something_happens_later:
        filing.archive(families[3], actor=families[3].filed_by, now=read_clock())
    (row,) = explain(families[2], since=START + timedelta(hours=2), until=read_clock()).rows
    assert (row.day, row.before, row.after, row.backward) == (date(2019, 6, 27), 4, 5, 1)
    assert row.cause == str(RULES_CAUSE)
    page = client_of(families[2].filed_by).get(reverse("applications:why", args=[families[2].pk]))
    assert ">+1<" in page.content.decode()


def test_operators_read_the_same(scene, families, capsys):
    enrol(scene, families[0], scene.now)
    call_command("explain", families[-1].number)
    printed = capsys.readouterr().out
    assert "6 -> 5" in printed
    with pytest.raises(CommandError):
        call_command("explain", "99-999999")


class TestPage:
    def page(self, client_of, application, **query):
        client = client_of(application.filed_by)
        return client.get(reverse("applications:why", args=[application.pk]), query)

    def test_it_shows_the_sum(self, scene, families, client_of, clock):
        enrol(scene, families[0], scene.now)
        text = self.page(client_of, families[-1]).content.decode()
        assert "5 − 6 = −1" in text
        assert "26.06.2019" in text

    def test_the_answer_stands_before_everything_else(self, scene, families, client_of, clock):
        enrol(scene, families[0], scene.now)
        main = self.page(client_of, families[-1]).content.decode().split("<main")[1]
        assert main.index("6 → 5") < main.index("<table") < main.index('name="first_day"')

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_who_left_the_queue_has_no_number_and_no_change_by_nought(
        self, scene, families, client_of, clock, prefix
    ):
        own = families[-1]
        filing.archive(own, actor=own.filed_by, now=scene.now)
        address = prefix + reverse("applications:why", args=[own.pk])
        main = client_of(own.filed_by).get(address).content.decode().split("<main")[1]
        assert "→ —" not in main
        assert {"": "6 → нөмірсіз", "/ru": "6 → без номера"}[prefix] in main
        assert not re.search(r"<td[^>]*>0</td>", main)

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_a_newcomer_reads_how_the_number_is_made_up(self, scene, families, client_of, clock, prefix):
        """Who is ahead by part of the queue, and how the parts take turns in this place: no difference by nought."""
        Application.objects.filter(pk=families[0].pk).update(tier=Tier.PRIORITY)
        Rules.objects.create(locality=scene.locality, valid_from=date(2019, 1, 1), general_per_priority=2)
        address = prefix + reverse("applications:why", args=[families[-1].pk])
        main = client_of(families[-1].filed_by).get(address).content.decode().split("<main")[1]
        ahead = {
            "": "бірінші кезекте: 1 · жалпы кезек: 4",
            "/ru": "первоочередное: 1 · общая очередь: 4",
        }[prefix]
        turn = {
            "": "әр өтініштен кейін жалпы кезектен тұратын өтініш саны: 2",
            "/ru": "Сколько общих идёт после каждого первоочередного: 2",
        }[prefix]
        assert main.index("big-number__value") < main.index(ahead) < main.index(turn)
        assert "→" not in main.split("<form")[0]
        assert " = 0" not in main

    def test_numbers_are_grouped_and_signed_alike(self, scene, families, client_of, clock, monkeypatch):
        row = Row(day=START.date(), cause="x", times=1, before=3035, after=1014, forward=2021)
        moved = Explanation(since=START, until=scene.now, old=3035, new=1014, rows=[row])
        monkeypatch.setattr(explanation, "explain", lambda *_args, **_options: moved)
        main = unescape(self.page(client_of, families[-1]).content.decode()).split("<main")[1]
        shown = re.sub(r"<[^>]*>", " ", main).replace("\u00a0", " ")
        assert "3 035 → 1 014" in shown
        assert "1 014 − 3 035 = −2 021" in shown
        assert shown.count("−2 021") == 2
        assert not re.search(r"\b(3035|1014|2021)\b", shown)

    @pytest.mark.parametrize(
        "query",
        [
            {"first_day": "31.02.2019"},
            {"first_day": "x", "last_day": "'"},
            {"first_day": "01.07.2019", "last_day": "01.06.2019"},
            {"last_day": "01.01.0001"},
            {"first_day": "31.12.9999", "last_day": "31.12.9999"},
        ],
    )
    def test_nonsense_days_are_answered_in_words(self, scene, families, client_of, clock, query):
        assert self.page(client_of, families[-1], **query).status_code == 200

    def test_a_stranger_finds_nothing(self, scene, families, client_of, clock):
        client = client_of(UserFactory())
        assert client.get(reverse("applications:why", args=[families[0].pk])).status_code == 404


def test_a_correction_names_its_order(scene, families):
    correction = propose_correction(
        families[4],
        new_filed_at=START - timedelta(days=1),
        reason="Өтініш қағаз түрінде бұрын берілген",
        document_number="17-Б",
        document_date=date(2019, 6, 20),
        actor=employee(Role.OFFICIAL),
        now=scene.now,
    )
    approve_correction(correction, actor=employee(Role.OFFICIAL), now=scene.now)
    (first,) = explain(families[0], since=START + timedelta(hours=1), until=scene.now).rows
    assert (first.before, first.after, first.forward) == (1, 2, -1)
    assert first.cause.endswith(": № 17-Б")


def event(application, move, *, from_state, to_state=ApplicationState.WAITING):
    """An event as something past the transitions might have written it."""
    application.state = to_state
    return write_event(application, move, before=from_state, actor=None, now=START + timedelta(days=1))


class TestABrokenChain:
    """What `check_invariants` says of a history that no allowed way leads through."""

    def said(self):
        return [one.partition(": ")[2] for one in differences()]

    def test_an_application_without_a_history(self, unheard_of):
        assert self.said() == ["no event"]

    def test_a_history_that_begins_in_the_middle(self, unheard_of):
        event(unheard_of, Move.PLACE_BID, from_state=ApplicationState.WAITING)
        assert self.said() == [f"begins with {Move.PLACE_BID}"]

    def test_filed_twice(self, families):
        event(families[0], Move.FILE, from_state="")
        assert self.said() == ["file, but it was there before"]

    def test_from_where_the_event_before_did_not_lead(self, families):
        event(families[0], Move.LIFT_STOP, from_state=ApplicationState.STOP_LISTED)
        assert self.said() == ["comes from stop_listed, but the event before led to waiting"]

    def test_a_move_that_leads_elsewhere(self, families):
        event(
            families[0],
            Move.ARCHIVE,
            from_state=ApplicationState.WAITING,
            to_state=ApplicationState.ENROLLED,
        )
        assert self.said()[0] == "archive does not lead from waiting to enrolled"


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_a_cause_speaks_to_nobody(language):
    """An employee reads the same sentences on the family's card."""
    with override(language):
        said = " ".join(map(str, history.CAUSES.values())).lower()
    assert not any(word in said for word in ("вам", "вас", "ыңыз", "іңіз"))
