"""What the buttons of the workplace do, and how they refuse."""

from datetime import datetime, timedelta
from html import unescape
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.contrib.messages import get_messages
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from django.utils.translation import gettext

from accounts.journal_actions import Action
from accounts.masks import mask_iin, mask_phone
from accounts.models import AuditEntry
from accounts.roles import Role
from applications.admin.bids import BidAdmin, may_be_answered
from applications.bidding import ending as bid_ending
from applications.bidding.award import award_collected
from applications.models import Application, Bid, Contract, Referral, Rules, StopListEntry
from applications.referrals import ending as referral_ending
from applications.referrals import extending, issuing
from applications.refusals import Refusal
from applications.states import ApplicationState, BidState, ReferralState
from bulletin.models import Vacancy
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import ZONE
from tests.factories import ApplicationFactory, GroupFactory, GuardianshipFactory, VacancyFactory
from tests.staff import employee, inside, press, worker_of
from tests.unseen import pages_unseen

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]


@pytest.fixture
def worker(scene, clock):
    return worker_of(scene.group.kindergarten)


@pytest.fixture
def desk(worker):
    """The worker's browser."""
    return inside(worker)


@pytest.fixture
def bid(scene):
    return place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)


@pytest.fixture
def referral(scene, bid):
    return issuing.activate_bid(bid, actor=scene.staff, now=scene.now)


def work(obj, name):
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_work", args=[obj.pk, name])


def page(obj):
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def said(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)]


