"""Guardians by papers: handed in by a parent, checked by one official, approved by another; the IIN comes later."""

from datetime import date, datetime, timedelta
from io import BytesIO
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.db.models import UUIDField
from django.urls import reverse
from PIL import Image

from accounts import audit
from accounts.crypto import keyed_hash
from accounts.identity import paper_hash, stand_in
from accounts.models import Sex, User
from accounts.registry import Person, PersonNotFound
from accounts.registry.simulator import SimulatedRegistry
from accounts.roles import Role
from applications.guardians.claims import (
    MOST_OPEN,
    ChildOnPaper,
    approve_claim,
    check_claim,
    claims_to_decide,
    hand_in,
    refuse_claim,
)
from applications.guardians.joining import join_iin
from applications.jobs import retention
from applications.models import Application, Event, Wave
from applications.moves import Refused
from applications.refusals import Refusal
from applications.waiting.filing import FILE_WITHIN, archive, file_application
from children.models import Child, ClaimPaper, Dispute, GuardianClaim, Guardianship
from children.services import ChildAlreadyAdded, add_child, find_child
from notifications.models import Mail, Message, Notice, PushSubscription
from notifications.selectors import untold
from tests.applications.conftest import NOW, ZONE
from tests.applications.personal_data.test_leaving import tables_with
from tests.factories import (
    ApplicationFactory,
    ChildFactory,
    ClaimPaperFactory,
    DisputeFactory,
    GuardianClaimFactory,
    GuardianshipFactory,
    LocalityFactory,
    ObjectionFactory,
    StaffFactory,
    UserFactory,
    nth_iin,
)
from tests.staff import employee, inside, official_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "calendar_2019")]

MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1)
OURS = {"notifications", "accounts", "children", "bulletin", "applications", "balabaqsha"}
IIN = nth_iin(40_000)
AMIR = Person(IIN, "", "КАРИМОВ", "АМИР", "РУСТАМҰЛЫ", date(2017, 7, 20), "m")


def refused(reason):
    return pytest.raises(Refused, check=lambda error: error.reason == reason)


@pytest.fixture
def claim(db):
    return GuardianClaimFactory.create(made_at=NOW)


@pytest.fixture
def officials(db):
    return StaffFactory.create(), StaffFactory.create()


def jpeg():
    written = BytesIO()
    Image.new("RGB", (60, 40), "red").save(written, "JPEG")
    return written.getvalue()


def approved(claim, officials, *, at=NOW):
    check_claim(claim, actor=officials[0], reason="Туу туралы куәлік, Ташкент", now=at)
    return approve_claim(claim, actor=officials[1], now=at)


def answers(**fields):
    return {
        "ground": "no_iin",
        "number": "IV-ТН № 123456",
        "last_name": "Каримов",
        "first_name": " Амир ",
        "middle_name": "",
        "birth_date": "20.07.2017",
        "sex": "m",
        "documents": [SimpleUploadedFile("куәлік.jpg", jpeg())],
        **fields,
    }


