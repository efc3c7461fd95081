"""The application's page in every state, the referral's paper, and its extension, as a parent sees them."""

from datetime import date, datetime, timedelta
from html import unescape
from io import BytesIO
from types import SimpleNamespace

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import reverse
from PIL import Image

from accounts.models import AuditEntry
from applications.bidding.ending import withdraw_bid
from applications.jobs.papers import store_pdf
from applications.journal_actions import Action
from applications.models import Application, Extension, ExtensionDocument, Referral, Rules
from applications.referrals.ending import expire_referral, revoke_referral, sign_contract
from applications.referrals.extending import extend_referral
from applications.referrals.issuing import activate_bid
from applications.referrals.stored_paper import PDF_TASK, order_paper
from applications.refusals import Refusal
from applications.states import ApplicationState
from applications.views.cabinet import forms
from applications.waiting.filing import archive
from bulletin.models import Holiday, Vacancy
from notifications.broker import FIRST
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import ZONE
from tests.factories import ApplicationFactory
from tests.thorough import pairs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

LAST_DAY = date(2019, 7, 3)
END = datetime(2019, 7, 4, tzinfo=ZONE)
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def family(clock, scene, client_of):
    return client_of(scene.parent)


@pytest.fixture
def bid(scene):
    return _bid(scene)


@pytest.fixture
def referral(scene, bid):
    return activate_bid(bid, actor=scene.staff, now=scene.now)


@pytest.fixture
def family_at_end(family, clock):
    """The same browser in the last microsecond of the referral; the session is made again, it would have run out."""
    clock.move_to(END - MICROSECOND)
    family.force_login(
        Application.objects.get().filed_by, backend="django.contrib.auth.backends.ModelBackend"
    )
    return family


def url(scene, name="application"):
    return reverse(f"applications:{name}", args=[scene.application.pk])


def text(response):
    return unescape(response.content.decode())


def picture(name="анықтама.jpg"):
    buffer = BytesIO()
    Image.new("RGB", (20, 20), "white").save(buffer, "JPEG")
    return SimpleUploadedFile(name, buffer.getvalue(), content_type="image/jpeg")


def states(response):
    return [step.state for step in response.context["situation"].steps()]


def _bid(scene):
    return place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)


def _referral(scene):
    return activate_bid(_bid(scene), actor=scene.staff, now=scene.now)


STATES = {
    ApplicationState.WAITING: lambda scene: None,
    ApplicationState.BID_PLACED: _bid,
    ApplicationState.REFERRED: _referral,
    ApplicationState.ENROLLED: lambda scene: sign_contract(
        _referral(scene), actor=scene.staff, now=scene.now
    ),
    ApplicationState.STOP_LISTED: lambda scene: expire_referral(_referral(scene), now=END),
    ApplicationState.LAPSED: lambda scene: Application.objects.update(state=ApplicationState.LAPSED),
    ApplicationState.ARCHIVED: lambda scene: archive(scene.application, actor=scene.parent, now=scene.now),
}