class TestBids:
    def test_activating_asks_first_and_then_issues_the_referral(self, desk, worker, bid):
        assert work(bid, "activate") in desk.get(page(bid)).content.decode()
        assert desk.get(work(bid, "activate")).status_code == 200
        assert Bid.objects.get().state == BidState.PENDING
        assert desk.post(work(bid, "activate")).status_code == 302
        referral = Referral.objects.get(bid=bid)
        assert referral.issued_by == worker
        assert Application.objects.get().state == ApplicationState.REFERRED

    def test_refusing_needs_a_reason(self, desk, bid):
        for reason in ("", "   "):
            answer = desk.post(work(bid, "reject"), {"reason": reason})
            assert answer.status_code == 200
            assert "reason" in answer.context["form"].errors
        assert Bid.objects.get().state == BidState.PENDING

    def test_refusing_keeps_the_reason_for_the_family(self, desk, bid):
        desk.post(work(bid, "reject"), {"reason": "Топта орын қалмады"})
        bid.refresh_from_db()
        assert (bid.state, bid.reason) == (BidState.REJECTED, "Топта орын қалмады")
        assert Application.objects.get().state == ApplicationState.WAITING

    @pytest.mark.parametrize(("hour", "goes_at"), [(12, ""), (21, "27.06.2019 09:00")])
    def test_at_night_it_says_when_the_sms_goes(self, worker, scene, bid, clock, hour, goes_at):
        clock.move_to(scene.now.replace(hour=hour))
        answer = inside(worker).post(work(bid, "reject"), {"reason": "Топта орын қалмады"})
        (sentence,) = said(answer)
        assert sentence.startswith(gettext("The bid is refused. The family has been told the reason."))
        assert ("SMS" in sentence) is bool(goes_at)
        assert goes_at in sentence

    def test_a_second_press_is_refused_in_words(self, desk, scene, bid):
        bid_ending.withdraw_bid(bid, actor=scene.parent, now=scene.now)
        answer = desk.post(work(bid, "activate"))
        assert answer.status_code == 302
        assert said(answer) == [str(Refusal.BID_ENDED.label)]
        assert desk.get(work(bid, "activate")).status_code == 302
        assert "/do/" not in desk.get(page(bid)).content.decode()

    @pytest.mark.parametrize(
        "work_name", [one.name for one in BidAdmin.works if one.offered is may_be_answered]
    )
    def test_collected_bids_are_nobodys_to_decide_before_their_award(self, desk, scene, work_name):
        vacancy = VacancyFactory(
            group=scene.group,
            birth_years=[2017],
            mode=Vacancy.Mode.QUEUE_ORDER,
            opens_at=scene.vacancy.opens_at,
            closes_at=scene.now + timedelta(days=1),
        )
        bid = place_bid(scene.application, vacancy, actor=scene.parent, now=scene.now)
        shown = desk.get(page(bid)).content.decode()
        assert work(bid, work_name) not in shown
        answer = desk.post(work(bid, work_name), {"reason": "Топта орын қалмады"})
        assert said(answer) == [str(Refusal.NOT_AWARDED_YET.label)]
        assert Bid.objects.get().state == BidState.PENDING

        award_collected(vacancy, now=vacancy.closes_at)
        assert work(bid, work_name) in desk.get(page(bid)).content.decode()

    def test_state_fields_can_not_be_written(self, desk, bid):
        assert desk.post(page(bid), {"state": "activated", "holds_seat": ""}).status_code == 403
        assert Bid.objects.get().state == BidState.PENDING

    def test_many_at_once_ask_first_and_name_what_was_refused(self, desk, scene, bid):
        other = ApplicationFactory(
            locality=scene.locality, child__birth_date=scene.application.child.birth_date
        )
        withdrawn = place_bid(other, scene.vacancy, actor=other.filed_by, now=scene.now)
        bid_ending.withdraw_bid(withdrawn, actor=other.filed_by, now=scene.now)
        chosen = {"action": "activate_selected", "_selected_action": [str(bid.pk), str(withdrawn.pk)]}
        listing = reverse("admin:applications_bid_changelist")
        asked = desk.post(listing, chosen)
        assert asked.status_code == 200
        assert not Referral.objects.exists()
        (row,), (left_out,) = asked.context["rows"], asked.context["left_out"]
        assert row["pk"] == bid.pk
        assert scene.application.number in row["line"]
        assert scene.application.child.last_name in row["line"]
        facts = {fact["label"]: fact["value"] for fact in row["facts"]}
        assert facts[gettext("Number in the queue")] == "2"
        assert str(BidState.PENDING.label) in facts[gettext("State")]
        assert other.number in left_out
        assert str(BidState.WITHDRAWN.label) in left_out
        assert left_out in unescape(asked.content.decode())
        answer = desk.post(listing, chosen | {"confirmed": "yes"})
        assert Referral.objects.get().bid == bid
        assert any(str(Refusal.BID_ENDED.label) in sentence for sentence in said(answer))

    def test_many_from_a_filtered_list_are_counted(self, desk, bid, scene):
        """The rows leave the list «waits for your answer» by being answered."""
        Vacancy.objects.update(seats_total=5)
        scene.vacancy.refresh_from_db()
        families = [
            ApplicationFactory(locality=scene.locality, child__birth_date=scene.application.child.birth_date)
            for _number in range(3)
        ]
        bids = [bid] + [place_bid(one, scene.vacancy, actor=one.filed_by, now=scene.now) for one in families]
        gone, ended = bids[2:]
        listing = reverse("admin:applications_bid_changelist") + "?answer=due"
        chosen = {"action": "activate_selected", "_selected_action": [str(one.pk) for one in bids]}
        asked = desk.post(listing, chosen)
        assert {row["pk"] for row in asked.context["rows"]} == {one.pk for one in bids}
        assert f'href="{listing}"' in asked.content.decode()
        bid_ending.withdraw_bid(gone, actor=gone.placed_by, now=scene.now)
        # It is still in the list when its turn comes, and is refused then.
        Application.objects.filter(pk=ended.application_id).update(state=ApplicationState.WAITING)
        answer = desk.post(listing, chosen | {"confirmed": "yes"})
        assert Referral.objects.count() == 2
        no_longer, done, not_done = said(answer)
        assert done.startswith(gettext("Activated bids: %(count)s") % {"count": 2})
        assert all(one.application.number in done for one in bids[:2])
        assert not_done == (
            gettext("Not done: %(count)s. %(reason)s") % {"count": 1, "reason": Refusal.NOT_ALLOWED.label}
            + f" {ended.vacancy}: КАМЕНОВА Д. Е., {ended.application.number}, 2017"
        )
        assert no_longer == gettext("Not in this list any more, or not yours: %(count)s") % {"count": 1}

    def test_many_at_once_reach_only_own_rows(self, bid, scene):
        stranger = inside(worker_of(GroupFactory().kindergarten))
        listing = reverse("admin:applications_bid_changelist") + "?answer=due"
        chosen = {"action": "activate_selected", "_selected_action": [str(bid.pk), str(bid.pk), str(uuid4())]}
        for sent in (chosen, chosen | {"confirmed": "yes"}):
            answer = stranger.post(listing, sent)
            assert (answer.status_code, answer.url) == (302, listing)
            words = gettext("Not in this list any more, or not yours: %(count)s") % {"count": 2}
            assert set(said(answer)) == {words}
        assert not Referral.objects.exists()

    def test_rows_that_are_not_there_are_told_beside_the_others(self, desk, bid):
        chosen = {"action": "activate_selected", "_selected_action": [str(bid.pk), str(uuid4())]}
        asked = desk.post(reverse("admin:applications_bid_changelist"), chosen)
        assert [row["pk"] for row in asked.context["rows"]] == [bid.pk]
        assert said(asked) == [gettext("Not in this list any more, or not yours: %(count)s") % {"count": 1}]

    def test_the_list_finds_late_answers(self, worker, clock, bid):
        listing = reverse("admin:applications_bid_changelist")
        clock.move_to(bid.answer_due - timedelta(microseconds=1))
        desk = inside(worker)
        assert desk.get(listing, {"answer": "overdue"}).context["cl"].result_count == 0
        assert desk.get(listing, {"answer": "due"}).context["cl"].result_count == 1
        clock.move_to(bid.answer_due)
        assert inside(worker).get(listing, {"answer": "overdue"}).context["cl"].result_count == 1


