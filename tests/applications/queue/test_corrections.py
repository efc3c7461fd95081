"""Corrections of the queue: four eyes, what is refused, the workplace, the public ledger."""

import csv
import io
from datetime import date, datetime, timedelta
from html import unescape

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import translation

from accounts.models import AuditEntry, StaffLink
from accounts.roles import Role
from applications.journal_actions import Action
from applications.models import Application, Correction, Event
from applications.moves import Refused
from applications.queue.corrections import (
    approve_correction,
    corrected_number,
    decline_correction,
    propose_correction,
)
from applications.queue.position import count_position, position
from applications.refusals import Refusal
from applications.states import ApplicationState, CorrectionState, Move, Tier
from applications.waiting.changes import change_locality
from notifications.models import Message, Notice
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import ZONE
from tests.factories import (
    ApplicationFactory,
    GuardianshipFactory,
    LocalityFactory,
    StaffFactory,
    UserFactory,
    crowd,
)
from tests.staff import employee, inside, worker_of
from tests.thorough import pairs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]

LEDGER = "/queue/corrections/"
EARLIER = datetime(2019, 4, 1, 9, 30, tzinfo=ZONE)


@pytest.fixture
def ainur():
    return employee(Role.OFFICIAL, username="ainur.proposes")


@pytest.fixture
def bolat():
    return employee(Role.OFFICIAL, username="bolat.decides")


@pytest.fixture
def waiting(scene):
    """Four more applications of the same queue, all filed in May, before the scene's own."""
    return [
        ApplicationFactory(locality=scene.locality, filed_at=datetime(2019, 5, day, tzinfo=ZONE))
        for day in range(1, 5)
    ]


@pytest.fixture
def propose(scene, ainur):
    def proposed(application=None, **changed):
        values = {
            "new_filed_at": EARLIER,
            "reason": "Қағаз өтініш ертерек тіркелген",
            "document_number": "114-Н",
            "document_date": date(2019, 6, 25),
            "actor": ainur,
            "now": scene.now,
        }
        return propose_correction(application or scene.application, **(values | changed))

    return proposed


def refusal(call, *args, **kwargs):
    with pytest.raises(Refused) as caught:
        call(*args, **kwargs)
    return caught.value.reason


def text(response):
    return unescape(response.content.decode())


