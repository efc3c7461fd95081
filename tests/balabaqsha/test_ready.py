"""Whether a city is ready to open: each question, the command and the page."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils.translation import override

from accounts.models import Profile
from accounts.roles import Role
from balabaqsha.management.commands import ready as command
from balabaqsha.ready import reading
from balabaqsha.ready.questions import Colour, Known, Missing, findings, verdict
from bulletin.models import Vacancy
from notifications.models import Message
from tests.factories import (
    ChildFactory,
    GroupFactory,
    KindergartenFactory,
    LocalityFactory,
    ProfileFactory,
    VacancyFactory,
)
from tests.staff import employee, inside, worker_of
from tests.test_language_of_pages import complaints

NOW = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
NONE = Missing(0, [])
HEALTH = dict.fromkeys(
    ("database", "redis", "files", "workers", "beat", "sweeps", "clocks", "calendar"), "ok"
)
# Everything that the portal can know is well.
WELL = Known(
    today=date(2027, 2, 1),
    is_preview=True,
    opens_on=date(2027, 3, 1),
    is_demo=False,
    faults=[],
    health=HEALTH,
    rules=["a: 5"],
    places_with_rules=1,
    localities=1,
    localities_without_kindergarten=NONE,
    kindergartens=2,
    kindergartens_without_group=NONE,
    groups_to_confirm=0,
    kindergartens_with_vacancy=2,
    nobody_answers=NONE,
    no_second_answer=NONE,
    sms_sent_at=NOW,
    sms_failed_at=NOW - timedelta(days=1),
    registry_is_simulated=False,
    registry_answered_at=NOW,
    keys_fit=True,
    former_undecided=0,
    is_former_signed=True,
)


class MadeUp:
    """A registry that is not the portal's own simulated one."""

    simulated = True

    def find_person(self):
        raise NotImplementedError


def colours(known):
    return {one.name: one.colour for one in findings(known)}


def test_all_that_can_be_known_is_green_and_a_backup_is_unknown():
    assert {name for name, colour in colours(WELL).items() if colour != Colour.GREEN} == {"backup"}
    assert colours(WELL)["backup"] == Colour.UNKNOWN
    assert verdict(findings(WELL)) is Colour.UNKNOWN
    assert verdict(findings(replace(WELL, is_demo=True))) is Colour.RED


def test_of_a_backup_only_people_can_say():
    restored = replace(WELL, backup_of=WELL.today - timedelta(days=1))
    assert verdict(findings(restored)) is Colour.GREEN


