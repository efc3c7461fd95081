"""Papers of guardians that are handed in or approved twice at the same moment: real threads, and a control."""

from functools import partial

import pytest
from django.core.files.base import ContentFile

from accounts.identity import iin_hash
from applications.guardians import claims, joining
from applications.guardians.claims import ChildOnPaper, approve_claim, check_claim, hand_in
from applications.guardians.joining import join_iin
from applications.moves import Refused
from applications.refusals import Refusal
from children.models import Child, ClaimPaper, GuardianClaim, Guardianship
from children.services import add_child
from notifications.models import Message
from tests.applications.conftest import NOW
from tests.applications.guardians.test_claims import IIN, Registry
from tests.concurrency.test_bids import together
from tests.factories import GuardianClaimFactory, StaffFactory, UserFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

ROUNDS = 6


def answered(act, *args, **kwargs):
    """The state of the claim that came of it, or the refusal."""
    try:
        return act(*args, **kwargs).state
    except Refused as refused:
        return refused.reason


def checked(**fields):
    claim = GuardianClaimFactory.create(made_at=NOW, **fields)
    return check_claim(claim, actor=StaffFactory.create(), reason="Туу туралы куәлік", now=NOW)


def approvals_of(*claims_):
    return [partial(answered, approve_claim, one, actor=StaffFactory.create(), now=NOW) for one in claims_]


def test_control_without_the_claims_lock_it_is_approved_twice(db, monkeypatch):
    def unlocked(claim, *, actor, reason):
        return GuardianClaim.objects.select_related("user__profile").get(pk=claim.pk)

    monkeypatch.setattr(claims, "_lock", unlocked)
    monkeypatch.setattr(claims, "lock_people", lambda *people: None)
    twice = 0
    for _ in range(ROUNDS):
        claim = checked()
        twice += together(*approvals_of(claim, claim)) == ["approved", "approved"]
    assert twice


def test_of_two_approvals_one_counts(db):
    for _ in range(ROUNDS):
        claim = checked()
        assert sorted(together(*approvals_of(claim, claim))) == sorted([Refusal.ALREADY_DECIDED, "approved"])
        assert Guardianship.objects.filter(user=claim.user).count() == 1
        assert Message.objects.filter(recipient=claim.user, kind="claim_approved").count() == 1


def test_both_parents_papers_for_one_certificate_make_one_child(db):
    for round_ in range(ROUNDS):
        number = f"CD{round_:06}"
        mother, father = checked(paper_number=number), checked(paper_number=number)
        assert together(*approvals_of(mother, father)) == ["approved", "approved"]
        child = Child.objects.get(paper_hash=claims.paper_hash(number))
        assert child.guardianships.count() == 2
        # Whoever came first is told of the other.
        assert Message.objects.filter(kind="guardian_added").count() == round_ + 1


class TestTheIinThatComesLater:
    """Entered twice at once, or while somebody adds the child by it: one child, and an answer for everybody."""

    @pytest.fixture(autouse=True)
    def _registry(self, settings):
        settings.PERSON_REGISTRY = f"{Registry.__module__}.Registry"

    def of_both(self, round_):
        claims_ = [checked(paper_number=f"GH{round_:06}") for _parent in range(2)]
        for claim in claims_:
            approve_claim(claim, actor=StaffFactory.create(), now=NOW)
        child = Child.objects.get(paper_hash=claims.paper_hash(f"GH{round_:06}"))
        return child, [claim.user for claim in claims_]

    def entered(self, child, user):
        try:
            return join_iin(child, IIN, actor=user, address=None, now=NOW).iin
        except Refused as refused:
            return refused.reason

    def test_by_both_guardians_while_it_becomes_one_with_another(self, db):
        for round_ in range(ROUNDS):
            Child.objects.filter(iin_hash=iin_hash(IIN)).update(iin="", iin_hash=f"done-{round_}")
            add_child(UserFactory.create(), iin=IIN, now=NOW)
            child, parents = self.of_both(round_)
            answers = together(*(partial(self.entered, child, user) for user in parents))
            assert sorted(answers) == sorted([IIN, Refusal.HAS_IIN])
            assert Guardianship.objects.filter(child__iin_hash=iin_hash(IIN), ended_at=None).count() == 3

    def test_while_another_guardian_adds_the_child_by_it(self, db, monkeypatch):
        """The other one commits between the look for the child and the writing of its IIN."""
        child, (mother, _father) = self.of_both(0)
        real = joining.lock_people

        def slowly(*people):
            monkeypatch.setattr(joining, "lock_people", real)
            together(lambda: add_child(UserFactory.create(), iin=IIN, now=NOW))
            real(*people)

        monkeypatch.setattr(joining, "lock_people", slowly)
        assert self.entered(child, mother) == Refusal.BUSY
        assert self.entered(child, mother) == IIN
        assert Guardianship.objects.filter(child__iin_hash=iin_hash(IIN), ended_at=None).count() == 3


def test_the_same_papers_handed_in_twice_at_once_make_one_claim(db):
    mother = UserFactory.create()
    child = ChildOnPaper("", "EF123456", "КАРИМОВ", "АМИР", "", NOW.date().replace(year=2017), "m")
    acts = [
        partial(
            answered,
            hand_in,
            mother,
            child,
            documents=[("куәлік.jpg", ContentFile(b"x", name="a.jpg"))],
            address=None,
            now=NOW,
        )
        for _ in range(2)
    ]
    assert sorted(together(*acts)) == sorted(["handed_in", Refusal.CLAIM_WAITS])
    assert GuardianClaim.objects.count() == ClaimPaper.objects.count() == 1
