"""Registration in four steps: phone and consent, code, password, the parent's own data."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import wraps
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts import limits, services
from accounts.audit import client_address
from accounts.devices import remember_device
from accounts.forms import CodeForm, FirstPasswordForm, IdentityForm, RegistrationForm
from accounts.identity import Identity, proof_of_document
from accounts.masks import mask_name, mask_phone
from accounts.models import NumberMove, SmsCode, User
from accounts.numbers import claims, moves
from accounts.numbers.moves import Claimant, Fault, NotMoved
from accounts.phones import display_phone
from accounts.progress import (
    CLAIM,
    Registration,
    Step,
    forget,
    instant,
    keep_registration,
    registration_of,
)
from accounts.registry import Person, PhoneTie, RegistryUnavailable
from accounts.views import code_step
from accounts.visits import enter
from accounts.way_back import page_of_ours
from notifications.clock import read_clock

# The next step of everybody who registers; the profile is in the menu beside it.
AFTER_REGISTRATION = "children:add"
REGISTER = SmsCode.Purpose.REGISTER

StepView = Callable[[HttpRequest, Registration, datetime], HttpResponse]


def _step(*steps: Step) -> Callable[[StepView], Callable[[HttpRequest], HttpResponse]]:
    """A page that opens only while one of `steps` is the next; otherwise it leads to the one that is.

    A number that was proven an hour ago has to be proven again.

    Never cached, so that the back button asks the server again.
    """

    def decorate(view: StepView) -> Callable[[HttpRequest], HttpResponse]:
        @never_cache
        @sensitive_post_parameters()
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def guarded(request: HttpRequest) -> HttpResponse:
            if request.user.is_authenticated:
                return redirect(_wanted(request) or settings.LOGIN_REDIRECT_URL)
            registration = registration_of(request.session)
            if "confirm" in request.POST and not registration.phone:
                # The second click of a double click, with the session that the first one replaced by signing in.
                messages.info(request, _("If you have just registered, sign in"))
                return redirect(settings.LOGIN_URL)
            now = read_clock()
            if registration.is_outdated(now=now):
                registration = registration.unproven()
                keep_registration(request.session, registration)
                messages.warning(
                    request,
                    _("An hour has passed since the code. Ask for a new one; what you have entered is kept"),
                )
            if registration.next_step not in steps:
                return _go_on(registration)
            return view(request, registration, now)

        return guarded

    return decorate


@_step(*Step)
def phone(request: HttpRequest, registration: Registration, now: datetime) -> HttpResponse:
    """Step 1. Opened again later, it starts over with another number."""
    initial = {"phone": display_phone(registration.phone)}
    target = _wanted(request) or registration.target
    form = RegistrationForm(request.POST if request.method == "POST" else None, initial=initial)
    status = 200
    if form.is_valid():
        number = form.cleaned_data["phone"]
        same = number == registration.phone
        if same and (registration.verified_at or code_step.is_fresh(registration.sent_at, now=now)):
            keep_registration(request.session, replace(registration, target=target))
            return _go_on(registration)
        try:
            code_step.send(request, phone=number, purpose=REGISTER, now=now)
        except code_step.NO_CODE as refusal:
            form.add_error("phone", code_step.why_no_code(refusal, now=now))
            status = 429
        else:
            started = Registration(
                phone=number,
                policy_version=settings.DATA_POLICY_VERSION,
                consented_at=now.isoformat(),
                sent_at=now.isoformat(),
                target=target,
            )
            keep_registration(request.session, started)
            return _go_on(started)
    return render(request, "accounts/register_phone.html", {"form": form, "next": target}, status=status)


@_step(Step.CODE)
def code(request: HttpRequest, registration: Registration, now: datetime) -> HttpResponse:
    """The code of step 1."""
    number = registration.phone
    if "resend" in request.POST:
        if code_step.resend(request, phone=number, purpose=REGISTER, now=now):
            keep_registration(request.session, replace(registration, sent_at=now.isoformat()))
        return redirect("accounts:register_code")
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and code_step.check(request, form, phone=number, purpose=REGISTER, now=now):
        verified = replace(registration, verified_at=now.isoformat())
        keep_registration(request.session, verified)
        return _go_on(verified)
    context = code_step.page(form, phone=number, sent_at=registration.sent_at, now=now)
    return render(request, "accounts/register_code.html", context)


@_step(Step.PASSWORD, Step.ACCOUNT)
def password(request: HttpRequest, registration: Registration, now: datetime) -> HttpResponse:
    """Step 2. Opened again from step 3, it replaces the password."""
    # There is no account yet, but its number is known: it makes a bad password.
    owner = User(phone=registration.phone)
    form = FirstPasswordForm(request.POST if request.method == "POST" else None, user=owner)
    if form.is_valid():
        hashed = make_password(form.cleaned_data["password"])
        changed = replace(registration, password_hash=hashed)
        keep_registration(request.session, changed)
        return _go_on(changed)
    context = {"form": form, "phone": display_phone(registration.phone)}
    return render(request, "accounts/register_password.html", context)


@_step(Step.ACCOUNT)
def account(request: HttpRequest, registration: Registration, now: datetime) -> HttpResponse:
    """Step 3: find the person, show them, and create the account when they confirm."""
    person = registration.person
    if "other" in request.POST:
        keep_registration(request.session, registration.without_person())
        return redirect("accounts:register_account")
    if "confirm" in request.POST and person is not None:
        return _create(request, registration, person, now=now)
    asked = request.method == "POST" and "identity" in request.POST
    form = IdentityForm(request.POST if asked else None)
    if form.is_valid():
        try:
            found = _find(request, form, registration, now=now)
        except _IsRegistered:
            return _to_sign_in(request, registration, str(NotMoved(Fault.REGISTERED)))
        if found is not None:
            keep_registration(request.session, registration.with_person(*found))
            return redirect("accounts:register_account")
    elif person is not None and not asked:
        return _confirm(request, person, tie=PhoneTie(registration.phone_tie))
    return render(request, "accounts/register_account.html", {"form": form})


def _wanted(request: HttpRequest) -> str:
    """The page of ours that the visitor wanted to go to before they were asked to register, or nothing."""
    return page_of_ours(request, request.POST.get("next") or request.GET.get("next") or "")


def _go_on(registration: Registration) -> HttpResponse:
    return redirect(f"accounts:{registration.next_step}")


class _IsRegistered(Exception):
    """The visitor holds the phone of an account, and knows its IIN: it is their own."""


def _find(
    request: HttpRequest, form: IdentityForm, registration: Registration, *, now: datetime
) -> tuple[Person, PhoneTie] | None:
    """The person whom the form names, if they may register; otherwise the form says why not.

    It says the same about an unknown IIN as about one with an account, so that nobody learns who is registered. Only
    whoever has proven the phone of that very account is told so: raises `_IsRegistered`.
    """
    identity: Identity = form.cleaned_data["identity"]
    address = client_address(request)
    allowed = limits.allow_lookup(registration.phone, address=address, now=now)
    if not allowed.ok:
        form.add_error("identity", code_step.too_many(allowed.retry_at, now=now))
        return None
    try:
        return services.find_registrant(identity, phone=registration.phone)
    except services.NotRegistrable as refusal:
        if _is_owner(registration.phone, identity, now=now):
            limits.lookup_was_harmless(registration.phone, now=now)
            raise _IsRegistered from None
        limits.lookup_failed(registration.phone, address=address, now=now)
        if isinstance(refusal, services.OwnerShutOut):
            services.note_shut_out(identity, address=address, now=now)
            form.add_error("identity", _shut_out())
        elif isinstance(refusal, services.WithoutNumber):
            form.add_error("identity", _without_number())
        else:
            form.add_error("identity", _not_registrable())
        return None
    except RegistryUnavailable:
        limits.lookup_was_harmless(registration.phone, now=now)
        form.add_error(
            None,
            _(
                "The person registry does not answer now. Nothing is lost: your phone and password are kept, "
                "and you can go on from this page later"
            ),
        )
        return None


def _is_owner(phone: str, identity: Identity, *, now: datetime) -> bool:
    """Whether the account of `phone` is that of `identity`; after five wrong ones in a day nobody is told."""
    proof = identity.iin or proof_of_document(identity.document_number)
    try:
        return services.is_owner(phone, proof, now=now)
    except services.TooManyTries:
        return False


def _create(
    request: HttpRequest, registration: Registration, person: Person, *, now: datetime
) -> HttpResponse:
    # The number may have become free, or somebody's, since the code.
    moves.settle(registration.phone, now=now)
    try:
        user = services.register(
            phone=registration.phone,
            password_hash=registration.password_hash,
            person=person,
            phone_tie=PhoneTie(registration.phone_tie),
            consent=services.Consent(registration.policy_version, instant(registration.consented_at)),
            language=get_language() or "kk",
            address=client_address(request),
            now=now,
        )
    except services.IdentityTaken:
        keep_registration(request.session, registration.without_person())
        messages.error(request, _not_registrable())
        return redirect("accounts:register_account")
    except services.PhoneTaken:
        return _claim(request, registration, person, now=now)
    forget(request.session)
    enter(request, user, now=now)
    messages.success(request, _("You are registered. Now add your child and file an application"))
    response = redirect(registration.target or AFTER_REGISTRATION)
    remember_device(response, request, user)
    return response


def _claim(
    request: HttpRequest, registration: Registration, person: Person, *, now: datetime
) -> HttpResponse:
    """The number belongs to an account: of whoever had it before, or the visitor's own."""
    claimant = Claimant(
        person.full_name,
        Identity(person.iin, "" if person.iin else person.document_number),
        PhoneTie(registration.phone_tie),
    )
    try:
        move = claims.claim(registration.phone, claimant, address=client_address(request), now=now)
    except NotMoved as refused:
        if refused.fault is Fault.REGISTERED:
            return _to_sign_in(request, registration, str(refused))
        keep_registration(request.session, registration.without_person())
        messages.warning(request, f"{refused}. {code_step.who_helps()}")
        return redirect("accounts:register_account")
    if move is None:
        # It became free at this moment: the next press registers.
        return redirect("accounts:register_account")
    forget(request.session)
    request.session[CLAIM] = move.pk
    return redirect("accounts:register_claimed")


