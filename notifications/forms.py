"""The filters of an inbox."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from notifications.kinds import Topic
from notifications.models import Notice
from notifications.selectors import found_in


class InboxFilter(forms.Form):
    """Which notices of an inbox are shown. Every field may be empty; what makes no sense narrows nothing."""

    q = forms.CharField(
        label=_("Words of the notice"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    topic = forms.ChoiceField(label=_("Topic"), required=False)
    child = forms.TypedChoiceField(label=_("Child"), coerce=UUID, empty_value=None, required=False)

    def __init__(
        self, data: Mapping[str, Any], *, topics: Sequence[Topic], children: Mapping[UUID, str] | None = None
    ) -> None:
        """`children` are those whom notices of this inbox may be about; who has one child is not asked about which."""
        super().__init__(data, auto_id="filter_%s")
        self._offer("topic", [(topic.value, topic.label) for topic in topics])
        self._offer("child", list((children or {}).items()))
        self.full_clean()

    def search(self, inbox: QuerySet[Notice]) -> QuerySet[Notice]:
        """Those of `inbox` that are shown."""
        asked = self.cleaned_data
        return found_in(
            inbox,
            topic=asked.get("topic", ""),
            about=asked.get("child"),
            typed=asked.get("q", ""),
        )

    @property
    def asked(self) -> dict[str, str]:
        """The values that narrow what is shown, as they stand in an address."""
        return {name: str(value) for name, value in self.cleaned_data.items() if value}

    @property
    def query(self) -> str:
        """The same as the end of an address; empty if everything is shown."""
        return f"?{urlencode(self.asked)}" if self.asked else ""

    def _offer(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        """Let `name` be chosen among `choices`, if there is a choice."""
        if len(choices) < 2:
            del self.fields[name]
        else:
            self.fields[name].choices = [("", _("All")), *choices]  # type: ignore[attr-defined]
