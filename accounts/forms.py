"""What people type: numbers in any spelling, codes, passwords, and the data they may change about themselves."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.emails import LONGEST as LONGEST_EMAIL
from accounts.emails import parse_email
from accounts.identity import DocumentError, Identity, Paper, ProofError, parse_identity, parse_proof
from accounts.iin import IinError, IinFault
from accounts.models import User
from accounts.notice_ways import Choice
from accounts.passwords import normalise_password
from accounts.phones import PhoneError, login_name, paper_login, parse_any_phone, parse_mobile
from accounts.second_way import is_beyond_guessing
from accounts.sms_codes import DIGITS
from accounts.uploads import PHOTO_INPUT
from notifications.hours import DAYTIME, Hours, minutes_left
from notifications.kinds import Topic
from notifications.ways import Way
from notifications.web_push import LONGEST_ADDRESS, is_sound, keys_as_text

# Far more than any spelling of a number needs; what is longer is not looked at.
LONGEST_INPUT: Final = 60
# Whoever copies an SMS may copy all of it, and the one before.
LONGEST_SMS: Final = 300


class PushForm(forms.Form):
    """What a browser says of where it takes notices, in fields that a script fills in."""

    endpoint = forms.CharField(max_length=LONGEST_ADDRESS)
    p256dh = forms.CharField(max_length=LONGEST_INPUT * 2)
    auth = forms.CharField(max_length=LONGEST_INPUT)

    def clean_endpoint(self) -> str:
        endpoint: str = self.cleaned_data["endpoint"]
        if not is_sound(endpoint):
            raise ValidationError("not an address of a known service", code="invalid")
        return endpoint

    def clean(self) -> dict[str, Any]:
        """Both keys as one text: `keys`."""
        cleaned = super().clean() or {}
        try:
            cleaned["keys"] = keys_as_text(cleaned.get("p256dh", ""), cleaned.get("auth", ""))
        except ValueError:
            raise ValidationError("no keys", code="invalid") from None
        return cleaned


class PhoneField(forms.CharField):
    """A mobile number of Kazakhstan in any spelling; the value is E.164, or empty where the field is optional."""

    def __init__(self, **options: Any) -> None:
        attributes = {"type": "tel", "inputmode": "tel", "autocomplete": "tel", "size": 20}
        options.setdefault("widget", forms.TextInput(attrs=attributes))
        super().__init__(max_length=LONGEST_INPUT, **options)

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if not text:
            return ""
        try:
            return parse_mobile(text)
        except PhoneError as error:
            raise ValidationError(error.message, code=error.reason.value) from None


class AnyPhoneField(PhoneField):
    """Any number that can be called, landlines and other countries included."""

    def clean(self, value: Any) -> str:
        text: str = forms.CharField.clean(self, value)
        if not text:
            return ""
        try:
            return parse_any_phone(text)
        except PhoneError as error:
            message = _("Enter the whole number, for another country with its code: +44 20 7946 0018")
            raise ValidationError(message, code=error.reason.value) from None


class PasswordField(forms.CharField):
    """A password as typed, spaces included, in the one spelling in which passwords are counted and hashed."""

    def __init__(self, *, autocomplete: str, **options: Any) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": autocomplete, "spellcheck": "false"})
        super().__init__(strip=False, widget=widget, **options)

    def to_python(self, value: Any) -> str:
        return normalise_password(super().to_python(value) or "")


class OwnPhoneField(PhoneField):
    """A parent's number; who types a login number instead reads what to do without a phone."""

    def clean(self, value: Any) -> str:
        try:
            return super().clean(value)
        except ValidationError:
            # No telephone number begins so (`accounts.first_sign_in`): anything else of nine digits lacks some.
            if paper_login(str(value)).startswith("9"):
                raise ValidationError(
                    _(
                        "This is a login number, not a phone number: no code by SMS goes to it. If you have forgotten "
                        "the password or lost the paper, come with your document: the contact centre gives you a new "
                        "paper. %(phone)s"
                    )
                    % {"phone": settings.CONTACT_PHONES[0]},
                    code="login_number",
                ) from None
            raise


