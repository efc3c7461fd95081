"""The two forms of adding a child."""

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.iin import IinError, parse_iin
from children.nationalities import Nationality


class IinForm(forms.Form):
    """The child's IIN; `cleaned_data["iin"]` is twelve digits that pass the check."""

    iin = forms.CharField(
        label=_("IIN"),
        max_length=40,
        help_text=_("12 digits. You find it in the child's birth certificate."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "size": 20}),
    )

    def clean_iin(self) -> str:
        try:
            return parse_iin(self.cleaned_data["iin"])
        except IinError as error:
            raise forms.ValidationError(error.message) from None


class ChildForm(forms.Form):
    """What the parent adds to the registry's data. `token` identifies the checked child that the page showed."""

    nationality = forms.ChoiceField(
        label=_("Nationality"),
        required=False,
        choices=[("", _("Not stated")), *Nationality.choices],
    )
    token = forms.CharField(max_length=40, widget=forms.HiddenInput)
