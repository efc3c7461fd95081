"""What is counted as movement of a queue, what a family reads of its wait, and what small queues don't tell."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.core.management import call_command
from django.urls import reverse
from redis.exceptions import RedisError

from applications.forecast import outlook
from applications.forecast.movement import complete_months, movement_before, movement_of_city
from applications.forecast.outlook import accuracy, outlook_of, outlook_of_newcomer
from applications.models import Event
from applications.queue.position import position
from applications.states import ApplicationState, Move, Tier
from tests.factories import ApplicationFactory, LocalityFactory

NOW = datetime(2026, 11, 15, 6, tzinfo=UTC)
WAITING, ENROLLED = ApplicationState.WAITING, ApplicationState.ENROLLED
PAGE = "/forecast/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def place():
    return LocalityFactory(name_kk="Түркістан", name_ru="Туркестан")


@pytest.fixture
def application(place):
    return ApplicationFactory(
        locality=place, child__birth_date=date(2024, 3, 5), filed_at=NOW - timedelta(days=900)
    )


def happened(
    application, months, *, move=Move.SIGN_CONTRACT, tier=Tier.GENERAL, filed_at=None, back=False, times=1
):
    """Events in the middle of a month so many months ago, by which somebody left the queue of `application`."""
    at = datetime(2026, 11, 15, tzinfo=UTC) - timedelta(days=30.4 * months)
    before, after = (ENROLLED, WAITING) if back else (WAITING, ENROLLED)
    Event.objects.bulk_create(
        Event(
            application=application, at=at, move=move, from_state=before, to_state=after, tier=tier,
            locality=application.locality, birth_year=application.birth_year,
            filed_at=filed_at or application.filed_at - timedelta(days=1),
        )
        for _ in range(times)
    )  # fmt: skip


def before(application, **changes):
    asked = {
        "locality": application.locality,
        "birth_year": application.birth_year,
        "tier": Tier(application.tier),
        "filed_at": application.filed_at,
        "now": NOW,
    }
    return movement_before(**asked | changes)


def told(application):
    place = position(application, now=NOW)
    assert place is not None
    return outlook_of(application, place, now=NOW)


def test_the_months_are_complete_and_in_order():
    months = complete_months(NOW)
    assert (months[-1].isoformat(), months[-2].isoformat(), len(months)) == ("2026-10-01", "2026-09-01", 60)


def test_who_left_less_who_came_back(application):
    happened(application, 1, times=3)
    happened(application, 1, back=True, move=Move.RESTORE)
    happened(application, 2, times=2)
    # The present month is not over.
    happened(application, 0)
    assert before(application)[-3:] == [0, 2, 2]
    assert [series[-3:] for series in movement_of_city(now=NOW)] == [[0, 2, 2]]


@pytest.mark.parametrize("move", [Move.IMPORT, Move.DROP_IMPORT, Move.AGE_OUT, Move.FILE], ids=str)
def test_what_is_no_movement(application, move):
    happened(application, 1, move=move)
    assert before(application)[-1] == 0


def test_only_who_stands_before_moves_a_number(application):
    happened(application, 1, filed_at=application.filed_at + timedelta(microseconds=1))
    happened(application, 1, tier=Tier.PRIORITY, filed_at=NOW)
    assert before(application)[-1] == 1
    assert before(application, tier=Tier.PRIORITY)[-1] == 0
    assert before(application, filed_at=NOW)[-1] == 2
    assert before(application, birth_year=application.birth_year + 1)[-1] == 0


def test_a_family_reads_how_long(application):
    for months in range(1, 14):
        happened(application, months, times=10)
    for number in range(40):
        ApplicationFactory(
            locality=application.locality,
            child__birth_date=application.child.birth_date,
            filed_at=application.filed_at - timedelta(days=number + 1),
        )
    found = told(application)
    assert (found.position.number, found.moved) == (41, 120)
    assert found.interval.first < 5 <= found.interval.last
    newcomer = outlook_of_newcomer(
        locality=application.locality, birth_year=application.birth_year, tier=Tier.GENERAL, now=NOW
    )
    assert newcomer.position.number == 42


@pytest.mark.parametrize(("birth_year", "outlasts"), [(2024, False), (2020, True)])
def test_no_wait_is_longer_than_childhood(place, birth_year, outlasts):
    """Born in 2020 they wait until the end of 2027, and the estimate ends later: it says so."""
    application = ApplicationFactory(
        locality=place, child__birth_date=date(birth_year, 3, 5), filed_at=NOW - timedelta(days=900)
    )
    for months in range(1, 14):
        happened(application, months, times=10)
    for number in range(110):
        ApplicationFactory(
            locality=place,
            child__birth_date=application.child.birth_date,
            filed_at=application.filed_at - timedelta(days=number + 1),
        )
    found = told(application)
    assert found.last_day == date(birth_year + 7, 12, 31)
    assert found.months_left == 12 * (birth_year + 7 - 2026) + 1
    assert found.may_outlast == outlasts


def test_of_the_time_before_the_portal_nothing_is_known(application):
    """A year of which half was before the first event is no year."""
    for months in range(1, 7):
        happened(application, months, times=10)
    assert told(application).interval is None


class TestThePage:
    def asked(self, client, application, prefix="", **more):
        query = {"place": application.locality.slug, "birth_year": application.birth_year} | more
        return client.get(prefix + PAGE, query)

    @pytest.mark.parametrize(
        ("prefix", "words"),
        [("", "Елді мекен мен туған жылын таңдаңыз"), ("/ru", "Выберите населённый пункт и год рождения")],
    )
    def test_it_asks_first(self, client, prefix, words):
        assert words in client.get(prefix + PAGE).content.decode()

    @pytest.mark.parametrize(
        ("prefix", "words"),
        [("", "Болжам жасауға дерек жеткіліксіз"), ("/ru", "Для оценки мало данных")],
    )
    def test_with_few_moves_it_says_so(self, client, application, prefix, words):
        page = self.asked(client, application, prefix).content.decode()
        assert words in page
        assert "&lt;5" in page

    @pytest.mark.parametrize(("prefix", "unit"), [("", "ай"), ("/ru", "месяц")])
    def test_it_tells_the_interval(self, client, application, prefix, unit):
        for months in range(1, 30):
            happened(application, months, times=10)
        answer = self.asked(client, application, prefix, language="kk")
        assert answer.context["outlook"].told in answer.content.decode()
        assert unit in answer.context["outlook"].told
        assert answer.context["accuracy"].made > 0

    def test_what_it_is_about_stands_in_the_answer(self, client, application):
        """On paper nobody sees what was chosen above, and a link leads to the same place and year."""
        page = self.asked(client, application, language="kk").content.decode()
        assert "<h2>Түркістан, 2024" in page
        assert "status=open&amp;place=" in page
        assert f"place={application.locality.slug}&amp;birth_year=2024&amp;language=kk" in page

    def test_it_answers_for_one_locality(self, client, application):
        answer = client.get(PAGE, {"birth_year": "2024", "place": "all"})
        assert answer.context["place"] == application.locality
        assert 'value="all"' not in str(answer.context["filters"]["place"])

    @pytest.mark.parametrize(
        "query", [{"birth_year": "x"}, {"place": "nowhere"}, {"tier": "9"}, {"language": "\x00"}], ids=str
    )
    def test_nonsense_is_left_out(self, client, application, query):
        assert self.asked(client, application, **query).status_code == 200

    def test_few_with_a_benefit_are_not_told(self, client, application):
        for _ in range(20):
            ApplicationFactory(locality=application.locality, child__birth_date=application.child.birth_date)
        for _ in range(2):
            ApplicationFactory(
                locality=application.locality,
                child__birth_date=application.child.birth_date,
                tier=Tier.PRIORITY,
            )
        assert self.asked(client, application).context["ahead"] == "23"
        assert self.asked(client, application, tier=Tier.PRIORITY.value).context["ahead"] == ""
        assert "—" in self.asked(client, application, tier=Tier.PRIORITY.value).content.decode()

    def test_the_application_leads_to_it(self, client_of, application):
        for months in range(1, 14):
            happened(application, months, times=10)
        page = client_of(application.filed_by).get(application.get_absolute_url())
        assert page.context["outlook"].interval
        assert reverse("applications:forecast") + "?place=" in page.content.decode()

    def test_it_is_learned_once_a_month(self, client, application, clock, monkeypatch):
        learned = []

        def learn(city):
            learned.append(city)
            return []

        monkeypatch.setattr(outlook, "backtest", learn)
        kept: dict[str, object] = {}
        memory = SimpleNamespace(get=kept.get, set=lambda key, value, seconds: kept.update({key: value}))
        monkeypatch.setattr("applications.reports.memory.cache", memory)
        for _ in range(2):
            self.asked(client, application)
        assert len(learned) == 1
        clock.move_to(datetime(2026, 12, 1, 0, 0, tzinfo=UTC))
        self.asked(client, application)
        assert len(learned) == 2

    def test_without_redis_it_is_slow_and_right(self, client, application, monkeypatch):
        def away(*args, **kwargs):
            raise RedisError

        monkeypatch.setattr("applications.reports.memory.cache", SimpleNamespace(get=away))
        assert self.asked(client, application).status_code == 200


class TestTheCommand:
    def test_it_prints_each_month(self, application, capsys):
        for ago in range(1, 40):
            happened(application, ago, times=10)
        call_command("forecast", "--backtest")
        lines = capsys.readouterr().out.splitlines()
        months = accuracy(now=NOW)
        assert len(lines) == len(months) + 1
        assert lines[-1].split()[:4] == ["in", "all", "made", str(sum(one.made for one in months))]

    def test_of_nothing_nothing_can_be_judged(self, capsys):
        call_command("forecast", "--backtest")
        assert "No forecast can be judged yet" in capsys.readouterr().out
