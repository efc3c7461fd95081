"""What a family fills in: an application, a bid, an extension."""

from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar, cast

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.utils.dates import WEEKDAYS
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.identity import DocumentError, Paper, parse_identity
from accounts.iin import IinError, parse_iin
from accounts.models import Objection, User
from accounts.uploads import DOCUMENT_INPUT, Upload, check_documents, each_named
from applications.alerts.choosing import DISTANCES, MOST_KINDERGARTENS, Circle
from applications.models import Application, BenefitCategory, Extension
from applications.views.day_field import DayField
from bulletin.models import Kindergarten, Language, Locality
from bulletin.nearness import Point, coarse
from children.models import SEX_OF_CHILD, Child, GuardianClaim

CHOOSE_CHILD = gettext_lazy("Choose the child.")


class ChildField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One of the family's children, by name and birth date."""

    def label_from_instance(self, obj: Child) -> str:
        return f"{obj.full_name}, {obj.birth_date:%d.%m.%Y}"


class ApplicationField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One of the family's applications, by its child and number."""

    def label_from_instance(self, obj: Application) -> str:
        child = obj.child
        return f"{child.full_name}, {child.birth_date:%d.%m.%Y} · №\u00a0{obj.number}"


class ApplicationForm(forms.Form):
    """Where, in which languages and for which child: the first of the two steps of filing."""

    locality = forms.ModelChoiceField(
        label=gettext_lazy("Locality"),
        queryset=Locality.objects.all(),
        to_field_name="slug",
        empty_label=None,
        help_text=gettext_lazy("The queue is kept by locality and birth year."),
    )
    languages = forms.MultipleChoiceField(
        label=gettext_lazy("Language of education"),
        choices=Language.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Choose one or more: places in these languages will suit you."),
        error_messages={"required": gettext_lazy("Choose at least one language.")},
    )
    child = ChildField(
        label=gettext_lazy("Child"),
        queryset=Child.objects.none(),
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={"required": CHOOSE_CHILD, "invalid_choice": CHOOSE_CHILD},
    )
    alert = forms.BooleanField(
        label=gettext_lazy("Tell me when a place for my child appears"),
        required=False,
        help_text=gettext_lazy(
            "Before bids are accepted, in the notices and by the ways that you chose. "
            "You can switch it off at any time."
        ),
    )

    def __init__(self, *args: Any, children: QuerySet[Child], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["child"].queryset = children  # type: ignore[attr-defined]


class LanguagesForm(forms.Form):
    """In which languages a family looks for places from now on."""

    languages = forms.MultipleChoiceField(
        label=gettext_lazy("Language of education"),
        choices=Language.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Choose one or more: places in these languages will suit you."),
        error_messages={"required": gettext_lazy("Choose at least one language.")},
    )


class AlertForm(forms.Form):
    """Of which places a guardian is told: in which languages and kindergartens, and within which distance.

    `circle` is that distance and what it counts from, once the form is valid; None is the whole locality.
    """

    # What stands for the guardian's own place among the kindergartens.
    MINE: ClassVar = "me"

    languages = forms.MultipleChoiceField(
        label=gettext_lazy("Language of education"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one language.")},
    )
    search = forms.CharField(
        label=gettext_lazy("Find a kindergarten by name"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    kindergartens = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Kindergartens"),
        queryset=Kindergarten.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=gettext_lazy(
            "If none is ticked, you are told of places in all kindergartens of the locality."
        ),
    )

    within = forms.TypedChoiceField(
        label=gettext_lazy("Within a distance"),
        coerce=int,
        empty_value=None,
        required=False,
        help_text=gettext_lazy(
            "In a straight line. Of kindergartens that are not on the map you are told all the same."
        ),
    )
    around = forms.CharField(
        label=gettext_lazy("Counted from"),
        required=False,
        widget=forms.Select,
        help_text=gettext_lazy("A kindergarten that is not in this list can be found below by its name."),
    )
    point = forms.CharField(required=False, max_length=50, widget=forms.HiddenInput(attrs={"id": "id_point"}))

    def __init__(
        self,
        *args: Any,
        application: Application,
        offered: QuerySet[Kindergarten],
        shown: Sequence[Kindergarten],
        place: Point | None,
        **kwargs: Any,
    ) -> None:
        """`offered` may be chosen, `shown` are listed: a city has too many for one page. `place` is what is saved."""
        super().__init__(*args, **kwargs)
        self.circle: Circle | None = None
        self._offered, self._place = offered, place
        from_here = [(one.pk, one.name) for one in shown if one.point]
        mine = [(self.MINE, _("my place"))] if place or self.data.get("point") else []
        self.fields["around"].widget.choices = [("", _("not chosen")), *mine, *from_here]
        self.fields["within"].choices = [  # type: ignore[attr-defined]
            ("", _("the whole locality")),
            *((one, _("%(number)s km") % {"number": one}) for one in DISTANCES),
        ]
        choices = [(code, name) for code, name in Language.choices if code in application.languages]
        self.fields["languages"].choices = choices  # type: ignore[attr-defined]
        if len(choices) == 1:
            # There is nothing to choose.
            del self.fields["languages"]
        self.fields["kindergartens"].queryset = offered  # type: ignore[attr-defined]
        self.fields["kindergartens"].widget.choices = [(one.pk, one.name) for one in shown]

    def clean_kindergartens(self) -> QuerySet[Kindergarten]:
        chosen: QuerySet[Kindergarten] = self.cleaned_data["kindergartens"]
        if len(chosen) > MOST_KINDERGARTENS:
            raise ValidationError(
                _("Tick no more kindergartens than: %(limit)s. To be told of all, tick none."),
                params={"limit": MOST_KINDERGARTENS},
            )
        return chosen

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        km, around = cleaned.get("within"), cleaned.get("around", "")
        if km and not around:
            self.add_error("around", _("Choose a kindergarten to count from."))
        elif around and not km and "within" not in self.errors:
            self.add_error("within", _("Choose how far, or clear what it is counted from."))
        elif km:
            self.circle = self._circle(km, around)
        return cleaned

    def _circle(self, km: int, around: str) -> Circle | None:
        if around == self.MINE:
            if point := coarse(self.cleaned_data.get("point", "")) or self._place:
                return Circle(km, point=point)
        elif around.isascii() and around.isdecimal() and len(around) < 10:
            kindergarten = self._offered.filter(pk=int(around), latitude__isnull=False).first()
            if kindergarten:
                return Circle(km, around=kindergarten)
        self.add_error("around", _("Choose a kindergarten to count from."))
        return None


class MoveForm(forms.Form):
    """Which locality a family has moved to."""

    locality = forms.ModelChoiceField(
        label=gettext_lazy("New locality"),
        queryset=Locality.objects.none(),
        to_field_name="slug",
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={
            "required": gettext_lazy("Choose the locality."),
            "invalid_choice": gettext_lazy("Choose the locality."),
        },
    )

    def __init__(self, *args: Any, present: Locality, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["locality"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Locality.objects.exclude(pk=present.pk)


class BidForm(forms.Form):
    """Which child the place is for. With one child there is nothing to choose."""

    application = ApplicationField(
        label=gettext_lazy("Child"),
        queryset=Application.objects.none(),
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={"required": CHOOSE_CHILD, "invalid_choice": CHOOSE_CHILD},
    )

    def __init__(self, *args: Any, applications: Sequence[Application], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["application"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Application.objects.filter(pk__in=[application.pk for application in applications])
        if len(applications) == 1:
            field.initial = applications[0].pk
            field.required = False
            self._only = applications[0]

    def clean_application(self) -> Application:
        """The chosen application; the only one where nothing was chosen."""
        return self.cleaned_data["application"] or self._only


class DocumentsInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class DocumentsField(forms.FileField):
    """Several files at once, as they were sent."""

    widget = DocumentsInput(attrs={**DOCUMENT_INPUT})

    def clean(self, data: Any, initial: Any = None) -> "list[UploadedFile[bytes]]":
        files: list[UploadedFile[bytes]] = data if isinstance(data, list) else [data] if data else []
        if not files:
            raise ValidationError(_("Attach at least one supporting document."), code="required")
        if len(files) > settings.UPLOAD_MAX_FILES:
            raise ValidationError(
                _("Attach no more files than: %(limit)s"),
                code="too_many",
                params={"limit": settings.UPLOAD_MAX_FILES},
            )
        return each_named(files, super().clean)


class HandedIn(forms.Form):
    """A form with files from `sender`. Their copies are made once everything else that was sent is valid.

    `copies` exist when the form is valid.
    """

    files_field: ClassVar[str]

    def __init__(self, *args: Any, sender: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sender = sender
        self.copies: list[Upload] = []

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_bound and not self.errors:
            sent = self.cleaned_data[self.files_field]
            files = sent if isinstance(sent, list) else [sent]
            try:
                self.copies = check_documents(files, sender=self.sender)
            except ValidationError as fault:
                self.add_error(self.files_field, fault)


class ExtensionForm(HandedIn):
    """An extension of a referral: until when, why, and with which proof."""

    files_field = "documents"

    until = DayField(label=gettext_lazy("New last day"))
    # Not a list to open: at 360 px it would cut the longer reasons.
    reason = forms.ChoiceField(
        label=gettext_lazy("Reason"),
        choices=Extension.Reason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose the reason.")},
    )
    explanation = forms.CharField(
        label=gettext_lazy("Explanation"),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=500,
        required=False,
    )
    documents = DocumentsField(
        label=gettext_lazy("Supporting documents"),
        help_text=gettext_lazy(
            "From 1 to 5 files: PDF or pictures (JPEG, PNG, HEIC, WebP), up to 5 MB each. You can choose several "
            "files at once."
        ),
    )
    confirmed = forms.BooleanField(
        label=gettext_lazy("I checked the date and the documents. A referral is extended only once."),
        error_messages={"required": gettext_lazy("Confirm that you checked everything.")},
    )

    def __init__(self, *args: Any, earliest: date, latest: date, **kwargs: Any) -> None:
        """The days from `earliest` to `latest` may be asked for."""
        super().__init__(*args, **kwargs)
        self.earliest, self.latest = earliest, latest
        self.fields["until"].help_text = _(
            "Choose a day within: %(earliest)s – %(latest)s. Write it like this: %(example)s. If you choose a day off, "
            "the referral ends on the last working day before it."
        ) % {"earliest": _day(earliest), "latest": _day(latest), "example": f"{latest:%d.%m.%Y}"}

    def clean_until(self) -> date:
        until: date = self.cleaned_data["until"]
        if not self.earliest <= until <= self.latest:
            raise ValidationError(
                _("Choose a day within: %(earliest)s – %(latest)s"),
                params={"earliest": _day(self.earliest), "latest": _day(self.latest)},
            )
        return until

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("reason") == Extension.Reason.OTHER and not data.get("explanation", "").strip():
            self.add_error("explanation", _("Explain the reason in a few words."))
        return data


class CategoryField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A benefit category, with the proof it asks for and what it gives."""

    def label_from_instance(self, obj: BenefitCategory) -> str:
        lines = [
            (_("Part of the queue"), obj.get_tier_display()),
            (_("Required proof"), obj.proof),
        ]
        if obj.valid_days is not None:
            lines.append((_("Counts after the check for, days"), str(obj.valid_days)))
        notes = format_html_join("", '<br><span class="muted">{}: {}</span>', lines)
        return format_html("<span>{}{}</span>", obj.name, notes)


class BenefitForm(HandedIn):
    """Which benefit is asked for, and its proof."""

    files_field = "document"

    category = CategoryField(
        label=gettext_lazy("Benefit category"),
        queryset=BenefitCategory.objects.none(),
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={
            "required": gettext_lazy("Choose a category."),
            "invalid_choice": gettext_lazy(
                "You already asked for this benefit, or it is no longer offered. Choose another category."
            ),
        },
    )
    document = forms.FileField(
        label=gettext_lazy("Document"),
        widget=forms.FileInput(attrs={**DOCUMENT_INPUT}),
        help_text=gettext_lazy("One file: PDF or a picture (JPEG, PNG, HEIC, WebP), up to 5 MB."),
        error_messages={"required": gettext_lazy("Attach the document that proves the benefit.")},
    )

    def __init__(self, *args: Any, categories: QuerySet[BenefitCategory], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"].queryset = categories  # type: ignore[attr-defined]


def _day(day: date) -> str:
    return f"{day:%d.%m.%Y}, {str(WEEKDAYS[day.weekday()]).lower()}"


class PeriodForm(forms.Form):
    """The days between which a family wants its number explained; either may be left empty."""

    first_day = DayField(label=gettext_lazy("From"), required=False)
    last_day = DayField(label=gettext_lazy("To"), required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("first_day"), data.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("The last day is before the first one."))
        return data


# A child older than this waits for no kindergarten; the papers of a younger one may name any day.
OLDEST_ON_PAPER = 8


class GuardianClaimForm(HandedIn):
    """A child and the papers that prove whose guardian one is."""

    files_field = "documents"

    ground = forms.ChoiceField(
        label=gettext_lazy("Why by papers"),
        choices=GuardianClaim.Ground.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose why.")},
    )
    number = forms.CharField(
        label=gettext_lazy("The child's IIN, or without one the number of its birth certificate or passport"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "size": 20}),
    )
    last_name = forms.CharField(label=gettext_lazy("Last name of the child"), max_length=100)
    first_name = forms.CharField(label=gettext_lazy("First name of the child"), max_length=100)
    middle_name = forms.CharField(
        label=gettext_lazy("Patronymic, if there is one"), max_length=100, required=False
    )
    birth_date = DayField(label=gettext_lazy("Date of birth"))
    sex = forms.ChoiceField(
        label=gettext_lazy("Sex"), choices=[*SEX_OF_CHILD.items()], widget=forms.RadioSelect
    )
    documents = DocumentsField(
        label=gettext_lazy("Scanned papers"),
        help_text=gettext_lazy(
            "The birth certificate and, if you are not a parent by it, the decision that makes you the representative. "
            "From 1 to 5 files: PDF or pictures (JPEG, PNG, HEIC, WebP), up to 5 MB each."
        ),
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_birth_date(self) -> date:
        born: date = self.cleaned_data["birth_date"]
        if not self.today.year - OLDEST_ON_PAPER <= born.year or born > self.today:
            raise ValidationError(_("This is no birth date of a child for a kindergarten. Check it."))
        return born

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name in ("last_name", "first_name", "middle_name"):
            # As the registry writes names, and as everything compares them.
            data[name] = " ".join(str(data.get(name, "")).split()).upper()
        if "number" in data and "ground" in data:
            self._read_number(data)
        return data

    def _read_number(self, data: dict[str, Any]) -> None:
        data["iin"] = data["paper_number"] = ""
        try:
            if data["ground"] == GuardianClaim.Ground.NOT_IN_REGISTRY:
                data["iin"] = parse_iin(data["number"])
            else:
                data["paper_number"] = parse_identity(data["number"], paper=Paper.OTHER).document_number
        except (IinError, DocumentError) as error:
            self.add_error("number", error.message)
            return
        if data["paper_number"] and is_iin(data["paper_number"]):
            self.add_error("number", _("This is an IIN. Choose above that the registry does not know you."))


class JoinForm(forms.Form):
    """The IIN that a child got after it had come here by its certificate."""

    iin = forms.CharField(
        label=gettext_lazy("IIN of the child"),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "size": 20}),
    )

    def clean_iin(self) -> str:
        try:
            return parse_iin(self.cleaned_data["iin"])
        except IinError as error:
            raise ValidationError(error.message) from None


class ObjectionForm(forms.Form):
    """Which data is wrong, and what would be right. What is always about a child is offered to whoever has one."""

    about = forms.ChoiceField(
        label=gettext_lazy("Which data is wrong"),
        choices=Objection.About.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose which data.")},
    )
    child = ChildField(
        label=gettext_lazy("Child, if it is about one"),
        queryset=Child.objects.none(),
        required=False,
        empty_label="—",
    )
    wrong = forms.CharField(
        label=gettext_lazy("What is wrong"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    right = forms.CharField(
        label=gettext_lazy("What would be right"),
        help_text=gettext_lazy("And in which document it can be seen. Only officials read it."),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, children: "QuerySet[Child]", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(ChildField, self.fields["child"]).queryset = children
        if not children.exists():
            del self.fields["child"]
            about = cast(forms.ChoiceField, self.fields["about"])
            about.choices = [one for one in Objection.About.choices if one[0] not in Objection.OF_A_CHILD]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        child = data.setdefault("child", None)
        if data.get("about") in Objection.OF_A_CHILD and child is None and not self.has_error("child"):
            self.add_error("child", str(CHOOSE_CHILD))
        if data.get("about") in Objection.OF_A_PERSON:
            data["child"] = None
        return data


def is_iin(number: str) -> bool:
    """Whether a number is a valid IIN."""
    try:
        return bool(parse_iin(number))
    except IinError:
        return False
