"""The bid in one statement: the same answer and the same rows as step by step, and who may press at all."""

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.contrib.auth import SESSION_KEY
from django.db import InternalError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from accounts.journal_actions import Action
from accounts.models import AuditEntry
from accounts.services import change_password
from applications.bidding import full_places, rush
from applications.bidding.full_places import PAGE_SECONDS, REMEMBERED_SECONDS, FullPlaces
from applications.bidding.rush import Outcome, press
from applications.jobs import telling
from applications.journal_actions import Action as ApplicationAction
from applications.models import Application, Bid, Event, PriorityCutoff, StopListEntry
from applications.moves import Refused
from applications.referrals.ending import expire_referral
from applications.referrals.issuing import activate_bid
from applications.refusals import Refusal
from applications.states import ApplicationState, BidState, Tier
from bulletin.models import Pause, Vacancy
from bulletin.services import pause_bidding
from children.models import Guardianship
from notifications.models import Message, Notice
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import NOW, ZONE
from tests.factories import (
    ApplicationFactory,
    DisputeFactory,
    GuardianshipFactory,
    LocalityFactory,
    VacancyFactory,
    reckon_all,
)
from tests.thorough import examples

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]

MICROSECOND = timedelta(microseconds=1)


def pressed(application, vacancy, user=None):
    user = user or application.filed_by
    return press(
        user_id=str(user.pk),
        password_stamp=user.get_session_auth_hash(),
        application_id=application.pk,
        vacancy_id=vacancy.pk,
    )


class RolledBack(Exception):
    pass


def rows(scene):
    """Every row that a bid may touch, without ids and without what tells one bid's id."""
    bids = Bid.objects.order_by("placed_at", "state").values()
    events = Event.objects.order_by("id").values()
    applications = Application.objects.order_by("pk").values()
    # A move recomputes when it runs out, and the one statement leaves it: it stays a lower bound.
    unnoted = [{name: value for name, value in row.items() if name != "runs_out_at"} for row in applications]
    tables = [
        [{name: value for name, value in row.items() if name != "id"} for row in bids],
        [{name: value for name, value in row.items() if name not in ("id", "data")} for row in events],
        unnoted,
        list(Vacancy.objects.order_by("pk").values()),
        list(PriorityCutoff.objects.order_by("pk").values()),
    ]
    newest = Event.objects.order_by("id").last()
    named = newest is None or Bid.objects.filter(pk=newest.data["bid"]).exists()
    return tables, named, [model.objects.count() for model in (Notice, Message, AuditEntry, Guardianship)]


def outcome_and_rows(scene, work):
    """What `work` answers and leaves behind; everything is as before afterwards."""
    try:
        with transaction.atomic():
            answer = work()
            result = answer, rows(scene)
            raise RolledBack
    except RolledBack:
        return result


def ordinarily(scene, now):
    def work():
        application = Application.objects.get(pk=scene.application.pk)
        if application.ran_out(now=now):
            return Outcome.RAN_OUT
        sent = Bid.objects.filter(
            application=application, vacancy=scene.vacancy, state=BidState.PENDING
        ).exists()
        vacancy = Vacancy.objects.select_related("group__kindergarten").get(pk=scene.vacancy.pk)
        try:
            place_bid(application, vacancy, actor=scene.parent, now=now)
        except Refused as refused:
            return refused.reason
        return Outcome.AGAIN if sent else Outcome.PLACED

    return work


OFFSETS = st.sampled_from([-timedelta(days=1), -MICROSECOND, timedelta(0), MICROSECOND, timedelta(hours=3)])
# Cutoffs beside the application in the order of the queue: before it, itself, after it; or another tier or year.
CUTOFFS = st.lists(
    st.tuples(
        st.sampled_from([2016, 2017]), st.sampled_from(Tier.values), OFFSETS, st.sampled_from([-1, 0, 1])
    ),
    max_size=3,
    unique_by=lambda cutoff: cutoff[:2],
)