class PhoneForm(forms.Form):
    """Whom to send a code to."""

    phone = OwnPhoneField(
        label=gettext_lazy("Phone number"), help_text=gettext_lazy("For example: +7 701 777 98 76")
    )


class RegistrationForm(PhoneForm):
    consent = forms.BooleanField(
        # The page says it at length, with a link; this is what the list of errors calls it.
        label=gettext_lazy("Consent to the data policy"),
        error_messages={"required": gettext_lazy("To register, tick that you accept the policy")},
    )


class CodeForm(forms.Form):
    """The code from the SMS; `accounts.sms_codes` decides whether it is right."""

    # The error for a wrong code, and the field that shows it.
    wrong = gettext_lazy("The code is wrong or has expired")
    wrong_field: str | None = "code"

    code = forms.CharField(
        label=gettext_lazy("Code from the SMS"),
        max_length=LONGEST_SMS,
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "size": 6, "spellcheck": "false"}
        ),
    )

    def clean_code(self) -> str:
        """The code, also out of a whole SMS: there it is the only number of six digits."""
        typed = "".join(
            str(unicodedata.decimal(character, character)) for character in self.cleaned_data["code"]
        )
        digits = re.sub(r"[^0-9]", "", typed)
        alone: set[str] = set(re.findall(rf"(?<![0-9])[0-9]{{{DIGITS}}}(?![0-9])", typed))
        if len(digits) == DIGITS:
            return digits
        if len(alone) != 1:
            raise ValidationError(_("The code has 6 digits"), code="code_length")
        return alone.pop()


class SignInCodeForm(CodeForm):
    """The code of the SMS or of the authenticator app, two of the app, or a recovery code."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=LONGEST_SMS,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "size": 16,
                "spellcheck": "false",
                "autocapitalize": "none",
            }
        ),
    )

    def clean_code(self) -> str:
        typed: str = self.cleaned_data["code"]
        return typed if is_beyond_guessing(typed) else super().clean_code()


class OwnerForm(CodeForm):
    """The code, and something that only the account's owner knows. The form doesn't say which of them is wrong."""

    wrong = gettext_lazy("The code or the IIN is wrong, or the code has expired")
    wrong_field = None

    proof = forms.CharField(
        label=gettext_lazy("Your IIN"),
        help_text=gettext_lazy(
            "12 digits. If you registered with a document and have no IIN: the last four characters of its number"
        ),
        max_length=LONGEST_INPUT,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "size": 20}),
    )

    def clean_proof(self) -> str:
        try:
            return parse_proof(self.cleaned_data["proof"])
        except (IinError, ProofError) as error:
            raise ValidationError(error.message, code="proof") from None


class NewPasswordForm(forms.Form):
    """A new password, typed twice. `user` is the account's owner, if the account exists yet."""

    password = PasswordField(
        label=gettext_lazy("New password"),
        autocomplete="new-password",
        help_text=gettext_lazy("The password must have 8 to 40 characters"),
    )
    repeated = PasswordField(label=gettext_lazy("Repeat the password"), autocomplete="new-password")

    def __init__(self, *args: Any, user: User | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.user = user

    @property
    def login_for_managers(self) -> str:
        """The login, for managers of passwords: what is saved for another account is not overwritten."""
        return self.user.login if self.user is not None else ""

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        password_validation.validate_password(password, self.user)
        return password

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if {"password", "repeated"} <= values.keys() and values["password"] != values["repeated"]:
            self.add_error("repeated", ValidationError(_("The passwords differ"), code="passwords_differ"))
        return values


class FirstPasswordForm(NewPasswordForm):
    password = PasswordField(
        label=gettext_lazy("Create a password for signing in"),
        autocomplete="new-password",
        help_text=gettext_lazy("The password must have 8 to 40 characters"),
    )


class PasswordChangeForm(NewPasswordForm):
    """The present password is judged first: why a new one is refused tells what the portal knows of its owner.

    `why_not` says why what was typed is not the present password, or nothing.
    """

    old_password = PasswordField(label=gettext_lazy("Present password"), autocomplete="current-password")
    field_order = ["old_password", "password", "repeated"]

    def __init__(self, *args: Any, why_not: Callable[[str], str], **options: Any) -> None:
        super().__init__(*args, **options)
        self._why_not = why_not

    def clean_old_password(self) -> str:
        typed: str = self.cleaned_data["old_password"]
        if said := self._why_not(typed):
            raise ValidationError(said, code="present_password")
        return typed

    def clean_password(self) -> str:
        if "old_password" not in self.cleaned_data:
            return str(self.cleaned_data["password"])
        return super().clean_password()

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if "password" in values and values["password"] == values.get("old_password"):
            self.add_error("password", ValidationError(_("This is your present password. Enter another one")))
        return values


class OwnPasswordForm(forms.Form):
    """What an open session alone is not enough for."""

    # Its page names the login for managers of passwords.
    asks_own_password = True

    password = PasswordField(label=gettext_lazy("Present password"), autocomplete="current-password")


class AppForm(OwnPasswordForm):
    """The password, and the first code of an app that is being set up."""

    code = forms.CharField(
        label=gettext_lazy("Code that the app shows"),
        max_length=LONGEST_INPUT,
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "size": 8, "spellcheck": "false"}
        ),
    )
    field_order = ["code", "password"]


