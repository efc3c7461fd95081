"""An application of the former queue at the workplace: what the file said, and giving it to its family."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.masks import mask_iin, mask_phone
from accounts.models import User
from applications.admin.work import Work, reason_field
from applications.models import Application
from applications.states import ApplicationState
from applications.waiting.claiming import claim_for, former_row_of
from children.access import guardians_of
from children.models import Child


def of_former_queue(application: Application) -> str:
    """Its number there, with the end of the guardian's IIN and of the phone, to compare with papers."""
    row = former_row_of(application)
    if row is None:
        return "—"
    told = [
        row.old_number,
        mask_iin(row.guardian_iin),
        mask_phone(row.phone) if row.phone else "",
        "" if application.is_claimed else gettext("nobody has claimed it yet"),
    ]
    return ", ".join(filter(None, told)) or "—"


class GuardianField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A guardian by their name."""

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.profile.full_name)


class ClaimForm(forms.Form):
    """Which of the child's guardians here is the person of the former queue; the application is the page's."""

    application = forms.CharField(required=False, widget=forms.HiddenInput)
    guardian = GuardianField(
        label=_("Guardian"),
        queryset=User.objects.none(),
        help_text=_(
            "Who registered and added the child. Compare the identity card and the birth certificate."
        ),
        widget=forms.RadioSelect,
        empty_label=None,
    )
    reason = reason_field(
        label=_("What was checked"), help_text=_("The family reads this text in its history.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        child = Child.objects.get(applications=self.initial["application"])
        field = self.fields["guardian"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = User.objects.filter(pk__in=[one.pk for one in guardians_of(child)]).select_related(
            "profile"
        )


def _is_to_claim(application: Application, now: datetime) -> bool:
    return (
        not application.is_claimed
        and application.state == ApplicationState.WAITING
        and bool(guardians_of(application.child))
    )


def _claim_for(application: Application, actor: User, data: dict[str, Any], now: datetime) -> None:
    claim_for(application, data["guardian"], actor=actor, reason=data["reason"], now=now)


CLAIM_FOR = Work(
    name="claim-for",
    label=_("Give to the family"),
    consequence=_(
        "The application of the former queue is the guardian's from now on, at its date: they can send bids with it. "
        "The guardians are told, and the phone number that the former queue names."
    ),
    done=_("The application is the family's. They have been told."),
    permission="children.change_guardianclaim",
    offered=_is_to_claim,
    perform=_claim_for,
    form=ClaimForm,
    initial=lambda application: {"application": str(application.pk)},
    submit=_("Give to the family"),
)
