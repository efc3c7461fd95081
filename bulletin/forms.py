"""The filters of the public lists, and the form of a review."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.public_text import refuse_personal_numbers
from bulletin.models import Group, Kindergarten, Language, Locality, Review, Vacancy
from bulletin.selectors import AGE_GROUPS, localities, offered_birth_years

ALL_PLACES = "all"
ANY = ("", gettext_lazy("Any"))
EARLIEST_YEAR, LATEST_YEAR = 1990, 2100


class FilterForm(forms.Form):
    """A GET form that can't fail: an invalid value is replaced by the default, and `note` says so.

    It is always bound, with defaults for absent values; use `values` instead of `cleaned_data`.
    """

    defaults: Mapping[str, Any] = {}

    place = forms.ChoiceField(label=gettext_lazy("Locality"), required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, locality: Locality | None = None) -> None:
        """`locality` is the place that the visitor chose; it applies while the address names none."""
        self._places = {place.slug: place for place in localities()}
        self._defaults = {**self.defaults, "place": locality.slug if locality else ALL_PLACES}
        self._given = given = {name: data[name] for name in data} if data else {}
        super().__init__(data=self._defaults | given, auto_id="filter_%s")
        options = [(slug, place.name) for slug, place in self._places.items()]
        self.offer_places(options)
        self.left_out = list(self.errors)
        if self.left_out:
            kept = {name: value for name, value in given.items() if name not in self.left_out}
            self.data = self._defaults | kept
            self.full_clean()

    def offer_places(self, options: list[tuple[str, str]]) -> None:
        """Give the fields that name a locality their choices, before anything is judged."""
        self.fields["place"].choices = [(ALL_PLACES, _("All localities")), *options]  # type: ignore[attr-defined]

    @property
    def values(self) -> dict[str, Any]:
        """A value for every field, ready for the selector; the place is `locality` (None: all places)."""
        values = {
            name: self._defaults.get(name, "") if value in ("", None) else value
            for name, value in self.cleaned_data.items()
        }
        values["locality"] = self._places.get(values.pop("place"))
        return values

    @property
    def narrowed_by(self) -> int:
        """How many of the fields narrow or sort the list: a phone folds them and tells how many are set."""
        names = [field.name for field in self.visible_fields()]
        return sum(self._given.get(name, "") not in ("", self._defaults.get(name)) for name in names)

    @property
    def note(self) -> str:
        """A sentence about what was left out of the search; empty if every value was valid."""
        if not self.left_out:
            return ""
        labels = ", ".join(str(self.fields[name].label) for name in self.left_out)
        return _("Not understood and left out of the search: %(fields)s") % {"fields": labels}


class BulletinFilterForm(FilterForm):
    """Which vacancies of the bulletin are shown. `values` are the arguments of `published_vacancies`.

    `status` is all, open (to all) or me; the form keeps it, tabs change it. `me` is answered by `applications`.
    """

    defaults = {"status": "all", "sort": "ready", "birth_year": None}

    search = forms.CharField(
        label=gettext_lazy("Kindergarten"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    birth_year = forms.IntegerField(
        label=gettext_lazy("Birth year"),
        min_value=EARLIEST_YEAR,
        max_value=LATEST_YEAR,
        required=False,
        widget=forms.Select,
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language of upbringing"), choices=[ANY, *Language.choices], required=False
    )
    place_type = forms.ChoiceField(
        label=gettext_lazy("Place type"), choices=[ANY, *Vacancy.PlaceType.choices], required=False
    )
    sort = forms.ChoiceField(
        label=gettext_lazy("Order"),
        choices=[
            ("ready", gettext_lazy("what you can apply for first")),
            ("new", gettext_lazy("newest first")),
            ("name", gettext_lazy("by name of the kindergarten")),
            ("free", gettext_lazy("most vacant places first")),
        ],
        required=False,
    )
    status = forms.ChoiceField(
        label=gettext_lazy("Status"),
        choices=[("all", ""), ("open", ""), ("me", "")],
        required=False,
        widget=forms.HiddenInput,
    )

    field_order = ["search", "place", "birth_year", "language", "place_type", "sort", "status"]

    def __init__(self, data: Mapping[str, Any] | None = None, *, locality: Locality | None = None) -> None:
        super().__init__(data, locality=locality)
        years = {*offered_birth_years(), self.values["birth_year"]} - {None}
        options = [(year, year) for year in sorted(years, reverse=True)]
        self.fields["birth_year"].widget.choices = [ANY, *options]


# What a family may want to pay at most, in tenge a month.
FEES = (
    (0, gettext_lazy("nothing")),
    (15_000, "15\N{NO-BREAK SPACE}000"),
    (30_000, "30\N{NO-BREAK SPACE}000"),
    (60_000, "60\N{NO-BREAK SPACE}000"),
)


class Narrowing(NamedTuple):
    """A filter in use: its field and label, and what the selector is asked for without it."""

    name: str
    label: str
    others: dict[str, Any]


class CatalogueFilterForm(FilterForm):
    """Which kindergartens of the catalogue are shown. `values` are the arguments of `kindergartens`."""

    search = forms.CharField(
        label=gettext_lazy("Name of the kindergarten"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    ownership = forms.ChoiceField(
        label=gettext_lazy("Ownership"), choices=[ANY, *Kindergarten.Ownership.choices], required=False
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language of upbringing"), choices=[ANY, *Language.choices], required=False
    )

    type = forms.ChoiceField(
        label=gettext_lazy("Type"), choices=[ANY, *Kindergarten.Type.choices], required=False
    )
    age = forms.TypedChoiceField(
        label=gettext_lazy("Age of the child, full years"),
        choices=[ANY, *((age, str(age)) for age in AGE_GROUPS)],
        coerce=int,
        empty_value=None,
        required=False,
    )
    regime = forms.ChoiceField(
        label=gettext_lazy("Group type"), choices=[ANY, *Group.Regime.choices], required=False
    )
    fee = forms.TypedChoiceField(
        label=gettext_lazy("The family pays, ₸ a month at most"),
        choices=[ANY, *((fee, number_in_words) for fee, number_in_words in FEES)],
        coerce=int,
        empty_value=None,
        required=False,
    )
    places = forms.ChoiceField(
        label=gettext_lazy("Places"),
        choices=[ANY, ("free", gettext_lazy("vacant now")), ("soon", gettext_lazy("opening soon"))],
        required=False,
    )

    sort = forms.ChoiceField(
        label=gettext_lazy("Order"),
        choices=[("", gettext_lazy("by name")), ("near", gettext_lazy("nearest first"))],
        required=False,
        widget=forms.HiddenInput,
    )

    defaults = {"age": None, "fee": None}

    field_order = ["search", "place", "age", "language", "places", "ownership", "type", "regime", "fee"]

    @property
    def values(self) -> dict[str, Any]:
        values = super().values
        del values["sort"]
        return values

    @property
    def is_by_distance(self) -> bool:
        """Whether the nearest are asked for first; where the visitor is, no form knows."""
        return bool(self.cleaned_data["sort"])

    def narrowing(self) -> list[Narrowing]:
        """Each filter that the address sets, with the values that remain without it."""
        used = [
            field
            for field in self.visible_fields()
            if self._given.get(field.name) and field.name not in self.left_out and field.name != "place"
        ]
        if self.values["locality"] is not None:
            used.append(self["place"])
        empty = {**dict.fromkeys(self.fields, ""), **self.defaults, "locality": None}
        return [
            Narrowing(field.name, str(field.label), self.values | {name: empty[name]})
            for field in used
            for name in ["locality" if field.name == "place" else field.name]
        ]


class ReviewForm(forms.ModelForm):  # type: ignore[type-arg]
    """A user's opinion of the portal, or of one kindergarten."""

    class Meta:
        model = Review
        fields = ["kindergarten", "text"]
        labels = {
            "kindergarten": gettext_lazy("What is the review about?"),
            "text": gettext_lazy("Your review"),
        }
        help_texts = {
            "text": gettext_lazy(
                "Up to 1000 characters. Please name no people, phone numbers or IINs: everyone can read it."
            )
        }
        widgets = {"text": forms.Textarea(attrs={"rows": 5})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        about = self.fields["kindergarten"]
        assert isinstance(about, forms.ModelChoiceField)
        about.empty_label = _("The portal")

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        refuse_personal_numbers(text)
        return text