@pytest.mark.parametrize(
    ("changes", "name", "colour"),
    [
        ({"opens_on": None}, "opening", Colour.RED),
        ({"opens_on": date(2027, 1, 31)}, "opening", Colour.RED),
        ({"opens_on": date(2027, 2, 1)}, "opening", Colour.GREEN),
        ({"is_preview": False, "opens_on": None}, "opening", Colour.GREEN),
        # Campaigns rest until that day.
        ({"is_preview": False, "opens_on": date(2027, 2, 2)}, "opening", Colour.RED),
        ({"is_preview": False, "opens_on": date(2027, 2, 1)}, "opening", Colour.GREEN),
        ({"backup_of": date(2027, 1, 30)}, "backup", Colour.RED),
        ({"backup_of": date(2027, 2, 1)}, "backup", Colour.GREEN),
        ({"is_demo": True}, "demo", Colour.RED),
        ({"faults": ["ALLOWED_HOSTS"]}, "settings", Colour.RED),
        ({"health": HEALTH | {"redis": "failing"}}, "services", Colour.RED),
        ({"health": HEALTH | {"workers": "missing"}}, "processes", Colour.RED),
        ({"health": HEALTH | {"beat": "late"}}, "processes", Colour.RED),
        ({"health": HEALTH | {"sweeps": "late"}}, "processes", Colour.RED),
        ({"health": HEALTH | {"clocks": "differ"}}, "clocks", Colour.RED),
        # The database could not be asked.
        ({"health": {"database": "failing", "redis": "ok", "files": "ok"}}, "services", Colour.RED),
        ({"health": {"database": "failing", "redis": "ok", "files": "ok"}}, "processes", Colour.UNKNOWN),
        ({"health": {"database": "failing", "redis": "ok", "files": "ok"}}, "calendar", Colour.UNKNOWN),
        ({"health": HEALTH | {"calendar": "missing"}}, "calendar", Colour.RED),
        ({"health": HEALTH | {"calendar": "ending"}}, "calendar", Colour.RED),
        ({"keys_fit": False}, "keys", Colour.RED),
        ({"keys_fit": None}, "keys", Colour.UNKNOWN),
        ({"localities": 0}, "localities", Colour.RED),
        ({"kindergartens": 0}, "localities", Colour.RED),
        ({"localities_without_kindergarten": Missing(1, ["Кентау"])}, "localities", Colour.RED),
        ({"kindergartens": 0}, "groups", Colour.RED),
        ({"kindergartens_without_group": Missing(1, ["№1"])}, "groups", Colour.RED),
        ({"groups_to_confirm": 1}, "groups", Colour.RED),
        ({"kindergartens_with_vacancy": 0}, "employees", Colour.UNKNOWN),
        ({"nobody_answers": Missing(1, ["№1"])}, "employees", Colour.RED),
        ({"no_second_answer": Missing(1, ["Кентау"])}, "complaints", Colour.RED),
        ({"sms_sent_at": None, "sms_failed_at": None}, "sms", Colour.UNKNOWN),
        ({"sms_sent_at": None}, "sms", Colour.RED),
        ({"sms_failed_at": NOW + timedelta(seconds=1)}, "sms", Colour.RED),
        ({"health": HEALTH | {"outbox": "late"}}, "sms", Colour.RED),
        ({"sms_sent_at": NOW - timedelta(days=8), "sms_failed_at": None}, "sms", Colour.UNKNOWN),
        ({"sms_sent_at": NOW - timedelta(days=7), "sms_failed_at": None}, "sms", Colour.GREEN),
        ({"registry_answered_at": NOW - timedelta(days=8)}, "registry", Colour.UNKNOWN),
        ({"registry_answered_at": None}, "registry", Colour.UNKNOWN),
        ({"registry_is_simulated": True}, "registry", Colour.RED),
    ],
)
def test_one_thing_is_missing(changes, name, colour):
    known = replace(WELL, **changes)
    assert colours(known)[name] == colour
    assert bool(next(one for one in findings(known) if one.name == name).remedy) == (colour != Colour.GREEN)


def test_names_are_told_and_the_number_says_the_rest():
    assert str(Missing(2, ["№1", "№2"])) == "2 (№1, №2)"
    assert str(Missing(7, ["№1", "№2"])) == "7 (№1, №2…)"


@pytest.mark.django_db
class TestWhatIsRead:
    @pytest.fixture(autouse=True)
    def _quick(self, monkeypatch):
        monkeypatch.setattr(reading, "report", lambda: (HEALTH, True))

    def test_an_empty_portal(self):
        known = reading.read_known(now=NOW)
        assert (known.localities, known.kindergartens, known.kindergartens_with_vacancy) == (0, 0, 0)
        assert known.keys_fit is None
        assert known.sms_sent_at is None
        assert known.registry_answered_at is None
        assert any(line.endswith(": 5") for line in known.rules)

    def test_where_something_is_missing(self):
        empty = LocalityFactory(slug="kentau")
        group = GroupFactory()
        without = KindergartenFactory(locality=group.kindergarten.locality)
        VacancyFactory(group=group, state=Vacancy.State.DRAFT, published_at=None)
        known = reading.read_known(now=NOW)
        assert known.localities_without_kindergarten == Missing(1, [str(empty)])
        assert known.kindergartens_without_group == Missing(1, [str(without)])
        assert known.nobody_answers == Missing(1, [str(group.kindergarten)])
        worker_of(group.kindergarten)
        assert reading.read_known(now=NOW).nobody_answers == NONE

    def test_a_registry_of_ones_own_that_makes_people_up_is_seen(self, settings):
        settings.PERSON_REGISTRY = f"{__name__}.MadeUp"
        assert reading.read_known(now=NOW).registry_is_simulated
        settings.PERSON_REGISTRY = "accounts.registry.http.HttpRegistry"
        assert not reading.read_known(now=NOW).registry_is_simulated

    def test_a_place_that_nobody_offers_any_more_needs_nobody(self):
        VacancyFactory(state=Vacancy.State.RECALLED)
        assert reading.read_known(now=NOW).kindergartens_with_vacancy == 0

    @pytest.mark.parametrize("somebody", [ProfileFactory, ChildFactory])
    def test_keys_of_another_portal_are_seen(self, settings, somebody):
        somebody()
        assert reading.read_known(now=NOW).keys_fit is True
        own = settings.IIN_KEYS
        settings.IIN_KEYS = [Fernet.generate_key().decode()]
        assert reading.read_known(now=NOW).keys_fit is False
        settings.IIN_KEYS, settings.IIN_HASH_KEY = own, "another key of forty signs, as long as it must"
        assert reading.read_known(now=NOW).keys_fit is False

    def test_the_last_sms_and_the_last_answer(self):
        sent = {
            "phone": "+77017779876",
            "kind": "registration_code",
            "language": "kk",
            "next_attempt_at": NOW,
        }
        sent |= {"give_up_at": NOW, "created_at": NOW}
        Message.objects.create(dedupe_key="1", state=Message.State.SENT, sent_at=NOW, **sent)
        Message.objects.create(dedupe_key="2", state=Message.State.FAILED, **sent)
        ProfileFactory()
        Profile.objects.update(registry_asked_at=NOW)
        known = reading.read_known(now=NOW)
        assert (known.sms_sent_at, known.sms_failed_at, known.registry_answered_at) == (NOW, NOW, NOW)

    def test_the_owner_s_address_is_not_asked_of_who_need_not_know_it(self, settings):
        settings.OWNER_IS_NAMED = False
        assert not [one for one in reading.read_known(now=NOW).faults if "MIGRATE_DATABASE_URL" in one]