class TestReferrals:
    def test_signing_enrols_the_child(self, desk, referral):
        assert desk.get(work(referral, "sign")).status_code == 200
        assert not Contract.objects.exists()
        desk.post(work(referral, "sign"), {"contract_number": "Ш-17"})
        assert Contract.objects.get().number == "Ш-17"
        assert Application.objects.get().state == ApplicationState.ENROLLED

    def test_without_a_number_the_contract_takes_the_referrals(self, desk, referral):
        desk.post(work(referral, "sign"), {"contract_number": ""})
        assert Contract.objects.get().number == referral.number

    def test_after_the_last_day_nothing_is_signed_even_if_the_job_is_late(self, worker, clock, referral):
        clock.move_to(referral.valid_until - timedelta(microseconds=1))
        desk = inside(worker)
        assert work(referral, "sign") in desk.get(page(referral)).content.decode()
        clock.move_to(referral.valid_until)
        assert work(referral, "sign") not in desk.get(page(referral)).content.decode()
        answer = desk.post(work(referral, "sign"), {"contract_number": ""})
        assert said(answer) == [str(Refusal.REFERRAL_ENDED.label)]
        assert not Contract.objects.exists()

    def test_revoking_needs_a_reason_and_punishes_nobody(self, desk, referral):
        assert desk.post(work(referral, "revoke"), {"reason": ""}).status_code == 200
        assert Referral.objects.get().state == ReferralState.ISSUED
        desk.post(work(referral, "revoke"), {"reason": "Топ жөндеуге жабылды"})
        referral.refresh_from_db()
        assert (referral.state, referral.reason) == (ReferralState.REVOKED, "Топ жөндеуге жабылды")
        assert Application.objects.get().state == ApplicationState.WAITING

    def test_the_paper_is_a_download_that_no_cache_keeps(self, desk, referral):
        referral.pdf.save("x.pdf", ContentFile(b"%PDF-1.7 paper"))
        answer = desk.get(reverse("admin:applications_referral_pdf", args=[referral.pk]))
        assert answer.getvalue() == b"%PDF-1.7 paper"
        assert answer["Content-Type"] == "application/pdf"
        assert answer["Content-Disposition"] == f'attachment; filename="zholdama-{referral.number}.pdf"'
        assert "no-store" in answer["Cache-Control"]

    def test_a_paper_that_is_lost_is_a_sentence(self, desk, referral):
        referral.pdf.save("x.pdf", ContentFile(b"%PDF-1.7 paper"))
        referral.pdf.storage.delete(referral.pdf.name)
        answer = desk.get(reverse("admin:applications_referral_pdf", args=[referral.pk]))
        assert answer.status_code == 302
        assert len(said(answer)) == 1

    def test_a_paper_not_made_yet_is_a_sentence(self, desk, referral):
        answer = desk.get(reverse("admin:applications_referral_pdf", args=[referral.pk]))
        assert answer.status_code == 302
        assert len(said(answer)) == 1

    def test_a_supporting_document_is_never_run_by_the_browser(self, desk, scene, referral):
        extending.extend_referral(
            referral,
            actor=scene.parent,
            until=extending.longest_extension(referral),
            reason="illness",
            documents=[("<script>.jpg", ContentFile(b"picture", name="x.jpg"))],
            now=scene.now,
        )
        document = referral.extension.documents.get()
        url = reverse("admin:applications_referral_document", args=[referral.pk, document.pk])
        shown = desk.get(page(referral)).content.decode()
        assert url in shown
        assert "<script>.jpg" not in shown
        answer = desk.get(url)
        assert answer.getvalue() == b"picture"
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"].startswith("sandbox")
        assert answer["Content-Type"] == "image/jpeg"

    def test_a_document_is_called_what_it_is(self, desk, scene, referral):
        """Its sender called a picture a PDF, in a time when nobody looked."""
        extending.extend_referral(
            referral,
            actor=scene.parent,
            until=extending.longest_extension(referral),
            reason="illness",
            documents=[("анықтама.pdf", ContentFile(b"picture", name="x.png"))],
            now=scene.now,
        )
        document = referral.extension.documents.get()
        assert document.file.name.endswith(".png")
        answer = desk.get(reverse("admin:applications_referral_document", args=[referral.pk, document.pk]))
        assert answer["Content-Type"] == "image/png"
        assert quote("анықтама.png") in answer["Content-Disposition"]

    @pytest.mark.parametrize(("valid", "count"), [("now", 1), ("soon", 0), ("over", 0)])
    def test_the_list_is_filtered_by_validity(self, desk, referral, valid, count):
        listing = reverse("admin:applications_referral_changelist")
        assert desk.get(listing, {"valid": valid}).context["cl"].result_count == count


