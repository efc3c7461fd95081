"""What a kindergarten tells families of itself, and what it does not tell yet."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bulletin.models import Kindergarten, KindergartenProfile, Photo, ProfileValues


@dataclass(frozen=True)
class Completeness:
    """How much of what parents ask is told; `missing` names the rest."""

    told: int
    asked: int
    missing: Sequence[str | Promise]


def profile_of(kindergarten: Kindergarten) -> KindergartenProfile:
    """Its confirmed page, an empty one if nothing was confirmed yet; not stored by this."""
    try:
        return kindergarten.profile
    except KindergartenProfile.DoesNotExist:
        return KindergartenProfile(kindergarten=kindergarten)


def completeness(kindergarten: Kindergarten, page: ProfileValues) -> Completeness:
    """What `page` and the kindergarten itself tell, and whether a photo is published; one statement."""
    answers: list[tuple[str | Promise, bool]] = [
        (_("photos"), kindergarten.photos.filter(state=Photo.State.PUBLISHED).exists()),
        (_("about the kindergarten"), bool(page.about_kk)),
        (_("hours"), page.day_begins is not None),
        (_("food"), bool(page.food_kk)),
        (_("fee"), page.fee is not None),
        (_("licence"), bool(page.licence)),
        (_("accessibility"), bool(page.access_kk)),
        (_("special groups"), bool(page.special_kk)),
        (_("head"), bool(kindergarten.head)),
        (_("phone"), bool(kindergarten.phone)),
    ]
    missing = [label for label, is_told in answers if not is_told]
    return Completeness(told=len(answers) - len(missing), asked=len(answers), missing=missing)
