"""What the journal can say. Each app registers its own actions at start-up (`<app>/journal_actions.py`).

Names are told in the reader's language, so an app above also registers how the things it knows are called, and for
which institution an employee acted.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Subject(TextChoices):
    """What an action is about: by this the audit is searched."""

    SIGNING_IN = "signing_in", _("Signing in, passwords and second factors")
    LOOKS = "looks", _("Looks and searches")
    WORKPLACE = "workplace", _("Employees, roles and changes in the workplace")
    ACCOUNTS = "accounts", _("Accounts of families")
    CHILDREN = "children", _("Children and guardians")
    OFFER = "offer", _("Vacancies, pauses and reviews")
    APPLICATIONS = "applications", _("Applications, bids, referrals, groups and rules")


_subjects: dict[Subject, list[str]] = {subject: [] for subject in Subject}
_actions: dict[str, TextChoices] = {}

# The names of objects by their keys, in the language of the page.
Names = Callable[[Collection[str]], Mapping[str, str]]
# For people and the instants of their acts: in which institution each of them acted then.
Institutions = Callable[[Collection[tuple[UUID, datetime]]], Mapping[tuple[UUID, datetime], str]]
_names: dict[str, Names] = {}
_institutions: list[Institutions] = []


def register(actions: type[TextChoices], *, about: Subject | Mapping[Any, Subject]) -> None:
    """Add an app's actions, each with what it is about. Raises ValueError if one is registered already."""
    for action in actions:
        if action.value in _actions:
            raise ValueError(f"There is an action {action.value} already.")
        _actions[action.value] = action
        _subjects[about if isinstance(about, Subject) else about[action]].append(action.value)


def titles() -> list[tuple[str, str | Promise]]:
    """Every action with its name; a function, so that a new action needs no migration."""
    return [(action.value, action.label) for action in _actions.values()]


def title_of(action: str) -> str:
    """The name of an action; of one that no app registers, its code."""
    found = _actions.get(action)
    return action if found is None else str(found.label)


def titles_by_subject() -> list[tuple[Subject, list[tuple[str, str | Promise]]]]:
    """Every action with its name, sorted by what it is about."""
    return [(subject, [(one, _actions[one].label) for one in found]) for subject, found in _subjects.items()]


def actions_about(subject: Subject) -> list[str]:
    """The actions that are about `subject`."""
    return list(_subjects[subject])


def is_known(action: TextChoices) -> bool:
    """Whether some app has registered it."""
    return _actions.get(action.value) is action


def register_names(label: str, names: Names) -> None:
    """`names` tells what objects of a model (`app.model`) are called, by their primary keys as text."""
    _names[label] = names


def register_institutions(institutions: Institutions) -> None:
    """`institutions` tells where employees acted at an instant; nothing for whoever acted in none that it knows."""
    _institutions.append(institutions)


def names_of(keys: Iterable[str]) -> dict[str, str]:
    """The names of the objects with these keys (`audit.key_of`), as far as an app tells them; one query a model."""
    asked: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        label, _, pk = key.partition(":")
        if label in _names:
            asked[label].append(pk)
    return {f"{label}:{pk}": name for label, pks in asked.items() for pk, name in _names[label](pks).items()}


def institutions_of(acts: Collection[tuple[UUID, datetime]]) -> dict[tuple[UUID, datetime], str]:
    """In which institution each of these people acted at the instant beside them."""
    return {act: name for institutions in _institutions for act, name in institutions(acts).items()}