class TestHandingIn:
    def test_a_family_hands_in_papers_and_reads_where_they_stand(self, client_of):
        mother = UserFactory.create()
        browser, address = client_of(mother), reverse("applications:new_guardian_claim")
        answer = browser.post(address, answers(), follow=True)
        claim = GuardianClaim.objects.get()
        assert answer.redirect_chain[-1][0] == reverse("applications:guardian_claim", args=[claim.pk])
        assert (claim.full_name, claim.paper_number, claim.iin, claim.state) == (
            "КАРИМОВ АМИР",
            "IVTH123456",
            "",
            GuardianClaim.State.HANDED_IN,
        )
        # The safe copy is shown back to who sent it, and to nobody else.
        paper = claim.papers.get()
        own = reverse("applications:guardian_claim_paper", args=[claim.pk, paper.pk])
        assert browser.get(own)["Content-Type"] == "image/jpeg"
        assert client_of(UserFactory.create()).get(own).status_code == 404
        # Nothing counts yet.
        assert not Child.objects.exists()
        assert not Guardianship.objects.exists()
        # Every page on which the child is looked for has it, and none says that no child was added.
        for page in ("applications:cabinet", "children:list"):
            said = browser.get(reverse(page)).content.decode()
            assert claim.full_name in said
            assert "бала қосылмаған" not in said
        assert claim.first_name in browser.get(reverse("accounts:leave")).content.decode()
        # The same once more, on another keyboard, makes no second claim.
        answer = browser.post(address, answers(number="iv tн 123456"))
        assert str(Refusal.CLAIM_WAITS.label) in answer.content.decode()
        assert GuardianClaim.objects.count() == ClaimPaper.objects.count() == 1

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"number": "12"}, "number"),
            ({"number": IIN}, "number"),
            ({"ground": "not_in_registry", "number": "123456789012"}, "number"),
            ({"birth_date": "20.07.2007"}, "birth_date"),
            ({"birth_date": "20.07.2029"}, "birth_date"),
            ({"first_name": "  "}, "first_name"),
            ({"sex": "x"}, "sex"),
            ({"documents": []}, "documents"),
            ({"documents": [SimpleUploadedFile("a.pdf", b"%PDF-1.4 garbage")]}, "documents"),
        ],
    )
    def test_what_is_wrong_is_said_at_its_field_and_nothing_kept(self, client_of, wrong, field):
        answer = client_of(UserFactory.create()).post(
            reverse("applications:new_guardian_claim"), answers(**wrong)
        )
        assert set(answer.context["form"].errors) == {field}
        assert not GuardianClaim.objects.exists()
        assert not ClaimPaper.objects.exists()

    def test_three_wait_at_most_and_a_barred_person_hands_in_nothing(self, claim, client_of, scene):
        browser, address = client_of(claim.user), reverse("applications:new_guardian_claim")
        for _ in range(MOST_OPEN - 1):
            GuardianClaimFactory(user=claim.user)
        answer = browser.post(address, answers())
        assert str(Refusal.TOO_MANY_GUARDIAN_CLAIMS.label) in answer.content.decode()
        stopped = DisputeFactory.create(guardianship__child=scene.application.child, raised_by=scene.parent)
        GuardianshipFactory(user=scene.parent, child__iin=IIN, child__iin_hash=keyed_hash("iin", IIN))
        stranger = stopped.guardianship.user
        answer = client_of(stranger).post(address, answers(ground="not_in_registry", number=IIN))
        assert str(Refusal.GUARDIAN_BARRED.label) in answer.content.decode()
        assert not GuardianClaim.objects.filter(user=stranger).exists()


