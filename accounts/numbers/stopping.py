"""A move of a number on the page «Stop» (`accounts.stops`)."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import NumberMove, User
from accounts.numbers import moves
from accounts.numbers.moves import Kind, NotMoved
from accounts.phones import display_phone
from accounts.stops import Choice, NotStopped


class MoveOfNumber:
    """What `accounts.stops.Stoppable` asks for."""

    code = "number"

    @property
    def heading(self) -> str:
        return _("Change of your phone number")

    @property
    def nothing(self) -> str:
        return _("Nobody has asked to change the phone number of your account.")

    @property
    def claim(self) -> str:
        return _("Stop the change of number")

    @property
    def consequences(self) -> list[str]:
        return [
            _("The account keeps its phone number. Nothing else changes in it."),
            _("If it was not you who asked for the change, set a new password afterwards."),
            _("If the change was asked for with another IIN, an official decides whose number it is."),
        ]

    def choices(self, user: User, *, now: datetime) -> list[Choice]:
        move = moves.live_move_of(user)
        return (
            [Choice(str(move.pk), move.get_kind_display(), rows(move), _state(move, now=now))] if move else []
        )

    def stop(self, user: User, key: str, *, address: str | None, now: datetime) -> str:
        move = moves.live_move_of(user)
        if move is None or str(move.pk) != key:
            raise NotStopped(str(NotMoved(moves.Fault.OVER)))
        try:
            moves.stop(move, by=user, address=address, now=now)
        except NotMoved as refused:
            raise NotStopped(str(refused)) from None
        return stopped(move)


def stopped(move: NumberMove) -> str:
    """What stopping `move` has done."""
    if move.kind == Kind.RECYCLING:
        return _("The number stays for now. An official decides whose number it is")
    return _("Stopped. The number of the account does not change")


def rows(move: NumberMove) -> list[dict[str, Any]]:
    """What its owner reads about `move`; the new number ends only, since others may read the page."""
    shown: list[dict[str, Any]] = [{"label": _("Asked for at"), "at": move.asked_at}]
    if move.new_phone:
        shown.append({"label": _("New number ends with"), "value": display_phone(move.new_phone)[-5:]})
    if move.due_at is not None:
        shown.append({"label": _("The number changes at"), "at": move.due_at})
    return shown


def _state(move: NumberMove, *, now: datetime) -> str:
    if move.due_at is None and move.kind == Kind.RECYCLING:
        return _("The number stays for now. An official decides whose number it is")
    return ""
