"""How employees sign in, and change their password."""

import logging
from datetime import datetime
from typing import Any, NoReturn

from django import forms
from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth import authenticate, update_session_auth_hash
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device

from accounts import audit, limits, second_factor, services
from accounts.audit import client_address
from accounts.devices import known_device, remember_device
from accounts.journal_actions import Action
from accounts.models import User
from accounts.passwords import normalise_password
from accounts.phones import login_name
from accounts.views.code_step import too_many
from notifications.clock import read_clock

logger = logging.getLogger(__name__)


class StaffLoginForm(AdminAuthenticationForm):
    """Login, password and one-time code together.

    One answer for every mistake: it never shows that a name exists or that a password was right. After too many
    mistakes there is another answer, the same whatever was typed (`is_too_often`); what can't be guessed
    (`accounts.second_factor`) is still accepted.
    """

    otp_token = forms.CharField(
        label=_("One-time code"),
        help_text=_("Six digits from the authenticator app on your phone, or one of your emergency codes."),
        max_length=16,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
    error_messages = {
        "invalid_login": _(
            "The login, the password or the one-time code is wrong. Check all three and take a fresh code. "
            "If you have no code, ask the system administrator."
        ),
        "inactive": AdminAuthenticationForm.error_messages["inactive"],
    }
    is_too_often = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("Login")
        if not settings.STAFF_SECOND_FACTOR:
            del self.fields["otp_token"]

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if self.errors:
            # Something is missing: the fields say so.
            return dict(data)
        assert self.request is not None
        name, token = data["username"], data.get("otp_token", "")
        now = read_clock()
        # Before the password is checked: checking may renew its hash, and with it the mark that devices know.
        known, address = known_device(self.request, login_name(name)), client_address(self.request)
        checked = limits.may_check_password(address=address, device=known, now=now)
        if not checked.ok and not _is_proven(name, token, now=now):
            self._refuse_too_often(checked.retry_at, now=now)
        user = self._employee(name, data["password"])
        device = second_factor.matching_device(user, token, now=now)
        is_right = user is not None and (device is not None or not settings.STAFF_SECOND_FACTOR)
        if user is not None and not is_right:
            logger.warning("A right password with a wrong second factor: employee %s", user.pk)
        if not is_right:
            limits.password_was_wrong(address=address, device=known, now=now)
        counted = limits.sign_in_limits(login_name(name), address=address, device=known)
        answer = limits.judge(counted, right=is_right, now=now)
        if is_right and (answer.ok or second_factor.is_beyond_guessing(token)):
            self._let_in(user, device, token, now=now)
        elif answer.ok:
            _note_failure(name, knew_password=user is not None, address=address, now=now)
            raise self.get_invalid_login_error()
        else:
            self._refuse_too_often(answer.retry_at, now=now)
        return dict(data)

    def _refuse_too_often(self, retry_at: datetime | None, *, now: datetime) -> NoReturn:
        self.is_too_often = True
        raise ValidationError(_too_often(retry_at, now=now), code="too_often")

    def _employee(self, name: str, password: str) -> User | None:
        user = authenticate(self.request, username=name, password=normalise_password(password))
        return user if isinstance(user, User) and user.is_staff else None

    def _let_in(self, user: User | None, device: Device | None, token: str, *, now: datetime) -> None:
        if device is not None:
            if not second_factor.use_up(device, token, now=now):
                raise self.get_invalid_login_error()
            # django-otp binds the session to the device when the user is logged in.
            vars(user)["otp_device"] = device
        if user is not None:
            second_factor.forget_app_to_set_up(user)
        self.user_cache = user


class StaffPasswordChangeForm(AdminPasswordChangeForm):
    """Django's form with the limits that parents have too, which count for the session with the key `session`."""

    def __init__(self, *args: Any, session: str | None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.session = session

    def clean_old_password(self) -> str:
        password: str = self.cleaned_data["old_password"]
        now = read_clock()
        try:
            is_own = services.is_own_password(self.user, password, session=self.session, now=now)
        except services.TooManyTries as refusal:
            raise ValidationError(too_many(refusal.retry_at, now=now), code="too_often") from None
        if not is_own:
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return password

    def validate_password_for_user(self, user: Any, *args: Any, **options: Any) -> None:
        """Why a new one is refused tells what is known of its owner: only to who has typed the present one."""
        if "old_password" in self.cleaned_data:
            super().validate_password_for_user(user, *args, **options)

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if "new_password1" in values and values["new_password1"] == values.get("old_password"):
            self.add_error("new_password1", gettext("This is your present password. Enter another one"))
        return values


class StaffPasswordChangeView(PasswordChangeView):
    """Changes the password as for parents: all other sessions end, it is recorded, and this device stays known."""

    form_class = StaffPasswordChangeForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"session": self.request.session.session_key}

    def form_valid(self, form: Any) -> HttpResponse:
        user: User = form.user
        try:
            services.change_password(
                user,
                password=form.cleaned_data["new_password1"],
                action=Action.PASSWORD_CHANGED,
                address=client_address(self.request),
                now=read_clock(),
            )
        except services.ChangedMeanwhile:
            # That ended this session as well.
            return HttpResponseRedirect(self.request.path)
        update_session_auth_hash(self.request, user)
        response = HttpResponseRedirect(self.get_success_url())
        remember_device(response, self.request, user)
        return response


def _is_proven(name: str, token: str, *, now: datetime) -> bool:
    """Whether `token` can't have been guessed, before any password is checked: this way in is always open."""
    if not second_factor.is_beyond_guessing(token):
        return False
    owner = User.objects.filter(username=name, is_staff=True).first()
    return second_factor.matching_device(owner, token, now=now) is not None


def _note_failure(name: str, *, knew_password: bool, address: str | None, now: datetime) -> None:
    """Record a sign-in that was answered as wrong. It costs the same for every kind of mistake and every name."""
    action = Action.STAFF_CODE_WRONG if knew_password else Action.STAFF_SIGN_IN_FAILED
    employee = User.objects.filter(username=name, is_staff=True).first()
    audit.record(action, now=now, actor=None, subject=employee, address=address)


def _too_often(retry_at: datetime | None, *, now: datetime) -> str:
    way = gettext(
        "To sign in at once, enter two codes of the app one after the other (wait until it shows the next one), or an "
        "emergency code."
    )
    return f"{too_many(retry_at, now=now)}. {way}"