class TestCarriedOut:
    def test_nothing_changes_until_another_official_approves(self, scene, waiting, propose, bolat):
        propose()
        scene.application.refresh_from_db()
        assert position(scene.application, now=scene.now).number == 5

    def test_the_application_stands_by_its_new_time(self, scene, waiting, propose, bolat):
        approve_correction(propose(), actor=bolat, now=scene.now)
        scene.application.refresh_from_db()
        assert scene.application.filed_at == EARLIER
        assert scene.application.state == ApplicationState.WAITING
        assert position(scene.application, now=scene.now).number == 1
        event = Event.objects.get(application=scene.application)
        assert (event.move, event.actor, event.filed_at) == (Move.CORRECT, bolat, EARLIER)
        assert event.data["document_number"] == "114-Н"

    def test_another_birth_year_is_another_queue(self, scene, waiting, propose, bolat):
        approve_correction(propose(new_filed_at=None, new_birth_year=2016), actor=bolat, now=scene.now)
        scene.application.refresh_from_db()
        assert scene.application.birth_year == 2016
        assert (
            position(scene.application, now=scene.now).number,
            position(waiting[3], now=scene.now).total,
        ) == (1, 4)

    @pytest.mark.parametrize("language", ["kk", "ru"])
    def test_the_family_is_told_both_numbers_and_the_order(self, scene, waiting, propose, bolat, language):
        scene.parent.language = language
        scene.parent.save()
        approve_correction(propose(), actor=bolat, now=scene.now)
        notice = Notice.objects.get(recipient=scene.parent, kind="corrected")
        message = Message.objects.get(kind="corrected")
        for body in (notice.text_kk, notice.text_ru):
            for part in ("5", "1", "114-Н", "25.06.2019", scene.application.number):
                assert part in body
        assert "5" in message.text
        assert len(message.text) <= 70
        assert "КАМЕНОВА" not in message.text

    def test_who_holds_no_number_is_told_without_one(self, scene, propose, bolat):
        Application.objects.filter(pk=scene.application.pk).update(state=ApplicationState.STOP_LISTED)
        approve_correction(propose(), actor=bolat, now=scene.now)
        assert "None" not in Notice.objects.get(kind="corrected").text_kk
        assert "None" not in Message.objects.get(kind="corrected").text

    def test_a_bid_and_its_state_stay(self, scene, propose, bolat):
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        approve_correction(propose(), actor=bolat, now=scene.now)
        scene.application.refresh_from_db()
        assert (scene.application.state, scene.application.filed_at) == (ApplicationState.BID_PLACED, EARLIER)

    def test_all_of_it_is_in_the_journal(self, scene, propose, ainur, bolat):
        decline_correction(propose(), actor=bolat, reason="Бұйрық табылмады", now=scene.now)
        approve_correction(propose(), actor=bolat, now=scene.now)
        journal = AuditEntry.objects.filter(subject=scene.parent).order_by("pk")
        assert list(journal.values_list("action", "actor__username")) == [
            (Action.CORRECTION_PROPOSED, "ainur.proposes"),
            (Action.CORRECTION_DECLINED, "bolat.decides"),
            (Action.CORRECTION_PROPOSED, "ainur.proposes"),
            (Action.CORRECTION_APPROVED, "bolat.decides"),
        ]
        assert journal[1].reason == "Бұйрық табылмады"

    @pytest.mark.parametrize("tier", Tier)
    @pytest.mark.parametrize("day", [1, 12, 25])
    def test_the_preview_is_what_comes_true(self, scene, propose, bolat, tier, day):
        family = {"locality": scene.locality, "filed_by": UserFactory()}
        crowd(
            *(
                family | {"tier": number % 3, "filed_at": datetime(2019, 6, 1 + number, 12, tzinfo=ZONE)}
                for number in range(20)
            )
        )
        Application.objects.filter(pk=scene.application.pk).update(tier=tier)
        scene.application.refresh_from_db()
        filed_at = datetime(2019, 6, day, 13, tzinfo=ZONE)
        expected = corrected_number(scene.application, filed_at=filed_at, birth_year=2017, now=scene.now)
        approve_correction(propose(new_filed_at=filed_at), actor=bolat, now=scene.now)
        scene.application.refresh_from_db()
        assert count_position(scene.application, now=scene.now).number == expected


