"""What visitors type about the queue: a number in it, or an application's number with the end of a phone."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.models.former import number_key
from applications.referrals.check_codes import read_code
from applications.states import Tier
from applications.views.day_field import DayField
from bulletin.forms import ALL_PLACES, ANY, EARLIEST_YEAR, LATEST_YEAR, FilterForm
from bulletin.models import Language, Locality

# Far more than any spelling needs; a longer text is not parsed.
LONGEST_INPUT = 60
LARGEST_NUMBER = 9_999_999


class JumpForm(forms.Form):
    """Which number of a queue to go to, or which application; `number` is an int or an application's number."""

    number = forms.CharField(
        label=gettext_lazy("Number in the queue, or of the application"),
        max_length=LONGEST_INPUT,
        widget=forms.TextInput(attrs={"autocomplete": "off", "size": 12}),
        error_messages={
            code: gettext_lazy(
                "Write a number in the queue, for example: 391, or of an application: 19-000417"
            )
            for code in ("required", "max_length", "nonsense")
        },
    )

    def clean_number(self) -> int | str:
        typed = _plain(self.cleaned_data["number"]).lstrip("№")
        if application := re.fullmatch(r"(\d{2})-(\d{1,10})", typed, re.ASCII):
            return f"{application[1]}-{application[2]}"
        if re.fullmatch(r"\d{1,7}", typed, re.ASCII) and 0 < int(typed) <= LARGEST_NUMBER:
            return int(typed)
        raise forms.ValidationError(self.fields["number"].error_messages["nonsense"], code="nonsense")


class ReferralCheckForm(forms.Form):
    """The code on a referral's paper; whether a referral has it is not checked here."""

    code = forms.CharField(
        label=gettext_lazy("Code on the paper"),
        help_text=gettext_lazy("Twelve letters and digits, for example: 4718-0256-93A1"),
        max_length=LONGEST_INPUT,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "size": 16}
        ),
    )

    def clean_code(self) -> str:
        code = read_code(self.cleaned_data["code"])
        if not code:
            raise forms.ValidationError(
                _("A code has twelve letters and digits. It stands at the foot of the paper.")
            )
        return code


class QueueCheckForm(forms.Form):
    """An application and a guardian's phone; whether they belong together is not checked here."""

    number = forms.CharField(
        label=gettext_lazy("Application number"),
        help_text=gettext_lazy(
            "It is in the SMS about the accepted application and in the cabinet, for example: 19-000417"
        ),
        max_length=LONGEST_INPUT,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "size": 20}),
    )
    digits = forms.CharField(
        label=gettext_lazy("Last four digits of the phone"),
        help_text=gettext_lazy("The phone with which a parent of the child signs in."),
        max_length=LONGEST_INPUT,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "size": 6}),
    )

    born = DayField(label=gettext_lazy("The child's date of birth"), required=False)

    def __init__(self, *args: Any, asks_birth_date: bool = False, **options: Any) -> None:
        """The date of birth is asked for where it must be, and where it was sent."""
        super().__init__(*args, **options)
        if not asks_birth_date and "born" not in self.data:
            del self.fields["born"]

    def clean_number(self) -> str:
        """The year and six digits or more, however they and the hyphen were typed."""
        typed = _plain(self.cleaned_data["number"]).lstrip("№")
        match = re.fullmatch(r"(\d{2})-?(\d{6,10})", typed, re.ASCII)
        if match is None:
            raise forms.ValidationError(
                _(
                    "Write the whole application number like this: 19-000417. It is in the SMS about the accepted "
                    "application and in the cabinet."
                )
            )
        return f"{match[1]}-{match[2]}"

    def clean_digits(self) -> str:
        typed = _plain(self.cleaned_data["digits"])
        if re.fullmatch(r"\d{4}", typed, re.ASCII) is None:
            raise forms.ValidationError(_("Write the last four digits of the phone, for example: 9876"))
        return typed


