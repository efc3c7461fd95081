"""A move of a number on the page «Stop» (`accounts.stops`)."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from accounts.models import NumberMove, User
from accounts.numbers import moves
from accounts.numbers.concerned import what_holds
from accounts.numbers.moves import Kind, NotMoved, Proof, Stopped
from accounts.phones import display_phone
from accounts.stops import Advice, Choice, NotStopped

# How long after a stop the page «Stop» says what else to do.
_ADVISED_FOR: Final = timedelta(hours=1)


class MoveOfNumber:
    """What `accounts.stops.Stoppable` asks for."""

    code = "number"

    @property
    def heading(self) -> str:
        return _("Change of your phone number")

    @property
    def what(self) -> str:
        return _("The change of your account's phone number, if you did not ask for it")

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
        ]

    def choices(self, user: User, *, now: datetime) -> list[Choice]:
        move = moves.live_move_of(user)
        if move is None:
            return []
        means = (
            _("An official decides whose number it is.")
            if move.kind == Kind.RECYCLING
            else _advice(move, is_signed_in=True).said
        )
        title = capfirst(move.get_kind_display())
        return [
            Choice(
                str(move.pk),
                title,
                rows(move, is_held=bool(held(user))),
                _state(move, now=now),
                consequences=[means],
            )
        ]

    def advice(self, user: User, *, is_signed_in: bool, now: datetime) -> Advice | None:
        return after_stop(user, is_signed_in=is_signed_in, now=now)

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


def after_stop(user: User, *, is_signed_in: bool, now: datetime) -> Advice | None:
    """What else `user` does for an hour after they have stopped a move of their number; None if they have not."""
    last = NumberMove.objects.filter(account=user, stopped_because=Stopped.BY_OWNER).first()
    if last is None or last.stopped_at is None or now >= last.stopped_at + _ADVISED_FOR:
        return None
    return _advice(last, is_signed_in=is_signed_in)


def held(account: User) -> str:
    """What holds the moves of `account`, in a sentence for its owner; empty if nothing does."""
    hold = what_holds(account)
    return str(hold.to_owner) if hold else ""


def under_way(account: User) -> dict[str, Any]:
    """What `accounts/parts/number_move.html` shows of a move of `account`, where its owner begins."""
    move = moves.live_move_of(account)
    return {"number_move": move, "number_move_held": held(account)} if move is not None else {}


def advice(move: NumberMove) -> Advice:
    """What the signed-in owner of `move` does besides stopping it: that follows from its proof."""
    return _advice(move, is_signed_in=True)


def how_asked(move: NumberMove) -> str:
    """How `move` was asked for and by whom, for its owner."""
    return {
        Proof.BOTH_NUMBERS: _("Signed in, with the password and codes to both numbers"),
        Proof.NEW_NUMBER: _("Signed in, with the password and a code to the new number"),
        Proof.SECOND_PHONE: _("Without signing in, with a code to your second phone"),
        Proof.EMAIL: _("Without signing in, with a code to your e-mail address"),
        Proof.DOCUMENT: _("By an employee of the contact centre, who was shown a document"),
        Proof.CLAIM: _("Without signing in, with a code to this number and another IIN"),
    }[NumberMove.Proof(move.proof)]


def rows(move: NumberMove, *, is_held: bool) -> list[dict[str, Any]]:
    """What its owner reads about `move`; the new number ends only, since others may read the page.

    While something holds it, no day is promised: it is not made before `due_at`, and not before it is free.
    """
    shown: list[dict[str, Any]] = [{"label": _("Asked for at"), "at": move.asked_at}]
    shown.append({"label": _("How it was asked for"), "value": how_asked(move)})
    if move.new_phone:
        shown.append({"label": _("New number ends with"), "value": display_phone(move.new_phone)[-5:]})
    if move.due_at is not None and is_held:
        if move.due_at > move.asked_at:
            shown.append({"label": _("Not before"), "at": move.due_at})
    elif move.due_at is not None:
        shown.append({"label": _("The number changes at"), "at": move.due_at})
    return shown


def _state(move: NumberMove, *, now: datetime) -> str:
    if move.due_at is None and move.kind == Kind.RECYCLING:
        return _("The number stays for now. An official decides whose number it is")
    return ""


def _advice(move: NumberMove, *, is_signed_in: bool) -> Advice:
    if move.proof == Proof.SECOND_PHONE:
        return Advice(
            _(
                "If it was not you, change or remove the second phone: somebody reads its SMS and can ask for the "
                "change again."
            ),
            [(reverse("accounts:second_phone"), _("Change the second phone"))],
        )
    if move.proof == Proof.EMAIL:
        said = _(
            "If it was not you, change or remove the e-mail address: somebody reads its e-mails and can ask for the "
            "change again."
        )
        links = [(reverse("accounts:email"), _("Change the e-mail address"))] if settings.SENDS_MAIL else []
        return Advice(said, links)
    if move.proof == Proof.DOCUMENT:
        said = _("If it was not you, call the contact centre: somebody has shown a document in your name.")
        return Advice(said, [(reverse("contacts"), _("Contacts"))])
    where = (
        (reverse("accounts:password"), _("Change password"))
        if is_signed_in
        else (reverse("accounts:reset"), _("Set a new password"))
    )
    return Advice(_("If it was not you, set a new password: somebody knows yours."), [where])