class SecondWayForm(AppForm):
    """The password, and a code of the app or a recovery code."""

    code = forms.CharField(
        label=gettext_lazy("Code of the app, or a recovery code"),
        max_length=LONGEST_INPUT,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "size": 16,
                "spellcheck": "false",
                "autocapitalize": "none",
            }
        ),
    )


class AppOffBySmsForm(CodeForm):
    """The password and the code from the SMS, where neither the app nor a recovery code is left."""

    asks_own_password = True

    password = PasswordField(label=gettext_lazy("Present password"), autocomplete="current-password")


class DocumentForm(OwnPasswordForm):
    """The number of a new document, without an IIN."""

    number = forms.CharField(
        label=gettext_lazy("Number of the new document"),
        help_text=gettext_lazy("Letters and digits, as they stand in the document"),
        max_length=LONGEST_INPUT,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "size": 20}),
    )
    field_order = ["number", "password"]

    def clean_number(self) -> str:
        try:
            return parse_identity(self.cleaned_data["number"], paper=Paper.OTHER).document_number
        except DocumentError as error:
            raise ValidationError(error.message, code="document") from None


class NewNumberForm(OwnPasswordForm):
    """The number to which the account is to move, and the password."""

    phone = PhoneField(
        label=gettext_lazy("New phone number"), help_text=gettext_lazy("For example: +7 701 777 98 76")
    )
    field_order = ["phone", "password"]


class IdentityForm(forms.Form):
    """One field for both, as in the manual, and what the number stands on."""

    paper = forms.ChoiceField(
        label=gettext_lazy("What you enter"),
        choices=[
            (Paper.IIN.value, gettext_lazy("IIN")),
            (Paper.CARD.value, gettext_lazy("Number of an identity card of Kazakhstan")),
            (Paper.OTHER.value, gettext_lazy("Number of a passport or of another document")),
        ],
        initial=Paper.IIN.value,
        required=False,
        widget=forms.RadioSelect,
    )
    identity = forms.CharField(
        label=gettext_lazy("Parent's IIN / parent's document number"),
        help_text=gettext_lazy("12 digits. If you have no IIN, enter the number of your document"),
        max_length=LONGEST_INPUT,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "size": 20}),
    )

    @property
    def _paper(self) -> Paper | None:
        """None if nothing was said, or something that isn't offered."""
        said: str = self.cleaned_data.get("paper", "")
        return Paper(said) if said else None

    def clean_identity(self) -> Identity:
        try:
            return parse_identity(self.cleaned_data["identity"], paper=self._paper)
        except (IinError, DocumentError) as error:
            message = error.message
            if isinstance(error, IinError) and error.reason is IinFault.LENGTH:
                message = _("The IIN must have 12 digits. If it is the number of a document, choose so above")
            raise ValidationError(message, code="identity") from None