class TestTheDecision:
    def test_two_officials_make_a_guardian_whose_date_is_that_of_the_papers(self, claim, officials, scene):
        first, second = officials
        with refused(Refusal.NOT_CHECKED_YET):
            approve_claim(claim, actor=second, now=NOW)
        check_claim(claim, actor=first, reason="Туу туралы куәлік", now=NOW + DAY)
        assert not Guardianship.objects.filter(user=claim.user).exists()
        with refused(Refusal.NOT_BY_THE_SAME):
            approve_claim(claim, actor=first, now=NOW + DAY)
        assert [list(claims_to_decide(one)) for one in officials] == [[], [claim]]
        decided = NOW + 3 * DAY
        approve_claim(claim, actor=second, now=decided)
        guardianship = Guardianship.objects.get(user=claim.user)
        assert guardianship.source == Guardianship.Source.OFFICIAL
        assert Message.objects.filter(recipient=claim.user, kind="claim_approved").count() == 1
        assert "26.06.2019" in Notice.objects.get(recipient=claim.user, kind="claim_approved").text_ru
        with refused(Refusal.ALREADY_DECIDED):
            approve_claim(claim, actor=second, now=decided)
        application = file_application(
            child=guardianship.child,
            locality=scene.locality,
            languages=["ru"],
            actor=claim.user,
            now=decided + FILE_WITHIN - MICROSECOND,
        )
        assert application.filed_at == NOW
        assert Event.objects.get(application=application).filed_at == NOW
        # Only once: whoever leaves the queue comes back at the end of it.
        archive(application, actor=claim.user, now=decided + FILE_WITHIN - MICROSECOND)
        again = decided + FILE_WITHIN - MICROSECOND
        anew = file_application(
            child=guardianship.child, locality=scene.locality, languages=["ru"], actor=claim.user, now=again
        )
        assert anew.filed_at == again

    def test_the_date_is_lost_by_waiting_and_never_older_than_what_another_guardian_could_have_had(
        self, claim, officials, scene
    ):
        approved(claim, officials)
        child = Guardianship.objects.get(user=claim.user).child
        late = NOW + FILE_WITHIN
        filed = {"locality": scene.locality, "languages": ["ru"]}
        assert file_application(child=child, actor=claim.user, now=late, **filed).filed_at == late
        known = GuardianshipFactory.create(
            child__iin=IIN, child__iin_hash=keyed_hash("iin", IIN), verified_at=NOW - DAY
        )
        foster = GuardianClaimFactory.create(
            ground="not_in_registry",
            iin=IIN,
            paper_number="",
            child_hash=keyed_hash("iin", IIN),
            made_at=NOW - DAY,
        )
        approved(foster, officials)
        assert file_application(child=known.child, actor=foster.user, now=NOW, **filed).filed_at == NOW
        assert Message.objects.filter(recipient=known.user, kind="guardian_added").count() == 1

    def test_the_date_is_promised_only_where_it_counts(self, claim, officials, scene, client_of, clock):
        def read(one):
            page = client_of(one.user).get(reverse("applications:guardian_claim", args=[one.pk]))
            message = Message.objects.get(recipient=one.user, kind="claim_approved")
            notice = Notice.objects.get(recipient=one.user, kind="claim_approved")
            return page.context["file_by"], "Өтініш беріңіз" in message.text, "10.07.2019" in notice.text_kk

        approved(claim, officials)
        assert read(claim) == (NOW + FILE_WITHIN, True, True)
        # Another guardian of the child could have filed before, or has filed.
        father = GuardianClaimFactory.create(paper_number=claim.paper_number, made_at=NOW)
        approved(father, officials, at=NOW + DAY)
        assert read(father) == (None, False, False)
        child = Guardianship.objects.get(user=father.user).child
        clock.move_to(NOW + FILE_WITHIN)
        assert read(claim)[0] is None
        clock.move_to(NOW + DAY)
        ApplicationFactory(child=child, filed_by=father.user, locality=scene.locality)
        assert read(claim)[0] is None
        page = client_of(claim.user).get(reverse("applications:guardian_claim", args=[claim.pk]))
        assert reverse("applications:new") in page.content.decode()

    def test_the_same_certificate_makes_one_child_for_both_parents(self, claim, officials):
        father = GuardianClaimFactory.create(paper_number=claim.paper_number, made_at=NOW)
        other_day = GuardianClaimFactory.create(
            paper_number=claim.paper_number, birth_date=date(2018, 1, 1), made_at=NOW
        )
        approved(claim, officials)
        approved(father, officials)
        assert Child.objects.count() == 1
        assert Guardianship.objects.filter(child=Child.objects.get()).count() == 2
        assert Message.objects.filter(recipient=claim.user, kind="guardian_added").count() == 1
        with refused(Refusal.CLAIM_DIFFERS):
            approved(other_day, officials)

    def test_whom_the_registry_knows_meanwhile_is_proven_by_the_officials_all_the_same(
        self, officials, settings
    ):
        settings.PERSON_REGISTRY = f"{__name__}.Registry"
        foster = GuardianClaimFactory.create(
            ground="not_in_registry",
            iin=IIN,
            paper_number="",
            child_hash=keyed_hash("iin", IIN),
            made_at=NOW,
        )
        child = add_child(foster.user, iin=IIN, now=NOW)
        GuardianshipFactory(child=child, user=UserFactory.create())
        approved(foster, officials)
        own = Guardianship.objects.get(user=foster.user)
        assert own.source == Guardianship.Source.OFFICIAL
        # Nobody reads once more that they were added.
        assert not Message.objects.filter(kind="guardian_added").exists()

    def test_a_refusal_says_why_and_other_papers_may_follow(self, claim, officials, client_of):
        with refused(Refusal.REASON_MISSING):
            refuse_claim(claim, actor=officials[0], reason=" ", now=NOW)
        refuse_claim(claim, actor=officials[0], reason="Екінші беті жоқ.", now=NOW)
        assert "Екінші беті жоқ." in Notice.objects.get(recipient=claim.user, kind="claim_refused").text_kk
        assert Message.objects.filter(recipient=claim.user, kind="claim_refused").exists()
        page = client_of(claim.user).get(reverse("applications:guardian_claim", args=[claim.pk]))
        assert "Екінші беті жоқ." in page.content.decode()
        assert reverse("applications:new_guardian_claim") in page.content.decode()
        for step in (check_claim, refuse_claim):
            with refused(Refusal.ALREADY_DECIDED):
                step(claim, actor=officials[1], reason="Қате", now=NOW)
        assert GuardianClaimFactory.create(user=claim.user, paper_number=claim.paper_number)

    def test_nobody_decides_about_themselves_nor_while_a_dispute_bars_them(self, claim, officials, scene):
        own = StaffFactory.create(staff_iin_hash=claim.user.profile.iin_hash)
        for step in (check_claim, refuse_claim):
            with refused(Refusal.OWN_CHILD):
                step(claim, actor=own, reason="Жақсы", now=NOW)
        check_claim(claim, actor=officials[0], reason="Куәлік", now=NOW)
        with refused(Refusal.OWN_CHILD):
            approve_claim(claim, actor=own, now=NOW)
        # A brother or sister's guardian stopped the person meanwhile, and has the child of this certificate, too.
        child = ChildFactory.create(
            iin="",
            iin_hash=stand_in(claim.paper_number),
            paper_number=claim.paper_number,
            paper_hash=paper_hash(claim.paper_number),
            birth_date=claim.birth_date,
        )
        GuardianshipFactory(child=child, user=scene.parent)
        DisputeFactory(
            guardianship__user=claim.user,
            guardianship__child=scene.application.child,
            raised_by=scene.parent,
        )
        with refused(Refusal.GUARDIAN_BARRED):
            approve_claim(claim, actor=officials[1], now=NOW)
        assert Dispute.objects.count() == 1

    def test_a_closed_account_becomes_no_guardian_and_is_told_nothing(self, claim, officials):
        other = GuardianClaimFactory.create(user=claim.user, made_at=NOW)
        check_claim(claim, actor=officials[0], reason="Куәлік", now=NOW)
        User.objects.filter(pk=claim.user.pk).update(leaving_since=NOW)
        with refused(Refusal.ACCOUNT_CLOSED):
            approve_claim(claim, actor=officials[1], now=NOW)
        papers = [("куәлік.jpg", SimpleUploadedFile("a.jpg", jpeg()))]
        third = ChildOnPaper("", "KL123456", "КАРИМОВ", "АМИР", "", date(2017, 7, 20), Sex.MALE)
        with refused(Refusal.ACCOUNT_CLOSED):
            hand_in(claim.user, third, documents=papers, address=None, now=NOW)
        refuse_claim(other, actor=officials[0], reason="Қате", now=NOW)
        assert not Guardianship.objects.filter(user=claim.user).exists()
        assert not Message.objects.filter(recipient=claim.user).exists()
        # Opened again, it goes on.
        User.objects.filter(pk=claim.user.pk).update(leaving_since=None)
        approve_claim(claim, actor=officials[1], now=NOW)

    def test_in_the_workplace(self, claim):
        paper = ClaimPaperFactory.create(claim=claim)
        first, second = (employee(Role.OFFICIAL, username=name) for name in ("айнур", "болат"))
        page = reverse("admin:children_guardianclaim_change", args=[claim.pk])

        def work(name):
            return reverse("admin:children_guardianclaim_work", args=[claim.pk, name])

        assert "AB" in inside(first).get(page).content.decode()
        stored = reverse("admin:children_guardianclaim_paper", args=[claim.pk, paper.pk])
        assert inside(first).get(stored)["Content-Disposition"].startswith("attachment")
        assert inside(employee(Role.KINDERGARTEN, username="асем")).get(stored).status_code == 403
        assert claim.user.journal.filter(actor=first).count() == 2
        inside(first).post(work("check"), {"reason": "Туу туралы куәлік"})
        assert work("approve") not in inside(first).get(page).content.decode()
        for one, waiting in ((first, 0), (second, 1)):
            assert inside(one).get(reverse("admin:index")).context["today"].guardian_claims.total == waiting
        assert work("approve") in inside(second).get(page).content.decode()
        inside(second).post(work("approve"), {})
        claim.refresh_from_db()
        assert (claim.state, claim.checked_by, claim.decided_by) == ("approved", first, second)

    def test_ninety_days_after_the_decision_the_papers_go(self, claim, officials):
        paper = ClaimPaperFactory.create(claim=claim)
        refuse_claim(claim, actor=officials[0], reason="Қате", now=NOW)
        over = NOW + retention.DOCUMENT_KEPT_FOR
        assert retention.purge_claim_papers(now=over) == 0
        assert retention.purge_claim_papers(now=over + MICROSECOND) == 1
        assert not paper.file.storage.exists(str(paper.file.name))
        assert GuardianClaim.objects.filter(pk=claim.pk).exists()


