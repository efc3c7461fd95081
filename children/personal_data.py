"""The children of an account that is closed: who else is there for them, and how a child is forgotten."""

import uuid
from datetime import date, datetime
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.data.parts import Part
from accounts.data.sections import Section
from accounts.models import User
from accounts.stored_files import delete_after_commit
from children.access import children_of, present_people
from children.models import Child, ClaimPaper, Dispute, GuardianClaim, Guardianship

# Instead of a name that is forgotten.
NO_NAME: Final = "—"
_FORGOTTEN: Final = "forgotten-"


def alone_with(user: User) -> QuerySet[Child]:
    """The children of `user` for whom nobody else is there who has not closed their account."""
    others = Guardianship.objects.filter(
        child=OuterRef("pk"), ended_at=None, user__in=present_people().exclude(pk=user.pk)
    )
    return children_of(user).filter(~Exists(others))


def lock_children(user: User) -> None:
    """Lock the rows of the children that `user` may act for, as everybody does who changes who may."""
    list(children_of(user).select_for_update(of=("self",)).order_by("pk").values_list("pk"))


def left_behind() -> QuerySet[Child]:
    """The children who had guardians, of whom every one is forgotten, and who are not forgotten themselves."""
    return _of_nobody().filter(Exists(Guardianship.objects.filter(child=OuterRef("pk"))))


def never_added() -> QuerySet[Child]:
    """The children whom no guardian has ever added, nor asks to add by papers, and who are not forgotten."""
    had = Guardianship.objects.filter(child=OuterRef("pk"))
    asked = GuardianClaim.objects.filter(child_hash=OuterRef("iin_hash"), decided_at=None)
    return _of_nobody().exclude(Exists(had)).exclude(Exists(asked))


def _of_nobody() -> QuerySet[Child]:
    """The children who are not forgotten, and have no guardian who is not."""
    known = Guardianship.objects.filter(child=OuterRef("pk"), user__forgotten_at=None)
    return Child.objects.filter(~Exists(known)).exclude(iin_hash__startswith=_FORGOTTEN)


def hash_of_forgotten() -> str:
    """What stands in place of the hash of a child who is forgotten: of no number, and of no other child."""
    return f"{_FORGOTTEN}{uuid.uuid4().hex}"


def forget_child(child: Child) -> bool:
    """Erase who the child is; its birth year stays, for its applications. False if somebody has added it meanwhile.

    Call it in a transaction: it locks the child's row, as whoever adds a child does.
    """
    Child.objects.select_for_update().values_list("pk").get(pk=child.pk)
    if not _of_nobody().filter(pk=child.pk).exists():
        return False
    Child.objects.filter(pk=child.pk).update(
        iin="",
        iin_hash=hash_of_forgotten(),
        last_name="",
        first_name=NO_NAME,
        middle_name="",
        birth_date=date(child.birth_date.year, 1, 1),
        nationality="",
        paper_number="",
        paper_hash=None,
    )
    Dispute.objects.filter(guardianship__child=child).update(reason="")
    return True


class Children(Part):
    code = "children"

    def losses(self, user: User, *, now: datetime) -> list[str]:
        waiting = [
            _(
                "Papers of a guardian: %(child)s. They are not approved any more, and are erased with your data."
            )
            % {"child": claim.first_name}
            for claim in GuardianClaim.objects.filter(user=user, state__in=GuardianClaim.OPEN)
        ]
        return waiting + [
            _("Child: %(child)s. Nobody else has added the child: its data is erased together with yours.")
            % {"child": child.first_name}
            for child in alone_with(user)
        ]

    def stays(self, user: User, *, now: datetime) -> list[str]:
        alone = alone_with(user).values_list("pk", flat=True)
        return [
            _(
                "Child: %(child)s. Another guardian has added the child, too: for them everything stays as it is."
            )
            % {"child": child.first_name}
            for child in children_of(user).exclude(pk__in=alone)
        ]

    def sections(self) -> list[Section]:
        return [
            Section(
                "children",
                Child,
                children_of,
                (
                    "id",
                    "iin",
                    "last_name",
                    "first_name",
                    "middle_name",
                    "birth_date",
                    "sex",
                    "nationality",
                    "paper_number",
                    "created_at",
                ),
                left_out={
                    "iin_hash": "made of the IIN, to find it",
                    "paper_hash": "made of the number, to find it",
                    "guardians": "others; one's own guardianships stand below",
                },
            ),
            Section(
                "guardianships",
                Guardianship,
                lambda user: Guardianship.objects.filter(user=user).order_by("pk"),
                ("child_id", "source", "added_at", "verified_at", "ended_at"),
                people=("user",),
                left_out={
                    "id": "a number of the row",
                    "asked_at": "when the registry was last asked: when it last confirmed stands in verified_at",
                },
            ),
            Section(
                "guardian_claims",
                GuardianClaim,
                lambda user: GuardianClaim.objects.filter(user=user).order_by("made_at", "pk"),
                (
                    "ground",
                    "iin",
                    "paper_number",
                    "last_name",
                    "first_name",
                    "middle_name",
                    "birth_date",
                    "sex",
                    "state",
                    "made_at",
                    "due_at",
                    "checked_at",
                    "decided_at",
                    "reason",
                    "child_id",
                ),
                people=("user", "checked_by", "decided_by"),
                left_out={
                    "id": "a number of the row",
                    "child_hash": "made of the number, to find the child",
                    "note": "written by one official for another",
                },
            ),
            Section(
                "claim_papers",
                ClaimPaper,
                lambda user: ClaimPaper.objects.filter(claim__user=user).order_by("pk"),
                ("original_name",),
                files=("file",),
                left_out={"id": "a number of the row", "claim": "its claim stands above"},
            ),
            Section(
                "disputes",
                Dispute,
                lambda user: Dispute.objects.filter(Q(raised_by=user) | Q(guardianship__user=user)).order_by(
                    "raised_at"
                ),
                ("raised_at", "due_at", "freed_at", "is_mutual", "outcome", "decided_at", "reason"),
                people=("raised_by", "decided_by"),
                left_out={"id": "a number of the row", "guardianship": "may be another person's"},
            ),
        ]

    def close(self, user: User, *, now: datetime) -> None:
        # Of two guardians who leave at once, the second finds the first gone.
        lock_children(user)

    def forget(self, user: User, *, now: datetime) -> None:
        lock_children(user)
        Guardianship.objects.filter(user=user, ended_at=None).update(ended_at=now)
        for paper in ClaimPaper.objects.filter(claim__user=user):
            delete_after_commit(paper.file)
        GuardianClaim.objects.filter(user=user).delete()
