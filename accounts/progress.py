"""How far a visitor has come in the registration, the password reset, «Stop» or a change of number, step by step.

All is kept in the session. What the registry said is encrypted there, and only the hash of the password is kept. A step
can be opened only when everything before it is done, whatever address is typed; no other order of the pages is
enforced.
"""

import json
import secrets
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self

from django.contrib.sessions.backends.base import SessionBase

from accounts.identity import Identity
from accounts.models import User
from accounts.owner_proofs import OwnerProof
from accounts.registry import Person, PhoneTie
from notifications import cipher

CODE_SESSION: Final = "code_session"
CODES_ASKED: Final = "codes_asked"
# As many codes as one phone gets in a day.
MOST_CODES: Final = 8
REGISTRATION: Final = "registration"
RESET: Final = "password_reset"
# How long after the code was entered a new password can be set, or things stopped.
VERIFIED_FOR: Final = timedelta(minutes=10)
# How long after the code was entered the registration may use the number: all of it is typed in a few minutes.
REGISTERED_WITHIN: Final = timedelta(hours=1)
STOP: Final = "stop"
CONTACT: Final = "contact"
NEW_NUMBER: Final = "new_number"
LOST: Final = "lost_number"
PAPER: Final = "paper"
COMPLAINING: Final = "complaining"
# The claim on a recycled number that this browser has made.
CLAIM: Final = "claim"


class Step(StrEnum):
    """The pages of the registration, by their names in `accounts.urls`."""

    PHONE = "register"
    CODE = "register_code"
    PASSWORD = "register_password"  # noqa: S105  the name of a page
    ACCOUNT = "register_account"


@dataclass(frozen=True)
class Registration:
    """What a visitor has done so far; every change makes a new value. Instants are ISO 8601, since JSON has none."""

    phone: str = ""
    policy_version: str = ""
    consented_at: str = ""
    sent_at: str = ""
    verified_at: str = ""
    password_hash: str = ""
    person_token: str = ""
    phone_tie: str = PhoneTie.UNASKED.value
    # Where the visitor wanted to go: a path on this site, or nothing.
    target: str = ""

    @property
    def next_step(self) -> Step:
        """The first step that is not done yet; ACCOUNT is the last."""
        if not self.phone:
            return Step.PHONE
        if not self.verified_at:
            return Step.CODE
        if not self.password_hash:
            return Step.PASSWORD
        return Step.ACCOUNT

    def is_outdated(self, *, now: datetime) -> bool:
        """Whether the number was proven an hour ago or longer: it may be somebody else's by now."""
        return bool(self.verified_at) and now >= instant(self.verified_at) + REGISTERED_WITHIN

    def unproven(self) -> "Registration":
        """The same, once the number has to be proven again."""
        return replace(self, verified_at="")

    @property
    def person(self) -> Person | None:
        """The person that the registry found for the last IIN or document number."""
        if not self.person_token:
            return None
        values = json.loads(cipher.decrypt(self.person_token))
        return Person(**values | {"birth_date": date.fromisoformat(values["birth_date"])})

    def with_person(self, person: Person, tie: PhoneTie) -> "Registration":
        values = asdict(person) | {"birth_date": person.birth_date.isoformat()}
        return replace(self, person_token=cipher.encrypt(json.dumps(values)), phone_tie=tie.value)

    def without_person(self) -> "Registration":
        return replace(self, person_token="", phone_tie=PhoneTie.UNASKED.value)


@dataclass(frozen=True)
class Proving(OwnerProof):
    """The same for whatever proves something by a code to `phone`. Whose account it is about, says `OwnerProof`."""

    phone: str = ""
    sent_at: str = ""
    verified_at: str = ""

    def is_verified(self, *, now: datetime) -> bool:
        """Whether the proof was given, less than ten minutes ago."""
        return bool(self.verified_at) and now < instant(self.verified_at) + VERIFIED_FOR

    def proven_by(self, owner: User, *, now: datetime) -> Self:
        """The same, once the visitor has proven to be `owner`."""
        return replace(self.about(owner), verified_at=now.isoformat())


@dataclass(frozen=True)
class Reset(Proving):
    """The same for a forgotten password."""


@dataclass(frozen=True)
class Stop(Proving):
    """The same for «Stop», where the code alone is the proof."""


@dataclass(frozen=True)
class Complaining(Proving):
    """The same for a visitor who complains, or reads the answer: the code proves the number alone."""

    def is_verified(self, *, now: datetime) -> bool:
        """Whether the code was entered less than an hour ago: a complaint takes longer to write than a password."""
        return bool(self.verified_at) and now < instant(self.verified_at) + REGISTERED_WITHIN


@dataclass(frozen=True)
class NewContact:
    """A second phone (`way` is "phone") or an e-mail address ("email") that its code will prove."""

    way: str = ""
    value: str = ""
    mails_notices: bool = False
    sent_at: str = ""


@dataclass(frozen=True)
class NewNumber(Proving):
    """The same for a change of number: `phone` is the new one, and the account was proven by its password.

    The former number has a code of its own. The password is kept as `accounts.numbers.moves.Renewed` holds it.
    """

    former_sent_at: str = ""
    password: str = ""