def _to_sign_in(request: HttpRequest, registration: Registration, said: str) -> HttpResponse:
    forget(request.session)
    unused = _("The password that you have just made up does not count: the former one does")
    messages.info(request, f"{said}. {unused}")
    way_back = f"?{urlencode({'next': registration.target})}" if registration.target else ""
    return redirect(f"{reverse('accounts:login')}{way_back}")


@never_cache
@require_safe
def claimed(request: HttpRequest) -> HttpResponse:
    """What became of the claim that this browser made: nothing about whose the number was."""
    move = NumberMove.objects.filter(pk=request.session.get(CLAIM, 0)).first()
    if move is None:
        return redirect("accounts:register")
    context = {
        "said": claims.told(move),
        "is_free": claims.is_free(move),
        "masked_phone": mask_phone(move.old_phone),
    }
    return render(request, "accounts/register_claimed.html", context)


def _confirm(request: HttpRequest, person: Person, *, tie: PhoneTie) -> HttpResponse:
    """Who it is, for confirmation; by initials unless the phone is known as theirs (docs/adr/0010-whose-phone.md)."""
    rows = _rows(person) if tie.shows_whole else _masked_rows(person)
    context = {"rows": rows, "is_masked": not tie.shows_whole, "is_unknown": tie is PhoneTie.UNKNOWN}
    return render(request, "accounts/register_confirm.html", context)


