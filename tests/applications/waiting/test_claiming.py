"""A family claims its application of the former queue: whoever is proven, once, and the phone in the file is told."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from accounts.models import AuditEntry, Profile
from accounts.roles import Role
from applications.access.family import applications_of
from applications.disputes.guardianships import decide_guardianship
from applications.disputes.unknown_guardian import UnknownClaimant, UnknownGuardian
from applications.jobs.retention import purge_former_guardians
from applications.journal_actions import Action
from applications.models import Application, Event, FormerRow
from applications.moves import Refused
from applications.queue.position import position
from applications.refusals import Refusal
from applications.rules.running_out import first_end
from applications.states import ApplicationState, Move
from applications.waiting.claiming import claim, claim_for, claimants, proof_of
from applications.waiting.filing import file_application
from children.disputes import STOPPABLE_FOR, Side, side_of
from children.models import Dispute, Guardianship
from notifications.models import Message, Notice
from tests.factories import DisputeFactory, GuardianshipFactory, UserFactory, nth_iin, unclaimed
from tests.staff import employee, inside

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]

PHONE = "+77015550011"
Proof = FormerRow.Proof


@pytest.fixture
def waiting(scene):
    return unclaimed(
        locality=scene.locality,
        phone=PHONE,
        child__birth_date=date(2017, 7, 20),
        filed_at=scene.now - timedelta(days=700),
    )


def guardian_of(application, **fields):
    return GuardianshipFactory(child=application.child, user=UserFactory(**fields)).user


def known_to_the_state(user):
    Profile.objects.filter(user=user).update(phone_tie="yes")
    user.refresh_from_db()
    return user


class TestProof:
    def test_the_number_of_the_file(self, scene, waiting):
        owner = guardian_of(waiting, phone=PHONE)
        assert proof_of(waiting, owner) == Proof.PHONE
        claimed = claim(waiting, actor=owner, now=scene.now)
        assert claimed.filed_by == owner

    def test_the_state_knows_the_number_as_theirs(self, scene, waiting):
        father = known_to_the_state(guardian_of(waiting))
        assert proof_of(waiting, father) == Proof.REGISTRY
        assert claim(waiting, actor=father, now=scene.now).filed_by == father

    def test_two_officials_have_seen_the_papers(self, scene, waiting):
        mother = guardian_of(waiting)
        Guardianship.objects.update(source=Guardianship.Source.OFFICIAL)
        assert proof_of(waiting, mother) == Proof.OFFICIAL
        assert claim(waiting, actor=mother, now=scene.now).filed_by == mother

    def test_iins_are_no_proof(self, scene, waiting):
        """Also not that of the person whom the file names: who knows it is not yet that person."""
        FormerRow.objects.filter(application=waiting).update(guardian_hash="x" * 64)
        stranger = guardian_of(waiting)
        with pytest.raises(Refused) as refused:
            claim(waiting, actor=stranger, now=scene.now)
        assert refused.value.reason == Refusal.NOT_PROVEN
        waiting.refresh_from_db()
        assert not waiting.is_claimed
        assert not Message.objects.exists()

    @pytest.mark.parametrize("tie", ["no", "unknown", "unasked"])
    def test_nor_is_a_number_that_the_state_does_not_know_as_theirs(self, waiting, tie):
        stranger = guardian_of(waiting)
        Profile.objects.filter(user=stranger).update(phone_tie=tie)
        stranger.refresh_from_db()
        assert proof_of(waiting, stranger) is None

    def test_the_number_alone_makes_no_guardian(self, scene, waiting):
        with pytest.raises(PermissionDenied):
            claim(waiting, actor=UserFactory(phone=PHONE), now=scene.now)

    def test_a_file_without_a_number_proves_nobody(self, scene):
        waiting = unclaimed(locality=scene.locality, phone="")
        assert proof_of(waiting, guardian_of(waiting)) is None


class TestWhatItMakes:
    def test_the_date_and_the_number_stay(self, scene, waiting):
        before = position(waiting, now=scene.now)
        owner = guardian_of(waiting, phone=PHONE)
        claimed = claim(waiting, actor=owner, now=scene.now)
        after = position(claimed, now=scene.now)
        assert (after.number, after.total) == (before.number, before.total)
        assert (before.unclaimed, after.unclaimed) == (1, 0)
        assert claimed.filed_at == waiting.filed_at

    def test_it_is_asked_about_interest_from_now_on(self, scene, waiting):
        claimed = claim(waiting, actor=guardian_of(waiting, phone=PHONE), now=scene.now)
        assert claimed.interest_confirmed_at == scene.now
        assert claimed.runs_out_at == first_end(claimed, now=scene.now)
        assert claimed.runs_out_at < waiting.runs_out_at

    def test_row_and_event_say_who_and_by_what(self, scene, waiting):
        owner = guardian_of(waiting, phone=PHONE)
        claim(waiting, actor=owner, now=scene.now)
        row, event = FormerRow.objects.get(), Event.objects.get(move=Move.CLAIM)
        assert (row.claimed_by, row.claimed_at, row.proof) == (owner, scene.now, Proof.PHONE)
        assert (event.actor, event.from_state, event.to_state, event.data) == (
            owner,
            "waiting",
            "waiting",
            {"proof": "phone"},
        )

    def test_the_other_guardians_find_it_too(self, scene, waiting):
        owner, other = guardian_of(waiting, phone=PHONE), guardian_of(waiting)
        claim(waiting, actor=owner, now=scene.now)
        assert {notice.recipient for notice in Notice.objects.filter(kind="application_claimed")} == {
            owner,
            other,
        }
        assert list(applications_of(other)) == [waiting]
        assert AuditEntry.objects.filter(action=Action.APPLICATION_CLAIMED).count() == 2

    def test_the_phone_in_the_file_is_told_of_a_claim_by_another_number(self, scene, waiting):
        claim(waiting, actor=known_to_the_state(guardian_of(waiting)), now=scene.now)
        [told] = Message.objects.filter(kind="former_claimed")
        assert told.phone.as_e164 == PHONE

    def test_it_reads_whom_to_call_unless_it_is_an_account_s(self, scene, waiting, settings):
        settings.CONTACT_PHONES = ["+7 725 33 12345"]
        claimant = known_to_the_state(guardian_of(waiting))
        claim(waiting, actor=claimant, now=scene.now)
        assert "+7 725 33 12345" in Message.objects.get(kind="former_claimed").text

    def test_whoever_has_an_account_reads_of_stop(self, scene, waiting):
        UserFactory(phone=PHONE)
        claim(waiting, actor=known_to_the_state(guardian_of(waiting)), now=scene.now)
        assert "«Тоқтату»" in Message.objects.get(kind="former_claimed").text

    def test_nor_of_stop_where_an_official_has_decided(self, scene, waiting, settings):
        UserFactory(phone=PHONE)
        claim_for(waiting, guardian_of(waiting), actor=employee(Role.OFFICIAL), reason="x", now=scene.now)
        assert settings.CONTACT_PHONES[0] in Message.objects.get(kind="former_claimed").text

    def test_and_not_twice_where_it_is_the_number_of_the_account(self, scene, waiting):
        claim(waiting, actor=guardian_of(waiting, phone=PHONE), now=scene.now)
        assert not Message.objects.filter(kind="former_claimed").exists()


class TestOnce:
    def test_a_second_claim_is_refused(self, scene, waiting):
        owner, other = guardian_of(waiting, phone=PHONE), known_to_the_state(guardian_of(waiting))
        claim(waiting, actor=owner, now=scene.now)
        with pytest.raises(Refused) as refused:
            claim(waiting, actor=other, now=scene.now)
        assert refused.value.reason == Refusal.CLAIMED_ALREADY
        assert Event.objects.filter(move=Move.CLAIM).count() == 1

    def test_nobody_files_beside_it(self, scene, waiting):
        guardian = guardian_of(waiting)
        with pytest.raises(Refused) as refused:
            file_application(
                child=waiting.child, locality=scene.locality, languages=["kk"], actor=guardian, now=scene.now
            )
        assert refused.value.reason == Refusal.UNCLAIMED
        assert Application.objects.filter(child=waiting.child).count() == 1

    def test_school_age_ends_the_claim_with_its_first_instant(self, scene):
        waiting = unclaimed(locality=scene.locality, phone=PHONE, child__birth_date=date(2012, 7, 20))
        owner, end = guardian_of(waiting, phone=PHONE), waiting.runs_out_at
        assert end is not None
        with pytest.raises(Refused) as refused:
            claim(waiting, actor=owner, now=end)
        assert refused.value.reason == Refusal.AGE
        assert claim(waiting, actor=owner, now=end - timedelta(microseconds=1)).is_claimed

    def test_whom_a_proven_guardian_does_not_know_claims_nothing(self, scene, waiting):
        known_to_the_state(guardian_of(waiting))
        newcomer = guardian_of(waiting, phone=PHONE)
        guardianship = Guardianship.objects.get(user=newcomer)
        DisputeFactory(guardianship=guardianship)
        with pytest.raises(Refused) as refused:
            claim(waiting, actor=newcomer, now=scene.now)
        assert refused.value.reason == Refusal.DISPUTED


class TestByAnOfficial:
    def test_with_a_reason_that_everybody_reads(self, scene, waiting):
        guardian, official = guardian_of(waiting), employee(Role.OFFICIAL)
        claimed = claim_for(waiting, guardian, actor=official, reason="Жеке куәлік көрілді", now=scene.now)
        assert claimed.filed_by == guardian
        event = Event.objects.get(move=Move.CLAIM)
        assert (event.actor, event.reason) == (official, "Жеке куәлік көрілді")
        assert FormerRow.objects.get().proof == Proof.OFFICIAL
        assert Message.objects.filter(kind="former_claimed", phone=PHONE).exists()

    def test_not_without_one(self, scene, waiting):
        with pytest.raises(Refused) as refused:
            claim_for(waiting, guardian_of(waiting), actor=employee(Role.OFFICIAL), reason=" ", now=scene.now)
        assert refused.value.reason == Refusal.REASON_MISSING

    def test_nor_for_their_own_child(self, scene, waiting):
        guardian, official = guardian_of(waiting), employee(Role.OFFICIAL)
        GuardianshipFactory(child=waiting.child, user=official)
        with pytest.raises(Refused) as refused:
            claim_for(waiting, guardian, actor=official, reason="x", now=scene.now)
        assert refused.value.reason == Refusal.OWN_CHILD

    def test_nor_for_who_is_no_guardian(self, scene, waiting):
        with pytest.raises(PermissionDenied):
            claim_for(waiting, UserFactory(), actor=employee(Role.OFFICIAL), reason="x", now=scene.now)

    def test_at_the_workplace(self, scene, waiting):
        guardian, official = guardian_of(waiting), employee(Role.OFFICIAL)
        desk = inside(official)
        page = desk.get(reverse("admin:applications_application_change", args=[waiting.pk])).content.decode()
        assert "123/17" in page
        address = reverse("admin:applications_application_work", args=[waiting.pk, "claim-for"])
        assert address in page
        assert guardian.profile.full_name in desk.get(address).content.decode()
        desk.post(
            address, {"application": waiting.pk, "guardian": guardian.pk, "reason": "Жеке куәлік көрілді"}
        )
        waiting.refresh_from_db()
        assert waiting.filed_by == guardian
        assert (
            address
            not in desk.get(
                reverse("admin:applications_application_change", args=[waiting.pk])
            ).content.decode()
        )

    def test_only_one_of_the_guardians_can_be_chosen(self, waiting):
        guardian_of(waiting)
        address = reverse("admin:applications_application_work", args=[waiting.pk, "claim-for"])
        answer = inside(employee(Role.OFFICIAL)).post(
            address,
            {"application": waiting.pk, "guardian": UserFactory().pk, "reason": "Жеке куәлік көрілді"},
        )
        assert answer.status_code == 200
        waiting.refresh_from_db()
        assert not waiting.is_claimed


class TestStop:
    """Whoever has the number of the file, and did not claim it, says so by the page «Stop»."""

    @pytest.fixture
    def claimed(self, scene, waiting):
        claimant = known_to_the_state(guardian_of(waiting))
        claim(waiting, actor=claimant, now=scene.now)
        # What the state knew then it does not know any more.
        Profile.objects.filter(user=claimant).update(phone_tie="no")
        return claimant

    def test_it_halts_like_a_guardian_whom_nobody_knows(self, scene, waiting, claimed):
        owner = UserFactory(phone=PHONE)
        [choice] = UnknownClaimant().choices(owner, now=scene.now)
        assert choice.key == str(claimed.pk)
        UnknownClaimant().stop(owner, choice.key, address=None, now=scene.now)
        dispute = Dispute.objects.get()
        assert (dispute.guardianship.user, dispute.raised_by, dispute.is_mutual) == (claimed, owner, True)
        assert side_of(waiting.child, claimed) == Side.UNPROVEN

    def test_who_pressed_has_it_in_the_journal_and_is_told_the_decision_without_the_child(
        self, scene, waiting, claimed
    ):
        owner = UserFactory(phone=PHONE)
        UnknownClaimant().stop(owner, str(claimed.pk), address="10.0.0.7", now=scene.now)
        pressed = AuditEntry.objects.get(subject=owner)
        assert (pressed.actor, pressed.target) == (owner, "")
        decide_guardianship(
            Dispute.objects.get(),
            outcome=Dispute.Outcome.ENDS,
            actor=employee(Role.OFFICIAL),
            reason=f"{waiting.child.full_name}: құжат жоқ",
            now=scene.now + timedelta(hours=1),
        )
        notice = Notice.objects.get(recipient=owner)
        assert notice.kind == "stop_decided"
        told = [
            notice.text,
            *(f"{one.target}{one.reason}" for one in AuditEntry.objects.filter(subject=owner)),
        ]
        assert len(told) == 3
        assert not [one for one in told if waiting.child.last_name in one or waiting.child.first_name in one]

    def test_it_promises_who_is_no_guardian_nothing_of_guardians(self):
        promised = " ".join(UnknownClaimant().consequences)
        assert not {*UnknownGuardian().consequences[-1:]} & {*UnknownClaimant().consequences}
        assert "екеуіңіз" not in promised

    def test_for_thirty_days(self, scene, claimed):
        owner, end = UserFactory(phone=PHONE), scene.now + timedelta(days=30)
        assert claimants(owner, now=end - timedelta(microseconds=1)).exists()
        assert not claimants(owner, now=end).exists()

    def test_not_by_another_number_nor_by_who_claimed_it(self, scene, claimed):
        assert not claimants(UserFactory(), now=scene.now).exists()
        assert not claimants(claimed, now=scene.now).exists()

    def test_not_against_an_official(self, scene, waiting):
        claim_for(waiting, guardian_of(waiting), actor=employee(Role.OFFICIAL), reason="x", now=scene.now)
        assert not claimants(UserFactory(phone=PHONE), now=scene.now).exists()


class TestPages:
    def address(self, application):
        return reverse("applications:claim_former", args=[application.child_id])

    def test_the_cabinet_leads_to_it_and_so_does_filing(self, waiting, client_of):
        browser = client_of(guardian_of(waiting))
        assert self.address(waiting) in browser.get(reverse("applications:cabinet")).content.decode()
        new = reverse("applications:new")
        for address in (f"{new}?for={waiting.child_id}", new):
            answer = browser.get(address)
            assert (answer.status_code, answer["Location"]) == (302, self.address(waiting))

    def test_who_is_not_proven_reads_what_to_do_and_neither_number_nor_date(self, waiting, client_of):
        browser = client_of(guardian_of(waiting))
        for answer in (browser.get(self.address(waiting)), browser.post(self.address(waiting))):
            page = answer.content.decode()
            assert answer.status_code == 200
            assert reverse("accounts:number") in page
            for secret in ("123/17", waiting.number, f"{waiting.filed_at:%d.%m.%Y}", PHONE[-4:]):
                assert secret not in page
        waiting.refresh_from_db()
        assert not waiting.is_claimed

    def test_who_is_proven_reads_both_numbers_and_claims(self, scene, waiting, client_of):
        browser = client_of(guardian_of(waiting, phone=PHONE))
        page = browser.get(self.address(waiting)).content.decode()
        assert "123/17" in page
        assert f"<dd>{position(waiting, now=scene.now).number}</dd>" in page.replace("\n", "").replace(
            " <", "<"
        )
        answer = browser.post(self.address(waiting))
        assert answer["Location"] == f"{waiting.get_absolute_url()}?claimed"
        page = browser.get(answer["Location"]).content.decode()
        assert "123/17" in page

    def test_the_second_press_ends_on_the_same_page(self, waiting, client_of):
        browser = client_of(guardian_of(waiting, phone=PHONE))
        browser.post(self.address(waiting))
        assert browser.post(self.address(waiting))["Location"] == waiting.get_absolute_url()
        assert Event.objects.filter(move=Move.CLAIM).count() == 1

    def test_the_state_is_asked_whose_number_it_is(self, waiting, monkeypatch, client_of):
        guardian = guardian_of(waiting)
        asked = []

        def refresh(user):
            asked.append(user)
            known_to_the_state(user)
            user.profile.refresh_from_db()

        monkeypatch.setattr("applications.views.cabinet.claiming.refresh_phone_tie", refresh)
        assert "123/17" in client_of(guardian).get(self.address(waiting)).content.decode()
        assert asked == [guardian]

    def test_a_stranger_finds_nothing(self, waiting, client_of):
        assert client_of(UserFactory(phone=PHONE)).get(self.address(waiting)).status_code == 404

    def test_an_application_that_school_age_has_ended(self, scene, clock, client_of):
        waiting = unclaimed(locality=scene.locality, phone=PHONE, child__birth_date=date(2012, 7, 20))
        clock.move_to(waiting.runs_out_at)
        browser = client_of(guardian_of(waiting, phone=PHONE))
        assert browser.get(self.address(waiting))["Location"] == reverse("applications:list")
        waiting.refresh_from_db()
        assert waiting.state == ApplicationState.ARCHIVED


def test_thirty_days_after_the_claim_the_guardian_of_the_file_is_forgotten(scene, waiting):
    FormerRow.objects.update(guardian_iin=nth_iin(1), guardian_hash="x")
    claim(waiting, actor=guardian_of(waiting, phone=PHONE), now=scene.now)
    row = FormerRow.objects.get()
    assert (row.guardian_iin, row.guardian_hash, row.phone) == ("", None, PHONE)
    over = scene.now + STOPPABLE_FOR
    assert purge_former_guardians(now=over - timedelta(microseconds=1)) == 0
    assert purge_former_guardians(now=over) == 1
    row.refresh_from_db()
    assert (row.phone, row.phone_hash) == ("", None)
    assert purge_former_guardians(now=over) == 0


def test_once_an_application_is_over_the_guardian_of_the_file_is_forgotten(scene, waiting):
    assert purge_former_guardians(now=scene.now) == 0
    Application.objects.filter(pk=waiting.pk).update(state="archived", archived_at=scene.now)
    assert purge_former_guardians(now=scene.now) == 1
    assert FormerRow.objects.get().phone == ""