@given(data=st.data())
@settings(
    max_examples=examples(80),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_it_leaves_what_the_ordinary_way_leaves(scene, clock, data):
    draw = data.draw
    likely = lambda usual, *others: draw(st.sampled_from([usual] * 4 + list(others)))  # noqa: E731
    application, vacancy = scene.application, scene.vacancy
    try:
        with transaction.atomic():
            here = draw(st.sampled_from([NOW, datetime(2019, 12, 30, 18, 0, 0, 1, tzinfo=ZONE)]))
            clock.move_to(here)
            now = here.astimezone(UTC)
            earlier = draw(st.lists(st.tuples(st.booleans(), st.sampled_from(BidState.values)), max_size=2))
            pending = [bid_state for _, bid_state in earlier].count(BidState.PENDING)
            assume(pending < 2)
            others = [state for state in ApplicationState if state != ApplicationState.BID_PLACED]
            state = ApplicationState.BID_PLACED if pending else likely(ApplicationState.WAITING, *others)
            kentau = LocalityFactory(slug="kentau", name_kk="Кентау", name_ru="Кентау")
            Application.objects.filter(pk=application.pk).update(
                state=state,
                archived_at=now if state == ApplicationState.ARCHIVED else None,
                tier=draw(st.sampled_from(Tier.values)),
                languages=likely(["kk", "ru"], ["kk"], ["ru"]),
                runs_out_at=likely(None, now - MICROSECOND, now, now + MICROSECOND),
                birth_year=likely(2017, 2016),
                locality=likely(scene.locality, kentau),
            )
            mode = draw(st.sampled_from(Vacancy.Mode.values))
            opens_at = now + draw(OFFSETS)
            closes_at = draw(st.sampled_from([None, timedelta(0), MICROSECOND, timedelta(days=2)]))
            if closes_at is not None or mode == Vacancy.Mode.QUEUE_ORDER:
                closes_at = max(opens_at + MICROSECOND, now + (closes_at or timedelta(days=2)))
            Vacancy.objects.filter(pk=vacancy.pk).update(
                mode=mode,
                state=likely(Vacancy.State.PUBLISHED, *Vacancy.State),
                opens_at=opens_at,
                closes_at=closes_at,
                priority_until=draw(st.sampled_from([None, now, now + MICROSECOND, now - MICROSECOND])),
                birth_years=likely([2017], [2016], [2016, 2017]),
                seats_taken=draw(st.integers(0, vacancy.seats_total)),
            )
            for year, tier, offset, sequence in draw(CUTOFFS):
                PriorityCutoff.objects.create(
                    vacancy=vacancy,
                    birth_year=year,
                    tier=tier,
                    filed_at=application.filed_at + offset,
                    sequence=application.sequence + sequence,
                )
            disputed = likely("nobody", "own", "own, freed", "another's")
            if disputed != "nobody":
                another = GuardianshipFactory(child=application.child)
                own = application.child.guardianships.get(user=scene.parent)
                DisputeFactory(
                    guardianship=another if disputed == "another's" else own,
                    raised_by=scene.parent if disputed == "another's" else another.user,
                    freed_at=now if disputed == "own, freed" else None,
                    is_mutual=draw(st.booleans()),
                )
            other = VacancyFactory(group=scene.group)
            for place in draw(
                st.lists(st.sampled_from([None, scene.locality, kentau]), max_size=2, unique=True)
            ):
                Pause.objects.create(
                    locality=place,
                    notice_kk="Үзіліс",
                    notice_ru="Пауза",
                    started_at=now - draw(st.sampled_from([MICROSECOND, timedelta(hours=1)])),
                    ended_at=draw(st.sampled_from([None, now])),
                    started_by=scene.staff,
                )
            for is_here, bid_state in earlier:
                Bid.objects.create(
                    application=application,
                    vacancy=vacancy if is_here else other,
                    state=bid_state,
                    placed_at=now - timedelta(days=1),
                    placed_by=scene.parent,
                )
            expected = outcome_and_rows(scene, ordinarily(scene, now))
            assert outcome_and_rows(scene, lambda: pressed(application, vacancy)) == expected
            raise RolledBack
    except RolledBack:
        pass


@pytest.mark.parametrize("working_days", [1, 2, 5, 10])
@pytest.mark.parametrize(
    "pressed_at", [NOW, datetime(2019, 6, 28, 23, 59, tzinfo=ZONE), datetime(2019, 7, 6, tzinfo=ZONE)]
)
def test_the_kindergartens_time_is_counted_as_everywhere(scene, clock, working_days, pressed_at):
    scene.locality.rules_set.create(valid_from=date(2019, 1, 1), activation_working_days=working_days)
    clock.move_to(pressed_at)
    expected = outcome_and_rows(scene, ordinarily(scene, pressed_at))
    assert outcome_and_rows(scene, lambda: pressed(scene.application, scene.vacancy)) == expected
    assert expected[0] == Outcome.PLACED


class TestWhoPresses:
    def test_a_stranger(self, scene, parent):
        assert pressed(scene.application, scene.vacancy, user=parent) == Outcome.UNKNOWN

    def test_a_guardian_whose_right_ended(self, scene):
        Guardianship.objects.update(ended_at=scene.now)
        assert pressed(scene.application, scene.vacancy) == Outcome.UNKNOWN

    def test_the_second_guardian(self, scene, parent):
        GuardianshipFactory(child=scene.application.child, user=parent)
        assert pressed(scene.application, scene.vacancy, user=parent) == Outcome.PLACED
        assert Bid.objects.get().placed_by == parent

    def test_nobody_without_an_application(self, scene):
        assert pressed(Application(), scene.vacancy, user=scene.parent) == Outcome.UNKNOWN


class TestTheClock:
    """By the clock of the database, which nobody stops: the instants are put around its present."""

    @pytest.fixture(autouse=True)
    def _database_clock(self, settings, scene):
        settings.DATABASE_CLOCK = True
        Application.objects.update(runs_out_at=None)

    def present(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            return cursor.fetchone()[0]

    def test_a_web_server_whose_clock_is_ahead_opens_nothing(self, scene, clock):
        Vacancy.objects.update(opens_at=self.present() + timedelta(hours=1))
        clock.move_to(self.present() + timedelta(hours=2))
        assert pressed(scene.application, scene.vacancy) == Refusal.NOT_OPEN_YET

    def test_a_web_server_whose_clock_is_behind_closes_nothing(self, scene, clock):
        Vacancy.objects.update(
            opens_at=self.present() - timedelta(hours=2), closes_at=self.present() - timedelta(hours=1)
        )
        clock.move_to(self.present() - timedelta(minutes=90))
        assert pressed(scene.application, scene.vacancy) == Refusal.CLOSED


@pytest.fixture
def family(scene, client_of):
    return client_of(scene.parent)


def url(scene):
    return reverse("applications:apply", args=[scene.application.pk, scene.vacancy.pk])


def choose_url(scene):
    return reverse("applications:choose_child", args=[scene.vacancy.pk])


class TestWhatItCosts:
    def test_a_won_bid_is_two_statements(self, family, scene):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert family.post(url(scene)).status_code == 302
        assert len(queries) == 2, [query["sql"] for query in queries]
        assert Bid.objects.count() == 1

    def test_a_second_press_is_two_statements(self, family, scene):
        family.post(url(scene))
        with CaptureQueriesContext(connection) as queries:
            assert family.post(url(scene)).status_code == 302
        assert len(queries) == 2

    def test_a_refusal_is_two_statements(self, family, scene):
        Vacancy.objects.update(closes_at=scene.now)
        with CaptureQueriesContext(connection) as queries:
            assert family.post(url(scene)).status_code == 409
        assert len(queries) == 2

    def test_a_press_for_a_chosen_child_is_two_statements(self, family, scene):
        chosen = {"application": str(scene.application.pk)}
        with CaptureQueriesContext(connection) as queries:
            assert family.post(choose_url(scene), chosen).status_code == 302
        assert len(queries) == 2

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_an_early_press_is_three_statements(self, family, scene, prefix):
        Vacancy.objects.update(opens_at=scene.now + MICROSECOND)
        for address in (url(scene), choose_url(scene)):
            with CaptureQueriesContext(connection) as queries:
                answer = family.post(prefix + address, {"application": str(scene.application.pk)})
            assert answer.status_code == 409
            assert len(queries) == 3, [query["sql"] for query in queries]

    def test_a_press_during_a_pause_is_four_statements(self, family, scene):
        """The fourth asks for the notice of the pause."""
        pause_bidding(locality=None, notice_kk="Жөндеу", notice_ru="Ремонт", actor=scene.staff, now=scene.now)
        with CaptureQueriesContext(connection) as queries:
            answer = family.post(url(scene))
        assert len(queries) == 4
        assert answer.status_code == 409
        assert "Жөндеу" in answer.content.decode()
        assert str(Refusal.PAUSED.label) in unescape(answer.content.decode())

    def test_a_full_place_is_remembered_and_costs_nothing(self, family, scene):
        Vacancy.objects.update(seats_taken=scene.vacancy.seats_total)
        first = family.post(url(scene))
        with CaptureQueriesContext(connection) as queries:
            second = family.post(url(scene))
        assert len(queries) == 0
        assert second.status_code == first.status_code == 409
        assert second.content == first.content


class TestWhatIsNoRefusal:
    """An error of ours must not be told as a full minute or as the end of the calendar."""

    def test_a_statement_that_was_stopped_otherwise(self, scene, monkeypatch):
        monkeypatch.setattr(rush, "_PRESS", "SELECT pg_sleep(20), %s, %s, %s, %s, %s")
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 20")
            with pytest.raises(OperationalError, match="statement timeout"), transaction.atomic():
                pressed(scene.application, scene.vacancy)

    @pytest.fixture
    def refuse_with(self):
        """Let the database refuse every deadline with these words."""
        function = (Path(rush.__file__).parent / "bid_answer_due.sql").read_text()
        function = re.sub(r"IF NOT EXISTS .*?THEN", "IF true THEN", function, flags=re.DOTALL)

        def refuse_with(words):
            with connection.cursor() as cursor:
                cursor.execute(function.replace("The working-day calendar does not reach", words))

        return refuse_with

    def test_an_exception_with_other_words(self, scene, refuse_with):
        refuse_with("Not today:")
        with pytest.raises(InternalError, match="Not today"), transaction.atomic():
            pressed(scene.application, scene.vacancy)

    def test_the_control(self, scene, refuse_with):
        refuse_with("The working-day calendar does not reach")
        assert pressed(scene.application, scene.vacancy) == Refusal.NO_LAST_DAY


class TestSessions:
    """No user is loaded, but every check holds at the next press."""

    def test_after_a_password_change_elsewhere(self, family, scene):
        change_password(
            scene.parent,
            password="another-pass-2",
            action=Action.PASSWORD_CHANGED,
            address=None,
            now=scene.now,
        )
        assert reverse("accounts:login") in family.post(url(scene))["Location"]
        assert not Bid.objects.exists()

    def test_a_blocked_account(self, family, scene):
        scene.parent.is_active = False
        scene.parent.save()
        assert reverse("accounts:login") in family.post(url(scene))["Location"]
        assert not Bid.objects.exists()

    def test_an_ended_session(self, family, scene):
        key = family.session.session_key
        family.post(reverse("accounts:logout"))
        family.cookies["sessionid"] = key
        assert reverse("accounts:login") in family.post(url(scene))["Location"]
        assert not Bid.objects.exists()

    def test_a_session_without_its_stamp(self, family, scene):
        session = family.session
        session.pop("_auth_user_hash")
        session.save()
        assert session[SESSION_KEY]
        assert reverse("accounts:login") in family.post(url(scene))["Location"]
        assert not Bid.objects.exists()

    def test_no_cache_keeps_the_pages_of_whoever_may_be_signed_in(self, family, client, scene):
        assert "no-store" in family.post(url(scene))["Cache-Control"]
        assert client.get(scene.vacancy.get_absolute_url())["Cache-Control"] == "private"

    def test_without_the_forms_token(self, scene, client_of):
        careless = client_of(scene.parent)
        careless.handler.enforce_csrf_checks = True
        assert careless.post(url(scene)).status_code == 403
        assert not Bid.objects.exists()


class TestFullPlaces:
    def test_the_holder_of_a_place_is_not_told_that_it_is_full(self, family, scene, client_of):
        stranger = ApplicationFactory(locality=scene.locality)
        Vacancy.objects.update(seats_total=1)
        family.post(url(scene))
        late = client_of(stranger.filed_by)
        late_url = reverse("applications:apply", args=[stranger.pk, scene.vacancy.pk])
        assert late.post(late_url).status_code == 409
        assert family.post(url(scene))["Location"] == scene.application.get_absolute_url()

    def test_nor_once_the_kindergarten_has_activated_the_bid(self, family, scene, client_of):
        stranger = ApplicationFactory(locality=scene.locality)
        Vacancy.objects.update(seats_total=1)
        family.post(url(scene))
        activate_bid(Bid.objects.get(), actor=scene.staff, now=scene.now)
        late = client_of(stranger.filed_by)
        assert (
            late.post(reverse("applications:apply", args=[stranger.pk, scene.vacancy.pk])).status_code == 409
        )
        page = unescape(family.post(url(scene)).content.decode())
        assert str(Refusal.REFERRAL_UNDER_WAY.label) in page
        assert str(Refusal.FULL.label) not in page

    def test_it_is_forgotten_within_a_second(self, scene):
        moment = 100.0
        memory = FullPlaces(clock=lambda: moment)
        presses = []

        def press_in_vain(language):
            presses.append(language)
            return Refusal.FULL

        def answer(language="kk", application=None):
            return memory.pass_through(
                scene.vacancy.pk,
                language,
                application_id=application or uuid4(),
                press=lambda: press_in_vain(language),
                holders=lambda: [scene.application.pk],
                make_page=lambda: b"full",
            )

        assert answer() == answer() == b"full"
        assert presses == ["kk"]
        answer("ru")
        assert presses == ["kk", "ru"]
        answer(application=scene.application.pk)
        assert presses == ["kk", "ru", "kk"]
        moment += REMEMBERED_SECONDS - 0.001
        answer()
        assert presses == ["kk", "ru", "kk"]
        moment += 0.002
        answer()
        assert presses == ["kk", "ru", "kk", "kk"]
        assert REMEMBERED_SECONDS <= 1

    def remembered(self, memory, vacancy_id, page, presses):
        return memory.pass_through(
            vacancy_id,
            "kk",
            application_id=uuid4(),
            press=lambda: presses.append(vacancy_id) or Refusal.FULL,
            holders=list,
            make_page=lambda: page,
        )

    @pytest.mark.parametrize(("age", "shown"), [(PAGE_SECONDS - 0.001, b"first"), (PAGE_SECONDS, b"second")])
    def test_its_page_is_made_again_after_ten_seconds(self, age, shown):
        moment, vacancy = 100.0, uuid4()
        presses: list[UUID] = []
        memory = FullPlaces(clock=lambda: moment)
        assert self.remembered(memory, vacancy, b"first", presses) == b"first"
        moment += age
        assert self.remembered(memory, vacancy, b"second", presses) == shown
        assert presses == [vacancy] * 2

    def test_it_does_not_grow_for_ever(self, monkeypatch):
        """A thousand places that fill up within one second are an attack, or a city of another size."""
        monkeypatch.setattr(full_places, "ROOM", 3)
        memory = FullPlaces(clock=lambda: 100.0)
        presses: list[UUID] = []
        vacancies = [uuid4() for _ in range(5)]
        for vacancy in vacancies:
            self.remembered(memory, vacancy, b"full", presses)
        self.remembered(memory, vacancies[-1], b"full", presses)
        assert presses == vacancies
        self.remembered(memory, vacancies[0], b"full", presses)
        assert presses == [*vacancies, vacancies[0]]

    def test_an_overdue_stop_is_lifted_before_the_press_is_refused(self, family, scene):
        bid = place_bid(
            scene.application, scene.vacancy, actor=scene.parent, now=scene.now - timedelta(hours=1)
        )
        referral = activate_bid(bid, actor=scene.staff, now=scene.now - timedelta(hours=1))
        expire_referral(referral, now=referral.valid_until)
        StopListEntry.objects.update(starts_at=scene.now - timedelta(days=1), until=scene.now)
        reckon_all()
        family.post(url(scene))
        scene.application.refresh_from_db()
        assert scene.application.state != ApplicationState.STOP_LISTED
        assert StopListEntry.objects.get().lifted_at == scene.now


class TestTellingTheFamily:
    def test_each_guardian_once(self, scene, parent):
        GuardianshipFactory(child=scene.application.child, user=parent)
        assert pressed(scene.application, scene.vacancy) == Outcome.PLACED
        assert not Notice.objects.exists()
        assert telling.tell_placed_bids(now=scene.now + timedelta(seconds=1)) == 1
        assert telling.tell_placed_bids(now=scene.now + timedelta(seconds=2)) == 0
        for model in (Notice, Message):
            told = model.objects.filter(kind="bid_placed")
            assert {row.recipient for row in told} == {scene.parent, parent}
            assert told.count() == 2
        own, of_the_other = (Notice.objects.get(recipient=who).text_ru for who in (scene.parent, parent))
        assert own.startswith("Заявка на место отправлена.")
        assert of_the_other.startswith("Другой законный представитель ребёнка отправил заявку")
        answer = scene.locality.last_day(Bid.objects.get().answer_due)
        assert f"Последний день ответа детского сада: {answer:%d.%m.%Y}." in own
        assert AuditEntry.objects.filter(action=ApplicationAction.BID_PLACED, actor=scene.parent).count() == 2

    def test_the_time_is_that_of_the_press(self, scene):
        pressed(scene.application, scene.vacancy)
        telling.tell_placed_bids(now=scene.now + timedelta(minutes=5))
        assert Notice.objects.get().created_at == AuditEntry.objects.get().at == scene.now

    def test_the_ordinary_way_is_told_alike(self, scene):
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        assert telling.tell_placed_bids(now=scene.now) == 1
        assert Notice.objects.filter(kind="bid_placed").count() == 1
