"""Complaints, as families and visitors fill them in."""

from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from accounts.public_text import demand_words
from accounts.typed_text import SeveralLines
from applications.models import Application, Complaint
from bulletin.models import Kindergarten, Locality
from bulletin.selectors import closest

LONGEST = 2000
# Digits: fewer than a number that the database would refuse.
LONGEST_KEY = 10
# So many kindergartens are listed that a search finds.
FOUND = 20


class _Named(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)


class _ApplicationField(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Application) -> str:
        return f"{obj.number}, {obj.child.first_name}"


def _text(label: Any, help_text: Any) -> SeveralLines:
    return SeveralLines(
        label=label,
        help_text=help_text,
        max_length=LONGEST,
        validators=[demand_words],
        widget=forms.Textarea(attrs={"rows": 6}),
    )


class ComplaintForm(forms.Form):
    """What went wrong, and where. The application is offered to whoever has one; it says the locality by itself."""

    about = forms.ChoiceField(
        label=gettext_lazy("What is the complaint about?"),
        choices=Complaint.About.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose what it is about.")},
    )
    application = _ApplicationField(
        label=gettext_lazy("Application, if it is about one"),
        queryset=Application.objects.none(),
        required=False,
        empty_label="—",
    )
    locality = _Named(
        label=gettext_lazy("Locality"),
        queryset=Locality.objects.all(),
        help_text=gettext_lazy("An official of this place answers."),
    )
    search = forms.CharField(
        label=gettext_lazy("Find a kindergarten by name"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    kindergarten = _Named(
        label=gettext_lazy("Kindergarten, if it is about one"),
        queryset=Kindergarten.objects.none(),
        required=False,
        empty_label="—",
    )
    text = _text(
        gettext_lazy("What happened, and when?"),
        gettext_lazy("Write no IIN, passwords or codes. Only officials read it."),
    )

    def __init__(
        self,
        *args: Any,
        applications: "QuerySet[Application]",
        **kwargs: Any,
    ) -> None:
        """The kindergartens offered are those of the locality that is chosen, of these what a search finds.

        One of another place may be sent, too.
        """
        super().__init__(*args, **kwargs)
        if applications.exists():
            cast(_ApplicationField, self.fields["application"]).queryset = applications
        else:
            del self.fields["application"]
        offered = cast(_Named, self.fields["kindergarten"])
        offered.queryset = Kindergarten.objects.all()
        place, chosen = self["locality"].value(), (self.data or self.initial).get("kindergarten")
        named = offered.queryset.filter(pk__in=[key for key in [_key(chosen)] if key is not None])
        here = offered.queryset.filter(locality=_key(place)).exclude(pk__in=named)
        search = str(self["search"].value() or "").replace("\0", "")[:100]
        found = closest(search, here, most=FOUND) if search else list(here)
        if search and chosen in (None, "") and len(found) == 1:
            self.initial["kindergarten"] = found[0].pk
        listed = [*named, *found]
        offered.choices = [("", offered.empty_label), *((one.pk, one.name) for one in listed)]


def _key(chosen: Any) -> int | None:
    """The key of a row that is chosen beforehand, or of one that was sent; never trust that."""
    key = str(getattr(chosen, "pk", chosen) or "")
    return int(key) if key.isdecimal() and len(key) < LONGEST_KEY else None


class NotSolvedForm(forms.Form):
    text = _text(
        gettext_lazy("What is still not solved?"),
        gettext_lazy("Another official reads it together with your complaint and the first answer."),
    )
