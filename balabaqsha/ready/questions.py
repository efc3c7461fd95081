"""What a city is asked before it opens: each question with its answer and, unless all is well, what to do. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class Colour(StrEnum):
    GREEN = "green"
    RED = "red"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Missing:
    """Where something is missing: how many there are, and the first names."""

    number: int
    names: Sequence[str]

    def __str__(self) -> str:
        return f"{self.number} ({', '.join(self.names)}{'…' if self.number > len(self.names) else ''})"


@dataclass(frozen=True)
class Known:
    """What is known on the day `today`. Whatever may be unknown is None then."""

    today: date
    is_preview: bool
    opens_on: date | None
    is_demo: bool
    # What `check --deploy` says.
    faults: Sequence[str]
    # The words of `/health/`.
    health: Mapping[str, Any]
    rules: Sequence[str]
    places_with_rules: int
    localities: int
    localities_without_kindergarten: Missing
    kindergartens: int
    kindergartens_without_group: Missing
    groups_to_confirm: int
    kindergartens_with_vacancy: int
    nobody_answers: Missing
    sms_sent_at: datetime | None
    sms_failed_at: datetime | None
    registry_is_simulated: bool
    registry_answered_at: datetime | None
    keys_fit: bool | None
    backup_at: datetime | None = None


@dataclass(frozen=True)
class Finding:
    """A question, what is known about it, and its remedy; `name` stays the same for programs."""

    name: str
    question: str
    colour: Colour
    answer: str
    remedy: str = ""


def findings(known: Known) -> list[Finding]:
    """Every question in the order in which a city prepares."""
    return [ask(known) for ask in _QUESTIONS]


def is_ready(found: list[Finding]) -> bool:
    """Whether everything is green: what nobody knows is not taken for well."""
    return all(one.colour is Colour.GREEN for one in found)


def _opening(known: Known) -> Finding:
    def said(colour: Colour, answer: str, remedy: str = "") -> Finding:
        return Finding("opening", _("Is the day of the opening set?"), colour, answer, remedy)

    if not known.is_preview:
        return said(Colour.GREEN, _("The portal is open."))
    name_it = _("Set OPENS_ON to the day, and start the portal anew; at the opening take MODE away.")
    if known.opens_on is None:
        return said(Colour.RED, _("The portal waits for its opening, and families read no day."), name_it)
    day = {"day": f"{known.opens_on:%d.%m.%Y}"}
    if known.opens_on < known.today:
        return said(Colour.RED, _("The day is over, and the portal is not open: %(day)s") % day, name_it)
    return said(Colour.GREEN, _("Families read that it opens on: %(day)s") % day)


def _settings(known: Known) -> Finding:
    question = _("May a real portal run with these settings (hosts, HTTPS, keys, the second factor)?")
    if not known.faults:
        return Finding("settings", question, Colour.GREEN, _("Nothing is wrong with them."))
    answer = _("Wrong settings: %(number)s") % {"number": len(known.faults)}
    return Finding(
        "settings", question, Colour.RED, answer, _("manage.py check --deploy names each, with its remedy.")
    )


def _demo(known: Known) -> Finding:
    question = _("Is the demo off?")
    if not known.is_demo:
        return Finding("demo", question, Colour.GREEN, _("It is off."))
    answer = _("It is on: its desk shows codes and passwords to everybody.")
    return Finding(
        "demo", question, Colour.RED, answer, _("Unset BALABAQSHA_DEMO, with a database of its own.")
    )


def _services(known: Known) -> Finding:
    return _of_health(
        known,
        "services",
        _("Do the database, Redis and the disk answer?"),
        parts=("database", "redis", "files"),
    )


def _processes(known: Known) -> Finding:
    return _of_health(
        known,
        "processes",
        _("Are the worker, the deliveries and the beat alive, and no job late?"),
        parts=("workers", "beat", "sweeps"),
    )


def _clocks(known: Known) -> Finding:
    return _of_health(known, "clocks", _("Is the time of all machines exact?"), parts=("clocks",))


def _of_health(known: Known, name: str, question: str, *, parts: tuple[str, ...]) -> Finding:
    """What `/health/` says of these parts; unknown where it could not ask."""
    told = {part: known.health.get(part) for part in parts}
    wrong = [_PARTS[part] for part, word in told.items() if word not in (None, "ok")]
    if wrong:
        answer = _("Not in order: %(parts)s") % {"parts": ", ".join(str(part) for part in wrong)}
        remedy = _("manage.py check_health says what is wrong, docs/operators.md (“Health”) what to do.")
        return Finding(name, question, Colour.RED, answer, remedy)
    if None in told.values():
        remedy = _("See to it that the database answers.")
        return Finding(name, question, Colour.UNKNOWN, _("It could not be asked."), remedy)
    return Finding(name, question, Colour.GREEN, _("All is well."))


def _keys(known: Known) -> Finding:
    question = _("Are these the keys with which the stored IINs were encrypted?")
    if known.keys_fit is None:
        answer, remedy = _("No IIN is stored yet."), _("Register one person with an IIN.")
        return Finding("keys", question, Colour.UNKNOWN, answer, remedy)
    if known.keys_fit:
        answer = _("They open the oldest and the newest one, and find both.")
        return Finding("keys", question, Colour.GREEN, answer)
    answer = _("They do not open a stored IIN, or do not find it.")
    remedy = _(
        "Set IIN_KEYS and IIN_HASH_KEY to those of the data, or, after a change of keys, run rotate_iin_keys."
    )
    return Finding("keys", question, Colour.RED, answer, remedy)


def _backup(known: Known) -> Finding:
    question = _("Is there a backup that is not older than a day?")
    answer = _("The portal does not know of backups.")
    remedy = _("Look for it where backups are kept, and restore it once on another machine.")
    return Finding("backup", question, Colour.UNKNOWN, answer, remedy)


def _calendar(known: Known) -> Finding:
    question = _("Does the calendar of working days reach far enough?")
    word = known.health.get("calendar")
    if word is None:
        return Finding(
            "calendar",
            question,
            Colour.UNKNOWN,
            _("It could not be asked."),
            _("See to it that the database answers."),
        )
    if word == "ok":
        return Finding("calendar", question, Colour.GREEN, _("It does."))
    answer = _("None is loaded.") if word == "missing" else _("It ends within 60 days.")
    return Finding(
        "calendar",
        question,
        Colour.RED,
        answer,
        _("manage.py load_holidays, then look it through: moved days off are announced late."),
    )


def _rules(known: Known) -> Finding:
    answer = "; ".join(known.rules)
    if known.places_with_rules:
        answer += ". " + _("Places with rules of their own: %(number)s") % {"number": known.places_with_rules}
    return Finding("rules", _("Which rules are in force?"), Colour.GREEN, answer)


def _localities(known: Known) -> Finding:
    question = _("Does every locality have a kindergarten?")
    remedy = _("An administrator adds localities; manage.py import_kindergartens brings the kindergartens.")
    if not known.localities or not known.kindergartens:
        return Finding(
            "localities", question, Colour.RED, _("There is no locality, or no kindergarten."), remedy
        )
    if known.localities_without_kindergarten.number:
        answer = _("None in: %(places)s") % {"places": known.localities_without_kindergarten}
        return Finding("localities", question, Colour.RED, answer, remedy)
    answer = _("Localities: %(localities)s, kindergartens: %(kindergartens)s")
    counts = {"localities": known.localities, "kindergartens": known.kindergartens}
    return Finding("localities", question, Colour.GREEN, answer % counts)


def _groups(known: Known) -> Finding:
    question = _("Does every kindergarten have groups with a confirmed capacity?")
    wrong = []
    if not known.kindergartens:
        wrong.append(_("There is no kindergarten."))
    if known.kindergartens_without_group.number:
        wrong.append(_("Without a group: %(places)s") % {"places": known.kindergartens_without_group})
    if known.groups_to_confirm:
        wrong.append(_("Groups that nobody has confirmed: %(number)s") % {"number": known.groups_to_confirm})
    if not wrong:
        return Finding("groups", question, Colour.GREEN, _("All have."))
    remedy = _("Kindergartens propose their groups in the workplace; an official confirms them.")
    return Finding("groups", question, Colour.RED, " ".join(wrong), remedy)


def _employees(known: Known) -> Finding:
    question = _("Does somebody with a second factor answer for each kindergarten that offers a place?")
    if not known.kindergartens_with_vacancy:
        answer, remedy = (
            _("No kindergarten has written a vacancy yet."),
            _("Let kindergartens write their drafts."),
        )
        return Finding("employees", question, Colour.UNKNOWN, answer, remedy)
    if known.nobody_answers.number:
        answer = _("Nobody in: %(places)s") % {"places": known.nobody_answers}
        remedy = _(
            "Make the account (create_staff, or in the workplace), enter where they work, and let them sign in once "
            "with their app."
        )
        return Finding("employees", question, Colour.RED, answer, remedy)
    answer = _("Kindergartens with places: %(number)s") % {"number": known.kindergartens_with_vacancy}
    return Finding("employees", question, Colour.GREEN, answer)


def _sms(known: Known) -> Finding:
    question = _("Do SMS go out?")
    if known.health.get("outbox") == "late":
        answer, remedy = _("SMS wait too long in the outbox."), _("docs/operators.md, “When SMS fail”.")
        return Finding("sms", question, Colour.RED, answer, remedy)
    if known.sms_sent_at is None and known.sms_failed_at is None:
        answer = _("None has been sent yet.")
        remedy = _("manage.py send_test_sms PHONE, then register with your own phone.")
        return Finding("sms", question, Colour.UNKNOWN, answer, remedy)
    if known.sms_sent_at is None or (known.sms_failed_at and known.sms_failed_at > known.sms_sent_at):
        answer = _("The last one could not be sent.")
        remedy = _("manage.py send_test_sms PHONE says what the gateway answers.")
        return Finding("sms", question, Colour.RED, answer, remedy)
    answer = _("The gateway took the last one on: %(time)s. Whether it arrived, your own phone says.")
    return Finding("sms", question, Colour.GREEN, answer % {"time": _time(known.sms_sent_at)})


def _registry(known: Known) -> Finding:
    question = _("Does the state registry answer?")
    remedy = _("manage.py try_registry IIN says how its answers differ from docs/registry.md.")
    if known.registry_is_simulated:
        return Finding(
            "registry", question, Colour.RED, _("It is a made-up one."), _("Unset PERSON_REGISTRY.")
        )
    if known.registry_answered_at is None:
        return Finding("registry", question, Colour.UNKNOWN, _("Nobody has been looked up yet."), remedy)
    answer = _("Its last answer that was kept: %(time)s") % {"time": _time(known.registry_answered_at)}
    return Finding("registry", question, Colour.GREEN, answer)


def _time(at: datetime) -> str:
    return f"{localtime(at):%d.%m.%Y %H:%M}"


# The parts of `/health/` that are asked about.
_PARTS: Final = {
    "database": gettext_lazy("the database"),
    "redis": "Redis",
    "files": gettext_lazy("the disk for uploads"),
    "workers": gettext_lazy("the worker or the deliveries"),
    "beat": gettext_lazy("the beat"),
    "sweeps": gettext_lazy("jobs that are late"),
    "clocks": gettext_lazy("clocks that differ"),
}
_QUESTIONS: Final[tuple[Callable[[Known], Finding], ...]] = (
    _opening,
    _demo,
    _settings,
    _services,
    _processes,
    _clocks,
    _keys,
    _backup,
    _sms,
    _registry,
    _calendar,
    _rules,
    _localities,
    _groups,
    _employees,
)
