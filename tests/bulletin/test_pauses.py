"""Pauses of bidding: where they hold, and what they give back."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from accounts.audit import history_of
from accounts.models import AuditEntry
from bulletin.journal_actions import Action
from bulletin.models import Holiday, MovedOpening, Pause, Vacancy
from bulletin.opening import Phase, phase
from bulletin.reopening import NewOpening
from bulletin.selectors import published_vacancies, running_pauses, vacancy_counts
from bulletin.services import pause_bidding, resume_bidding
from tests.factories import GroupFactory, KindergartenFactory, LocalityFactory, StaffFactory, VacancyFactory

pytestmark = pytest.mark.django_db

START = datetime(2019, 6, 26, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1)
# An opening that no pause stops: its rush is over.
LONG_AGO = START - DAY
ALMATY = ZoneInfo("Asia/Almaty")


@pytest.fixture
def official():
    return StaffFactory()


@pytest.fixture
def here():
    return LocalityFactory()


@pytest.fixture
def kentau():
    return LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау", order=1)


def begin(official, locality=None, *, now=START):
    return pause_bidding(locality=locality, notice_kk=" Жөндеу ", notice_ru="Ремонт", actor=official, now=now)


def vacancy_in(locality, **fields):
    return VacancyFactory(
        group=GroupFactory(kindergarten=KindergartenFactory(locality=locality)),
        **{"opens_at": LONG_AGO} | fields,
    )


def deadlines(vacancy):
    vacancy = Vacancy.objects.get(pk=vacancy.pk)
    return vacancy.opens_at, vacancy.priority_until, vacancy.closes_at


class TestWhereItHolds:
    def test_in_its_locality_only(self, official, here, kentau):
        begin(official, here)
        assert vacancy_in(here).paused_since == START
        assert vacancy_in(kentau).paused_since is None

    def test_everywhere_without_a_locality(self, official, here, kentau):
        begin(official)
        assert vacancy_in(here).paused_since == START
        assert vacancy_in(kentau).paused_since == START

    def test_the_earliest_of_two_counts(self, official, here, kentau):
        begin(official, here, now=START + HOUR)
        begin(official, now=START)
        begin(official, kentau, now=START - HOUR)
        rows = {here: vacancy_in(here), kentau: vacancy_in(kentau)}
        assert {place: row.paused_since for place, row in rows.items()} == {here: START, kentau: START - HOUR}
        listed = {row.pk: row.paused_since for row in published_vacancies(now=START)}
        assert listed == {row.pk: row.paused_since for row in rows.values()}

    def test_lists_ask_once(self, official, here, django_assert_num_queries):
        begin(official, here)
        for _ in range(3):
            vacancy_in(here)
        with django_assert_num_queries(2):
            phases = {phase(vacancy, now=START) for vacancy in published_vacancies(now=START)}
        assert phases == {Phase.PAUSED}

    def test_a_paused_place_is_not_open_and_does_not_leave_the_bulletin(self, official, here):
        vacancy = vacancy_in(here, closes_at=START + MICROSECOND)
        over = vacancy_in(here, closes_at=START)
        begin(official, here)
        later = START + 10 * HOUR
        assert list(published_vacancies(now=later)) == [vacancy]
        assert over not in published_vacancies(now=later)
        assert not published_vacancies(status="open", now=later).exists()
        counts = vacancy_counts(published_vacancies(now=later))
        assert (counts.vacancies, counts.open) == (1, 0)

    def test_running_pauses_of_a_locality(self, official, here, kentau):
        near, everywhere, far = begin(official, here), begin(official), begin(official, kentau)
        assert running_pauses(here) == [everywhere, near]
        assert set(running_pauses()) == {near, everywhere, far}
        resume_bidding(everywhere, actor=official, now=START + HOUR)
        assert running_pauses(here) == [near]


class TestBeginning:
    def test_it_is_in_the_log_with_its_notice(self, official, here):
        pause = begin(official, here)
        entry = AuditEntry.objects.get(action=Action.BIDDING_PAUSED)
        assert (entry.actor, entry.target, entry.reason) == (official, "Түркістан қ.", "Жөндеу")
        assert pause.notice == "Жөндеу"
        with translation.override("ru"):
            assert (pause.notice, pause.scope) == ("Ремонт", "г. Туркестан")

    @pytest.mark.parametrize("place", ["here", None])
    def test_one_runs_in_a_scope(self, official, here, place):
        locality = here if place else None
        first = begin(official, locality)
        with pytest.raises(ValidationError):
            begin(official, locality, now=START + HOUR)
        assert Pause.objects.count() == AuditEntry.objects.count() == 1
        resume_bidding(first, actor=official, now=START + HOUR)
        begin(official, locality, now=START + 2 * HOUR)

    @pytest.mark.parametrize(("kk", "ru"), [("", "Ремонт"), ("Жөндеу", " "), ("", "")])
    def test_a_notice_in_one_language_is_not_enough(self, official, kk, ru):
        with pytest.raises(ValidationError):
            pause_bidding(locality=None, notice_kk=kk, notice_ru=ru, actor=official, now=START)
        assert not Pause.objects.exists()

    def test_it_moves_nothing(self, official, here):
        vacancy = vacancy_in(here, closes_at=START + HOUR)
        before = deadlines(vacancy)
        begin(official)
        assert deadlines(vacancy) == before


class TestResuming:
    """A pause of two hours from START."""

    END = START + 2 * HOUR

    def resumed(self, official, here, **fields):
        vacancy = vacancy_in(here, **fields)
        pause = begin(official)
        moved = resume_bidding(pause, actor=official, now=self.END)
        return deadlines(vacancy), moved == [vacancy]

    def test_deadlines_that_were_ahead_move_by_its_length(self, official, here):
        got, moved = self.resumed(
            official, here, priority_until=START + HOUR, closes_at=START + timedelta(days=7)
        )
        assert got == (LONG_AGO, START + 3 * HOUR, START + timedelta(days=7) + 2 * HOUR)
        assert moved

    @pytest.mark.parametrize("at", [START, START + MICROSECOND, END])
    def test_what_was_to_open_meanwhile_opens_the_next_day_at_its_hour(self, official, here, at):
        """Never at once: whoever happens to be awake would get it."""
        got, _moved = self.resumed(official, here, opens_at=at)
        assert got[0] == at + DAY
        moved = MovedOpening.objects.get()
        assert (moved.was, moved.becomes, moved.moved_at, moved.told_at) == (at, at + DAY, self.END, None)

    @pytest.mark.parametrize("at", [LONG_AGO - MICROSECOND, LONG_AGO, END + MICROSECOND])
    def test_other_openings_stay(self, official, here, at):
        got, moved = self.resumed(official, here, opens_at=at)
        assert got[0] == at
        assert not moved

    @pytest.mark.parametrize(("at", "moves"), [(START, False), (START + MICROSECOND, True)])
    def test_a_deadline_that_had_passed_stays_passed(self, official, here, at, moves):
        expected = at + 2 * HOUR if moves else at
        assert self.resumed(official, here, closes_at=at)[0][2] == expected
        assert self.resumed(official, here, priority_until=at)[0][1] == expected

    def test_what_opens_later_keeps_its_announced_times(self, official, here):
        times = {"opens_at": self.END + HOUR, "closes_at": self.END + 3 * HOUR}
        got, moved = self.resumed(official, here, **times)
        assert got == (self.END + HOUR, None, self.END + 3 * HOUR)
        assert not moved

    @pytest.mark.parametrize("state", [Vacancy.State.DRAFT, Vacancy.State.RECALLED, Vacancy.State.CLOSED])
    def test_only_published_vacancies_move(self, official, here, state):
        got, moved = self.resumed(official, here, closes_at=START + HOUR, state=state)
        assert got == (LONG_AGO, None, START + HOUR)
        assert not moved

    def test_other_localities_stay(self, official, here, kentau):
        vacancy = vacancy_in(kentau, closes_at=START + HOUR)
        resume_bidding(begin(official, here), actor=official, now=self.END)
        assert deadlines(vacancy)[2] == START + HOUR

    def test_the_log_names_every_move(self, official, here):
        self.resumed(official, here, opens_at=START + HOUR, closes_at=START + 3 * HOUR)
        entry = AuditEntry.objects.get(action=Action.DEADLINES_MOVED)
        assert "26.06.2019 19:00:00 → 27.06.2019 19:00:00" in entry.reason
        assert "26.06.2019 21:00:00 → 27.06.2019 21:00:00" in entry.reason
        assert list(history_of(Vacancy.objects.get())) == [entry]
        assert AuditEntry.objects.get(action=Action.BIDDING_RESUMED).reason.endswith(": 1")

    def test_it_ends_once(self, official, here):
        vacancy = vacancy_in(here, closes_at=START + HOUR)
        pause = begin(official)
        resume_bidding(pause, actor=official, now=self.END)
        with pytest.raises(ValidationError):
            resume_bidding(pause, actor=official, now=self.END + HOUR)
        pause.refresh_from_db()
        assert (pause.ended_at, pause.ended_by) == (self.END, official)
        assert deadlines(vacancy)[2] == START + 3 * HOUR

    @pytest.mark.parametrize("first", ["here", "everywhere"])
    @pytest.mark.parametrize("order", [1, -1])
    def test_time_under_two_pauses_is_given_back_once(self, official, here, first, order):
        """One from START to +2 h, the other from +1 h to +3 h, ended in either order: three hours in all."""
        vacancy = vacancy_in(here, closes_at=START + HOUR / 2)
        scopes = [here, None] if first == "here" else [None, here]
        pauses = [begin(official, scope, now=START + number * HOUR) for number, scope in enumerate(scopes)]
        for number, pause in enumerate(pauses[::order]):
            resume_bidding(pause, actor=official, now=START + (2 + number) * HOUR)
        assert deadlines(vacancy)[2] == START + HOUR / 2 + 3 * HOUR


class TestNewOpening:
    """What a pause of two hours from START does to openings that it stopped, in all their deadlines."""

    END = START + 2 * HOUR

    def resumed(self, official, here, new_opening=None, *, now=END, **fields):
        vacancy = vacancy_in(here, **fields)
        resume_bidding(begin(official), new_opening=new_opening, actor=official, now=now)
        return deadlines(vacancy)

    def test_the_hour_is_the_one_of_each_place(self, official, here):
        first = vacancy_in(here, opens_at=START + HOUR / 2)
        second = vacancy_in(here, opens_at=START + HOUR)
        new_opening = NewOpening(date(2019, 6, 30))
        resume_bidding(begin(official), new_opening=new_opening, actor=official, now=self.END)
        assert deadlines(first)[0] == datetime(2019, 6, 30, 18, 30, tzinfo=ALMATY)
        assert deadlines(second)[0] == datetime(2019, 6, 30, 19, 0, tzinfo=ALMATY)

    def test_one_hour_may_be_named_for_all_each_in_its_own_zone(self, official, here):
        far = LocalityFactory(slug="far", timezone="Asia/Tashkent")
        both = [vacancy_in(here, opens_at=START), vacancy_in(far, opens_at=START)]
        new_opening = NewOpening(date(2019, 6, 27), time(9, 30))
        resume_bidding(begin(official), new_opening=new_opening, actor=official, now=self.END)
        assert deadlines(both[0])[0] == datetime(2019, 6, 27, 9, 30, tzinfo=ALMATY)
        assert deadlines(both[1])[0] == datetime(2019, 6, 27, 9, 30, tzinfo=ZoneInfo("Asia/Tashkent"))

    @pytest.mark.parametrize("late", [timedelta(0), -MICROSECOND])
    def test_it_is_never_at_once(self, official, here, late):
        pause, vacancy = begin(official), vacancy_in(here, opens_at=START + HOUR)
        ends = datetime(2019, 6, 26, 23, 0, tzinfo=ALMATY)
        new_opening = NewOpening(date(2019, 6, 26), (ends + late).time())
        with pytest.raises(ValidationError):
            resume_bidding(pause, new_opening=new_opening, actor=official, now=ends)
        assert Pause.objects.get().ended_at is None
        assert deadlines(vacancy)[0] == START + HOUR
        just_later = NewOpening(date(2019, 6, 26), (ends + MICROSECOND).time())
        resume_bidding(pause, new_opening=just_later, actor=official, now=ends)
        assert deadlines(vacancy)[0] == ends + MICROSECOND

    @pytest.mark.parametrize(
        ("opened", "stopped"),
        [(START - MICROSECOND, True), (LONG_AGO + MICROSECOND, True), (LONG_AGO, False)],
    )
    def test_a_rush_that_was_stopped_opens_anew(self, official, here, opened, stopped):
        """The portal broke down a second after the opening: its end at night must not open the places at once."""
        got = self.resumed(official, here, opens_at=opened, closes_at=START + HOUR)
        local = opened.astimezone(ALMATY)
        anew = datetime.combine(date(2019, 6, 27), local.time(), tzinfo=ALMATY)
        assert got[0] == (anew if stopped else opened)
        # What was left from the beginning of the pause on is left from the new opening on.
        assert got[2] == (anew + HOUR if stopped else START + 3 * HOUR)
        assert MovedOpening.objects.exists() is stopped

    @pytest.mark.parametrize(
        "fields",
        [
            {"seats_total": 2, "seats_taken": 2},
            {"closes_at": START},
            {"mode": Vacancy.Mode.QUEUE_ORDER, "closes_at": START + DAY},
        ],
    )
    def test_what_has_no_place_left_is_over_or_collects_bids_is_no_rush(self, official, here, fields):
        assert self.resumed(official, here, opens_at=START - HOUR, **fields)[0] == START - HOUR
        assert not MovedOpening.objects.exists()

    def test_collected_bids_that_were_to_open_open_anew_for_as_long(self, official, here):
        got = self.resumed(
            official, here, opens_at=START, mode=Vacancy.Mode.QUEUE_ORDER, closes_at=START + 3 * HOUR
        )
        assert got == (START + DAY, None, START + DAY + 3 * HOUR)

    def test_the_head_of_the_queue_keeps_its_working_days(self, official, here):
        """Three working days from Wednesday evening; moved to Friday, the plain shift would lose the weekend's days."""
        Holiday.objects.create(date=date(2019, 1, 1), name_kk="Жаңа жыл", name_ru="Новый год")
        got = self.resumed(
            official,
            here,
            NewOpening(date(2019, 6, 28)),
            opens_at=START,
            priority_until=datetime(2019, 7, 1, 18, 0, tzinfo=ALMATY),
        )
        assert got[:2] == (
            datetime(2019, 6, 28, 18, 0, tzinfo=ALMATY),
            datetime(2019, 7, 3, 18, 0, tzinfo=ALMATY),
        )

    def test_it_never_has_less_time_than_before(self, official, here):
        """Five days over a weekend, which working days alone would make three."""
        Holiday.objects.create(date=date(2019, 1, 1), name_kk="Жаңа жыл", name_ru="Новый год")
        friday = datetime(2019, 6, 28, 18, 0, tzinfo=ALMATY)
        vacancy = vacancy_in(here, opens_at=friday, priority_until=friday + 5 * DAY)
        resume_bidding(
            begin(official, now=friday),
            new_opening=NewOpening(date(2019, 7, 1)),
            actor=official,
            now=friday + HOUR,
        )
        assert deadlines(vacancy)[1] - deadlines(vacancy)[0] == 5 * DAY

    def test_a_second_pause_over_it_moves_it_again_and_once(self, official, here):
        vacancy = vacancy_in(here, opens_at=START + HOUR / 2)
        near, everywhere = begin(official, here), begin(official, now=START + HOUR)
        resume_bidding(near, actor=official, now=START + 2 * HOUR)
        assert deadlines(vacancy)[0] == START + HOUR / 2 + DAY
        # The other one ends before the new opening, which it did not stop.
        resume_bidding(everywhere, actor=official, now=START + 3 * HOUR)
        assert deadlines(vacancy)[0] == START + HOUR / 2 + DAY
        assert MovedOpening.objects.count() == 1
