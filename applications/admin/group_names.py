"""A group named by words, with suggestions while they are typed: there may be thousands to choose from."""

from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bulletin.models import Group
from bulletin.sorting import fold, sounds

SEPARATOR: Final = "·"
# So many are named where several fit, and suggested while somebody types.
SUGGESTED: Final = 10
# A page carries the names of so many groups itself; of more it carries none, so its weight is bounded.
CARRIED: Final = 60
LONGEST: Final = 420


def name_of(group: Group, *, with_place: bool = False) -> str:
    """What an employee types, or chooses, to name the group; with its place where that alone tells two apart."""
    parts = [group.kindergarten.name, group.name]
    if with_place:
        parts.append(group.kindergarten.locality.name)
    return f" {SEPARATOR} ".join(parts)


def fitting(text: str, groups: QuerySet[Group]) -> list[Group]:
    """Those of `groups` that are called so, in either language; else those in whose names all the words are.

    At most one more than are suggested. `groups` come with their kindergartens and places.
    """
    named = _called(text, groups)
    return named or _with_words(text, groups)


def carried(groups: QuerySet[Group]) -> list[str]:
    """The names that a page carries for its fields; none where there are too many."""
    return [] if are_many(groups) else [name_of(group) for group in groups]


def are_many(groups: QuerySet[Group]) -> bool:
    """Whether they are too many for a list that is shown whole."""
    return groups[CARRIED : CARRIED + 1].exists()


def _called(text: str, groups: QuerySet[Group]) -> list[Group]:
    kindergarten, *rest = (part.strip() for part in text.split(SEPARATOR))
    if len(rest) not in (1, 2):
        return []
    called = groups.filter(
        Q(kindergarten__name_kk=kindergarten) | Q(kindergarten__name_ru=kindergarten), name=rest[0]
    )
    if len(rest) > 1:
        at = "kindergarten__locality__name"
        called = called.filter(Q(**{f"{at}_kk": rest[1]}) | Q(**{f"{at}_ru": rest[1]}))
    return list(called[: SUGGESTED + 1])


def _with_words(text: str, groups: QuerySet[Group]) -> list[Group]:
    words = [word for word in text.split() if fold(word)]
    for word in words:
        groups = groups.filter(
            Q(kindergarten__search_text__contains=sounds(word))
            | Q(name__icontains=word)
            | Q(name__contains=word.capitalize())
        )
    return list(groups[: SUGGESTED + 1]) if words else []


class GroupNameField(forms.CharField):
    """One of the employee's groups, by its name. Where several fit, all of them are named, to choose from."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=LONGEST, **kwargs)
        self.widget.attrs |= {"list": "groups", "autocomplete": "off"}
        self.groups: QuerySet[Group] = Group.objects.none()

    def prepare_value(self, value: Any) -> Any:
        """The name of a stored group, given by its key; what was typed as it is."""
        group = self.groups.filter(pk=value).first() if isinstance(value, int) else None
        return name_of(group, with_place=True) if group else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)

    def clean(self, value: Any) -> Group | None:
        text = super().clean(value)
        if not text:
            return None
        found = fitting(text, self.groups)
        if len(found) == 1:
            return found[0]
        if not found:
            raise ValidationError(
                _(
                    "None of your groups is called so. Write words of the kindergarten's name and of the group's."
                )
            )
        names = names_among(found)
        words = gettext("Several groups fit. Choose one of them: %(names)s") % {
            "names": "; ".join(names) + ("; …" if len(found) > SUGGESTED else "")
        }
        raise ValidationError(words, code="several", params={"names": names})


def names_among(groups: Sequence[Group]) -> list[str]:
    """The names of these, each with its place where two are called alike."""
    names = [name_of(group) for group in groups[:SUGGESTED]]
    return [
        name_of(group, with_place=names.count(name) > 1) for group, name in zip(groups, names, strict=False)
    ]