class TestPersonalData:
    def test_opening_a_bid_enters_the_familys_journal(self, desk, worker, scene, bid):
        desk.get(page(bid))
        entry = AuditEntry.objects.get(action=Action.PERSONAL_DATA_VIEWED)
        assert (entry.actor, entry.subject) == (worker, scene.parent)
        assert entry.at == scene.now

    @pytest.mark.parametrize(
        ("prefix", "role"), [("", "Балабақша қызметкері"), ("/ru", "Сотрудник детского сада")]
    )
    def test_the_family_reads_role_and_institution_in_its_own_language(
        self, desk, worker, scene, bid, client_of, prefix, role
    ):
        """Whatever the employee reads; the employee's name is nobody's business."""
        desk.get(f"/ru{page(bid)}" if not prefix else page(bid))
        kindergarten = scene.group.kindergarten
        names = {"": kindergarten.name_kk, "/ru": kindergarten.name_ru}
        shown = unescape(client_of(scene.parent).get(f"{prefix}/cabinet/notifications/log/").content.decode())
        assert f"{role}, {names[prefix]}" in shown
        assert names["" if prefix else "/ru"] not in shown
        assert worker.username not in shown
        assert scene.application.number in shown

    def test_an_institution_is_told_only_for_the_days_of_the_employment(
        self, desk, worker, scene, bid, client_of
    ):
        desk.get(page(bid))
        employment = worker.employments.get()
        day = scene.locality.day(scene.now)
        for since, until, is_told in (
            (day, day, True),
            (day + timedelta(days=1), None, False),
            (day - timedelta(days=9), day - timedelta(days=1), False),
        ):
            employment.since, employment.until = since, until
            employment.save()
            shown = client_of(scene.parent).get(reverse("accounts:journal")).content.decode()
            assert (unescape(scene.group.kindergarten.name_kk) in unescape(shown)) is is_told

    def test_so_do_referrals_papers_and_documents(self, desk, scene, referral):
        referral.pdf.save("x.pdf", ContentFile(b"%PDF-1.7"))
        desk.get(page(referral))
        desk.get(reverse("admin:applications_referral_pdf", args=[referral.pk])).getvalue()
        viewed = AuditEntry.objects.filter(action=Action.PERSONAL_DATA_VIEWED, subject=scene.parent)
        assert viewed.count() == 2

    def test_what_was_not_shown_is_not_entered(self, scene, bid, clock):
        inside(worker_of(GroupFactory().kindergarten)).get(page(bid))
        assert not AuditEntry.objects.filter(action=Action.PERSONAL_DATA_VIEWED).exists()

    def test_guardians_of_today_and_their_phones_and_nobody_else(self, desk, scene, clock):
        """Whoever filed the application and is a guardian no longer is not called."""
        mother = GuardianshipFactory(
            child=scene.application.child,
            user__phone="+77055550101",
            user__profile__last_name="КАМЕНОВА",
            user__profile__first_name="САУЛЕ",
        ).user
        bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        referral = issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
        both = desk.get(page(referral)).content.decode()
        for guardian in (scene.parent, mother):
            assert guardian.profile.full_name in both
            assert guardian.phone.as_international in both
        scene.application.child.guardianships.filter(user=scene.parent).update(ended_at=scene.now)
        one = desk.get(page(referral)).content.decode()
        assert mother.phone.as_international in one
        assert mother.profile.full_name in one
        assert scene.parent.profile.full_name not in one
        assert scene.parent.phone.as_international not in one
        assert mask_phone(scene.parent.phone) not in one

    def test_lists_hold_no_full_name_and_no_page_an_iin(self, desk, scene, referral):
        child, profile = scene.application.child, scene.parent.profile
        listing = desk.get(reverse("admin:applications_referral_changelist")).content.decode()
        assert child.full_name not in listing
        assert child.last_name in listing
        for url in (page(referral), page(referral.bid), reverse("admin:index")):
            text = desk.get(url).content.decode()
            assert child.iin not in text
            assert profile.iin not in text

    def test_an_official_sees_the_iin_masked(self, scene, clock):
        text = inside(employee(Role.OFFICIAL)).get(page(scene.application)).content.decode()
        assert scene.application.child.iin not in text
        assert mask_iin(scene.application.child.iin) in text