class TestRefused:
    def test_the_proposer_can_not_decide(self, scene, propose, ainur, bolat):
        correction = propose()
        # Nor can whoever made the proposer's account, and with it could have been the proposer.
        link = StaffLink.objects.create(
            user=ainur, made_by=bolat, link_hash="x", made_at=scene.now, expires_at=scene.now + timedelta(1)
        )
        StaffLink.objects.filter(pk=link.pk).update(used_at=scene.now)
        assert refusal(approve_correction, correction, actor=bolat, now=scene.now) == Refusal.SAME_OFFICIAL
        assert refusal(approve_correction, correction, actor=ainur, now=scene.now) == Refusal.SAME_OFFICIAL
        assert (
            refusal(decline_correction, correction, actor=ainur, reason="x", now=scene.now)
            == Refusal.SAME_OFFICIAL
        )
        scene.application.refresh_from_db()
        assert scene.application.filed_at != EARLIER

    def test_nobody_proposes_or_decides_for_an_own_child(self, scene, propose, ainur, bolat):
        correction = propose()
        for official in (ainur, bolat):
            GuardianshipFactory(child=scene.application.child, user=official)
        for call in (
            propose,
            lambda: approve_correction(correction, actor=bolat, now=scene.now),
            lambda: decline_correction(correction, actor=bolat, reason="x", now=scene.now),
        ):
            assert refusal(call) == Refusal.OWN_CHILD

    def test_nor_does_the_database_let_them(self, scene, propose, ainur):
        correction = propose()
        with pytest.raises(IntegrityError, match="correction_four_eyes"), transaction.atomic():
            Correction.objects.filter(pk=correction.pk).update(decided_by=ainur, decided_at=scene.now)

    @pytest.mark.parametrize("kind", ["parent", "worker", "bare", "blocked"])
    def test_only_officials_propose_and_decide(self, scene, propose, kind):
        someone = {
            "parent": lambda: scene.parent,
            "worker": lambda: worker_of(scene.group.kindergarten),
            "bare": StaffFactory,
            "blocked": lambda: employee(Role.OFFICIAL, is_active=False),
        }[kind]()
        with pytest.raises(PermissionDenied):
            propose(actor=someone)
        correction = propose()
        with pytest.raises(PermissionDenied):
            approve_correction(correction, actor=someone, now=scene.now)
        with pytest.raises(PermissionDenied):
            decline_correction(correction, actor=someone, reason="x", now=scene.now)

    def test_filing_in_the_future(self, scene, propose):
        later = scene.now + timedelta(microseconds=1)
        assert refusal(propose, new_filed_at=later) == Refusal.FUTURE_FILING
        assert propose(new_filed_at=scene.now).new_filed_at == scene.now

    @pytest.mark.parametrize(("day", "ok"), [(26, True), (27, False)])
    def test_an_order_of_tomorrow(self, propose, day, ok):
        order = {"document_date": date(2019, 6, day)}
        if ok:
            assert propose(**order)
        else:
            assert refusal(propose, **order) == Refusal.FUTURE_ORDER

    @pytest.mark.parametrize(
        ("changed", "reason"),
        [
            ({"reason": "  "}, Refusal.REASON_MISSING),
            ({"document_number": " "}, Refusal.ORDER_MISSING),
            ({"new_filed_at": None}, Refusal.NOTHING_TO_CORRECT),
            ({"new_filed_at": None, "new_birth_year": 2017}, Refusal.NOTHING_TO_CORRECT),
            ({"new_birth_year": 2011}, Refusal.AGE),
            ({"new_birth_year": 2020}, Refusal.AGE),
            ({"new_filed_at": datetime(2017, 7, 19, 23, 59, tzinfo=ZONE)}, Refusal.FILED_BEFORE_BIRTH),
            ({"document_date": date(2017, 7, 19)}, Refusal.ORDER_BEFORE_BIRTH),
            ({"document_date": date(1, 1, 1)}, Refusal.ORDER_BEFORE_BIRTH),
            ({"reason": "Каменова Данияның өтініші ертерек тіркелген"}, Refusal.NAMES_IN_PUBLIC),
            ({"reason": "Заявление Каменовой зарегистрировано раньше"}, Refusal.NAMES_IN_PUBLIC),
            ({"reason": "КАМЕНОВ Е.А. әкелген қағаз өтініш"}, Refusal.NAMES_IN_PUBLIC),
            ({"document_number": "Каменов-1"}, Refusal.NAMES_IN_PUBLIC),
        ],
    )
    def test_what_makes_no_sense(self, propose, changed, reason):
        assert refusal(propose, **changed) == reason

    @pytest.mark.parametrize(
        "at", [datetime(2017, 7, 20, tzinfo=ZONE), datetime(2017, 7, 20, 23, 59, tzinfo=ZONE)]
    )
    def test_the_day_of_birth_is_early_enough(self, propose, at):
        assert propose(new_filed_at=at, document_date=at.date())

    def test_the_present_time_again(self, scene, propose):
        assert refusal(propose, new_filed_at=scene.application.filed_at) == Refusal.NOTHING_TO_CORRECT

    @pytest.mark.parametrize("state", [ApplicationState.ENROLLED, ApplicationState.ARCHIVED])
    def test_who_has_left(self, scene, propose, bolat, state):
        correction = propose()
        archived_at = scene.now if state == ApplicationState.ARCHIVED else None
        Application.objects.filter(pk=scene.application.pk).update(state=state, archived_at=archived_at)
        assert refusal(approve_correction, correction, actor=bolat, now=scene.now) == Refusal.NOT_ALLOWED
        assert refusal(propose) == Refusal.NOT_ALLOWED

    def test_a_second_one_while_one_waits(self, propose):
        propose()
        assert refusal(propose) == Refusal.CORRECTION_WAITS

    def test_one_that_is_decided(self, scene, propose, bolat):
        correction = approve_correction(propose(), actor=bolat, now=scene.now)
        assert (
            refusal(approve_correction, correction, actor=bolat, now=scene.now) == Refusal.CORRECTION_DECIDED
        )
        assert (
            refusal(decline_correction, correction, actor=bolat, reason="x", now=scene.now)
            == Refusal.CORRECTION_DECIDED
        )
        assert Event.objects.filter(move=Move.CORRECT).count() == 1

    @pytest.mark.parametrize(
        "changed", [{"filed_at": EARLIER + timedelta(microseconds=1)}, {"birth_year": 2016}]
    )
    def test_one_that_the_application_outran(self, scene, propose, bolat, changed):
        correction = propose()
        Application.objects.filter(pk=scene.application.pk).update(**changed)
        assert (
            refusal(approve_correction, correction, actor=bolat, now=scene.now) == Refusal.CORRECTION_OUTDATED
        )
        assert decline_correction(correction, actor=bolat, reason="Ескірді", now=scene.now)

    def test_declining_needs_a_reason_and_changes_nothing(self, scene, propose, bolat):
        correction = propose()
        before = Application.objects.get(pk=scene.application.pk).filed_at
        assert (
            refusal(decline_correction, correction, actor=bolat, reason=" ", now=scene.now)
            == Refusal.REASON_MISSING
        )
        decline_correction(correction, actor=bolat, reason="Бұйрық жоқ", now=scene.now)
        correction.refresh_from_db()
        assert (correction.state, correction.decided_by) == (CorrectionState.DECLINED, bolat)
        assert Application.objects.get(pk=scene.application.pk).filed_at == before
        assert not Notice.objects.filter(kind="corrected").exists()


