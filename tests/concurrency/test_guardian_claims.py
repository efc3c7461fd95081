"""Papers of guardians that are handed in or approved twice at the same moment: real threads, and a control."""

from functools import partial

import pytest
from django.core.files.base import ContentFile

from applications.guardians import claims
from applications.guardians.claims import ChildOnPaper, approve_claim, check_claim, hand_in
from applications.moves import Refused
from applications.refusals import Refusal
from children.models import Child, ClaimPaper, GuardianClaim, Guardianship
from notifications.models import Message
from tests.applications.conftest import NOW
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
