"""What somebody typed into a form whose session had ended: kept until they sign in again, and for nobody else.

It lies encrypted in the browser's new session, for an hour. Passwords, codes and files are not kept. It belongs to the
account that signed in last in this browser: a form that passed the CSRF check was shown since then, since each sign-in
changes the token.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from cryptography.fernet import InvalidToken
from django import forms
from django.http import HttpRequest, QueryDict
from django.urls import ResolverMatch, resolve
from django.utils.translation import gettext as _

from accounts.devices import account_key, latest_account
from accounts.models import User
from notifications.cipher import decrypt, encrypt
from notifications.clock import estimate_clock
from notifications.pressing import page_of_form

KEPT_FOR: Final = timedelta(hours=1)
# Characters: more than any form of ours takes. What is longer is not kept.
MOST: Final = 20_000
_KEY: Final = "typed"
_NOT_KEPT: Final = frozenset({"csrfmiddlewaretoken", "code", "proof"})
_TYPED_ANEW: Final = frozenset({"repeated", "otp_token"})

AnyForm = TypeVar("AnyForm", bound=forms.BaseForm)


@dataclass(frozen=True)
class Typed:
    """A form that was not sent: for which account, on which page, and what it held. `until` is ISO 8601.

    `page` is an address, `view` says which page it is in any language.
    """

    account: str
    page: str
    view: str
    fields: Mapping[str, list[str]]
    had_files: bool
    had_secrets: bool
    until: str

    @property
    def told(self) -> str:
        """What the sender reads above the form once they have signed in."""
        sentences = [
            _("You are signed in again. Nothing was sent before: check the form and press the button.")
        ]
        if self.had_files:
            sentences.append(_("Choose the files anew."))
        if self.had_secrets:
            sentences.append(_("Enter the passwords anew."))
        return " ".join(sentences)


def is_typed_anew(name: str) -> bool:
    """Whether the field `name` holds a password or a one-time code, which are never sent back."""
    return name in _TYPED_ANEW or "password" in name


def page_of(request: HttpRequest) -> str:
    """The address of the page on which the form of `request` stands."""
    return page_of_form(request.resolver_match) or request.get_full_path()


def keep(request: HttpRequest) -> bool:
    """Keep the form that `request` sent, in its session; returns whether it will come back.

    It will not if nobody is known to have signed in in this browser, or if it is longer than any form of ours.
    """
    account, fields = latest_account(request), _fields(request.POST)
    if not account or sum(len(name) + sum(map(len, values)) for name, values in fields.items()) > MOST:
        return False
    page = page_of(request)
    typed = Typed(
        account=account,
        page=page,
        view=_view(resolve(page.partition("?")[0])),
        fields=fields,
        had_files=bool(request.FILES),
        had_secrets=any(map(is_typed_anew, request.POST)),
        until=(estimate_clock() + KEPT_FOR).isoformat(),
    )
    request.session[_KEY] = encrypt(json.dumps(asdict(typed), ensure_ascii=False))
    return True


def kept_for(request: HttpRequest, user: User) -> Typed | None:
    """The form that `user` sent when the session had ended; what belongs to somebody else is forgotten."""
    typed = _load(request)
    if typed is not None and typed.account != account_key(user):
        forget(request)
        return None
    return typed


def refilled(request: HttpRequest, form: AnyForm) -> AnyForm:
    """`form`, filled in as its sender had left it if the session ended on it. Sending it forgets what was kept.

    Whoever confirmed something by a required tick does so again.
    """
    if request.method == "POST":
        forget(request)
        return form
    typed = _load(request) if not form.is_bound else None
    if typed is None or not isinstance(request.user, User) or typed.account != account_key(request.user):
        return form
    if request.resolver_match is None or _view(request.resolver_match) != typed.view:
        return form
    data = QueryDict(mutable=True)
    for name, values in typed.fields.items():
        data.setlist(name, values)
    for name, field in form.fields.items():
        sent_as, is_confirmation = (
            form.add_prefix(name),
            isinstance(field, forms.BooleanField) and field.required,
        )
        if not is_confirmation and not field.widget.value_omitted_from_data(data, {}, sent_as):
            form.initial[name] = field.widget.value_from_datadict(data, {}, sent_as)
    return form


def forget(request: HttpRequest) -> None:
    if _KEY in request.session:
        del request.session[_KEY]


def _view(match: ResolverMatch) -> str:
    return f"{match.view_name} {match.kwargs}"


def _fields(sent: QueryDict) -> dict[str, list[str]]:
    return {
        name: [str(value) for value in values]
        for name, values in sent.lists()
        if name not in _NOT_KEPT and not is_typed_anew(name)
    }


def _load(request: HttpRequest) -> Typed | None:
    token = request.session.get(_KEY)
    if not token:
        return None
    try:
        typed = Typed(**json.loads(decrypt(token)))
    except (InvalidToken, TypeError):
        # The keys have changed, or it was kept by another version of the portal.
        return None
    if estimate_clock() < datetime.fromisoformat(typed.until):
        return typed
    forget(request)
    return None