def draft_of(scene, **changes):
    values = {
        "group": scene.group.pk,
        "birth_years": ["2017", "2016"],
        "place_type": "vacant",
        "mode": "first_come",
        "seats_total": "3",
        "opens_at_0": "27.06.2019",
        "opens_at_1": "18:00",
        "closes_at_0": "",
        "closes_at_1": "",
        "vacant_from_0": "01.07.2019",
        "vacant_from_1": "09:00",
        "responsible": "Дүйсенова Мөлдір Умарқызы",
    }
    return values | changes


class TestVacancies:
    add = "/admin/bulletin/vacancy/add/"

    def test_a_draft_is_written_and_published(self, desk, scene):
        answer = desk.post(self.add, draft_of(scene))
        vacancy = Vacancy.objects.exclude(pk=scene.vacancy.pk).get()
        assert answer.url == page(vacancy)
        assert vacancy.state == Vacancy.State.DRAFT
        assert vacancy.birth_years == [2017, 2016]
        assert vacancy.opens_at == datetime(2019, 6, 27, 18, 0, tzinfo=ZONE)
        assert desk.get(work(vacancy, "publish")).status_code == 200
        press(desk, work(vacancy, "publish"))
        vacancy.refresh_from_db()
        assert (vacancy.state, vacancy.published_at) == (Vacancy.State.PUBLISHED, scene.now)

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"seats_total": "26"}, "seats_total"),
            ({"seats_total": "0"}, "seats_total"),
            ({"seats_total": "-1"}, "seats_total"),
            ({"seats_total": "many"}, "seats_total"),
            ({"birth_years": ["1990"]}, "birth_years"),
            ({"birth_years": ["x"]}, "birth_years"),
            ({"opens_at_0": ""}, "opens_at"),
            ({"opens_at_0": "31.06.2019"}, "opens_at"),
            ({"opens_at_0": "29.05.2019"}, "opens_at"),
            ({"opens_at_0": "26.06.2019", "opens_at_1": "09:00"}, "opens_at"),
            ({"opens_at_0": "26.06.2019", "opens_at_1": "17:19"}, "opens_at"),
            ({"opens_at_0": "01.01.2010"}, "opens_at"),
            ({"mode": "queue_order"}, "closes_at"),
            ({"closes_at_0": "27.06.2019", "closes_at_1": "18:00"}, "closes_at"),
            ({"group": "999999"}, "group"),
            ({"responsible": ""}, "responsible"),
        ],
    )
    def test_what_is_wrong_is_said_at_its_field(self, desk, scene, changes, field):
        with pages_unseen():
            answer = desk.post(self.add, draft_of(scene, **changes))
        assert answer.status_code == 200
        assert list(answer.context["adminform"].form.errors) == [field]
        assert Vacancy.objects.count() == 1

    def test_as_many_places_as_the_group_holds_are_allowed(self, desk, scene):
        Vacancy.objects.update(state=Vacancy.State.CLOSED)
        assert desk.post(self.add, draft_of(scene, seats_total="25")).status_code == 302

    def test_another_kindergartens_group_is_no_choice(self, desk, scene):
        other = GroupFactory()
        answer = desk.post(self.add, draft_of(scene, group=other.pk))
        assert "group" in answer.context["adminform"].form.errors

    def test_queue_order_with_a_closing_time_is_accepted(self, desk, scene):
        changes = {"mode": "queue_order", "closes_at_0": "28.06.2019", "closes_at_1": "18:00"}
        assert desk.post(self.add, draft_of(scene, **changes)).status_code == 302

    def test_a_draft_may_be_corrected_and_deleted(self, desk, scene):
        draft = VacancyFactory(group=scene.group, state=Vacancy.State.DRAFT, published_at=None)
        assert press(desk, page(draft), draft_of(scene, seats_total="7")).status_code == 302
        draft.refresh_from_db()
        assert (draft.seats_total, draft.state) == (7, Vacancy.State.DRAFT)
        url = reverse("admin:bulletin_vacancy_delete", args=[draft.pk])
        assert desk.post(url, {"post": "yes"}).status_code == 302
        assert not Vacancy.objects.filter(pk=draft.pk).exists()

    def test_a_published_vacancy_can_not_be_changed(self, desk, scene):
        assert desk.post(page(scene.vacancy), draft_of(scene, seats_total="9")).status_code == 403
        scene.vacancy.refresh_from_db()
        assert scene.vacancy.seats_total == 2

    def test_recalling_needs_a_reason_and_ends_the_bids(self, desk, scene, bid):
        assert desk.post(work(scene.vacancy, "recall"), {"reason": ""}).status_code == 200
        desk.post(work(scene.vacancy, "recall"), {"reason": "Қате жарияланды"})
        scene.vacancy.refresh_from_db()
        assert scene.vacancy.state == Vacancy.State.RECALLED
        assert Bid.objects.get().state == BidState.VOID

    def test_families_are_said_to_be_told_only_where_there_were_any(self, desk, scene):
        (words,) = said(desk.post(work(scene.vacancy, "recall"), {"reason": "Қате жарияланды"}))
        assert (
            words
            == "Бос орын кері қайтарып алынды. Жауап күткен отбасы жоқ, сондықтан ешкімге хабарлау қажет емес."
        )

    def test_a_bid_that_was_refused_before_is_not_told_to_be_none(self, desk, scene, bid):
        bid_ending.reject_bid(bid, actor=scene.staff, reason="Құжат жоқ", now=scene.now)
        (words,) = said(desk.post(work(scene.vacancy, "recall"), {"reason": "Қате жарияланды"}))
        assert words == gettext(
            "The vacancy is recalled. No family was waiting for an answer, so none had to be told."
        )

    def test_who_may_publish_sooner_is_said_where_it_opens_too_soon(self, desk, scene):
        answer = desk.post(self.add, draft_of(scene, opens_at_0="26.06.2019", opens_at_1="17:19"))
        (words,) = answer.context["adminform"].form.errors["opens_at"]
        assert (
            gettext("If it has to be sooner: an official may publish it at short notice, with a reason.")
            in words
        )

    def test_families_who_had_bid_are_told(self, desk, scene, bid):
        (words,) = said(desk.post(work(scene.vacancy, "recall"), {"reason": "Қате жарияланды"}))
        assert "хабарланды" in words

    def test_closing_leaves_the_bids_to_be_answered(self, desk, scene, bid):
        desk.post(work(scene.vacancy, "close"))
        scene.vacancy.refresh_from_db()
        assert scene.vacancy.state == Vacancy.State.CLOSED
        assert Bid.objects.get().state == BidState.PENDING
        assert said(desk.post(work(scene.vacancy, "close")))[-1] == str(Refusal.NOT_PUBLISHED.label)

    def test_what_is_collected_is_recalled_but_not_closed_early(self, desk, scene):
        Vacancy.objects.update(mode=Vacancy.Mode.QUEUE_ORDER, closes_at=scene.now + timedelta(days=1))
        shown = desk.get(page(scene.vacancy)).content.decode()
        assert work(scene.vacancy, "close") not in shown
        assert work(scene.vacancy, "recall") in shown
        assert said(desk.post(work(scene.vacancy, "close"))) == [str(Refusal.STILL_COLLECTING.label)]
        assert Vacancy.objects.get().state == Vacancy.State.PUBLISHED

    def test_what_is_closed_offers_its_recall_while_bids_hang(self, desk, scene, bid):
        desk.post(work(scene.vacancy, "close"))
        assert work(scene.vacancy, "recall") in desk.get(page(scene.vacancy)).content.decode()
        desk.post(work(scene.vacancy, "recall"), {"reason": "Қате жарияланды"})
        assert Bid.objects.get().state == BidState.VOID
        assert work(scene.vacancy, "recall") not in desk.get(page(scene.vacancy)).content.decode()

    @pytest.mark.parametrize("opens_in", [timedelta(weeks=-4), timedelta(hours=-7), timedelta(minutes=59)])
    def test_a_draft_that_families_could_not_read_of_in_time_is_not_published(self, desk, scene, opens_in):
        draft = VacancyFactory(
            group=scene.group,
            state=Vacancy.State.DRAFT,
            published_at=None,
            opens_at=scene.now + opens_in,
        )
        (words,) = said(press(desk, work(draft, "publish")))
        assert "26.06.2019 17:20" in words
        draft.refresh_from_db()
        assert draft.state == Vacancy.State.DRAFT
        assert work(draft, "publish-soon") not in desk.get(page(draft)).content.decode()
        reason = {"reason": "Топ бүгін ашылды"}
        assert desk.post(work(draft, "publish-soon"), reason).status_code == 403

    def test_an_official_shortens_the_lead_with_a_reason_that_everyone_reads(self, scene, clock):
        office = inside(employee(Role.OFFICIAL))
        draft = VacancyFactory(
            group=scene.group,
            state=Vacancy.State.DRAFT,
            published_at=None,
            opens_at=scene.now + timedelta(minutes=10),
        )
        assert work(draft, "publish-soon") in office.get(page(draft)).content.decode()
        assert press(office, work(draft, "publish-soon"), {"reason": " "}).status_code == 200
        press(office, work(draft, "publish-soon"), {"reason": "Топ бүгін ашылды"})
        draft.refresh_from_db()
        assert draft.state == Vacancy.State.PUBLISHED
        assert "Топ бүгін ашылды" in Client().get(draft.get_absolute_url()).content.decode()
        assert AuditEntry.objects.get(action="vacancy_published").reason == "Топ бүгін ашылды"

    def test_places_that_other_vacancies_promise_are_not_published_twice(self, desk, scene):
        draft = VacancyFactory(
            group=scene.group,
            state=Vacancy.State.DRAFT,
            published_at=None,
            birth_years=scene.vacancy.birth_years,
            opens_at=scene.now + timedelta(days=1),
            seats_total=scene.group.capacity,
        )
        answer = press(desk, work(draft, "publish"))
        assert answer.url == page(draft)
        left = scene.group.capacity - scene.vacancy.seats_total
        assert f": {left}, " in said(answer)[0]
        draft.refresh_from_db()
        assert draft.state == Vacancy.State.DRAFT

    @pytest.mark.parametrize("year", [2090, 1990])
    def test_beyond_the_calendar_no_priority_can_be_promised(self, desk, scene, year):
        draft = VacancyFactory(
            group=scene.group,
            state=Vacancy.State.DRAFT,
            published_at=None,
            birth_years=[year],
            opens_at=datetime(year, 6, 27, 18, tzinfo=ZONE),
        )
        answer = press(desk, work(draft, "publish"))
        assert answer.url == page(draft)
        assert len(said(answer)) == 1
        draft.refresh_from_db()
        assert draft.state == Vacancy.State.DRAFT


