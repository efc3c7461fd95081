"""What a waiting family can change in its application: the languages of education, the locality."""

from collections.abc import Collection
from datetime import datetime

from accounts.models import User
from applications.journal_actions import Action
from applications.models import Alert, Application, Event
from applications.moves import Refused, announce, lock_application, locking, move
from applications.queue.position import position
from applications.refusals import Refusal
from applications.rules.in_force import rules_at
from applications.states import Move
from applications.waiting.moving import keeps_date
from bulletin.models import Language, Locality


def change_languages(
    application: Application, *, languages: Collection[str], actor: User, now: datetime
) -> Application:
    """Look for places in other languages. The date and the number stay: the queue does not depend on the language.

    Counts as a confirmation of interest. The other guardians get an SMS. The same languages again change nothing.
    Raises `ValueError` for unknown languages, `Refused` (NOT_ALLOWED unless the application is waiting, DISPUTED,
    UNPROVEN).
    """
    known = [code for code in Language.values if code in languages]
    if not known or len(known) != len(set(languages)):
        raise ValueError("unknown languages of education")
    with locking():
        application = lock_application(application.pk)
        if application.languages == known:
            return application
        before = list(application.languages)
        event = move(
            application,
            Move.CHANGE_LANGUAGES,
            actor=actor,
            now=now,
            data={"from": before, "to": known},
            languages=known,
            interest_confirmed_at=now,
        )
        _announce(event, Action.LANGUAGES_CHANGED, others="languages_by_other")
    return application


def change_locality(
    application: Application, *, locality: Locality, keeps: bool, actor: User, now: datetime
) -> Application:
    """Bring an application into the queue of another locality.

    The date of filing is kept if the rules of `locality` say so (`Rules.moving_keeps_date`); otherwise it becomes
    `now`. `keeps` is what the family was told before it confirmed. Windows already published stay as they are: the
    family is inside one exactly if its date of filing reaches the cut-off. It counts as a confirmation of interest, so
    that nobody lapses in a campaign that only the new neighbours were told about. The other guardians get an SMS. A
    second press changes nothing.
    Raises `Refused` (TOLD_OTHERWISE if the rule is not what the family was told, AGE, NOT_ALLOWED).
    """
    with locking():
        application = lock_application(application.pk)
        if application.locality_id == locality.pk:
            return application
        if keeps_date(locality, now=now) != keeps:
            raise Refused(Refusal.TOLD_OTHERWISE)
        _check_age(application, locality, now=now)
        event = move(
            application,
            Move.CHANGE_LOCALITY,
            actor=actor,
            now=now,
            data={"from": application.locality.slug, "to": locality.slug, "date_kept": keeps},
            locality=locality,
            filed_at=application.filed_at if keeps else now,
            interest_confirmed_at=now,
        )
        # Where a guardian was in the former locality says nothing of this one.
        Alert.objects.filter(application=application).exclude(point="").update(within_km=None, point="")
        _announce(event, Action.LOCALITY_CHANGED, others="moved_by_other")
    return application


def _check_age(application: Application, locality: Locality, *, now: datetime) -> None:
    if not rules_at(locality, now).admits(application.birth_year, on=locality.day(now)):
        raise Refused(Refusal.AGE)


def _announce(event: Event, action: Action, *, others: str = "") -> None:
    place = position(event.application, now=event.at)
    number = place.number if place else None
    announce(event, "application_changed", action, others=others, number=number)
