"""Who took the places of a vacancy back, as families read it."""

from enum import Enum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import audit
from bulletin.employment import works_in
from bulletin.journal_actions import Action
from bulletin.models import Vacancy


class RecalledBy(Enum):
    """Whose decision it was; UNKNOWN where nobody entered it."""

    KINDERGARTEN = "kindergarten"
    DEPARTMENT = "department"
    GROUP_CLOSES = "group_closes"
    KINDERGARTEN_CLOSES = "kindergarten_closes"
    UNKNOWN = "unknown"


_TITLES: Final[dict[RecalledBy, Promise]] = {
    RecalledBy.KINDERGARTEN: _("The kindergarten recalled this place."),
    RecalledBy.DEPARTMENT: _("The education department recalled this place."),
    RecalledBy.GROUP_CLOSES: _("The group closes: the education department recalled this place."),
    RecalledBy.KINDERGARTEN_CLOSES: _(
        "The kindergarten closes: the education department recalled this place."
    ),
    RecalledBy.UNKNOWN: _("This place was recalled."),
}


def recalled_by(vacancy: Vacancy) -> RecalledBy:
    """Who recalled a recalled vacancy: a closing, or whoever pressed it, by where they were employed then.

    Two statements at most.
    """
    if vacancy.closing is not None:
        is_group = vacancy.closing.group_id is not None
        return RecalledBy.GROUP_CLOSES if is_group else RecalledBy.KINDERGARTEN_CLOSES
    recall = audit.history_of(vacancy).filter(action=Action.VACANCY_RECALLED).first()
    if recall is None or recall.actor is None:
        return RecalledBy.UNKNOWN
    place = vacancy.group.kindergarten_id
    worked = works_in(recall.actor, [place], today=vacancy.locality.day(recall.at))
    return RecalledBy.KINDERGARTEN if worked else RecalledBy.DEPARTMENT


def recall_title(vacancy: Vacancy) -> str:
    """In a sentence, whose decision it was that a place was recalled."""
    return str(_TITLES[recalled_by(vacancy)])
