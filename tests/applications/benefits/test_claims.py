"""Benefits: what counts, from when to when, and what never changes by asking."""

from datetime import date, datetime, timedelta
from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command

from accounts.models import AuditEntry
from applications.access.family import application_for
from applications.benefits import claims
from applications.benefits.categories import CATEGORIES
from applications.benefits.claims import CLAIMS_PER_DAY, claims_to_check
from applications.jobs import deadlines
from applications.journal_actions import Action
from applications.models import Application, Benefit, BenefitCategory, Event
from applications.moves import Refused
from applications.queue.position import position
from applications.refusals import Refusal
from applications.states import ApplicationState, BenefitState, Move, Tier
from applications.waiting import filing
from notifications.models import Message, Notice
from tests.applications.conftest import ZONE
from tests.factories import (
    ApplicationFactory,
    BenefitCategoryFactory,
    BenefitFactory,
    GuardianshipFactory,
    StaffFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def category():
    return BenefitCategoryFactory()


@pytest.fixture
def monthly():
    """A certificate that lives 30 days, of the part of the queue that comes first."""
    return BenefitCategoryFactory(tier=Tier.EXTRAORDINARY, valid_days=30)


@pytest.fixture
def official():
    return StaffFactory()


@pytest.fixture
def queue(scene):
    """Nine children who filed before the family did: it has number 10."""
    return ApplicationFactory.create_batch(
        9,
        locality=scene.locality,
        child__birth_date=scene.application.child.birth_date,
        filed_at=scene.application.filed_at - timedelta(days=1),
    )


def claim(scene, category, *, application=None, now=None):
    application = application or scene.application
    return claims.claim_benefit(
        application,
        category,
        document=ContentFile(b"%PDF-1.4", name="abc.pdf"),
        original_name="анықтама.pdf",
        actor=application.filed_by,
        now=now or scene.now,
    )


def verified(scene, category, official, *, now=None):
    return claims.verify_benefit(claim(scene, category, now=now), actor=official, now=now or scene.now)


def number(scene, *, now=None):
    return position(Application.objects.get(pk=scene.application.pk), now=now or scene.now).number


def standing(scene):
    application = Application.objects.get(pk=scene.application.pk)
    return (application.state, application.tier, application.filed_at)


def moves(scene):
    return list(scene.application.events.order_by("id").values_list("move", flat=True))


def refusal(call):
    with pytest.raises(Refused) as caught:
        call()
    return caught.value.reason


class TestClaim:
    def test_asking_changes_nothing_in_the_queue(self, scene, queue, category):
        before = (standing(scene), number(scene))
        benefit = claim(scene, category)
        assert benefit.state == BenefitState.CLAIMED
        assert (standing(scene), number(scene)) == before
        assert not Event.objects.filter(application=scene.application).exists()

    def test_the_document_is_kept_under_a_random_name(self, scene, category):
        benefit = claim(scene, category)
        with benefit.document.open() as file:
            assert file.read() == b"%PDF-1.4"
        assert "abc" not in benefit.document.name
        assert benefit.document.name.endswith(".pdf")
        assert benefit.original_name == "анықтама.pdf"

    def test_the_family_is_told_in_the_inbox_only(self, scene, category):
        claim(scene, category)
        assert Notice.objects.get(kind="benefit_claimed").recipient == scene.parent
        assert not Message.objects.filter(kind="benefit_claimed").exists()
        assert AuditEntry.objects.filter(action=Action.BENEFIT_CLAIMED, subject=scene.parent).exists()

    def test_the_same_waits_already(self, scene, category):
        claim(scene, category)
        assert refusal(lambda: claim(scene, category)) == Refusal.BENEFIT_WAITS
        assert claim(scene, BenefitCategoryFactory()).state == BenefitState.CLAIMED

    def test_what_counts_without_an_end_need_not_be_asked_again(self, scene, category, official):
        verified(scene, category, official)
        assert refusal(lambda: claim(scene, category)) == Refusal.BENEFIT_COUNTS

    def test_a_category_that_was_switched_off(self, scene, category):
        BenefitCategory.objects.update(is_active=False)
        assert refusal(lambda: claim(scene, category)) == Refusal.BENEFIT_NOT_OFFERED

    def test_after_a_refusal_it_may_be_asked_again(self, scene, category, official):
        first = claim(scene, category)
        claims.reject_benefit(first, actor=official, reason="Оқылмайды", now=scene.now)
        assert claim(scene, category).state == BenefitState.CLAIMED

    def test_no_flood_of_documents(self, scene, category):
        for _number in range(CLAIMS_PER_DAY):
            claims.withdraw_benefit(claim(scene, category), actor=scene.parent, now=scene.now)
        almost = scene.now + timedelta(days=1) - MICROSECOND
        assert refusal(lambda: claim(scene, category, now=almost)) == Refusal.TOO_MANY_CLAIMS
        assert claim(scene, category, now=almost + MICROSECOND).state == BenefitState.CLAIMED

    @pytest.mark.parametrize(
        "state", [ApplicationState.STOP_LISTED, ApplicationState.LAPSED, ApplicationState.REFERRED]
    )
    def test_may_be_claimed_and_verified_wherever_the_child_still_waits(
        self, scene, category, official, state
    ):
        Application.objects.filter(pk=scene.application.pk).update(state=state)
        verified(scene, category, official)
        assert standing(scene)[:2] == (state, Tier.PRIORITY)


class TestVerification:
    def test_it_counts_from_now_at_the_same_date(self, scene, queue, category, official):
        filed_at = scene.application.filed_at
        benefit = verified(scene, category, official)
        assert standing(scene) == (ApplicationState.WAITING, Tier.PRIORITY, filed_at)
        assert number(scene) == 1
        assert (benefit.decided_by, benefit.decided_at) == (official, scene.now)

    def test_the_event_says_where_the_application_stands(self, scene, category, official):
        benefit = verified(scene, category, official)
        event = scene.application.events.get()
        assert (event.move, event.actor, event.tier) == (Move.VERIFY_BENEFIT, official, Tier.PRIORITY)
        assert (event.from_state, event.to_state) == ("waiting", "waiting")
        assert event.data == {"benefit": str(benefit.pk), "category": category.slug}

    def test_the_family_reads_the_new_number(self, scene, queue, category, official):
        assert number(scene) == 10
        verified(scene, category, official)
        assert "Кезектегі нөміріңіз: 1." in Notice.objects.get(kind="benefit_verified").text_kk
        assert "1" in Message.objects.get(kind="benefit_verified").text

    def test_the_end_is_the_end_of_the_last_day_where_the_family_lives(self, scene, monthly, official):
        benefit = verified(scene, monthly, official)
        assert benefit.valid_until == datetime(2019, 7, 27, tzinfo=ZONE)
        assert "26.07.2019" in Notice.objects.get(kind="benefit_verified").text_ru

    def test_without_valid_days_there_is_no_end(self, scene, category, official):
        assert verified(scene, category, official).valid_until is None

    def test_the_best_of_several_counts(self, scene, category, monthly, official):
        verified(scene, monthly, official)
        verified(scene, category, official)
        assert standing(scene)[1] == Tier.EXTRAORDINARY
        assert moves(scene) == [Move.VERIFY_BENEFIT, Move.VERIFY_BENEFIT]

    def test_what_ran_out_does_not_count_although_the_job_is_late(self, scene, category, monthly, official):
        first = verified(scene, monthly, official)
        verified(scene, category, official, now=first.valid_until)
        assert standing(scene)[1] == Tier.PRIORITY

    @pytest.mark.parametrize(
        ("issued_on", "why"),
        [(date(2019, 6, 27), Refusal.PAPER_OF_LATER), (date(2019, 5, 1), Refusal.PAPER_OVER)],
        ids=["of tomorrow", "over"],
    )
    def test_a_paper_that_proves_nothing_now_verifies_nothing(self, scene, monthly, official, issued_on, why):
        benefit = claim(scene, monthly)
        with pytest.raises(Refused) as caught:
            claims.verify_benefit(benefit, issued_on=issued_on, actor=official, now=scene.now)
        assert caught.value.reason == why
        assert Benefit.objects.get().state == BenefitState.CLAIMED

    def test_only_once(self, scene, category, official):
        benefit = verified(scene, category, official)
        again = refusal(lambda: claims.verify_benefit(benefit, actor=official, now=scene.now))
        assert again == Refusal.BENEFIT_ENDED
        assert moves(scene) == [Move.VERIFY_BENEFIT]

    def test_no_official_decides_for_their_own_child(self, scene, category, official):
        GuardianshipFactory(child=scene.application.child, user=official)
        benefit = claim(scene, category)
        for call in (
            lambda: claims.verify_benefit(benefit, actor=official, now=scene.now),
            lambda: claims.reject_benefit(benefit, actor=official, reason="x", now=scene.now),
        ):
            assert refusal(call) == Refusal.OWN_CHILD
        assert Benefit.objects.get().state == BenefitState.CLAIMED


class TestRenewal:
    def test_a_fresh_proof_takes_over_without_a_gap(self, scene, monthly, official):
        first = verified(scene, monthly, official)
        later = scene.now + timedelta(days=20)
        second = claim(scene, monthly, now=later)
        assert standing(scene)[1] == Tier.EXTRAORDINARY
        second = claims.verify_benefit(second, actor=official, now=later)
        first.refresh_from_db()
        assert (first.state, first.valid_until) == (BenefitState.EXPIRED, later)
        assert standing(scene)[1] == Tier.EXTRAORDINARY
        assert deadlines.settle_what_ran_out(now=datetime(2019, 7, 27, tzinfo=ZONE)) == 0
        assert second.valid_until == datetime(2019, 8, 16, tzinfo=ZONE)

    def test_what_was_promised_is_not_shortened(self, scene, monthly, official):
        first = verified(scene, monthly, official)
        BenefitCategory.objects.update(valid_days=1)
        assert verified(scene, monthly, official).valid_until == first.valid_until

    def test_a_refused_renewal_leaves_the_former_proof(self, scene, monthly, official):
        first = verified(scene, monthly, official)
        second = claim(scene, monthly)
        claims.reject_benefit(second, actor=official, reason="Оқылмайды", now=scene.now)
        first.refresh_from_db()
        assert first.state == BenefitState.VERIFIED
        assert standing(scene)[1] == Tier.EXTRAORDINARY
        assert moves(scene) == [Move.VERIFY_BENEFIT]


class TestRejection:
    def test_a_claim_is_refused_with_a_reason_and_nothing_moves(self, scene, queue, category, official):
        before = (standing(scene), number(scene))
        benefit = claim(scene, category)
        claims.reject_benefit(benefit, actor=official, reason=" Мөрі жоқ ", now=scene.now)
        assert (standing(scene), number(scene)) == before
        assert moves(scene) == []
        assert Benefit.objects.get().reason == "Мөрі жоқ"
        text = Notice.objects.get(kind="benefit_rejected").text_kk
        assert "Себебі: Мөрі жоқ." in text
        assert "Кезектегі нөміріңіз: 10." in text
        assert "Мөрі" not in Message.objects.get(kind="benefit_rejected").text

    def test_a_verified_one_is_taken_back_to_the_original_date(self, scene, queue, category, official):
        before = (standing(scene), number(scene))
        benefit = verified(scene, category, official)
        claims.reject_benefit(benefit, actor=official, reason="Жалған құжат", now=scene.now)
        assert (standing(scene), number(scene)) == before
        event = scene.application.events.order_by("id").last()
        assert (event.move, event.reason, event.tier) == (Move.END_BENEFIT, "Жалған құжат", Tier.GENERAL)

    @pytest.mark.parametrize("reason", ["", "  "])
    def test_not_without_a_reason(self, scene, category, official, reason):
        benefit = claim(scene, category)
        refused = refusal(
            lambda: claims.reject_benefit(benefit, actor=official, reason=reason, now=scene.now)
        )
        assert refused == Refusal.REASON_MISSING


class TestWithdrawal:
    def test_a_claim_goes_without_a_trace_in_the_queue(self, scene, category):
        claims.withdraw_benefit(claim(scene, category), actor=scene.parent, now=scene.now)
        assert Benefit.objects.get().state == BenefitState.WITHDRAWN
        assert moves(scene) == []

    def test_a_counted_one_returns_the_application_to_its_date(self, scene, queue, category, official):
        before = (standing(scene), number(scene))
        benefit = verified(scene, category, official)
        claims.withdraw_benefit(benefit, actor=scene.parent, now=scene.now)
        assert (standing(scene), number(scene)) == before
        assert moves(scene) == [Move.VERIFY_BENEFIT, Move.END_BENEFIT]

    def test_another_benefit_goes_on_counting(self, scene, category, monthly, official):
        verified(scene, category, official)
        best = verified(scene, monthly, official)
        claims.withdraw_benefit(best, actor=scene.parent, now=scene.now)
        assert standing(scene)[1] == Tier.PRIORITY

    def test_not_twice_and_not_after_the_end(self, scene, monthly, official):
        benefit = verified(scene, monthly, official)
        late = refusal(lambda: claims.withdraw_benefit(benefit, actor=scene.parent, now=benefit.valid_until))
        assert late == Refusal.BENEFIT_ENDED
        claims.withdraw_benefit(benefit, actor=scene.parent, now=scene.now)
        again = refusal(lambda: claims.withdraw_benefit(benefit, actor=scene.parent, now=scene.now))
        assert again == Refusal.BENEFIT_ENDED


class TestExpiry:
    def test_to_the_microsecond(self, scene, queue, monthly, official):
        before = (standing(scene), number(scene))
        benefit = verified(scene, monthly, official)
        end = benefit.valid_until
        assert deadlines.settle_what_ran_out(now=end - MICROSECOND) == 0
        assert standing(scene)[1] == Tier.EXTRAORDINARY
        assert deadlines.settle_what_ran_out(now=end) == 1
        assert (standing(scene), number(scene)) == before
        assert moves(scene) == [Move.VERIFY_BENEFIT, Move.END_BENEFIT]
        assert deadlines.settle_what_ran_out(now=end) == 0

    def test_a_second_look_and_one_that_comes_too_early_change_nothing(self, scene, monthly, official):
        """Two pages may find the same benefit over; the second one waits for the lock and ends nothing."""
        benefit = verified(scene, monthly, official)
        early = claims.expire_benefit(benefit, now=benefit.valid_until - MICROSECOND)
        assert early.tier == Tier.EXTRAORDINARY
        for _look in range(2):
            assert claims.expire_benefit(benefit, now=benefit.valid_until).tier == Tier.GENERAL
        assert moves(scene) == [Move.VERIFY_BENEFIT, Move.END_BENEFIT]

    def test_the_familys_own_look_ends_it_when_the_job_is_late(self, scene, queue, monthly, official):
        end = verified(scene, monthly, official).valid_until
        in_time = application_for(scene.parent, scene.application.pk, now=end - MICROSECOND)
        assert in_time.tier == Tier.EXTRAORDINARY
        late = application_for(scene.parent, scene.application.pk, now=end)
        assert late.tier == Tier.GENERAL
        assert position(late, now=end).number == 10
        assert "Кезектегі нөміріңіз: 10." in Notice.objects.get(kind="benefit_expired").text_kk

    def test_the_command_does_the_same(self, scene, monthly, official, clock):
        benefit = verified(scene, monthly, official)
        clock.move_to(benefit.valid_until)
        output = StringIO()
        call_command("settle_applications", stdout=output)
        assert output.getvalue() == "1 done\n"
        assert standing(scene)[1] == Tier.GENERAL

    def test_in_the_archive_time_goes_on(self, scene, monthly, official):
        end = verified(scene, monthly, official).valid_until
        filing.archive(scene.application, actor=scene.parent, now=end - timedelta(hours=1))
        assert deadlines.settle_what_ran_out(now=end) == 0
        filing.restore(scene.application, actor=scene.parent, now=end + timedelta(hours=1))
        assert standing(scene)[:2] == (ApplicationState.WAITING, Tier.GENERAL)
        assert moves(scene)[-2:] == [Move.RESTORE, Move.END_BENEFIT]

    def test_restored_in_time_it_still_counts(self, scene, monthly, official):
        end = verified(scene, monthly, official).valid_until
        filing.archive(scene.application, actor=scene.parent, now=end - timedelta(hours=1))
        filing.restore(scene.application, actor=scene.parent, now=end - MICROSECOND)
        assert standing(scene)[:2] == (ApplicationState.WAITING, Tier.EXTRAORDINARY)


class TestEndedApplications:
    @pytest.fixture(params=[ApplicationState.ARCHIVED, ApplicationState.ENROLLED])
    def ended(self, request, scene, category):
        """A claim whose application has left the queue meanwhile, and the refusal that says so."""
        benefit = claim(scene, category)
        archived_at = scene.now if request.param == ApplicationState.ARCHIVED else None
        Application.objects.filter(pk=scene.application.pk).update(
            state=request.param, archived_at=archived_at
        )
        return benefit, Refusal(request.param)

    def test_nothing_can_be_done_and_the_words_say_why(self, scene, ended, official):
        benefit, expected = ended
        calls = [
            lambda: claim(scene, BenefitCategoryFactory()),
            lambda: claims.verify_benefit(benefit, actor=official, now=scene.now),
            lambda: claims.reject_benefit(benefit, actor=official, reason="x", now=scene.now),
            lambda: claims.withdraw_benefit(benefit, actor=scene.parent, now=scene.now),
        ]
        assert [refusal(call) for call in calls] == [expected] * 4
        assert moves(scene) == []

    def test_officials_are_not_bothered_with_it(self, ended):
        assert not claims_to_check().exists()


class TestChecks:
    def test_the_oldest_claim_comes_first(self, scene, category):
        second = BenefitFactory(claimed_at=scene.now)
        first = BenefitFactory(claimed_at=scene.now - timedelta(days=1))
        assert list(claims_to_check()) == [first, second]


class TestCategories:
    def test_loaded_once_and_whole(self):
        for _number in range(2):
            call_command("load_benefit_categories", stdout=StringIO())
        assert BenefitCategory.objects.count() == len(CATEGORIES)
        for category in BenefitCategory.objects.all():
            category.full_clean()
            assert category.name_kk != category.name_ru
            assert category.proof_kk != category.proof_ru

    def test_an_officials_words_are_never_overwritten(self):
        call_command("load_benefit_categories", stdout=StringIO())
        BenefitCategory.objects.filter(slug="orphans").update(name_kk="Өзгерді", is_active=False)
        output = StringIO()
        call_command("load_benefit_categories", stdout=output)
        orphans = BenefitCategory.objects.get(slug="orphans")
        assert (orphans.name_kk, orphans.is_active) == ("Өзгерді", False)
        assert output.getvalue().startswith("0 added")

    def test_certificates_of_service_and_work_live_a_month(self):
        by_slug = {category.slug: category for category in CATEGORIES}
        assert {slug for slug, one in by_slug.items() if one.valid_days == 30} == {
            "servicemen",
            "special-bodies",
            "teachers",
        }
        assert {one.tier for one in CATEGORIES} == {Tier.EXTRAORDINARY, Tier.PRIORITY}