class SignInForm(forms.Form):
    """Checks nothing itself, so that every failure has the same answer."""

    phone = forms.CharField(
        label=gettext_lazy("Phone number or login number"),
        max_length=LONGEST_INPUT,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "username", "size": 20}),
    )
    password = PasswordField(label=gettext_lazy("Password"), autocomplete="current-password")

    @cached_property
    def name(self) -> str:
        """The account's name: the phone in E.164, or the text as typed."""
        return login_name(self.cleaned_data["phone"])

    @property
    def is_phone(self) -> bool:
        """Whether codes by SMS can go to it."""
        return self.name.startswith("+")

    @property
    def is_parents(self) -> bool:
        """Whether it can be a parent's account at all: a phone, or the login number of a paper."""
        return self.is_phone or bool(paper_login(self.name))


class ProfileForm(forms.Form):
    """What an open session is enough to change. Contacts have pages of their own, which ask for the password."""

    address = forms.CharField(
        label=gettext_lazy("Home address"),
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "street-address"}),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language of messages"),
        choices=settings.LANGUAGES,
        widget=forms.RadioSelect,
    )


class EmailForm(OwnPasswordForm):
    email = forms.CharField(
        label=gettext_lazy("E-mail"),
        help_text=gettext_lazy("We will send a code to it. Leave the field empty to have no address"),
        max_length=LONGEST_EMAIL,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
    )
    mails_notices = forms.BooleanField(
        label=gettext_lazy("Send me by e-mail, too, what you send by SMS"), required=False
    )
    field_order = ["email", "mails_notices", "password"]

    def clean_email(self) -> str:
        typed: str = self.cleaned_data["email"]
        return parse_email(typed) if typed else ""


# What families are told of, by topic.
_TOLD_OF: Final = {
    Topic.PLACE: gettext_lazy(
        "A place got or offered, the referral and its last days, the stop-list, confirming interest"
    ),
    Topic.BIDS: gettext_lazy("A bid sent, refused or lost, an opening that moves"),
    Topic.ALERTS: gettext_lazy("Places that suit the child, if you asked to be told of them"),
    Topic.QUEUE: gettext_lazy("The application accepted or corrected, decisions about a benefit"),
    Topic.CONTRACT: gettext_lazy("The contract, moves to another group, closings"),
    Topic.GUARDIANS: gettext_lazy("A guardian added or stopped, what another guardian does"),
    Topic.ACCOUNT: gettext_lazy("Changes of password, number, e-mail or second phone, a new device"),
}