class Registry(SimulatedRegistry):
    """Knows the boy, and every asker as his guardian."""

    def find_ward(self, *, child_iin, **_guardian):
        if child_iin != IIN:
            raise PersonNotFound
        return AMIR


class TestTheIinThatComesLater:
    @pytest.fixture
    def amir(self, claim, officials, settings):
        settings.PERSON_REGISTRY = f"{__name__}.Registry"
        approved(claim, officials)
        return Guardianship.objects.get(user=claim.user).child

    def filed(self, child, user, scene):
        return file_application(
            child=child, locality=scene.locality, languages=["ru"], actor=user, now=NOW + DAY
        )

    def test_is_joined_to_the_same_child(self, amir, claim, officials, scene, client_of):
        application = self.filed(amir, claim.user, scene)
        # Adding the child by its IIN leads to the child that is there, not to a second one.
        with pytest.raises(ChildAlreadyAdded, check=lambda error: error.child == amir):
            find_child(claim.user, iin=IIN)
        browser = client_of(claim.user)
        page = reverse("children:child", args=[amir.pk])
        address = reverse("applications:join_iin", args=[amir.pk])
        assert address in browser.get(page).content.decode()
        wrong = browser.post(address, {"iin": nth_iin(40_001)})
        assert str(Refusal.IIN_NOT_OF_CHILD.label) in wrong.content.decode()
        assert browser.post(address, {"iin": IIN}).url == page
        amir.refresh_from_db()
        assert (amir.iin, amir.iin_hash, amir.middle_name) == (IIN, keyed_hash("iin", IIN), "РУСТАМҰЛЫ")
        application.refresh_from_db()
        assert (application.child, application.filed_at) == (amir, NOW)
        assert address not in browser.get(page).content.decode()
        # The IIN is found by the other parent, and the certificate still makes no second child.
        assert add_child(UserFactory.create(), iin=IIN, now=NOW) == amir
        approved(GuardianClaimFactory.create(paper_number=claim.paper_number, made_at=NOW), officials)
        assert Child.objects.get(first_name="АМИР") == amir
        assert amir.guardianships.filter(ended_at=None).count() == 3

    def test_and_the_certificate_gets_nobody_past_an_official_who_ended_their_guardianship(
        self, amir, claim, officials
    ):
        join_iin(amir, IIN, actor=claim.user, address=None, now=NOW)
        ended = DisputeFactory.create(
            guardianship__child=amir,
            guardianship__ended_at=NOW,
            raised_by=claim.user,
            outcome=Dispute.Outcome.ENDS,
            decided_at=NOW,
            freed_at=NOW,
            decided_by=officials[0],
        ).guardianship.user
        again = ChildOnPaper("", claim.paper_number, "КАРИМОВ", "АМИР", "", date(2017, 7, 20), Sex.MALE)
        papers = [("куәлік.jpg", SimpleUploadedFile("a.jpg", jpeg()))]
        with refused(Refusal.GUARDIAN_BARRED):
            hand_in(ended, again, documents=papers, address=None, now=NOW)
        earlier = GuardianClaimFactory.create(user=ended, paper_number=claim.paper_number, made_at=NOW)
        with refused(Refusal.GUARDIAN_BARRED):
            approved(earlier, officials)
        # Nor does a guardian of the child decide about papers for it.
        guardian = StaffFactory.create(staff_iin_hash=claim.user.profile.iin_hash)
        with refused(Refusal.OWN_CHILD):
            refuse_claim(earlier, actor=guardian, reason="Жоқ", now=NOW)

    def test_a_child_of_another_birth_date_is_another_child(self, amir, claim):
        Child.objects.filter(pk=amir.pk).update(birth_date=date(2017, 7, 21))
        amir.refresh_from_db()
        with refused(Refusal.IIN_NOT_OF_CHILD):
            join_iin(amir, IIN, actor=claim.user, address=None, now=NOW)

    def test_the_second_press_ends_on_the_page_of_the_first(self, amir, claim, client_of):
        by_iin = add_child(UserFactory.create(), iin=IIN, now=NOW)
        browser, address = client_of(claim.user), reverse("applications:join_iin", args=[amir.pk])
        answers = [browser.post(address, {"iin": IIN}) for _press in range(2)]
        assert {answer.url for answer in answers} == {reverse("children:child", args=[by_iin.pk])}
        assert client_of(UserFactory.create()).get(address).status_code == 404

    def test_with_what_the_other_parent_has_added_it_becomes_one(self, amir, claim, scene):
        father = UserFactory.create()
        by_iin = add_child(father, iin=IIN, now=NOW)
        assert by_iin != amir
        application = self.filed(amir, claim.user, scene)
        stranger = GuardianshipFactory.create(user=UserFactory.create()).user
        joined = join_iin(amir, IIN, actor=claim.user, address=None, now=NOW + DAY)
        assert joined == by_iin
        assert not Child.objects.filter(pk=amir.pk).exists()
        present = Guardianship.objects.filter(child=joined, ended_at=None)
        assert {one.user for one in present} == {father, claim.user}
        application.refresh_from_db()
        assert (application.child, application.filed_at) == (joined, NOW)
        assert Notice.objects.filter(about=joined.pk, kind="application_filed", recipient=claim.user).exists()
        assert stranger not in {one.user for one in present}

    def test_both_sides_are_told_of_each_other_and_nobody_of_whom_they_knew(self, amir, claim, officials):
        grandmother = GuardianClaimFactory.create(paper_number=claim.paper_number, made_at=NOW)
        approved(grandmother, officials)
        father = UserFactory.create()
        add_child(father, iin=IIN, now=NOW)
        Message.objects.all().delete()
        joined = join_iin(amir, IIN, actor=claim.user, address=None, now=NOW)
        told = Message.objects.filter(kind="guardian_added").values_list("recipient", flat=True)
        assert list(told) == [father.pk, father.pk]
        told = Message.objects.filter(kind="guardians_before").values_list("recipient", flat=True)
        assert set(told) == {claim.user.pk, grandmother.user.pk}
        assert father.journal.filter(action="guardian_added", child=joined.pk).count() == 2

    def test_everything_told_and_written_of_it_goes_with_it(self, amir, claim, scene, settings):
        settings.SENDS_MAIL, settings.TELEGRAM_TOKEN, settings.PUSH_PRIVATE_KEY = True, "1:token", "a key"
        User.objects.filter(pk=claim.user.pk).update(
            email="ana@example.org", mails_notices=True, telegram="42"
        )
        mother = User.objects.get(pk=claim.user.pk)
        PushSubscription.objects.create(
            recipient=mother, endpoint="https://push.example/1", keys="[]", endpoint_hash="1", created_at=NOW,
            stamp=mother.get_session_auth_hash(),
        )  # fmt: skip
        uncle = GuardianshipFactory.create(child=amir, source="official").user
        self.filed(amir, uncle, scene)
        ObjectionFactory(user=mother, about="child", child=amir.pk)
        add_child(UserFactory.create(), iin=IIN, now=NOW)
        assert Mail.objects.filter(recipient=mother, about=amir.pk).exists()
        before = set(audit.journal_of(mother).values_list("pk", flat=True))
        assert audit.journal_of(mother).filter(actor=uncle).exists()
        # Every column that may hold the key of a child without a foreign key is tried here.
        loose = {
            one.model._meta.db_table
            for model in apps.get_models()
            for one in model._meta.local_fields
            if isinstance(one, UUIDField) and not one.primary_key and model._meta.app_label in OURS
        } - {Wave._meta.db_table}  # the key of an alert: how far it is
        assert loose <= {table for table, _key in tables_with(amir.pk)}
        joined = join_iin(amir, IIN, actor=mother, address=None, now=NOW)
        assert tables_with(amir.pk) == set()
        assert set(audit.journal_of(mother).values_list("pk", flat=True)) > before
        # The worker sends what waited, by every way.
        waited = [
            mother.messages.all(), mother.mails.all(), mother.telegrammessages.all(), mother.pushmessages.all(),
        ]  # fmt: skip
        assert not set().union(*map(untold, waited))
        # Of a child that is still there nothing is moved, and no entry of no child is hidden behind one.
        for change in (
            f"SELECT follow_in_journal('{{{mother.pk}}}', '{joined.pk}', '{uuid4()}')",
            f"SELECT follow_in_journal('{{{mother.pk}}}', '{joined.pk}', '{scene.application.child_id}')",
            f"UPDATE accounts_auditentry SET child = '{joined.pk}' WHERE child IS NULL",
        ):
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                connection.cursor().execute(change)

    def test_the_certificate_that_the_other_had_still_finds_it_too(self, amir, claim, officials):
        by_iin = add_child(UserFactory.create(), iin=IIN, now=NOW)
        first = GuardianClaimFactory.create(paper_number="MN123456", made_at=NOW)
        approved(first, officials)
        second = Guardianship.objects.get(user=first.user).child
        assert join_iin(second, IIN, actor=first.user, address=None, now=NOW) == by_iin
        assert join_iin(amir, IIN, actor=claim.user, address=None, now=NOW) == by_iin
        by_iin.refresh_from_db()
        assert by_iin.paper_number == "MN123456"
        for number in ("MN123456", claim.paper_number):
            late = approved(GuardianClaimFactory.create(paper_number=number, made_at=NOW), officials)
            assert late.child == by_iin

    @pytest.mark.parametrize("decision", [{}, {"outcome": "ends"}])
    def test_nobody_becomes_a_guardian_by_it_past_a_decision(self, amir, claim, officials, decision):
        """Of the child by its IIN an official has ended the mother's guardianship, or has yet to decide about it."""
        father = UserFactory.create()
        by_iin = add_child(father, iin=IIN, now=NOW)
        if decision:
            decision |= {"decided_at": NOW, "freed_at": NOW, "decided_by": officials[0]}
        DisputeFactory(
            guardianship__child=by_iin,
            guardianship__user=claim.user,
            guardianship__ended_at=NOW if decision else None,
            raised_by=father,
            **decision,
        )
        with refused(Refusal.GUARDIAN_BARRED):
            join_iin(amir, IIN, actor=claim.user, address=None, now=NOW)
        assert Child.objects.filter(pk__in=[amir.pk, by_iin.pk]).count() == 2

    def test_it_is_found_under_the_key_of_before_too(self, amir, claim, settings):
        by_iin = add_child(UserFactory.create(), iin=IIN, now=NOW)
        settings.IIN_HASH_KEY_OLD, settings.IIN_HASH_KEY = settings.IIN_HASH_KEY, "another-key-for-hashes"
        assert join_iin(amir, IIN, actor=claim.user, address=None, now=NOW) == by_iin
        assert Child.objects.count() == 1

    def test_of_two_applications_the_family_chooses_first(self, amir, claim, scene):
        father = UserFactory.create()
        by_iin = add_child(father, iin=IIN, now=NOW)
        older = self.filed(amir, claim.user, scene)
        later = ApplicationFactory.create(child=by_iin, filed_by=father, locality=scene.locality)
        for _press in range(2):
            with refused(Refusal.TWO_APPLICATIONS):
                join_iin(amir, IIN, actor=claim.user, address=None, now=NOW + DAY)
        assert Child.objects.filter(pk__in=[amir.pk, by_iin.pk]).count() == 2
        assert Application.objects.filter(child=amir).count() == 1
        # What the refusal says can be done.
        archive(later, actor=claim.user, now=NOW + DAY)
        assert join_iin(amir, IIN, actor=claim.user, address=None, now=NOW + DAY) == by_iin
        older.refresh_from_db()
        assert (older.child, older.filed_at, older.state) == (by_iin, NOW, "waiting")
        present = Guardianship.objects.filter(child=by_iin, ended_at=None)
        assert {(one.user, one.source) for one in present} == {
            (father, "registry"),
            (claim.user, "official"),
        }
        # The father was told once that she came.
        assert Message.objects.filter(recipient=father, kind="guardian_added").count() == 1


