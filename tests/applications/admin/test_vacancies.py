"""Vacancies in the workplace: many drafts at once, publishing them, and what can't be changed afterwards."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils.translation import gettext

from accounts.models import AuditEntry
from accounts.roles import Role
from applications.admin.group_names import name_of
from applications.bidding import publication
from applications.jobs import deadlines
from applications.refusals import Refusal
from applications.states import BidState, Move
from bulletin.journal_actions import Action
from bulletin.models import Vacancy
from tests.applications.bidding.reference import place_bid
from tests.factories import GroupFactory, KindergartenFactory, LocalityFactory, VacancyFactory
from tests.staff import carried, employee, inside, press, worker_of
from tests.unseen import pages_unseen

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]

ADD = reverse("admin:bulletin_vacancy_add")
BULK = reverse("admin:bulletin_vacancy_bulk")
LIST = reverse("admin:bulletin_vacancy_changelist")
AHEAD = {"opens_at": datetime(2019, 6, 27, 18, tzinfo=ZoneInfo("Asia/Almaty")), "published_at": None}
COMMON = {
    "common-opens_at_0": "2019-06-27",
    "common-opens_at_1": "18:00",
    "common-vacant_from_0": "2019-08-01",
    "common-vacant_from_1": "09:00",
    "common-place_type": "vacant",
    "common-mode": "first_come",
    "common-responsible": "Омарова А.",
}


@pytest.fixture
def desk(scene):
    return inside(worker_of(scene.group.kindergarten))


@pytest.fixture
def second(scene):
    return GroupFactory(kindergarten=scene.group.kindergarten, capacity=10)


def row(number, group, seats="3", years="2017, 2016"):
    return {
        f"row-{number}-group": name_of(group),
        f"row-{number}-seats_total": seats,
        f"row-{number}-birth_years": years,
    }


def drafts():
    return Vacancy.objects.filter(state=Vacancy.State.DRAFT)


class TestManyDrafts:
    def test_each_row_becomes_a_draft(self, desk, scene, second):
        answer = desk.post(BULK, COMMON | row(0, scene.group) | row(4, second, seats="10", years="2016"))
        assert answer.status_code == 302
        created = {draft.group: draft for draft in drafts()}
        assert created[scene.group].birth_years == [2017, 2016]
        assert created[second].seats_total == 10
        assert {f"{draft.opens_at.astimezone(draft.locality.zone):%d.%m %H:%M}" for draft in drafts()} == {
            "27.06 18:00"
        }

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_the_page_is_there_and_linked(self, desk, prefix):
        assert prefix + BULK in desk.get(prefix + LIST).content.decode()
        assert desk.get(prefix + BULK).status_code == 200

    @pytest.mark.parametrize(
        ("seats", "years", "field"),
        [
            ("", "2016", "seats_total"),
            ("0", "2016", "seats_total"),
            ("-1", "2016", "seats_total"),
            ("11", "2016", "seats_total"),
            ("9" * 30, "2016", "seats_total"),
            ("x", "2016", "seats_total"),
            ("3", "1999", "birth_years"),
            ("3", "2030", "birth_years"),
            ("3", "20166", "birth_years"),
            ("3", "<script>", "birth_years"),
            ("3", "2016" * 40, "birth_years"),
            ("3", "\x00", "birth_years"),
        ],
    )
    def test_one_wrong_row_saves_nothing(self, desk, scene, second, seats, years, field):
        sent = COMMON | row(0, scene.group) | row(1, second, seats=seats, years=years)
        with pages_unseen():
            answer = desk.post(BULK, sent)
        assert answer.status_code == 200
        rows = answer.context["bulk"].rows
        assert field in rows[1].errors
        assert not rows[0].errors
        assert not drafts().exists()

    @pytest.mark.parametrize("years", ["<script>", "\x00", "2016" * 40])
    def test_the_page_shows_a_wrong_row(self, desk, scene, second, years):
        answer = desk.post(BULK, COMMON | row(0, scene.group) | row(1, second, seats="0", years=years))
        assert 'class="errorlist' in answer.content.decode()
        assert "<script>" not in answer.content.decode().replace("<script src", "")

    def test_rows_of_one_group_share_its_places(self, desk, second):
        answer = desk.post(BULK, COMMON | row(0, second, seats="6") | row(1, second, seats="5"))
        assert "seats_total" in answer.context["bulk"].rows[1].errors
        assert not drafts().exists()

    def test_places_already_in_the_bulletin_count(self, desk, second):
        VacancyFactory(group=second, seats_total=8)
        answer = desk.post(BULK, COMMON | row(0, second, seats="3"))
        assert "seats_total" in answer.context["bulk"].rows[0].errors

    @pytest.mark.parametrize(
        "change",
        [
            {"common-opens_at_0": "nonsense"},
            {"common-opens_at_1": "25:99"},
            {"common-opens_at_0": "2019-05-29"},
            {"common-opens_at_0": "2019-06-26", "common-opens_at_1": "17:19"},
            {"common-mode": "auction"},
            {"common-responsible": ""},
            {"common-mode": "queue_order"},
        ],
    )
    def test_mistakes_in_the_common_part(self, desk, scene, change):
        answer = desk.post(BULK, COMMON | row(0, scene.group) | change)
        assert answer.status_code == 200
        assert answer.context["bulk"].errors
        assert not drafts().exists()

    def test_an_empty_page_is_refused_in_words(self, desk):
        assert desk.post(BULK, COMMON).context["bulk"].common.non_field_errors()
        assert desk.post(BULK, {}).status_code == 200

    def test_another_kindergartens_group_can_not_be_named(self, desk, scene):
        strange = GroupFactory(kindergarten=KindergartenFactory())
        answer = desk.post(BULK, COMMON | row(0, strange))
        assert "group" in answer.context["bulk"].rows[0].errors
        assert strange.name not in desk.get(BULK).content.decode()
        assert not drafts().exists()


class TestPublishingMany:
    def chosen(self, *vacancies):
        return {"action": "publish_selected", "_selected_action": [str(one.pk) for one in vacancies]}

    def test_it_asks_first_and_names_what_was_refused(self, desk, scene, second):
        good = VacancyFactory(group=second, state=Vacancy.State.DRAFT, seats_total=2, **AHEAD)
        much = VacancyFactory(group=second, state=Vacancy.State.DRAFT, seats_total=9, **AHEAD)
        data = self.chosen(good, much, scene.vacancy)
        asked = desk.post(LIST, data)
        assert asked.status_code == 200
        assert drafts().count() == 2
        answer = desk.post(LIST, carried(asked))
        said = " ".join(str(message) for message in get_messages(answer.wsgi_request))
        assert drafts().count() == 1
        assert scene.vacancy.get_state_display() in said

    def test_many_from_the_list_of_drafts_are_counted(self, desk, second):
        rows = [
            VacancyFactory(group=second, state=Vacancy.State.DRAFT, seats_total=2, **AHEAD)
            for _number in range(2)
        ]
        filtered = f"{LIST}?state__exact=draft"
        answer = desk.post(filtered, carried(desk.post(filtered, self.chosen(*rows))))
        assert not drafts().exists()
        (done,) = [str(message) for message in get_messages(answer.wsgi_request)]
        assert done.startswith(gettext("Vacancies published: %(count)s") % {"count": 2})
        assert done.count(str(rows[0])) == 2

    def test_another_kindergartens_drafts_stay(self, scene):
        draft = VacancyFactory(group=scene.group, state=Vacancy.State.DRAFT, published_at=None)
        stranger = inside(worker_of(KindergartenFactory()))
        stranger.post(LIST, self.chosen(draft) | {"confirmed": "yes"})
        assert drafts().get() == draft


class TestAfterPublication:
    def test_the_mode_can_not_be_changed(self, desk, scene):
        page = reverse("admin:bulletin_vacancy_change", args=[scene.vacancy.pk])
        answer = desk.post(page, {"mode": "queue_order", "closes_at_0": "2019-07-01", "closes_at_1": "18:00"})
        assert answer.status_code == 403
        scene.vacancy.refresh_from_db()
        assert scene.vacancy.mode == Vacancy.Mode.FIRST_COME

    def test_the_form_of_one_draft_checks_it_as_the_publication_will(self, desk, second):
        VacancyFactory(group=second, seats_total=8)
        common = {name.removeprefix("common-"): value for name, value in COMMON.items()}
        own = {"group": second.pk, "seats_total": "3", "birth_years": ["2017"]}
        answer = desk.post(reverse("admin:bulletin_vacancy_add"), {**common, **own})
        assert "seats_total" in answer.context["adminform"].form.errors
        assert not drafts().exists()

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_a_missing_value_hides_no_mistake_that_does_not_depend_on_it(self, desk, second, prefix):
        """Nor does what the database would refuse show the name of its constraint."""
        wrong = {name.removeprefix("common-"): value for name, value in COMMON.items()} | {
            "group": second.pk,
            "seats_total": "0",
            "birth_years": ["2017"],
            "mode": "queue_order",
            "opens_at_0": "25.06.2019",
            "vacant_from_0": "",
            "vacant_from_1": "",
        }
        answer = desk.post(f"{prefix}{ADD}", wrong)
        errors = answer.context["adminform"].form.errors
        assert set(errors) == {"vacant_from", "seats_total", "opens_at", "closes_at"}
        constraints = [constraint.name for constraint in Vacancy._meta.constraints]
        assert not [name for name in constraints if name in answer.content.decode()]
        # And nothing is said twice, or of a group that is not named.
        errors = desk.post(f"{prefix}{ADD}", wrong | {"group": ""}).context["adminform"].form.errors
        assert set(errors) == {"vacant_from", "seats_total", "group"}


class TestByWhoseClock:
    """The times of a form are those of the kindergarten's place, whatever the server's zone."""

    AQTAU = ZoneInfo("Asia/Aqtau")

    @pytest.fixture
    def western(self, calendar_2019):
        """A group in a place whose clocks were an hour behind those of Turkistan in 2019."""
        place = LocalityFactory(slug="aqtau", name_kk="Ақтау қ.", name_ru="г. Актау", timezone="Asia/Aqtau")
        return GroupFactory(kindergarten=KindergartenFactory(locality=place))

    @pytest.fixture
    def western_desk(self, western):
        return inside(worker_of(western.kindergarten))

    def form(self, group, **changes):
        return {
            "group": group.pk,
            "birth_years": ["2017"],
            "place_type": "vacant",
            "mode": "first_come",
            "seats_total": "3",
            "opens_at_0": "27.06.2019",
            "opens_at_1": "18:00",
            "vacant_from_0": "01.08.2019",
            "vacant_from_1": "09:00",
            "responsible": "Омарова А.",
        } | changes

    def page(self, draft, prefix=""):
        return prefix + reverse("admin:bulletin_vacancy_change", args=[draft.pk])

    def test_a_draft_is_read_shown_and_kept_by_it(self, western, western_desk):
        assert western_desk.post(ADD, self.form(western)).status_code == 302
        draft = drafts().get()
        assert draft.opens_at == datetime(2019, 6, 27, 18, tzinfo=self.AQTAU)
        page = western_desk.get(self.page(draft)).content.decode()
        assert 'value="18:00"' in page
        assert press(western_desk, self.page(draft), self.form(western, seats_total="4")).status_code == 302
        draft.refresh_from_db()
        assert (draft.seats_total, draft.opens_at) == (4, datetime(2019, 6, 27, 18, tzinfo=self.AQTAU))

    def test_the_group_that_is_chosen_decides(self, scene, western):
        official = inside(employee(Role.KINDERGARTEN, is_superuser=True))
        assert official.post(ADD, self.form(western)).status_code == 302
        draft = drafts().get()
        assert draft.opens_at == datetime(2019, 6, 27, 18, tzinfo=self.AQTAU)
        # The same words on the form of another place are another instant.
        assert press(official, self.page(draft), self.form(scene.group)).status_code == 302
        draft.refresh_from_db()
        assert draft.group == scene.group
        assert draft.opens_at == datetime(2019, 6, 27, 18, tzinfo=scene.locality.zone)

    @pytest.mark.parametrize(
        ("prefix", "words"),
        [("", "Балабақша орналасқан жердің уақыты"), ("/ru", "По местному времени детского сада")],
    )
    def test_the_form_says_by_whose(self, scene, western, western_desk, desk, prefix, words):
        assert f"{words}: UTC+05" in western_desk.get(prefix + ADD).content.decode()
        assert f"{words}: UTC+06" in desk.get(prefix + ADD).content.decode()
        several = inside(employee(Role.KINDERGARTEN, is_superuser=True))
        assert f"{words}." in several.get(prefix + ADD).content.decode()

    def test_the_list_and_the_confirm_page_go_by_it_too(self, western, western_desk):
        western_desk.post(ADD, self.form(western))
        assert "18:00" in western_desk.get(LIST).content.decode()
        confirm = reverse("admin:bulletin_vacancy_work", args=[drafts().get().pk, "publish"])
        page = western_desk.get(confirm).content.decode()
        assert "18:00" in page
        assert "19:00" not in page

    def test_each_row_of_many_drafts_goes_by_its_own(self, scene, western):
        chief = inside(employee(Role.KINDERGARTEN, is_superuser=True))
        assert chief.post(BULK, COMMON | row(0, scene.group) | row(1, western)).status_code == 302
        assert {draft.group: draft.opens_at for draft in drafts()} == {
            scene.group: datetime(2019, 6, 27, 18, tzinfo=scene.locality.zone),
            western: datetime(2019, 6, 27, 18, tzinfo=self.AQTAU),
        }

    @pytest.mark.parametrize("group", ["", "x", "²", "9" * 40, "-1"])
    def test_a_group_that_is_none_is_refused_in_words(self, western, western_desk, group):
        answer = western_desk.post(ADD, self.form(western) | {"group": group})
        assert answer.status_code == 200
        assert list(answer.context["adminform"].form.errors) == ["group"]


class TestWhoDidWhat:
    """Publication, recall and closing stand in the journal and in the vacancy's history, with who and when."""

    def history(self, desk, vacancy, prefix=""):
        return desk.get(f"{prefix}/admin/bulletin/vacancy/{vacancy.pk}/history/").content.decode()

    def press(self, desk, vacancy, name, **data):
        return press(desk, f"/admin/bulletin/vacancy/{vacancy.pk}/do/{name}/", data)

    @pytest.mark.parametrize(
        ("name", "data", "action", "kk", "ru"),
        [
            (
                "close",
                {},
                Action.VACANCY_CLOSED,
                "Бос орынға өтінім қабылдау аяқталды",
                "Приём заявок на место закончен",
            ),
            ("recall", {"reason": "Қате жарияланды"}, Action.VACANCY_RECALLED, "Қате", "Қате"),
        ],
    )
    def test_an_end_names_who_ended_it(self, scene, name, data, action, kk, ru):
        worker = worker_of(scene.group.kindergarten, username="aidana")
        desk = inside(worker)
        self.press(desk, scene.vacancy, name, **data)
        entry = AuditEntry.objects.get(action=action)
        assert (entry.actor, entry.at, entry.target) == (worker, scene.now, str(scene.vacancy))
        for prefix, words in (("", kk), ("/ru", ru)):
            page = self.history(desk, scene.vacancy, prefix)
            assert "aidana" in page
            assert words in page
            assert "26.06.2019 16:20" in page

    def test_so_does_a_publication(self, scene, second):
        desk = inside(worker_of(scene.group.kindergarten, username="aidana"))
        draft = VacancyFactory(group=second, state=Vacancy.State.DRAFT, seats_total=2, **AHEAD)
        self.press(desk, draft, "publish")
        page = self.history(desk, draft)
        assert "aidana" in page
        assert str(Action.VACANCY_PUBLISHED.label) in page

    @pytest.mark.parametrize("end", [publication.recall_vacancy, publication.close_vacancy])
    def test_what_is_rolled_back_leaves_no_entry_and_what_stands_has_one(self, scene, monkeypatch, end):
        reason = {"reason": "Қате жарияланды"} if end is publication.recall_vacancy else {}

        def broken(*args, **kwargs):
            raise RuntimeError("the journal can't be written")

        monkeypatch.setattr(publication.audit, "record", broken)
        with pytest.raises(RuntimeError):
            end(scene.vacancy, actor=scene.staff, now=scene.now, **reason)
        scene.vacancy.refresh_from_db()
        assert scene.vacancy.state == Vacancy.State.PUBLISHED

    def test_a_recall_that_a_job_finishes_is_still_the_employees(self, scene, monkeypatch):
        bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)

        def killed(*args, **kwargs):
            raise SystemExit

        monkeypatch.setattr(publication, "void_bid", killed)
        with pytest.raises(SystemExit):
            publication.recall_vacancy(
                scene.vacancy, actor=scene.staff, reason="Қате жарияланды", now=scene.now
            )
        monkeypatch.undo()
        assert deadlines.award_bids(now=scene.now) == 1
        bid.refresh_from_db()
        assert bid.state == BidState.VOID
        assert scene.parent.journal.get(action="bid_void").actor == scene.staff
        assert scene.application.events.get(move=Move.VOID_BID).actor == scene.staff

    def test_a_button_of_another_page_is_in_its_history_too(self, scene):
        bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        desk = inside(worker_of(scene.group.kindergarten, username="aidana"))
        desk.post(f"/admin/applications/bid/{bid.pk}/do/activate/")
        for prefix, words in (("", "Активтендіру"), ("/ru", "Активировать")):
            page = desk.get(f"{prefix}/admin/applications/bid/{bid.pk}/history/").content.decode()
            assert "aidana" in page
            assert words in page

    def test_drafts_of_one_page_say_who_wrote_them(self, scene, desk):
        desk.post(BULK, COMMON | row(0, scene.group))
        assert "staff-" in self.history(desk, drafts().get())