def _masked_rows(person: Person) -> list[dict[str, object]]:
    return [
        {"label": _("Full name"), "value": mask_name(person.last_name, person.first_name)},
        {"label": _("Birth year"), "value": str(person.birth_date.year)},
    ]


def _rows(person: Person) -> list[dict[str, object]]:
    return [
        {"label": _("First name"), "value": person.first_name},
        {"label": _("Last name"), "value": person.last_name},
        {"label": _("Patronymic"), "value": person.middle_name or "—"},
        {"label": _("Date of birth"), "at": person.birth_date, "show": "date"},
    ]


def _shut_out() -> str:
    return _(
        "Somebody has registered with your number already, from a phone that is not known as yours. Call the contact "
        "centre, %(phone)s, or come to the education department with your identity card and the birth certificates of "
        "your children. Your attempt is written down: the department sees it"
    ) % {"phone": settings.CONTACT_PHONES[0]}


def _without_number() -> str:
    return _(
        "You are registered already, and your account has no phone number. If you have a login number and a password, "
        "sign in and add this phone in your profile; otherwise call the contact centre: %(phone)s"
    ) % {"phone": settings.CONTACT_PHONES[0]}


def _not_registrable() -> str:
    return _(
        "No data was found, or this number can't be used to register. Check the number. If you have registered "
        "before with another phone, move that account: “I have lost my number” below. Otherwise call the contact centre"
    )