@dataclass(frozen=True)
class Lost(Proving):
    """The same for a lost number: `phone` is the new one. `identity` is encrypted, `way` as in `accounts.contacts`.

    Nothing here is proven of an account: its code names the account as it was (`accounts.numbers.recovery`).
    """

    identity: str = ""
    way: str = ""
    asked_at: str = ""

    @property
    def claimed(self) -> Identity:
        """Who says that the account is theirs."""
        return Identity(**json.loads(cipher.decrypt(self.identity)))

    def asked_for(self, owner: Identity, way: str, *, now: datetime) -> "Lost":
        """The same, once a code was asked for by `way`."""
        token = cipher.encrypt(json.dumps(asdict(owner)))
        return replace(self, identity=token, way=way, asked_at=now.isoformat())


@dataclass(frozen=True)
class OnPaper(Proving):
    """The same for the paper of an assisted registration: which it is (`accounts.first_sign_in.mark_of`)."""

    mark: str = ""


def session_secret(session: SessionBase) -> str:
    """Ties a code to this session: random, and new at every call until `keep_session_secret` stores it."""
    return str(session.get(CODE_SESSION) or secrets.token_urlsafe(32))


def keep_session_secret(session: SessionBase, secret: str) -> None:
    """Make `secret` the session's own until the session ends."""
    if session.get(CODE_SESSION) != secret:
        session[CODE_SESSION] = secret


def note_code(session: SessionBase, *, purpose: str, phone: str, network: str, now: datetime) -> None:
    """Remember which network a code was asked for from: it may be entered in another one."""
    noted = [*session.get(CODES_ASKED, []), [purpose, phone, network, now.isoformat()]]
    session[CODES_ASKED] = noted[-MOST_CODES:]


def take_codes(session: SessionBase, *, purpose: str, phone: str) -> list[tuple[str, datetime]]:
    """Forget the codes noted for `purpose` and `phone`, and return the network and the instant of each."""
    noted = session.get(CODES_ASKED, [])
    mine = [one for one in noted if one[:2] == [purpose, phone]]
    session[CODES_ASKED] = [one for one in noted if one not in mine]
    return [(network, instant(asked_at)) for _purpose, _phone, network, asked_at in mine]


def registration_of(session: SessionBase) -> Registration:
    """The registration that is under way in `session`, or an empty one."""
    return Registration(**_values(session, REGISTRATION, Registration))


def keep_registration(session: SessionBase, registration: Registration) -> None:
    session[REGISTRATION] = asdict(registration)


def reset_of(session: SessionBase) -> Reset:
    """The password reset that is under way in `session`, or an empty one."""
    return Reset(**_values(session, RESET, Reset))


def keep_reset(session: SessionBase, reset: Reset) -> None:
    session[RESET] = asdict(reset)


def stop_of(session: SessionBase) -> Stop:
    """The «Stop» that is under way in `session`, or an empty one."""
    return Stop(**_values(session, STOP, Stop))


def keep_stop(session: SessionBase, stop: Stop) -> None:
    session[STOP] = asdict(stop)


def lost_of(session: SessionBase) -> Lost:
    """The lost number that is under way in `session`, or an empty one."""
    return Lost(**_values(session, LOST, Lost))


def keep_lost(session: SessionBase, lost: Lost) -> None:
    session[LOST] = asdict(lost)


def paper_of(session: SessionBase) -> OnPaper:
    """The paper that was entered in `session`, or an empty one."""
    return OnPaper(**_values(session, PAPER, OnPaper))


def keep_paper(session: SessionBase, paper: OnPaper) -> None:
    session[PAPER] = asdict(paper)


def complaining_of(session: SessionBase) -> Complaining:
    """The phone by which a visitor complains in `session`, or an empty one."""
    return Complaining(**_values(session, COMPLAINING, Complaining))


def keep_complaining(session: SessionBase, complaining: Complaining) -> None:
    session[COMPLAINING] = asdict(complaining)


def new_contact_of(session: SessionBase) -> NewContact:
    """The contact that waits for its code in `session`, or an empty one."""
    token = session.get(CONTACT)
    return NewContact(**json.loads(cipher.decrypt(token))) if token else NewContact()


def keep_new_contact(session: SessionBase, contact: NewContact) -> None:
    session[CONTACT] = cipher.encrypt(json.dumps(asdict(contact)))


def forget_new_contact(session: SessionBase) -> None:
    session.pop(CONTACT, None)


def new_number_of(session: SessionBase) -> NewNumber:
    """The change of number that is under way in `session`, or an empty one."""
    return NewNumber(**_values(session, NEW_NUMBER, NewNumber))


def keep_new_number(session: SessionBase, number: NewNumber) -> None:
    session[NEW_NUMBER] = asdict(number)


def forget(session: SessionBase) -> None:
    """Forget whatever is under way in `session`."""
    for key in (
        REGISTRATION,
        RESET,
        STOP,
        CONTACT,
        NEW_NUMBER,
        LOST,
        PAPER,
        COMPLAINING,
        CODE_SESSION,
        CODES_ASKED,
    ):
        session.pop(key, None)


def instant(text: str) -> datetime:
    """The aware instant that `isoformat` wrote."""
    return datetime.fromisoformat(text)


def _values(session: SessionBase, key: str, kind: type) -> dict[str, Any]:
    """What the session keeps for `kind`; one from another version of the portal may hold fields unknown to this one."""
    kept: dict[str, Any] = session.get(key, {})
    known = {field.name for field in fields(kind)}
    return {name: value for name, value in kept.items() if name in known}