class TestApplicationPage:
    def test_waiting_leads_to_the_bulletin(self, family, scene):
        response = family.get(url(scene))
        assert states(response) == ["done", "current", "ahead", "ahead"]
        assert reverse("applications:bulletin") + "?status=me" in text(response)
        assert response.context["situation"].position.number == 1

    def test_the_number_says_of_how_many(self, family, scene):
        for _each in range(2):
            ApplicationFactory(
                locality=scene.locality, filed_at=scene.application.filed_at - timedelta(days=1)
            )
        response = family.get(url(scene))
        assert response.context["situation"].position.number == 3
        total, ahead = (fact["value"] for fact in response.context["situation"].number_facts)
        assert total == 3
        assert ahead == "жалпы кезек: 2"

    def test_a_pending_bid_shows_the_place_and_the_day_of_the_answer(self, family, scene, bid):
        response = family.get(url(scene))
        assert states(response) == ["done", "done", "current", "ahead"]
        deadline = response.context["situation"].deadline
        assert (deadline.last_day, deadline.working_days, deadline.passed) == (date(2019, 6, 28), 2, False)
        assert "Солнце" in text(response)
        assert url(scene, "withdraw") in text(response)

    def test_a_late_answer_is_called_late(self, family_at_end, scene, bid):
        assert family_at_end.get(url(scene)).context["situation"].deadline.passed

    def test_a_collected_bid_says_until_when(self, family, scene):
        Vacancy.objects.update(
            mode=Vacancy.Mode.QUEUE_ORDER, closes_at=datetime(2019, 6, 27, 9, 30, tzinfo=ZONE)
        )
        scene.vacancy.refresh_from_db()
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        response = family.get(url(scene))
        assert response.context["situation"].deadline is None
        page = text(response)
        assert "27.06.2019" in page
        assert "өтінімдер қабылдау аяқталғанша жиналады" in page
        # Until then the kindergarten can't answer, so nobody is told to wait for it.
        assert "активтендіруін күтіңіз" not in page
        assert "қызметкері активтендіреді" not in page

    def test_a_referral_shows_its_last_day_and_what_is_left(self, family, scene, referral):
        response = family.get(url(scene))
        deadline = response.context["situation"].deadline
        assert (deadline.last_day, deadline.working_days) == (LAST_DAY, 5)
        page = text(response)
        assert url(scene, "referral_pdf") in page
        assert url(scene, "extend") in page
        assert "02.08.2019" in page
        assert "Құжаттармен келіп, соңғы күннің аяғына дейін шартқа қол қойыңыз." in page
        assert (
            'өтініш 10 жұмыс күніне <a href="/help/glossary/#stop-list">тоқтатым-параққа</a> түседі' in page
        )

    def test_the_last_day_is_the_last_day(self, family_at_end, scene, referral):
        assert family_at_end.get(url(scene)).context["situation"].deadline.working_days == 0

    def test_a_microsecond_later_the_page_itself_puts_it_on_the_stop_list(
        self, family_at_end, clock, scene, referral
    ):
        clock.move_to(END)
        response = family_at_end.get(url(scene))
        scene.application.refresh_from_db()
        assert scene.application.state == ApplicationState.STOP_LISTED
        assert response.context["situation"].deadline.last_day == date(2019, 7, 18)
        assert response.context["situation"].position is None
        assert states(response) == ["current", "ahead", "ahead", "ahead"]
        assert "01.06.2019" in text(response)

    def test_the_end_of_the_stop_brings_the_number_back(self, family, clock, scene, referral, client_of):
        expire_referral(referral, now=referral.valid_until)
        clock.move_to(datetime(2019, 7, 19, tzinfo=ZONE))
        response = client_of(scene.parent).get(url(scene))
        assert response.context["situation"].position.number == 1

    def test_without_a_calendar_the_date_stands_without_the_count(self, family, scene, referral):
        Holiday.objects.all().delete()
        deadline = family.get(url(scene)).context["situation"].deadline
        assert (deadline.last_day, deadline.working_days) == (LAST_DAY, None)

    def test_a_contract_shows_kindergarten_and_group(self, family, scene, referral):
        sign_contract(referral, actor=scene.staff, contract_number="Ш-17", now=scene.now)
        response = family.get(url(scene))
        assert states(response) == ["done"] * 4
        page = text(response)
        assert "Ш-17" in page
        assert scene.group.kindergarten.name in response.context["situation"].steps()[3].text
        assert "Солнце" in response.context["situation"].steps()[3].text

    def test_a_revoked_referral_shows_the_reason(self, family, scene, referral):
        revoke_referral(referral, actor=scene.staff, reason="Топ қысқарды", now=scene.now)
        assert "Топ қысқарды" in text(family.get(url(scene)))

    def test_a_setback_is_forgotten_after_the_next_bid(self, family, scene, referral):
        revoke_referral(referral, actor=scene.staff, reason="Топ қысқарды", now=scene.now)
        scene.application.refresh_from_db()
        later = scene.now + timedelta(minutes=1)
        bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=later)
        withdraw_bid(bid, actor=scene.parent, now=later)
        assert family.get(url(scene)).context["situation"].setback is None

    def test_the_history_holds_every_event(self, family, scene, referral):
        assert len(family.get(url(scene)).context["events"]) == 2

    @pytest.mark.parametrize(("reach", "prefix"), list(pairs(list(STATES), ["", "/ru"])))
    def test_every_state_has_its_pages_in_both_languages(self, family, scene, reach, prefix):
        STATES[reach](scene)
        scene.application.refresh_from_db()
        assert scene.application.state == reach
        paths = [
            url(scene),
            url(scene, "delete"),
            reverse("applications:list"),
            reverse("applications:cabinet"),
        ]
        expected = [200, 302 if reach == ApplicationState.ARCHIVED else 200, 200, 200]
        assert [family.get(prefix + path).status_code for path in paths] == expected