# What is wrong with a proposal, and at which field that is said.
REFUSED = [
    ({"document_date": "2030-01-01"}, "document_date"),
    ({"document_date": "0001-01-01"}, "document_date"),
    ({"new_filed_at": "2017-07-19T23:59"}, "new_filed_at"),
    ({"new_filed_at": "2019-06-27T00:00"}, "new_filed_at"),
    ({"reason": "Каменова Данияның қағаз өтініші ертерек тіркелген"}, "reason"),
    ({"reason": "Ата-ананың ЖСН 170720650016, өтініш ертерек тіркелген"}, "reason"),
    ({"reason": "Анасының телефоны +7 701 777 98 76, өтініш ертерек"}, "reason"),
    ({"reason": "."}, "reason"),
    ({"document_number": "170720650016"}, "document_number"),
    ({"document_number": "8 701 777 98 76"}, "document_number"),
]
BAD_INPUT = [
    {"new_filed_at": "", "new_birth_year": ""},
    {"new_filed_at": "2019-06-27T00:00"},
    {"new_filed_at": "0001-01-01T00:00"},
    {"new_filed_at": "9999-12-31T23:59"},
    {"new_filed_at": "soon"},
    {"new_birth_year": "0"},
    {"new_birth_year": "99999999999999999999"},
    {"new_birth_year": "2010"},
    {"document_number": ""},
    {"document_number": "x" * 61},
    {"document_date": ""},
    {"document_date": "31.02.2019"},
    {"reason": ""},
    {"reason": "x" * 501},
    {"reason": "a\x00b"},
]


