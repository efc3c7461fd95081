"""The official's page of disputed guardianships: both sides, the deadline, the decision."""

from datetime import datetime, timedelta

import pytest
from django.urls import reverse
from django.utils.translation import gettext

from accounts.journal_actions import Action
from accounts.models import AuditEntry, Profile
from accounts.roles import Role
from applications.disputes import guardianships
from applications.referrals import issuing
from applications.refusals import Refusal
from children.disputes import is_halted
from children.models import Dispute
from notifications.models import Notice
from tests.applications.admin.test_work import page, said, work
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import ZONE
from tests.factories import GuardianshipFactory, nth_iin
from tests.staff import employee, inside, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

LIST = "admin:children_dispute_changelist"


@pytest.fixture
def newcomer(scene):
    return GuardianshipFactory(
        child=scene.application.child,
        verified_at=scene.now - timedelta(hours=1),
        user__phone="+77012223344",
        user__profile__last_name="ОМАРОВ",
        user__profile__first_name="ТІМУР",
    ).user


@pytest.fixture
def dispute(scene, newcomer, clock):
    Profile.objects.filter(user=scene.parent).update(phone_tie="yes")
    (raised,) = guardianships.stop_guardian(newcomer, by=scene.parent, is_tied=False, now=scene.now)
    return raised


@pytest.fixture
def official(clock):
    return employee(Role.OFFICIAL)


@pytest.fixture
def desk(official):
    return inside(official)


class TestWhoSees:
    def test_a_kindergarten_has_no_part_in_it(self, scene, dispute):
        browser = inside(worker_of(scene.group.kindergarten))
        addresses = [reverse(LIST), page(dispute), work(dispute, "stand"), work(dispute, "end")]
        for address in addresses:
            assert browser.get(address).status_code == 403
        assert browser.post(work(dispute, "end"), {"reason": "Туу туралы куәлік"}).status_code == 403
        assert is_halted(scene.application.child)

    def test_both_sides_with_masked_identifiers(self, scene, newcomer, dispute, desk):
        Profile.objects.filter(user=newcomer).update(phone_tie="no")
        html = desk.get(page(dispute)).content.decode()
        for shown in (
            "ОМАРОВ ТІМУР",
            scene.parent.profile.full_name,
            "+7 701 ••• 33 44",
            "басқа адамның атына",
        ):
            assert shown in html
        for person in (newcomer, scene.parent):
            assert person.profile.iin not in html
            assert str(person.phone) not in html

    def test_the_owner_of_the_iin_who_was_shut_out_is_shown(self, newcomer, dispute, desk, scene):
        assert "тіркелмек" not in desk.get(page(dispute)).content.decode()
        AuditEntry.objects.create(action="owner_shut_out", subject=newcomer, at=scene.now)
        assert "тіркелмек" in desk.get(page(dispute)).content.decode()

    def test_who_looked_stands_in_the_journals_of_both(self, scene, newcomer, dispute, desk, official):
        desk.get(page(dispute))
        for person in (newcomer, scene.parent):
            entry = person.journal.get(action=Action.PERSONAL_DATA_VIEWED)
            assert (entry.actor, entry.target) == (official, scene.application.child.full_name)

    def test_the_list_masks_names_and_shows_what_is_late(self, dispute, desk, official, clock):
        html = desk.get(reverse(LIST)).content.decode()
        assert "О••••• Т." in html
        assert "ОМАРОВ" not in html
        assert "Кешікті" not in html
        clock.move_to(dispute.due_at)
        assert "Кешікті" in inside(official).get(reverse(LIST)).content.decode()

    @pytest.mark.parametrize(
        ("decision", "moved", "found"),
        [
            ("open", timedelta(0), 1),
            ("late", timedelta(0), 0),
            ("late", timedelta(days=9), 1),
            ("done", timedelta(0), 0),
        ],
    )
    def test_filters(self, dispute, official, clock, decision, moved, found):
        clock.shift(moved)
        answer = inside(official).get(reverse(LIST), {"decision": decision})
        assert answer.context["cl"].result_count == found


class TestToday:
    def test_an_official_is_told_how_many_wait_and_how_many_are_late(self, dispute, official, clock):
        today = inside(official).get(reverse("admin:index")).context["today"]
        assert today.disputes == (1, 0)
        clock.move_to(dispute.due_at)
        answer = inside(official).get(reverse("admin:index"))
        assert answer.context["today"].disputes.late == 1
        assert f"{reverse(LIST)}?decision=late" in answer.content.decode()

    def test_a_worker_is_not(self, scene, dispute):
        today = inside(worker_of(scene.group.kindergarten)).get(reverse("admin:index")).context["today"]
        assert today.disputes is None


