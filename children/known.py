"""Which child here an IIN or a certificate is of."""

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