def test_the_day_of_the_decision_is_named_to_the_family_and_to_officials(client_of, clock):
    """Ten working days after Wednesday 26.06.2019, of which 8 July is a day off; one microsecond on either side."""
    due = datetime(2019, 7, 12, tzinfo=ZONE)
    mother = UserFactory()
    child = ChildOnPaper("", "KL123456", "КАРИМОВ", "АМИР", "", date(2017, 7, 20), Sex.MALE)
    papers = [("куәлік.jpg", SimpleUploadedFile("a.jpg", jpeg()))]
    claim = hand_in(mother, child, documents=papers, address=None, now=NOW)
    assert claim.due_at == due
    official = employee(Role.OFFICIAL)
    page, lists = reverse("applications:guardian_claim", args=[claim.pk]), "/admin/children/guardianclaim/"
    late = "Шешім қабылдау мерзімі өтті"
    for moment, is_late in ((due - MICROSECOND, False), (due, True)):
        clock.move_to(moment)
        # Sessions of two weeks ago are over.
        browser, desk = client_of(mother), inside(official)
        shown = browser.get(page).content.decode()
        assert "11.07.2019" in shown
        assert (late in shown) == is_late
        assert "11.07.2019" in desk.get(f"{lists}?waits=you").content.decode()
        assert desk.get(f"{lists}?waits=late").context["cl"].result_count == is_late
        assert desk.get("/admin/").context["today"].guardian_claims.late == is_late
    refuse_claim(claim, actor=StaffFactory(), reason="Анық емес", now=due)
    assert late not in browser.get(page).content.decode()


def test_an_official_reads_of_other_localities_only_that_there_is_such_a_child():
    """A row that is not theirs is not told in parts either."""
    own, far = LocalityFactory(), LocalityFactory(slug="far")
    claim = GuardianClaimFactory()
    like = {"child__birth_date": claim.birth_date, "child__first_name": claim.first_name}
    ApplicationFactory(locality=own, child__last_name="Жақынова", **like)
    ApplicationFactory(locality=far, child__last_name="Алысова", **like)
    desk = inside(official_of(own))
    addresses = [
        "/ru" + reverse("admin:children_guardianclaim_change", args=[claim.pk]),
        "/ru" + reverse("admin:children_guardianclaim_work", args=[claim.pk, "check"]),
    ]
    for page in map(desk.get, addresses):
        text = page.content.decode()
        assert ("Жақынова" in text, "Алысова" in text) == (True, False)
        assert "В других населённых пунктах: 1" in text
