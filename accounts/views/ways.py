"""How notices reach a parent: the ways they have, a test of each, and what they choose."""

from typing import Final, cast

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from redis.exceptions import RedisError

from accounts import contacts, notice_ways, push
from accounts import telegram as telegram_links
from accounts.audit import client_address
from accounts.decorators import parent_required
from accounts.forms import TopicsForm
from accounts.models import User
from accounts.phones import display_phone
from accounts.typed import refilled
from accounts.views.code_step import too_many
from notifications.clock import read_clock
from notifications.pressing import pressed_on
from notifications.ways import Way

_PAGE_OF: Final = {
    Way.TELEGRAM: "accounts:telegram",
    Way.PUSH: "accounts:push",
    Way.SMS: "accounts:number",
    Way.EMAIL: "accounts:email",
    Way.SECOND_PHONE: "accounts:second_phone",
}


@never_cache
@require_safe
@parent_required
def ways(request: HttpRequest) -> HttpResponse:
    """Each way: where it leads, whether that is proven, and when something last went out by it."""
    user = cast(User, request.user)
    last, there = notice_ways.last_success(user), notice_ways.open_ways(user)
    rows = [
        {
            "way": way,
            "leads_to": shown,
            "is_open": way in there,
            "hint": hint,
            "note": _second_phone_note(user) if way is Way.SECOND_PHONE else "",
            "last": last[way],
            "url": reverse(_PAGE_OF[way]),
        }
        for way, shown, hint in _told(user)
    ]
    return render(request, "accounts/ways.html", {"rows": rows})


@pressed_on("accounts:ways")
@parent_required
def send_test(request: HttpRequest) -> HttpResponse:
    """Send a test message by the way `way`, some times a day."""
    user, now = cast(User, request.user), read_clock()
    asked = request.POST.get("way", "")
    allowed = notice_ways.send_test(user, Way(asked), now=now) if asked in Way.values else None
    if allowed is None:
        messages.warning(request, _("There is nothing to send it to. Look at the ways below"))
    elif allowed.ok:
        text = _("A test message is on its way: %(way)s. It comes within a minute or two")
        messages.success(request, text % {"way": Way(asked).label})
    else:
        messages.warning(request, too_many(allowed.retry_at, now=now))
    return redirect("accounts:ways")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def topics(request: HttpRequest) -> HttpResponse:
    """What goes by which way, and the quiet hours."""
    user = cast(User, request.user)
    choices = notice_ways.choices_of(user)
    form = refilled(request, _topics_form(request, user, choices))
    if form.is_valid():
        notice_ways.choose(
            user,
            form.chosen,
            quiet=form.quiet,
            second_phone_if_lost=form.cleaned_data.get("second_phone_if_lost", user.second_phone_if_lost),
            address=client_address(request),
            now=read_clock(),
        )
        messages.success(request, _("Your choice is saved"))
        return redirect("accounts:ways")
    fixed = [choice for choice in choices if not choice.offered and choice.always]
    return render(request, "accounts/topics.html", {"form": form, "fixed": fixed})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@parent_required
def telegram(request: HttpRequest) -> HttpResponse:
    """Link a chat with the bot: a POST gives a link, which counts once and for a quarter of an hour."""
    if not telegram_links.is_offered():
        raise Http404
    user = cast(User, request.user)
    link = ""
    if request.method == "POST":
        try:
            link = telegram_links.new_link(user)
        except RedisError:
            messages.warning(request, _("The service is busy. Try again in a few minutes"))
            return redirect("accounts:telegram")
    context = {
        "link": link,
        "is_linked": bool(user.telegram),
        "is_blocked": notice_ways.is_bot_blocked(user),
        "minutes": int(telegram_links.LINK_LASTS.total_seconds()) // 60,
    }
    return render(request, "accounts/telegram.html", context)


@pressed_on("accounts:ways")
@parent_required
def telegram_off(request: HttpRequest) -> HttpResponse:
    """Unlink the chat."""
    user = cast(User, request.user)
    telegram_links.link(user, "", address=client_address(request), now=read_clock())
    messages.success(request, _("Nothing goes to Telegram any more"))
    return redirect("accounts:ways")


def _telegram_hint(user: User) -> str:
    return (
        _("The bot is blocked, or the chat is gone. Link it again")
        if notice_ways.is_bot_blocked(user)
        else ""
    )


def _push_hint(user: User) -> str:
    return _("The browser takes no more notices. Turn them on again") if push.is_lost(user) else ""


def _second_phone_note(user: User) -> str:
    """What it takes that notices go to the second phone; empty once they can."""
    if user.proven_second_phone:
        return ""
    if user.profile.second_phone:
        return _(
            "We only call this number: no code has proven it, or you no longer let it give your account back. Notices "
            "can go to a mobile number of Kazakhstan for which both hold."
        )
    return _(
        "Notices can go there once a code has proven it: enter a mobile number of Kazakhstan, and tick that it may "
        "give your account back. So choose somebody whom you would trust with the account."
    )


def _topics_form(request: HttpRequest, user: User, choices: list[notice_ways.Choice]) -> TopicsForm:
    return TopicsForm(
        request.POST if request.method == "POST" else None,
        choices=choices,
        has_second_phone=bool(user.proven_second_phone),
        initial={
            "second_phone_if_lost": user.second_phone_if_lost,
            "quiet_from": user.quiet_from,
            "quiet_to": user.quiet_to,
        },
    )


def _told(user: User) -> list[tuple[Way, str, str]]:
    """The ways that the portal offers, where each leads, and whether that is proven."""
    own = user.profile
    proven = _("proven by a code")
    offered: list[tuple[Way, str, str]] = [
        (Way.SMS, display_phone(user.phone), proven if user.phone else ""),
        (Way.SECOND_PHONE, display_phone(own.second_phone), contacts.how_proven(user)),
    ]
    if telegram_links.is_offered():
        offered.append(
            (Way.TELEGRAM, _("linked") if user.telegram else _("not linked"), _telegram_hint(user))
        )
    if push.is_offered():
        names = ", ".join(one.device or _("Unknown device") for one in user.push_devices)
        offered.append((Way.PUSH, names or _("no device yet"), _push_hint(user)))
    if settings.SENDS_MAIL:
        offered.append((Way.EMAIL, user.email or "", proven if user.email else ""))
    return offered