class TestCommand:
    def run(self, monkeypatch, known, **options):
        monkeypatch.setattr(command, "read_known", lambda **_: known)
        monkeypatch.setattr(command, "read_clock", lambda: NOW)
        out = StringIO()
        with pytest.raises(CommandError) as refused:
            call_command("ready", stdout=out, **options)
        return out.getvalue(), refused.value

    def test_it_names_what_is_missing_with_the_remedy(self, monkeypatch):
        said, refused = self.run(monkeypatch, replace(WELL, faults=["x"]))
        assert refused.returncode == 1
        assert str(refused) == "The city is not ready to open: settings."
        assert "MISSING  May a real portal run" in said
        assert "-> This command names each, with its remedy. (manage.py check --deploy)" in said
        assert "unknown  Is there a backup" in said

    def test_a_program_can_read_it(self, monkeypatch):
        said, _refused = self.run(monkeypatch, WELL, format="json")
        told = json.loads(said)
        assert (told["ready"], told["colour"]) == (False, "unknown")
        assert {one["name"]: one["colour"] for one in told["findings"]} == colours(WELL)

    def test_what_only_people_know_ends_otherwise_than_what_is_missing(self, monkeypatch):
        _said, refused = self.run(monkeypatch, WELL)
        assert refused.returncode == 3
        assert "backup" in str(refused)

    def test_it_ends_with_nothing_once_people_have_said_it(self, monkeypatch):
        monkeypatch.setattr(
            command, "read_known", lambda *, backup_of, **_: replace(WELL, backup_of=backup_of)
        )
        monkeypatch.setattr(command, "read_clock", lambda: NOW)
        out = StringIO()
        call_command("ready", restored_backup_of=date(2027, 2, 1), format="json", stdout=out)
        assert json.loads(out.getvalue())["ready"] is True

    @pytest.mark.parametrize("day", ["2027-02-03", "yesterday"])
    def test_a_day_that_can_not_be_is_refused(self, monkeypatch, day):
        monkeypatch.setattr(command, "read_clock", lambda: NOW)
        with pytest.raises(CommandError):
            call_command("ready", "--restored-backup-of", day, stdout=StringIO())


@pytest.mark.django_db
class TestPage:
    @pytest.mark.parametrize(
        ("language", "words"), [("kk", "Ашуға дайын ба?"), ("ru", "Готов ли портал к открытию?")]
    )
    def test_what_is_missing_comes_first(self, language, words):
        desk = inside(employee(Role.ADMINISTRATOR, username="марал"))
        with override(language):
            answer = desk.get(reverse("admin:ready"))
        html = answer.content.decode()
        assert words in html
        assert complaints({"ready": html}, language) == {}
        shown = [one.colour for one in answer.context["findings"]]
        assert shown == sorted(shown, key=[Colour.RED, Colour.UNKNOWN, Colour.GREEN].index)
        assert Colour.RED in shown

    @pytest.mark.parametrize("role", [Role.KINDERGARTEN, Role.CONTACT_CENTRE, Role.AUDITOR])
    def test_it_is_no_work_of_others(self, role):
        assert inside(employee(role)).get(reverse("admin:ready")).status_code == 403