class TestOfficials:
    @pytest.fixture
    def office(self, clock):
        return inside(employee(Role.OFFICIAL))

    def test_a_stop_is_lifted_with_a_reason_only(self, office, scene, referral, clock):
        referral_ending.expire_referral(referral, now=referral.valid_until)
        clock.move_to(referral.valid_until + timedelta(days=1))
        stop = StopListEntry.objects.get()
        office = inside(employee(Role.OFFICIAL))
        assert office.post(work(stop, "lift"), {"reason": ""}).status_code == 200
        assert StopListEntry.objects.get().lifted_at is None
        office.post(work(stop, "lift"), {"reason": "Бала ауруханада болған"})
        assert StopListEntry.objects.get().reason == "Бала ауруханада болған"
        assert Application.objects.get().state == ApplicationState.WAITING

    def test_rules_are_added_and_checked(self, office, scene):
        url = reverse("admin:applications_rules_add")
        values = {
            "locality": str(scene.locality.pk),
            "valid_from": "01.08.2019",
            "referral_working_days": "6",
            "coming_working_days": "5",
            "extension_calendar_days": "30",
            "stop_working_days": "10",
            "priority_working_days": "3",
            "priority_seats_multiple": "3",
            "general_per_priority": "3",
            "activation_working_days": "2",
            "offer_working_days": "2",
            "complaint_working_days": "5",
            "publication_lead_hours": "1",
            "archive_undo_hours": "24",
            "youngest_age": "2",
            "oldest_age": "6",
            "interest_month": "10",
            "interest_day": "1",
            "interest_campaign_days": "60",
            "interest_grace_days": "90",
            "moving_keeps_date": "on",
            "most_in_group": "26",
            "confirmed": "yes",
        }
        assert office.post(url, values | {"referral_working_days": "0"}).status_code == 200
        assert office.post(url, values | {"oldest_age": "1"}).status_code == 200
        assert not Rules.objects.exists()
        answer = office.post(url, values)
        assert answer.status_code == 302, answer.context["errors"]
        assert Rules.objects.get().referral_working_days == 6
        # Two sets for one day would leave open which one holds.
        assert office.post(url, values).status_code == 200

    def test_the_history_of_an_application_is_read_only(self, office, scene, bid):
        shown = office.get(page(scene.application))
        assert shown.status_code == 200
        assert b"_save" not in shown.content
        assert office.post(page(scene.application), {"state": "enrolled"}).status_code == 403


