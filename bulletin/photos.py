"""Photos of kindergartens: sent by the kindergarten, shown to everybody once an official published them."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from accounts.uploads import check_shown_photo
from bulletin.journal_actions import Action
from bulletin.models import Kindergarten, Photo
from bulletin.seen import mark_of
from bulletin.workers import tell_workers

if TYPE_CHECKING:
    from django.core.files.base import File

# The permission of those who send photos of their kindergarten, and of those who decide what is published.
SEND: Final = "bulletin.add_photo"
MODERATE: Final = "bulletin.change_photo"
# Published ones and those that wait; one is taken down before the next is sent.
MOST_PHOTOS: Final = 12
# A thumbnail is shown this wide, and a strip is no picture of a place.
LEAST_SIDE: Final = 320
MOST_RATIO: Final = 4
_COUNTED: Final = (Photo.State.PENDING, Photo.State.PUBLISHED)


def send_photo(
    kindergarten: Kindergarten,
    *,
    file: "File[bytes]",
    caption_kk: str,
    caption_ru: str,
    children: Photo.Children,
    actor: User,
    now: datetime,
) -> Photo:
    """Keep a photo, redrawn in two sizes without what the camera noted; an official decides about it.

    `children` is what the sender answers for.
    Raises `PermissionDenied`, and `ValidationError` like `accounts.uploads.check_shown_photo`, for a small photo or a
    strip, or where a kindergarten has `MOST_PHOTOS`. Takes as long as an upload may, outside of a transaction. Locks
    the kindergarten.
    """
    if not actor.has_perm(SEND):
        raise PermissionDenied
    _demand_room(kindergarten)
    large, small = check_shown_photo(file, sender=actor)
    width, height = large.copy.size
    _demand_shape(width, height)
    with transaction.atomic():
        Kindergarten.objects.select_for_update(no_key=True).get(pk=kindergarten.pk)
        _demand_room(kindergarten)
        photo = Photo(
            kindergarten=kindergarten,
            image=large.file,
            thumbnail=small.file,
            width=width,
            height=height,
            caption_kk=caption_kk,
            caption_ru=caption_ru,
            children=children,
            sent_at=now,
            sent_by=actor,
        )
        photo.save(force_insert=True)
        _record(Action.PHOTO_SENT, photo, actor=actor, now=now)
    return photo


@transaction.atomic
def moderate_photo(
    photo: Photo, *, actor: User, publish: bool, reason: str = "", seen: str | None = None, now: datetime
) -> None:
    """Publish a photo, or keep it from the public with a reason that the kindergarten reads.

    Who works there is told. A decision may be changed later, but what its kindergarten took down stays so. Raises
    `PermissionDenied`, ValueError for a refusal without a reason, and `ValidationError` if it is no longer as it was
    `seen`. Locks the photo's row.
    """
    if not actor.has_perm(MODERATE):
        raise PermissionDenied
    if not publish and not reason.strip():
        raise ValueError("A refusal needs a reason.")
    locked = _lock(photo, seen=seen)
    locked.state = Photo.State.PUBLISHED if publish else Photo.State.REJECTED
    locked.decision_reason = "" if publish else reason.strip()
    _decide(locked, actor=actor, now=now)
    _record(
        Action.PHOTO_PUBLISHED if publish else Action.PHOTO_REFUSED,
        locked,
        actor=actor,
        reason=locked.decision_reason,
        now=now,
    )
    tell_workers(
        locked.kindergarten,
        "staff_photo_published" if publish else "staff_photo_declined",
        permission=SEND,
        context={"photo": locked, "reason": locked.decision_reason},
        dedupe_key=f"{locked.pk}:{now.isoformat()}",
        link=reverse("admin:bulletin_photo_change", args=[locked.pk]),
        actor=actor,
        now=now,
    )


@transaction.atomic
def take_down_photo(
    photo: Photo, *, actor: User, reason: str, seen: str | None = None, now: datetime
) -> None:
    """Keep a photo from the public for good, by the kindergarten's own wish: a family may have taken back its consent.

    Who did it and why stays with the photo. The caller has asked whether `actor` may. Raises `ValidationError` if it is
    no longer as it was `seen`. Locks the photo's row.
    """
    locked = _lock(photo, seen=seen)
    locked.state = Photo.State.TAKEN_DOWN
    locked.decision_reason = reason.strip()
    _decide(locked, actor=actor, now=now)
    _record(Action.PHOTO_TAKEN_DOWN, locked, actor=actor, reason=locked.decision_reason, now=now)


def _decide(photo: Photo, *, actor: User, now: datetime) -> None:
    photo.decided_at, photo.decided_by = now, actor
    photo.save(update_fields=["state", "decision_reason", "decided_at", "decided_by"])


def _lock(photo: Photo, *, seen: str | None) -> Photo:
    locked = (
        Photo.objects.select_for_update(of=("self",), no_key=True)
        .select_related("kindergarten__locality")
        .get(pk=photo.pk)
    )
    if locked.state == Photo.State.TAKEN_DOWN or (seen is not None and seen != mark_of(locked)):
        raise ValidationError(_("A colleague was quicker: look at the photo once more."))
    return locked


def _demand_shape(width: int, height: int) -> None:
    shorter, longer = sorted((width, height))
    if longer > MOST_RATIO * shorter:
        raise ValidationError(
            _(
                "The photo is a strip: one side is more than %(most)s times as long as the other. Choose another."
            )
            % {"most": MOST_RATIO}
        )
    if shorter < LEAST_SIDE:
        raise ValidationError(
            _(
                "The photo is too small: %(width)s × %(height)s pixels. Each side has %(least)s at least. "
                "Choose another."
            )
            % {"width": width, "height": height, "least": LEAST_SIDE}
        )


def _demand_room(kindergarten: Kindergarten) -> None:
    if kindergarten.photos.filter(state__in=_COUNTED).count() >= MOST_PHOTOS:
        raise ValidationError(
            _("The most photos of a kindergarten: %(most)s. Take one down first.") % {"most": MOST_PHOTOS}
        )


def _record(action: Action, photo: Photo, *, actor: User, reason: str = "", now: datetime) -> None:
    target = photo.kindergarten.name_kk
    audit.record(action, actor=actor, target=target, reason=reason, about=photo, now=now)
