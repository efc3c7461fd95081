"""Complaints, as families and visitors fill them in."""

from collections.abc import Collection
from hashlib import sha256
from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from phonenumbers import PhoneNumber

from accounts.public_text import demand_words, private_in
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


def _text(label: Any, help_text: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=LONGEST,
        validators=[demand_words],
        widget=forms.Textarea(attrs={"rows": 6}),
    )


class _AsksOnce(forms.Form):
    """What its reader need not know is asked about once: whoever sends the same text again means it.

    `phones` are the sender's own numbers.
    """

    asked_about = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, phones: Collection[PhoneNumber], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._phones = phones

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        text, kindergarten = cleaned.get("text", ""), cleaned.get("kindergarten")
        its_own = [kindergarten.phone] if kindergarten and kindergarten.phone else []
        found = private_in(text, published=[*self._phones, *its_own])
        mark = sha256(text.encode()).hexdigest()
        if found and cleaned.get("asked_about") != mark:
            said = _(
                "The text holds: %(found)s. Officials don't need it: leave it out, or send the text as it is."
            )
            self.add_error("text", said % {"found": ", ".join(found)})
            self.send_back("asked_about", mark)
        return cleaned

    def send_back(self, name: str, value: Any) -> None:
        """Show a value that was not sent in the form that comes back."""
        self.data = MultiValueDict({**dict(cast(QueryDict, self.data).lists()), name: [value]})


class ComplaintForm(_AsksOnce):
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
    field_order = ["about", "application", "locality", "search", "kindergarten", "text"]
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

    def clean(self) -> dict[str, Any]:
        """Whose officials answer is said before it is sent: those of the application, or of the kindergarten."""
        cleaned = super().clean()
        about, chosen = cleaned.get("application") or cleaned.get("kindergarten"), cleaned.get("locality")
        if about and chosen and about.locality != chosen:
            said = _(
                "What it is about is in another place, whose officials answer: %(place)s. Check it and send again."
            )
            self.add_error("locality", said % {"place": about.locality.name})
            self.send_back("locality", about.locality_id)
        return cleaned


def _key(chosen: Any) -> int | None:
    """The key of a row that is chosen beforehand, or of one that was sent; never trust that."""
    key = str(getattr(chosen, "pk", chosen) or "")
    return int(key) if key.isdecimal() and len(key) < LONGEST_KEY else None


class NotSolvedForm(_AsksOnce):
    text = _text(
        gettext_lazy("What is still not solved?"),
        gettext_lazy("Another official reads it together with your complaint and the first answer."),
    )
