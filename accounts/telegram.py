"""Linking a chat with our bot to an account: a link that opens the bot, counts once, and is over soon.

Nothing of a link is in the database: until it is used or over, the cache knows whose it is, by a hash.
"""

import logging
import re
import secrets
import time
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.urls import reverse
from django.utils.translation import override
from redis.exceptions import RedisError

from accounts import audit
from accounts.crypto import keyed_hash
from accounts.journal_actions import Action
from accounts.models import User
from accounts.owner_proofs import is_as_it_was, stamp_of
from notifications.alone import alone
from notifications.choosing import bring_in_line
from notifications.services import enqueue
from notifications.sms.http import GatewayError
from notifications.sweeps import renew_connection, sweep
from notifications.telegram import Update, read_updates

logger = logging.getLogger(__name__)

LINK_LASTS: Final = timedelta(minutes=15)
# The bot is asked only while somebody has a link.
_OPEN: Final = "telegram-links"
_START: Final = re.compile(r"/start ([\w-]{20,64})", re.ASCII)
# Strangers can write to the bot, too: so many answers of Telegram are read in one go, and for so long in all.
_MOST_ANSWERS: Final = 50
_SECONDS: Final = 30.0


def is_offered() -> bool:
    return bool(settings.TELEGRAM_TOKEN and settings.TELEGRAM_BOT)


def new_link(user: User) -> str:
    """The address that opens the bot and links the chat to `user`. Raises `RedisError` where it can't be kept.

    It counts once, for a quarter of an hour, while the account's password and number stay.
    """
    secret = secrets.token_urlsafe(24)
    seconds = int(LINK_LASTS.total_seconds())
    cache.set(_key(secret), (str(user.pk), stamp_of(user)), timeout=seconds)
    cache.set(_OPEN, True, timeout=seconds)
    return f"https://t.me/{settings.TELEGRAM_BOT}?start={secret}"


def read_links(*, now: datetime) -> int:
    """Link the chats from which people have opened their links; returns how many. One worker at a time."""
    try:
        if not is_offered() or not cache.get(_OPEN):
            return 0
    except RedisError:
        return 0
    renew_connection()
    with alone("telegram updates") as is_alone:
        return _read_all(now=now) if is_alone else 0


def link(user: User, chat: str, *, address: str | None = None, now: datetime) -> None:
    """Send notices of `user` to this chat, too, in place of another; an empty one ends that. The owner is told."""
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        if locked.telegram == chat:
            return
        locked.telegram = user.telegram = chat
        locked.save(update_fields=["telegram"])
        bring_in_line(locked, now=now)
        action = Action.TELEGRAM_CHANGED if chat else Action.TELEGRAM_REMOVED
        audit.record(action, actor=locked, subject=locked, address=address, now=now)
        with override(settings.LANGUAGE_CODE):
            page = reverse("accounts:ways")
        key = f"telegram-changed:{user.pk}:{now.isoformat()}"
        enqueue(locked, "telegram_changed", context={"is_gone": not chat}, dedupe_key=key, now=now, link=page)


def _read_all(*, now: datetime) -> int:
    after = None
    linked: list[bool] = []
    ends = time.monotonic() + _SECONDS
    for _answer in range(_MOST_ANSWERS):
        if time.monotonic() > ends:
            break
        try:
            updates = read_updates(after)
        except GatewayError as error:
            logger.warning("Telegram did not say who wrote to the bot: %s", error)
            break
        if not updates:
            break
        # The next question tells Telegram to forget these: whoever dies before reads them again.
        sweep(updates, lambda update: linked.append(_take(update, now=now)))
        after = updates[-1].number
    return sum(linked)


def _take(update: Update, *, now: datetime) -> bool:
    started = _START.fullmatch(update.text.strip())
    if started is None:
        return False
    key = _key(started[1])
    known = cache.get(key)
    # Two workers may read the same; one of them deletes it.
    if known is None or not cache.delete(key):
        return False
    pk, stamp = known
    user = User.objects.filter(pk=pk, is_active=True).first()
    if user is None or not is_as_it_was(user, stamp):
        return False
    link(user, update.chat, now=now)
    return True


def _key(secret: str) -> str:
    return f"telegram-link:{keyed_hash('telegram-link', secret)}"