class TestPaper:
    def test_before_it_is_made_a_page_waits_for_it(self, family, scene, referral):
        response = family.get(url(scene, "referral_pdf"))
        assert response.status_code == 202
        assert response.headers["Refresh"] == "5"
        assert not AuditEntry.objects.filter(action=Action.REFERRAL_DOWNLOADED).exists()

    def test_who_waits_there_gets_it_before_a_thousand_others(
        self, family, scene, referral, monkeypatch, django_capture_on_commit_callbacks
    ):
        asked: list[tuple[str, int | None]] = []
        broker = SimpleNamespace(send_task=lambda task, priority, **_options: asked.append((task, priority)))
        monkeypatch.setattr("notifications.broker.current_app", broker)
        monkeypatch.setattr("notifications.broker._rests_until", 0.0)
        with django_capture_on_commit_callbacks(execute=True):
            order_paper(referral)
            family.get(url(scene, "referral_pdf"))
        assert asked == [(PDF_TASK, None), (PDF_TASK, FIRST)]

    def test_the_family_downloads_it_and_the_journal_says_so(self, family, scene, referral):
        store_pdf(referral)
        response = family.get(url(scene, "referral_pdf"))
        assert response["Content-Type"] == "application/pdf"
        assert response["Content-Disposition"] == f'attachment; filename="zholdama-{referral.number}.pdf"'
        assert "no-store" in response["Cache-Control"]
        assert response.content.startswith(b"%PDF")
        assert AuditEntry.objects.get(action=Action.REFERRAL_DOWNLOADED).subject == scene.parent

    def test_after_the_contract_it_can_still_be_downloaded(self, family, scene, referral):
        Referral.objects.filter(pk=referral.pk).update(pdf=ContentFile(b"", name="x").name)
        store_pdf_of(referral, b"%PDF-1.7 test")
        sign_contract(Referral.objects.get(), actor=scene.staff, now=scene.now)
        assert family.get(url(scene, "referral_pdf")).content == b"%PDF-1.7 test"

    def test_a_lost_file_is_made_again(self, family, scene, referral):
        Referral.objects.update(pdf="referrals/lost.pdf")
        assert family.get(url(scene, "referral_pdf"), follow=True).status_code == 202

    def test_an_expired_referral_is_not_downloaded(self, family, scene, referral):
        expire_referral(referral, now=referral.valid_until)
        response = family.get(url(scene, "referral_pdf"), follow=True)
        assert response.redirect_chain[0][0] == url(scene)
        assert str(Refusal.REFERRAL_ENDED.label) in text(response)

    def test_without_a_referral_there_is_nothing(self, family, scene):
        assert family.get(url(scene, "referral_pdf")).status_code == 404


def store_pdf_of(referral, content):
    referral.pdf.save("test.pdf", ContentFile(content))