class TestTwoWindows:
    """What one window saved is not lost to an older one, and nothing is published that was not read."""

    FORM = {name.removeprefix("common-"): value for name, value in COMMON.items()} | {
        "opens_at_0": "27.06.2019",
        "vacant_from_0": "01.08.2019",
        "seats_total": "2",
        "birth_years": ["2017"],
    }

    @pytest.fixture
    def draft(self, second):
        return VacancyFactory(group=second, state=Vacancy.State.DRAFT, seats_total=2, **AHEAD)

    def page(self, draft):
        return f"/admin/bulletin/vacancy/{draft.pk}/change/"

    def seen(self, page):
        return re.search(r'name="_seen" value="(\w+)"', page.content.decode()).group(1)

    def form(self, draft, **changes):
        return self.FORM | {"group": draft.group.pk} | changes

    def test_an_older_window_saves_nothing_before_it_has_read_the_newer_one(self, desk, draft):
        older = self.seen(desk.get(self.page(draft)))
        assert desk.post(self.page(draft), self.form(draft, seats_total="7", _seen=older)).status_code == 302
        answer = desk.post(self.page(draft), self.form(draft, seats_total="5", _seen=older))
        assert answer.status_code == 200
        errors = answer.context["adminform"].form.non_field_errors()
        assert "7" in " ".join(list(errors)[1:])
        assert 'value="5"' in answer.content.decode()
        draft.refresh_from_db()
        assert draft.seats_total == 7
        # Read, and pressed once more.
        again = self.form(draft, seats_total="5", _seen=self.seen(answer))
        assert desk.post(self.page(draft), again).status_code == 302
        draft.refresh_from_db()
        assert draft.seats_total == 5

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_times_are_compared_by_one_clock(self, desk, draft, prefix):
        """What is stored stands beside what was typed: both as they are where the kindergarten is."""
        page = prefix + self.page(draft)
        older = self.seen(desk.get(page))
        newer = self.form(draft, opens_at_1="09:30", closes_at_0="01.08.2019", closes_at_1="18:00")
        assert desk.post(page, newer | {"_seen": older}).status_code == 302
        answer = desk.post(page, self.form(draft, opens_at_1="10:00", _seen=older))
        told = " ".join(answer.context["adminform"].form.non_field_errors())
        assert "27.06.2019 09:30" in told.replace("\N{NO-BREAK SPACE}", " ")
        assert "01.08.2019 18:00" in told.replace("\N{NO-BREAK SPACE}", " ")

    @pytest.mark.parametrize(
        "changed",
        [
            {"seats_total": 1},
            {"birth_years": [2016]},
            {"mode": "queue_order", "closes_at": AHEAD["opens_at"] + timedelta(days=9)},
            {"responsible": "Басқа"},
            {"place_type": "temporary"},
            {"vacant_from": AHEAD["opens_at"] + timedelta(days=1)},
        ],
    )
    def test_what_was_not_read_is_not_published(self, desk, draft, changed):
        url = f"/admin/bulletin/vacancy/{draft.pk}/do/publish/"
        seen = desk.get(url).context["form"]["seen"].value()
        Vacancy.objects.filter(pk=draft.pk).update(**changed)
        (words,) = self.said(desk.post(url, {"seen": seen}))
        assert words == str(Refusal.CHANGED_MEANWHILE.label)
        draft.refresh_from_db()
        assert draft.state == Vacancy.State.DRAFT
        desk.post(url, {"seen": desk.get(url).context["form"]["seen"].value()})
        draft.refresh_from_db()
        assert draft.state == Vacancy.State.PUBLISHED

    def test_nor_by_the_list(self, desk, draft):
        chosen = {"action": "publish_selected", "_selected_action": [str(draft.pk)]}
        page = desk.post(LIST, chosen).content.decode()
        mark = re.search(rf'name="seen-{draft.pk}" value="(\w+)"', page).group(1)
        Vacancy.objects.filter(pk=draft.pk).update(seats_total=1)
        desk.post(LIST, chosen | {"confirmed": "yes", f"seen-{draft.pk}": mark})
        draft.refresh_from_db()
        assert draft.state == Vacancy.State.DRAFT

    def test_the_confirm_page_shows_what_becomes_unchangeable(self, desk, second):
        draft = VacancyFactory(
            group=second,
            state=Vacancy.State.DRAFT,
            mode=Vacancy.Mode.QUEUE_ORDER,
            place_type=Vacancy.PlaceType.TEMPORARY,
            closes_at=AHEAD["opens_at"] + timedelta(days=2),
            responsible="Омарова Айгүл",
            **AHEAD,
        )
        page = desk.get(f"/admin/bulletin/vacancy/{draft.pk}/do/publish/").content.decode()
        for shown in (draft.get_mode_display(), draft.get_place_type_display(), "29", "Омарова Айгүл"):
            assert str(shown) in page

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_a_draft_published_or_deleted_meanwhile_is_answered_by_the_workplace(self, desk, draft, prefix):
        form = self.form(draft)
        Vacancy.objects.filter(pk=draft.pk).update(state=Vacancy.State.PUBLISHED, published_at=draft.opens_at)
        answer = desk.post(prefix + self.page(draft), form)
        assert answer.status_code == 403
        assert f'href="{prefix}{self.page(draft)}"' in answer.content.decode()
        Vacancy.objects.filter(pk=draft.pk).delete()
        gone = desk.post(prefix + self.page(draft), form)
        assert gone.status_code == 404
        for page in (answer, gone):
            assert 'id="site-name"' in page.content.decode()
            assert f'href="{prefix}/admin/"' in page.content.decode()

    def test_many_refusals_are_one_sentence_for_each_reason(self, desk, second):
        states = ["published", "published", "recalled", "closed"]
        rows = [VacancyFactory(group=second, state=state, seats_total=1) for state in states]
        chosen = {"action": "publish_selected", "_selected_action": [str(one.pk) for one in rows]}
        said = self.said(desk.post(LIST, chosen | {"confirmed": "yes"}))
        (words,) = said
        for one in rows:
            assert f"{one} ({one.get_state_display()})" in words

    def said(self, answer):
        return [str(message) for message in get_messages(answer.wsgi_request)]