class TestWhatOthersRead:
    """A reason goes to a family, or to everybody: it says something, and nobody's numbers."""

    NOTHING_SAID = [".", "-", "жоқ", "12.06.2019 18:00", "нет мест", "........................"]
    NUMBERS = [
        "Отбасыға қоңырау шалдық: +7 701 777 98 76",
        "Баланың ЖСН 170720650016 қате жазылған",
    ]

    @pytest.mark.parametrize("reason", NOTHING_SAID + NUMBERS)
    def test_of_a_refused_bid(self, desk, bid, reason):
        answer = desk.post(work(bid, "reject"), {"reason": reason})
        assert "reason" in answer.context["form"].errors
        assert Bid.objects.get().state == BidState.PENDING

    @pytest.mark.parametrize("reason", NOTHING_SAID + NUMBERS)
    def test_of_a_revoked_referral(self, desk, referral, reason):
        answer = desk.post(work(referral, "revoke"), {"reason": reason})
        assert "reason" in answer.context["form"].errors
        assert Referral.objects.get().state == ReferralState.ISSUED

    @pytest.mark.parametrize("reason", NOTHING_SAID + NUMBERS)
    def test_of_a_recalled_vacancy(self, desk, scene, reason):
        answer = desk.post(work(scene.vacancy, "recall"), {"reason": reason})
        assert "reason" in answer.context["form"].errors
        assert Vacancy.objects.get().state == Vacancy.State.PUBLISHED


