"""Which child here an IIN or a certificate is of."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.identity import hashes_of_child, iin_hashes, paper_hashes
from children.models import Child, GuardianClaim


def children_with(*, iin: str = "", paper_number: str = "") -> QuerySet[Child]:
    """The child with this IIN or, without one, with this certificate: one row or none.

    A certificate stays the child's own after its IIN came, and so does every other one that was approved for it.
    """
    if iin:
        return Child.objects.filter(iin_hash__in=iin_hashes(iin))
    approved = GuardianClaim.objects.filter(
        child_hash__in=hashes_of_child(iin="", paper_number=paper_number), state=GuardianClaim.State.APPROVED
    )
    return Child.objects.filter(
        Q(paper_hash__in=paper_hashes(paper_number)) | Q(pk__in=approved.values("child"))
    )


def children_by_certificate(numbers: Iterable[str]) -> dict[UUID, str]:
    """The children with these certificates, each with its own: `children_with` for many. Two queries."""
    asked = set(numbers) - {""}
    papers = {hashed: number for number in asked for hashed in paper_hashes(number)}
    approved = {hashed: number for number in asked for hashed in hashes_of_child(iin="", paper_number=number)}
    claims = GuardianClaim.objects.filter(child_hash__in=approved, state=GuardianClaim.State.APPROVED)
    found = claims.exclude(child=None).values_list("child", "child_hash")
    children = Child.objects.filter(paper_hash__in=papers).values_list("pk", "paper_hash")
    return {pk: approved[hashed] for pk, hashed in found} | {
        pk: papers[hashed] for pk, hashed in children if hashed
    }