class TopicsForm(forms.Form):
    """By which ways a parent wants to be told, a group of ticks for each topic, and when nothing may ring."""

    second_phone_if_lost = forms.BooleanField(
        label=gettext_lazy("If such an SMS does not arrive, send it to my second phone"),
        help_text=gettext_lazy("Only what can't be switched off, but for what is about your account"),
        required=False,
    )
    quiet_from = forms.TimeField(
        label=gettext_lazy("Quiet from"),
        required=False,
        widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
    )
    quiet_to = forms.TimeField(
        label=gettext_lazy("Quiet until"),
        required=False,
        widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
    )

    def __init__(self, *args: Any, choices: Iterable[Choice], has_second_phone: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        if not has_second_phone:
            del self.fields["second_phone_if_lost"]
        for topic, always, offered, on in choices:
            if offered:
                self.fields[topic.value] = forms.MultipleChoiceField(
                    label=topic.label,
                    help_text=_what_comes(topic, always),
                    choices=[(way.value, way.label) for way in offered],
                    initial=[way.value for way in on],
                    required=False,
                    widget=forms.CheckboxSelectMultiple,
                )
        self.topics = [topic.value for topic, _always, offered, _on in choices if offered]
        self.order_fields(self.topics)

    @property
    def by_topic(self) -> list[forms.BoundField]:
        """The groups of ticks."""
        return [self[name] for name in self.topics]

    @property
    def chosen(self) -> dict[Topic, list[Way]]:
        """The ways ticked for each topic, once the form is valid."""
        return {Topic(name): [Way(one) for one in self.cleaned_data[name]] for name in self.topics}

    @property
    def quiet(self) -> Hours | None:
        """The quiet hours, once the form is valid; None for none."""
        begin, end = self.cleaned_data["quiet_from"], self.cleaned_data["quiet_to"]
        return Hours(begin, end) if begin is not None and end is not None else None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        begin, end = cleaned.get("quiet_from"), cleaned.get("quiet_to")
        if {"quiet_from", "quiet_to"} <= cleaned.keys():
            if (begin is None) != (end is None):
                missing = "quiet_from" if begin is None else "quiet_to"
                self.add_error(missing, _("Fill in both times, or leave both empty"))
            elif begin is not None and begin == end:
                self.add_error("quiet_to", _("The quiet hours would have no length. Enter another time"))
            elif begin is not None and end is not None and minutes_left(Hours(begin, end)) < 60:
                hours = {"start": f"{DAYTIME.start:%H:%M}", "end": f"{DAYTIME.end:%H:%M}"}
                left_too_little = _("We write between %(start)s and %(end)s: leave at least an hour of it")
                self.add_error("quiet_to", left_too_little % hours)
        return cleaned


def _what_comes(topic: Topic, always: Way | None) -> str:
    told = str(_TOLD_OF[topic])
    if always is None:
        return told
    stays = _("Always on: %(way)s") % {"way": always.label}
    return f"{told}. {stays}"


class RecoveryPhoneForm(OwnPasswordForm):
    phone = AnyPhoneField(
        label=gettext_lazy("Additional contact phone"),
        help_text=gettext_lazy("It may be a landline or a number of another country: we can call it"),
        required=False,
    )
    regains = forms.BooleanField(
        label=gettext_lazy("If I lose my number, a code to this phone may give my account back"),
        help_text=gettext_lazy(
            "Only for a mobile number of Kazakhstan, which we will check with a code. Choose somebody you trust"
        ),
        required=False,
    )
    field_order = ["phone", "regains", "password"]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("regains") and "phone" in values:
            try:
                parse_mobile(values["phone"])
            except PhoneError as error:
                self.add_error("phone", ValidationError(error.message, code=error.reason.value))
        return values


class LostNumberForm(IdentityForm):
    """Who has lost the number, and by which way the account is to come back."""

    WAYS: Final = (
        ("phone", gettext_lazy("To the second phone that I proved in my profile")),
        ("email", gettext_lazy("To the e-mail address that I proved in my profile")),
    )

    way = forms.ChoiceField(
        label=gettext_lazy("Where we send a code"), choices=WAYS, widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if not settings.SENDS_MAIL:
            self.fields["way"] = forms.ChoiceField(
                label=self.fields["way"].label, choices=self.WAYS[:1], widget=forms.RadioSelect
            )


class ContactCodeForm(CodeForm):
    """The code from another phone or from an e-mail."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=LONGEST_SMS,
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "size": 6, "spellcheck": "false"}
        ),
    )


class PaperForm(forms.Form):
    """What stands on the paper of an assisted registration."""

    login = forms.CharField(
        label=gettext_lazy("Login number"),
        help_text=gettext_lazy("9 digits from the paper"),
        max_length=LONGEST_INPUT,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "username", "size": 14}),
    )
    code = forms.CharField(
        label=gettext_lazy("One-time code"),
        help_text=gettext_lazy("10 digits from the paper"),
        max_length=LONGEST_INPUT,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "size": 14}),
    )

    def clean_login(self) -> str:
        return paper_login(self.cleaned_data["login"])

    def clean_code(self) -> str:
        return re.sub(r"[^0-9]", "", unicodedata.normalize("NFKC", self.cleaned_data["code"]))


class MailCodeForm(CodeForm):
    """The code from an e-mail."""

    code = forms.CharField(
        label=gettext_lazy("Code from the e-mail"),
        max_length=LONGEST_SMS,
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "size": 6, "spellcheck": "false"}
        ),
    )


class PhotoForm(forms.Form):
    photo = forms.FileField(
        label=gettext_lazy("Photo"),
        help_text=gettext_lazy("JPEG, PNG, HEIC or WebP, at most 5 MB"),
        widget=forms.FileInput(attrs={**PHOTO_INPUT}),
        error_messages={"required": gettext_lazy("Choose a file with a photo")},
    )