class TestAfterAReferral:
    def test_a_family_that_comes_no_more_is_masked(self, desk, scene, referral):
        shown = desk.get(page(referral)).content.decode()
        phone, name = scene.parent.phone.as_international, scene.parent.profile.full_name
        assert phone in shown
        assert name in shown
        referral_ending.revoke_referral(
            referral, actor=scene.staff, reason="Топ жөндеуге жабылды", now=scene.now
        )
        over = desk.get(page(referral)).content.decode()
        assert phone not in over
        assert name not in over
        assert mask_phone(scene.parent.phone) in over

    def test_so_is_one_whose_last_day_is_over_though_no_job_has_said_so(self, scene, worker, referral, clock):
        clock.move_to(referral.valid_until)
        over = inside(worker).get(page(referral)).content.decode()
        assert scene.parent.phone.as_international not in over

    def test_a_contract_number_is_used_once_in_a_kindergarten(self, desk, scene, referral):
        desk.post(work(referral, "sign"), {"contract_number": "15/19"})
        other = ApplicationFactory(
            locality=scene.locality, child__birth_date=scene.application.child.birth_date
        )
        second = issuing.activate_bid(
            place_bid(other, scene.vacancy, actor=other.filed_by, now=scene.now),
            actor=scene.staff,
            now=scene.now,
        )
        answer = desk.post(work(second, "sign"), {"contract_number": " 15/19 "})
        assert referral.number in " ".join(answer.context["form"].non_field_errors())
        assert 'value=" 15/19 "' in answer.content.decode()
        assert Contract.objects.count() == 1
        desk.post(work(second, "sign"), {"contract_number": "16/19"})
        assert Contract.objects.count() == 2