class TestWorkplace:
    URL = "admin:applications_application_work"

    @pytest.fixture
    def form(self):
        return {
            "new_filed_at": "2019-04-01T09:30",
            "new_birth_year": "",
            "document_number": "114-Н",
            "document_date": "2019-06-25",
            "reason": "Қағаз өтініш ертерек тіркелген",
        }

    def page(self, application):
        return reverse(self.URL, args=[application.pk, "correct"])

    def test_the_form_warns_that_everyone_reads_the_reason(self, scene, ainur):
        page = text(inside(ainur).get("/ru" + self.page(scene.application)))
        assert "реестр" in page.lower()

    def test_the_effect_is_shown_before_it_is_proposed(self, scene, waiting, ainur, bolat, form):
        desk = inside(ainur)
        preview = desk.post(self.page(scene.application), form)
        assert "5 → 1" in text(preview)
        assert not Correction.objects.exists()
        desk.post(self.page(scene.application), form | {"confirmed": "yes"})
        correction = Correction.objects.get()
        assert (correction.new_filed_at, correction.proposed_by) == (EARLIER, ainur)

        change = reverse("admin:applications_correction_change", args=[correction.pk])
        approve = reverse("admin:applications_correction_work", args=[correction.pk, "approve"])
        assert approve not in text(desk.get(change))
        second = inside(bolat)
        assert approve in text(second.get(change))
        assert "5 → 1" in text(second.get(approve))
        desk.post(approve)
        correction.refresh_from_db()
        assert correction.state == CorrectionState.PROPOSED
        second.post(approve)
        correction.refresh_from_db()
        assert (correction.state, correction.decided_by) == (CorrectionState.APPROVED, bolat)

    @pytest.mark.parametrize(("wrong", "confirmed"), list(pairs(REFUSED, [{}, {"confirmed": "yes"}])))
    def test_what_is_refused_is_said_in_the_form_which_keeps_the_rest(
        self, scene, ainur, form, wrong, confirmed
    ):
        changed, field = wrong
        answer = inside(ainur).post(self.page(scene.application), form | changed | confirmed)
        assert list(answer.context["form"].errors) == [field]
        assert not answer.context["effect"]
        kept = text(answer)
        for value in (form | changed).values():
            assert value in kept
        assert not Correction.objects.exists()

    @pytest.mark.parametrize(("prefix", "words"), [("", "Бәрі оқиды"), ("/ru", "Прочитают все")])
    def test_what_becomes_public_is_shown_word_for_word_to_both(
        self, scene, ainur, bolat, propose, form, prefix, words
    ):
        proposal = self.page(scene.application)
        preview = text(inside(ainur).post(prefix + proposal, form))
        with translation.override("kk"):
            approval = reverse("admin:applications_correction_work", args=[propose().pk, "approve"])
        for page in (preview, text(inside(bolat).get(prefix + approval))):
            assert page.count(words) == 2
            assert form["reason"] in page
            assert "№ 114-Н, 25.06.2019" in page

    def test_declining(self, scene, propose, bolat):
        correction = propose()
        url = reverse("admin:applications_correction_work", args=[correction.pk, "decline"])
        assert inside(bolat).post(url, {"reason": ""}).status_code == 200
        inside(bolat).post(url, {"reason": "Бұйрықтың түпнұсқасы жоқ"})
        correction.refresh_from_db()
        assert correction.state == CorrectionState.DECLINED

    @pytest.mark.parametrize(("changed", "confirmed"), list(pairs(BAD_INPUT, [{}, {"confirmed": "yes"}])))
    def test_bad_input_is_answered_in_words(self, scene, ainur, form, changed, confirmed):
        answer = inside(ainur).post(self.page(scene.application), form | changed | confirmed, follow=True)
        assert answer.status_code == 200
        assert not Correction.objects.exists()
        assert 'class="errorlist' in text(answer)

    def test_kindergartens_and_families_never_see_it(self, scene, propose, client_of):
        correction = propose()
        addresses = [
            reverse("admin:applications_correction_changelist"),
            reverse("admin:applications_correction_change", args=[correction.pk]),
            reverse("admin:applications_correction_work", args=[correction.pk, "approve"]),
            reverse("admin:applications_correction_work", args=[correction.pk, "decline"]),
            self.page(scene.application),
        ]
        worker = inside(worker_of(scene.group.kindergarten))
        for url in addresses:
            assert worker.get(url).status_code == worker.post(url).status_code == 403
            assert client_of(scene.parent).get(url).status_code == 302
        assert "applications/correction" not in text(worker.get("/admin/"))

    def test_officials_see_the_list_in_both_languages(self, propose, bolat):
        correction = propose()
        for prefix in ("", "/ru"):
            url = prefix + "/admin/applications/correction/"
            assert correction.application.number in text(inside(bolat).get(url))
            assert inside(bolat).get(f"{url}{correction.pk}/change/").status_code == 200
            assert inside(bolat).get(f"{url}add/").status_code == 403
            assert inside(bolat).get(f"{url}{correction.pk}/delete/").status_code == 403


