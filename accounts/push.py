"""Which devices of an account show its notices on their screens: turned on there, and off from anywhere.

A device is its browser. It has one subscription, whoever uses it: another account that turns it on takes it over.
"""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import override

from accounts import audit, browsers
from accounts.crypto import keyed_hash
from accounts.devices import device_hash
from accounts.journal_actions import Action
from accounts.models import User
from notifications.choosing import bring_in_line
from notifications.models import PushMessage, PushSubscription
from notifications.push_encryption import public_key
from notifications.services import enqueue
from notifications.troubles import Trouble
from notifications.web_push import MOST_DEVICES

# As far as a browser says what it is, which may be long.
_LONGEST_AGENT = 400


def is_offered() -> bool:
    return bool(settings.PUSH_PRIVATE_KEY)


def key_for_browsers() -> str:
    """The portal's public key, for which a browser makes an address."""
    return public_key(settings.PUSH_PRIVATE_KEY)


def devices_of(user: User) -> list[PushSubscription]:
    """The devices that show notices now, or did until their browser gave the address up; the newest first."""
    showing = {one.pk for one in user.push_devices}
    rows = user.push_subscriptions.filter(Q(pk__in=showing) | Q(gone_at__isnull=False))
    return list(rows.order_by("-created_at", "-id"))


def is_lost(user: User) -> bool:
    """Whether `user` has no device because the last notice found none."""
    if user.has_push_device:
        return False
    last = PushMessage.objects.filter(recipient=user).order_by("-created_at").first()
    return last is not None and last.error == Trouble.NO_DEVICE


def turn_on(request: HttpRequest, user: User, *, endpoint: str, keys: str, now: datetime) -> None:
    """Show notices of `user` on the device of `request`, too. The owner is told; the oldest of too many gives way.

    `endpoint` and `keys` are sound (`accounts.forms.PushForm`).
    """
    here, address = device_hash(request), audit.client_address(request)
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        hashed = keyed_hash("push-endpoint", endpoint)
        of_this_browser = Q(endpoint_hash=hashed) | (Q(recipient=locked, device_hash=here) if here else Q())
        PushSubscription.objects.filter(of_this_browser).delete()
        kept = locked.push_subscriptions.order_by("-created_at", "-id").values_list("pk", flat=True)
        locked.push_subscriptions.exclude(pk__in=list(kept[: MOST_DEVICES - 1])).delete()
        PushSubscription.objects.create(
            recipient=locked,
            endpoint=endpoint,
            keys=keys,
            endpoint_hash=hashed,
            device=browsers.name_of(request.headers.get("User-Agent", "")[:_LONGEST_AGENT]),
            device_hash=here,
            stamp=locked.get_session_auth_hash(),
            created_at=now,
        )
        bring_in_line(locked, now=now)
        audit.record(Action.PUSH_TURNED_ON, actor=locked, subject=locked, address=address, now=now)
        with override(settings.LANGUAGE_CODE):
            page = reverse("accounts:push")
        key = f"push:{user.pk}:{now.isoformat()}"
        enqueue(locked, "push_turned_on", context={}, dedupe_key=key, now=now, link=page)


def turn_off(user: User, pk: UUID, *, address: str | None, now: datetime) -> bool:
    """Show nothing on this device any more; False if it is none of `user`'s."""
    return _end(user, Q(pk=pk), address=address, now=now)


def end_on(user: User, device: str, *, address: str | None, now: datetime) -> bool:
    """The same for the device with this `device_hash`: `user` was signed out there."""
    return bool(device) and _end(user, Q(device_hash=device), address=address, now=now)


def end_all(user: User, *, but: str, address: str | None, now: datetime) -> bool:
    """The same for all devices, but the one with the `device_hash` `but`."""
    return _end(user, ~Q(device_hash=but) if but else Q(), address=address, now=now)


def _end(user: User, meant: Q, *, address: str | None, now: datetime) -> bool:
    if not user.push_subscriptions.filter(meant).exists():
        return False
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        ended, _per_model = locked.push_subscriptions.filter(meant).delete()
        if ended:
            # What waits has nowhere to go, if that was the last.
            bring_in_line(locked, now=now)
            audit.record(Action.PUSH_TURNED_OFF, actor=locked, subject=locked, address=address, now=now)
    return ended > 0