class TestDecisions:
    @pytest.mark.parametrize(
        ("button", "outcome", "kind"),
        [("stand", "stands", "guardianship_stands"), ("end", "ends", "guardianship_ended")],
    )
    def test_asked_first_then_done_with_the_reason(
        self, scene, newcomer, dispute, desk, official, button, outcome, kind
    ):
        address = work(dispute, button)
        assert address in desk.get(page(dispute)).content.decode()
        assert desk.get(address).status_code == 200
        assert is_halted(scene.application.child)
        assert desk.post(address, {"reason": "Туу туралы куәлік"}).status_code == 302
        decided = Dispute.objects.get()
        assert (decided.outcome, decided.decided_by, decided.reason) == (
            outcome,
            official,
            "Туу туралы куәлік",
        )
        assert not is_halted(scene.application.child)
        assert Notice.objects.filter(kind=kind).count() == 2
        assert AuditEntry.objects.filter(actor=official, reason="Туу туралы куәлік").count() == 2

    @pytest.mark.parametrize("button", ["stand", "end"])
    @pytest.mark.parametrize("reason", ["", "   "])
    def test_a_reason_is_needed(self, dispute, desk, button, reason):
        answer = desk.post(work(dispute, button), {"reason": reason})
        assert answer.status_code == 200
        assert "reason" in answer.context["form"].errors
        assert Dispute.objects.get().outcome == ""

    @pytest.mark.parametrize("number", [nth_iin(7), "8 701 777 98 76"])
    def test_a_reason_holds_nobodys_numbers(self, dispute, desk, number):
        answer = desk.post(work(dispute, "end"), {"reason": f"Куәлік, {number}"})
        assert "reason" in answer.context["form"].errors
        assert Dispute.objects.get().outcome == ""

    def test_nobody_decides_about_their_own_child(self, scene, dispute, official, desk):
        GuardianshipFactory(child=scene.application.child, user=official)
        answer = desk.post(work(dispute, "end"), {"reason": "Туу туралы куәлік"}, follow=True)
        assert gettext("This is your own child: another official decides.") in answer.content.decode()
        assert is_halted(scene.application.child)

    def test_a_decision_can_be_mended_and_the_same_is_not_offered_again(self, newcomer, dispute, desk):
        desk.post(work(dispute, "end"), {"reason": "Туу туралы куәлік"})
        html = desk.get(page(dispute)).content.decode()
        assert work(dispute, "end") not in html
        assert work(dispute, "stand") in html
        seen = desk.get(work(dispute, "stand"))
        assert "Сіз өзгертетін шешім" in seen.content.decode()
        fields = {"reason": "Алдыңғы шешім қате", "overrules": seen.context["form"]["overrules"].value()}
        desk.post(work(dispute, "stand"), fields)
        assert newcomer.guardianships.get().ended_at is None

    def test_a_page_that_was_open_too_long_overrules_nothing(self, newcomer, dispute, desk):
        """«Stands» was opened in one window, «ends» decided in another: both sides read two answers."""
        stale = {
            "reason": "Туу туралы куәлік",
            "overrules": desk.get(work(dispute, "stand")).context["form"]["overrules"].value(),
        }
        desk.post(work(dispute, "end"), {"reason": "Құжат жалған болып шықты", "overrules": ""})
        answer = desk.post(work(dispute, "stand"), stale)
        assert answer.context["form"].non_field_errors() == [str(Refusal.DECIDED_MEANWHILE.label)]
        assert not Notice.objects.filter(kind="guardianship_stands").exists()

    @pytest.mark.parametrize("forged", ["", "x", "\0", "2019-01-01", "2019-01-01T00:00:00+06:00", "9" * 5000])
    def test_nor_does_a_forged_one(self, dispute, desk, forged):
        desk.post(work(dispute, "end"), {"reason": "Туу туралы куәлік"})
        answer = desk.post(work(dispute, "stand"), {"reason": "Туу туралы куәлік", "overrules": forged})
        assert answer.status_code == 200
        assert Dispute.objects.get().outcome == "ends"

    def test_both_decisions_stay_on_the_page(self, dispute, desk):
        for button, reason in (("end", "Құжат жалған болып шықты"), ("stand", "Алдыңғы шешім қате")):
            seen = desk.get(work(dispute, button)).context["form"]["overrules"].value()
            desk.post(work(dispute, button), {"reason": reason, "overrules": seen})
        html = desk.get(page(dispute)).content.decode()
        assert "Құжат жалған болып шықты" in html
        assert "Алдыңғы шешім қате" in html

    def test_what_the_registry_ended_is_said_and_can_not_stand(self, scene, newcomer, dispute, desk):
        newcomer.guardianships.update(ended_at=scene.now)
        html = desk.get(page(dispute)).content.decode()
        assert "тізілім енді растамайды" in html
        assert work(dispute, "stand") not in html
        answer = desk.post(work(dispute, "stand"), {"reason": "Туу туралы куәлік"})
        assert said(answer) == [str(Refusal.ENDED_BY_REGISTRY.label)]

    def test_nothing_is_edited_added_or_deleted(self, dispute, desk):
        assert desk.get(reverse("admin:children_dispute_add")).status_code == 403
        assert desk.post(page(dispute), {"outcome": "ends"}).status_code == 403
        assert desk.post(reverse("admin:children_dispute_delete", args=[dispute.pk])).status_code == 403
        assert Dispute.objects.get().outcome == ""

    def test_a_child_without_an_application(self, clock, desk):
        first = GuardianshipFactory()
        late = GuardianshipFactory(child=first.child)
        (dispute,) = guardianships.stop_guardian(
            late.user, by=first.user, is_tied=False, now=late.verified_at
        )
        assert desk.get(page(dispute)).status_code == 200
        assert desk.post(work(dispute, "stand"), {"reason": "Туу туралы куәлік"}).status_code == 302
        assert Dispute.objects.get().outcome == "stands"


def test_a_kindergarten_reads_that_a_last_day_stands_still(scene, newcomer, clock):
    """It can sign the contract meanwhile, also past the day that the paper names."""
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
    referral = issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
    guardianships.stop_guardian(newcomer, by=scene.parent, is_tied=False, now=scene.now)
    clock.move_to(datetime(2019, 7, 20, 12, 0, tzinfo=ZONE))
    browser = inside(worker_of(scene.group.kindergarten))
    listed = browser.get(reverse("admin:applications_referral_changelist"), {"valid": "now"})
    assert listed.context["cl"].result_count == 1
    assert "мерзім есептелмейді" in listed.content.decode()
    assert browser.get(reverse("admin:index")).context["today"].ending.total == 1
    assert browser.post(work(referral, "sign"), {"contract_number": ""}).status_code == 302
    scene.application.refresh_from_db()
    assert scene.application.state == "enrolled"