class TestLedger:
    def rows(self, client, url="/queue/corrections.csv"):
        body = b"".join(client.get(url).streaming_content).decode()
        return list(csv.reader(io.StringIO(body.removeprefix("\ufeff"))))

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_it_says_what_changed_by_which_order_and_names_nobody(
        self, client, scene, propose, bolat, prefix
    ):
        approve_correction(propose(new_birth_year=2016), actor=bolat, now=scene.now)
        page = text(client.get(prefix + LEDGER))
        for part in (
            scene.application.number,
            "114-Н",
            "25.06.2019",
            "26.06.2019",
            ">01.06.2019 12:00<",
            ">01.04.2019 09:30<",
            "2017 → 2016",
            "Қағаз өтініш ертерек тіркелген",
        ):
            assert part in page
        file = str(self.rows(client, prefix + "/queue/corrections.csv"))
        for secret in ("ainur", "bolat", "КАМЕНОВ", str(scene.parent.phone), str(scene.application.pk)):
            assert secret not in page
            assert secret not in file

    def test_only_what_was_carried_out_is_in_it(self, client, scene, propose, bolat):
        decline_correction(propose(), actor=bolat, reason="x", now=scene.now)
        propose()
        assert scene.application.number not in text(client.get(LEDGER))
        assert len(self.rows(client)) == 1

    def test_the_queue_is_the_one_of_that_day(self, client, scene, propose, bolat):
        approve_correction(propose(), actor=bolat, now=scene.now)
        kentau = LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау", order=1)
        change_locality(scene.application, locality=kentau, keeps=True, actor=scene.parent, now=scene.now)
        assert self.rows(client)[1][2] == "Түркістан қ."

    def test_the_file(self, client, scene, propose, bolat):
        approve_correction(propose(reason="=HYPERLINK(1)", document_number="@7"), actor=bolat, now=scene.now)
        assert self.rows(client, "/ru/queue/corrections.csv")[1] == [
            "2019-06-26",
            scene.application.number,
            "г. Туркестан",
            "2019-06-01 12:00+06:00",
            "2019-04-01 09:30+06:00",
            "",
            "",
            "'@7",
            "2019-06-25",
            "'=HYPERLINK(1)",
        ]

    def test_it_is_paged(self, client, scene, propose, bolat, django_assert_max_num_queries):
        parent = UserFactory()
        for number in range(23):
            application = ApplicationFactory(locality=scene.locality, filed_by=parent)
            at = scene.now + timedelta(minutes=number)
            approve_correction(propose(application, now=at), actor=bolat, now=at)
        for page, shown in (
            ("1", 20), ("2", 3), ("0", 3), ("-1", 3), ("x", 20), ("99999999999999999999", 3), ("\x00", 20),
        ):  # fmt: skip
            with django_assert_max_num_queries(12):
                response = client.get(LEDGER, {"page": page})
            assert response.status_code == 200, page
            assert len(response.context["page"].object_list) == shown, page

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_an_empty_ledger_says_so(self, client, db, prefix):
        assert client.get(prefix + LEDGER).status_code == 200
        assert client.post(prefix + LEDGER).status_code == 405

    def test_markup_in_a_reason_is_text(self, client, scene, propose, bolat):
        approve_correction(propose(reason="<script>alert(1)</script>"), actor=bolat, now=scene.now)
        assert "<script>alert" not in client.get(LEDGER).content.decode()


def test_who_stands_in_no_queue_would_hold_no_number(scene):
    scene.application.state = ApplicationState.ENROLLED
    assert corrected_number(scene.application, filed_at=EARLIER, birth_year=2017, now=scene.now) is None
