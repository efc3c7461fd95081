"""Pauses of bidding: where they hold, and what they give back."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from accounts.models import AuditEntry
from bulletin.journal_actions import Action
from bulletin.models import Pause, Vacancy
from bulletin.opening import Phase, phase
from bulletin.selectors import published_vacancies, running_pauses, vacancy_counts
from bulletin.services import pause_bidding, resume_bidding
from tests.factories import GroupFactory, KindergartenFactory, LocalityFactory, StaffFactory, VacancyFactory

pytestmark = pytest.mark.django_db

START = datetime(2019, 6, 26, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)


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
        **{"opens_at": START - HOUR} | fields,
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
        assert got == (START - HOUR, START + 3 * HOUR, START + timedelta(days=7) + 2 * HOUR)
        assert moved

    @pytest.mark.parametrize("at", [START, START + MICROSECOND, END])
    def test_what_was_to_open_meanwhile_opens_now(self, official, here, at):
        got, _moved = self.resumed(official, here, opens_at=at)
        assert got[0] == self.END

    @pytest.mark.parametrize("at", [START - MICROSECOND, END + MICROSECOND])
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
        assert got == (START - HOUR, None, START + HOUR)
        assert not moved

    def test_other_localities_stay(self, official, here, kentau):
        vacancy = vacancy_in(kentau, closes_at=START + HOUR)
        resume_bidding(begin(official, here), actor=official, now=self.END)
        assert deadlines(vacancy)[2] == START + HOUR

    def test_the_log_names_every_move(self, official, here):
        self.resumed(official, here, opens_at=START + HOUR, closes_at=START + 3 * HOUR)
        entry = AuditEntry.objects.get(action=Action.DEADLINES_MOVED)
        assert "26.06.2019 19:00:00 → 26.06.2019 20:00:00" in entry.reason
        assert "26.06.2019 21:00:00 → 26.06.2019 23:00:00" in entry.reason
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