class FormerNumberForm(forms.Form):
    """A number of the former queue, as it was given there; the locality where several have such a number."""

    number = forms.CharField(
        label=gettext_lazy("Number in the former queue"),
        help_text=gettext_lazy(
            "As it is on your paper. Capital and small letters, spaces and hyphens make no difference."
        ),
        max_length=LONGEST_INPUT,
        widget=forms.TextInput(attrs={"autocomplete": "off", "size": 20}),
    )
    place = forms.ModelChoiceField(
        label=gettext_lazy("Locality of the former queue"),
        queryset=Locality.objects.all(),
        to_field_name="slug",
        empty_label=gettext_lazy("Choose"),
    )

    def __init__(self, *args: Any, asks_place: bool = False, **options: Any) -> None:
        """The locality is asked for where it must be, and where it was sent."""
        super().__init__(*args, **options)
        if not asks_place and "place" not in self.data:
            del self.fields["place"]

    def clean_number(self) -> str:
        typed: str = self.cleaned_data["number"].strip()
        if not number_key(typed):
            raise forms.ValidationError(_("Write the letters and digits of the number."))
        return typed


BENEFITS = {
    Tier.GENERAL: gettext_lazy("none"),
    Tier.PRIORITY: gettext_lazy("priority"),
    Tier.EXTRAORDINARY: gettext_lazy("extraordinary"),
}


class ForecastForm(FilterForm):
    """Whose wait is asked for. `values`: a locality and a birth year (None: not chosen yet), a language, a tier."""

    defaults = {"birth_year": None, "tier": Tier.GENERAL}

    birth_year = forms.IntegerField(
        label=gettext_lazy("Birth year"),
        min_value=EARLIEST_YEAR,
        max_value=LATEST_YEAR,
        required=False,
        widget=forms.Select,
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language of education"), choices=[ANY, *Language.choices], required=False
    )
    tier = forms.TypedChoiceField(
        label=gettext_lazy("Benefit"),
        choices=[*BENEFITS.items()],
        coerce=lambda value: Tier(int(value)),
        required=False,
    )

    field_order = ["place", "birth_year", "language", "tier"]

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, locality: Locality | None, years: Iterable[int]
    ) -> None:
        """`years` are those of which a queue is there."""
        super().__init__(data, locality=locality)
        choose = ("", gettext_lazy("Choose"))
        offered = sorted({*years, self.values["birth_year"]} - {None}, reverse=True)
        self.fields["birth_year"].widget.choices = [choose, *((year, year) for year in offered)]
        places: Any = self.fields["place"]
        places.choices = [choose, *(one for one in places.choices if one[0] != ALL_PLACES)]

    def clean_place(self) -> str:
        """One: each has queues of its own."""
        place: str = self.cleaned_data["place"]
        return "" if place == ALL_PLACES else place

    @property
    def values(self) -> dict[str, Any]:
        # The smallest tier is falsy, and no less a choice than the others.
        return super().values | {
            "tier": self.cleaned_data["tier"] if self.cleaned_data["tier"] != "" else Tier.GENERAL
        }


class WhatIfForm(ForecastForm):
    """A child that has no application: by its birth year alone, no day and no name. `other` is a second locality.

    The place of the bulletin that is asked about stands beside them in the address; the form keeps it.
    """

    other = forms.ChoiceField(label=gettext_lazy("Compare with the locality"), required=False)
    vacancy = forms.UUIDField(required=False, widget=forms.HiddenInput)

    field_order = ["place", "birth_year", "language", "tier", "other", "vacancy"]

    def offer_places(self, options: list[tuple[str, str]]) -> None:
        super().offer_places(options)
        self.fields["other"].choices = [("", gettext_lazy("none")), *options]  # type: ignore[attr-defined]

    @property
    def values(self) -> dict[str, Any]:
        values = super().values
        return values | {"other": self._places.get(values["other"])}


def _plain(text: str) -> str:
    """ASCII digits and hyphens for those of any script, without spaces and invisible characters."""
    kept = []
    for character in text:
        digit = unicodedata.decimal(character, None)
        if digit is not None:
            kept.append(str(digit))
        elif unicodedata.category(character) == "Pd" or character == "\u2212":
            kept.append("-")
        elif not character.isspace() and unicodedata.category(character) != "Cf":
            kept.append(character)
    return "".join(kept)
