"""Whom in the audit a number or a name means: a family by whatever it is found by, or an employee.

A look at a family's card, and whatever else was done to the family, concerns every guardian and every child of it. So
a child means all who are or were its guardians, and a guardian means their children.
"""

from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.audit import key_of
from accounts.employees import named as employees_named
from accounts.identity import iin_hashes, paper_hashes
from accounts.models import Profile, User
from accounts.name_search import NAME, FoldedName, named
from applications.families.asked import Asked, read
from children.models import Child, Guardianship

# More people than that are not meant by one name.
MOST_NAMESAKES: Final = 20


class TooManyNamesakes(Exception):
    """So many have the name that the search would be for nobody in particular."""


@dataclass(frozen=True)
class Concerned:
    """`subjects` are the guardians, present and past, and employees; `targets` what entries call the number."""

    children: list[Child] = field(default_factory=list)
    subjects: list[UUID] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)

    @property
    def keys(self) -> list[str]:
        """What entries about these children and people are found by that stand in nobody's journal."""
        people = (f"{User._meta.label_lower}:{pk}" for pk in self.subjects)
        return [*(key_of(child) for child in self.children), *people]


def concerned(words: str, *, by_name: bool) -> Concerned:
    """Whom `words` mean. A dozen statements, each along an index. Raises `TooManyNamesakes`.

    Without `by_name` no family is found by a name, for whoever reads none; employees are.
    """
    asked = read(words)
    if asked.words and not by_name:
        return Concerned(subjects=_bounded(employees_named(words)))
    found = list(dict.fromkeys([*_owners(asked), *_guardians_named(asked)]))
    children = _children(asked)
    related = Guardianship.objects.filter(Q(child__in=children) | Q(user__in=found))
    pairs = list(related.values_list("child_id", "user_id")[: MOST_NAMESAKES * MOST_NAMESAKES])
    theirs = {child for child, user in pairs if user in found} - {child.pk for child in children}
    guardians = [user for _child, user in pairs]
    return Concerned(
        children=[*children, *Child.objects.filter(pk__in=theirs)],
        subjects=list(dict.fromkeys([*found, *guardians, *_bounded(employees_named(words))])),
        targets=_targets(asked, words),
    )


def _targets(asked: Asked, words: str) -> list[str]:
    """The number as entries name it, a search for it included that found nobody."""
    is_kept = asked.masked in (asked.application, asked.referral)
    names = (asked.application, asked.referral, asked.entered_as if is_kept else "", words)
    return list(dict.fromkeys(filter(None, names)))


def _children(asked: Asked) -> list[Child]:
    conditions = Q(pk__in=[])
    if asked.application:
        conditions |= Q(pk__in=_pks(Child.objects.filter(applications__number=asked.application)))
    if asked.referral:
        conditions |= Q(pk__in=_pks(Child.objects.filter(applications__referrals__number=asked.referral)))
    if asked.identity and asked.identity.iin:
        conditions |= Q(iin_hash__in=iin_hashes(asked.identity.iin))
    elif asked.identity:
        conditions |= Q(paper_hash__in=paper_hashes(asked.identity.document_number))
    conditions |= Q(pk__in=_called(Child.objects.all(), asked.words, FoldedName(*NAME)))
    return list(Child.objects.filter(conditions))


def _owners(asked: Asked) -> list[UUID]:
    """Whose phone, second phone, login or document it is."""
    found: list[UUID] = []
    if asked.phone:
        found += _pks(User.objects.filter(phone=asked.phone))
        second = Profile.objects.filter(second_phone=asked.phone).exclude(second_phone="")
        found += _bounded(User.objects.filter(profile__in=second))
    if asked.login:
        found += _pks(User.objects.filter(username=asked.login))
    if asked.identity:
        hashes = asked.identity.hashes
        profiles = Profile.objects.filter(Q(iin_hash__in=hashes) | Q(document_hash__in=hashes))
        found += list(profiles.values_list("user_id", flat=True))
    return found


def _guardians_named(asked: Asked) -> list[UUID]:
    folded = FoldedName(*(f"profile__{column}" for column in NAME))
    return _called(User.objects.filter(profile__isnull=False), asked.words, folded)


def _called(rows: "QuerySet[Any]", words: tuple[str, ...], folded: FoldedName) -> list[UUID]:
    for condition in named(words):
        if keys := _bounded(rows.alias(folded=folded).filter(condition).order_by()):
            return keys
    return []


def _bounded(rows: "QuerySet[Any]") -> list[UUID]:
    keys = _pks(rows)
    if len(keys) > MOST_NAMESAKES:
        raise TooManyNamesakes
    return keys


def _pks(rows: "QuerySet[Any]") -> list[UUID]:
    return list(rows.values_list("pk", flat=True)[: MOST_NAMESAKES + 1])