class TestExtension:
    @pytest.fixture
    def answers(self):
        return {"until": "02.08.2019", "reason": "illness", "explanation": "", "confirmed": "on"}

    def send(self, client, scene, answers, *files):
        return client.post(url(scene, "extend"), answers | {"documents": files or [picture()]})

    def test_the_kindergarten_can_be_called(self, family, scene, referral):
        page = text(family.get(url(scene)))
        kindergarten = scene.group.kindergarten
        assert f'href="{kindergarten.phone.as_rfc3966}">{kindergarten.phone_label}</a>' in page

    def test_the_longest_extension_is_named_and_nothing_is_filled_in(self, family, scene, referral, answers):
        response = family.get(url(scene, "extend"))
        form = response.context["form"]
        assert "02.08.2019" in str(form["until"].help_text)
        assert (form["until"].value(), form["reason"].value()) == (None, None)
        refused = self.send(family, scene, answers | {"until": "", "reason": ""}).context["form"]
        assert {"until", "reason"} <= set(refused.errors)

    @pytest.mark.parametrize("language", ["", "/ru"])
    def test_the_page_says_before_and_after_that_it_ends_on_a_working_day(
        self, family, scene, referral, answers, language
    ):
        """From Friday 5 July thirty days lead to Sunday 4 August."""
        Referral.objects.update(valid_until=datetime(2019, 7, 6, tzinfo=ZONE))
        pages = [language + url(scene, name) for name in ("extend", "application")]
        before, application = (text(family.get(page)) for page in pages)
        assert "02.08.2019" in before
        assert {"": "соңғы жұмыс күні", "/ru": "последний рабочий день"}[language] in before
        assert "02.08.2019" in application
        assert self.send(family, scene, answers | {"until": "02.08.2019"}).status_code == 302
        after = text(family.get(url(scene)))
        assert {"": "02.08.2019, жұма", "/ru": "02.08.2019, пятница"}[language] in after

    @pytest.mark.parametrize("outside", ["06.07.2019", "04.08.2019"])
    def test_the_hint_and_the_error_name_one_range(self, family, scene, referral, answers, outside):
        """From Friday 5 July: the first working day is a Tuesday, and thirty days lead to Sunday 4 August."""
        Referral.objects.update(valid_until=datetime(2019, 7, 6, tzinfo=ZONE))
        days = "09.07.2019, сейсенбі – 02.08.2019, жұма"
        assert days in family.get(url(scene, "extend")).context["form"]["until"].help_text
        form = self.send(family, scene, answers | {"until": outside}).context["form"]
        assert [days in error for error in form.errors["until"]] == [True]
        assert Extension.objects.count() == 0
        for inside in ("09.07.2019", "02.08.2019"):
            with transaction.atomic():
                assert self.send(family, scene, answers | {"until": inside}).status_code == 302
                transaction.set_rollback(True)

    def test_without_a_working_day_the_application_says_so(self, family, scene, referral):
        Referral.objects.update(valid_until=datetime(2019, 7, 6, tzinfo=ZONE))
        Rules.objects.create(valid_from=date(2019, 1, 1), extension_calendar_days=3)
        response = family.get(url(scene, "extend"), follow=True)
        assert str(Refusal.NO_WORKING_DAY.label) in text(response)

    def test_it_moves_the_last_day(self, family, scene, referral, answers):
        response = self.send(family, scene, answers)
        assert response["Location"] == url(scene)
        referral.refresh_from_db()
        assert referral.valid_until == datetime(2019, 8, 3, tzinfo=ZONE)
        page = family.get(url(scene))
        deadline = page.context["situation"].deadline
        assert (deadline.last_day, deadline.calendar_days) == (date(2019, 8, 2), 37)
        assert url(scene, "extend") not in text(page)

    def test_several_files_are_kept_with_their_names(self, family, scene, referral, answers):
        self.send(family, scene, answers, picture("бір.jpg"), picture("екі.jpg"))
        names = ExtensionDocument.objects.order_by("original_name").values_list("original_name", flat=True)
        assert list(names) == ["бір.jpg", "екі.jpg"]

    def test_the_first_day_after_the_last_one_is_enough(self, family, scene, referral, answers):
        assert self.send(family, scene, answers | {"until": "4.7.2019"}).status_code == 302

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("until", "03.07.2019"),
            ("until", "03.08.2019"),
            ("until", "31.02.2019"),
            ("until", "ертең"),
            ("until", ""),
            ("reason", "whim"),
            ("reason", ""),
            ("explanation", "а" * 501),
            ("confirmed", ""),
        ],
    )
    def test_wrong_answers_keep_the_form(self, family, scene, referral, answers, field, value):
        response = self.send(family, scene, answers | {field: value})
        assert response.status_code == 200
        assert list(response.context["form"].errors) == [field]
        assert Extension.objects.count() == 0

    def test_files_are_read_once_all_else_is_right(self, family, scene, referral, answers, monkeypatch):
        read = []

        def check_documents(files, *, sender):
            read.append(files)
            return []

        monkeypatch.setattr(forms, "check_documents", check_documents)
        for wrong in ({"confirmed": ""}, {"until": "03.07.2019"}, {"reason": "other"}):
            assert self.send(family, scene, answers | wrong).status_code == 200
        assert read == []
        self.send(family, scene, answers)
        assert len(read) == 1

    def test_another_reason_needs_words(self, family, scene, referral, answers):
        response = self.send(family, scene, answers | {"reason": "other"})
        assert list(response.context["form"].errors) == ["explanation"]
        assert (
            self.send(family, scene, answers | {"reason": "other", "explanation": "Көшу"}).status_code == 302
        )

    def test_documents_are_obligatory(self, family, scene, referral, answers):
        response = family.post(url(scene, "extend"), answers)
        assert list(response.context["form"].errors) == ["documents"]

    def test_six_files_are_too_many(self, family, scene, referral, answers):
        response = self.send(family, scene, answers, *(picture() for _each in range(6)))
        assert list(response.context["form"].errors) == ["documents"]

    @pytest.mark.parametrize("content", [b"", b"MZ not a picture", b"%PDF-1.7 broken"])
    def test_a_file_that_is_no_document_is_named(self, family, scene, referral, answers, content):
        bad = SimpleUploadedFile("вирус.jpg", content, content_type="image/jpeg")
        response = self.send(family, scene, answers, picture(), bad)
        [sentence] = response.context["form"].errors["documents"]
        assert sentence.startswith("вирус.jpg: ")
        assert Extension.objects.count() == 0

    def test_it_works_in_the_last_microsecond(self, family_at_end, scene, referral, answers):
        assert self.send(family_at_end, scene, answers).status_code == 302
        assert Extension.objects.count() == 1

    def test_a_microsecond_later_the_page_says_that_it_is_over(
        self, family_at_end, clock, scene, referral, answers
    ):
        clock.move_to(END)
        response = self.send(family_at_end, scene, answers)
        assert response.status_code == 200
        assert "form" not in response.context
        assert Extension.objects.count() == 0

    def test_a_second_extension_is_refused_by_a_page(self, family, scene, referral, answers):
        extend_referral(
            referral,
            actor=scene.parent,
            until=date(2019, 7, 10),
            reason="illness",
            documents=[("a.pdf", ContentFile(b"%PDF", name="a.pdf"))],
            now=scene.now,
        )
        for response in (family.get(url(scene, "extend")), self.send(family, scene, answers)):
            assert response.status_code == 200
            assert response.context["extension"]
        assert Extension.objects.count() == 1

    def test_without_a_referral_there_is_nothing_to_extend(self, family, scene):
        assert family.get(url(scene, "extend")).status_code == 404
