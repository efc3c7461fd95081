"""What a city is asked before it opens: each question with its answer and, unless all is well, what to do. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from django.utils.functional import Promise
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
    """What is known on the day `today`, with times as they are told. Whatever may be unknown is None then."""

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
    # Where a family that is not content with an answer would wait for ever.
    no_second_answer: Missing
    sms_sent_at: datetime | None
    sms_failed_at: datetime | None
    registry_is_simulated: bool
    registry_answered_at: datetime | None
    keys_fit: bool | None
    # The day of the newest backup, by the word of whoever has restored it: the portal itself knows of none.
    backup_of: date | None = None
    # Of the former queue: lines about which nobody has decided (None: none was loaded), and whether two officials have
    # signed what became of all.
    former_undecided: int | None = None
    is_former_signed: bool = False


@dataclass(frozen=True)
class Finding:
    """A question, what is known about it, and its remedy; `name` stays the same for programs.

    `see` names the commands, settings and documents of the remedy, the same in every language.
    """

    name: str
    question: str
    colour: Colour
    answer: str
    remedy: str = ""
    see: str = ""
    # The page of the workplace where it is done, by its name.
    page: str = ""


def findings(known: Known) -> list[Finding]:
    """Every question in the order in which a city prepares."""
    return [ask(known) for ask in _QUESTIONS]


def verdict(found: list[Finding]) -> Colour:
    """Red if anything is, else unknown if anything is: what nobody knows is not taken for well."""
    colours = {one.colour for one in found}
    return next((one for one in (Colour.RED, Colour.UNKNOWN) if one in colours), Colour.GREEN)


class _Ask:
    """One question, to be answered in one of three ways."""

    def __init__(self, name: str, question: str) -> None:
        self._name, self._question = name, question

    def well(self, answer: str) -> Finding:
        return Finding(self._name, self._question, Colour.GREEN, answer)

    def missing(self, answer: str, remedy: str, see: str = "", *, page: str = "") -> Finding:
        return Finding(self._name, self._question, Colour.RED, answer, remedy, see, page)

    def unknown(self, answer: str, remedy: str, see: str = "") -> Finding:
        return Finding(self._name, self._question, Colour.UNKNOWN, answer, remedy, see)


def _opening(known: Known) -> Finding:
    ask = _Ask("opening", _("Is the day of the opening set?"))
    if not known.is_preview:
        return _opened(ask, known)
    name_it = _("Name the day in this setting, and start the portal anew.")
    if known.opens_on is None:
        return ask.missing(
            _("The portal waits for its opening, and families read no day."), name_it, "OPENS_ON"
        )
    day = {"day": f"{known.opens_on:%d.%m.%Y}"}
    if known.opens_on < known.today:
        return ask.missing(
            _("The day is over, and the portal is not open: %(day)s") % day, name_it, "OPENS_ON"
        )
    return ask.well(_("Families read that it opens on: %(day)s") % day)


def _opened(ask: _Ask, known: Known) -> Finding:
    """The day named rules over campaigns (`applications.preview.rests`) also once the portal is open."""
    if known.opens_on is None or known.opens_on <= known.today:
        return ask.well(_("The portal is open."))
    words = _(
        "The portal is open, but the day named is still ahead, and no family is asked for its interest: %(day)s"
    )
    return ask.missing(
        words % {"day": f"{known.opens_on:%d.%m.%Y}"},
        _("Name the day on which it opened, or let it wait for that day."),
        "OPENS_ON, MODE=preview",
    )


def _demo(known: Known) -> Finding:
    ask = _Ask("demo", _("Is the demo off?"))
    if not known.is_demo:
        return ask.well(_("It is off."))
    return ask.missing(
        _("It is on: its desk shows codes and passwords to everybody."),
        _("Take this setting away, and give the portal a database of its own."),
        "BALABAQSHA_DEMO",
    )


def _settings(known: Known) -> Finding:
    ask = _Ask(
        "settings",
        _("May a real portal run with these settings (addresses, encryption, keys, the second factor)?"),
    )
    if not known.faults:
        return ask.well(_("Nothing is wrong with them."))
    return ask.missing(
        _("Wrong settings: %(number)s") % {"number": len(known.faults)},
        _("This command names each, with its remedy."),
        "manage.py check --deploy",
    )


def _services(known: Known) -> Finding:
    ask = _Ask("services", _("Do the database, Redis and the disk answer?"))
    return _of_health(ask, known, "database", "redis", "files")


def _processes(known: Known) -> Finding:
    ask = _Ask("processes", _("Are the background processes alive, and no job late?"))
    return _of_health(ask, known, "workers", "beat", "sweeps")


def _clocks(known: Known) -> Finding:
    return _of_health(_Ask("clocks", _("Is the time of all machines exact?")), known, "clocks")


def _of_health(ask: _Ask, known: Known, *parts: str) -> Finding:
    """What `/health/` says of these parts; unknown where it could not ask."""
    told = {part: known.health.get(part) for part in parts}
    wrong = [str(_PARTS[part]) for part, word in told.items() if word not in (None, "ok")]
    if wrong:
        return ask.missing(
            _("Not in order: %(parts)s") % {"parts": ", ".join(wrong)},
            _("This command says what is wrong, and this document what to do."),
            "manage.py check_health · docs/operators.md, Health",
        )
    return _not_asked(ask) if None in told.values() else ask.well(_("All is well."))


def _not_asked(ask: _Ask) -> Finding:
    return ask.unknown(_("It could not be asked."), _("See to it that the database answers."))


def _keys(known: Known) -> Finding:
    ask = _Ask("keys", _("Are these the keys with which the stored IINs were encrypted?"))
    if known.keys_fit is None:
        return ask.unknown(_("No IIN is stored yet."), _("Register one person with an IIN."))
    if known.keys_fit:
        return ask.well(_("They open the oldest and the newest one, and find both."))
    return ask.missing(
        _("They do not open a stored IIN, or do not find it."),
        _("Set the keys of these data; after a change of keys, run this command."),
        "IIN_KEYS, IIN_HASH_KEY · manage.py rotate_iin_keys",
    )


def _backup(known: Known) -> Finding:
    ask = _Ask("backup", _("Is there a backup that is not older than a day?"))
    look = _("Look for it where backups are kept, and restore it once on another machine.")
    see = "docs/operators.md, Backups · manage.py ready --restored-backup-of DAY"
    if known.backup_of is None:
        return ask.unknown(_("The portal does not know of backups."), look, see)
    day = {"day": f"{known.backup_of:%d.%m.%Y}"}
    if known.today - known.backup_of > timedelta(days=1):
        return ask.missing(_("The newest one that was restored is of: %(day)s") % day, look, see)
    return ask.well(_("Restored by your own word, it is of: %(day)s") % day)


def _sms(known: Known) -> Finding:
    ask = _Ask("sms", _("Do SMS go out?"))
    if known.health.get("outbox") == "late":
        return ask.missing(
            _("SMS wait too long in the outbox."),
            _("This document says what to do."),
            "docs/operators.md, When SMS fail",
        )
    if known.sms_sent_at is None and known.sms_failed_at is None:
        return ask.unknown(
            _("None has been sent yet."),
            _("Send one by this command, then register with your own phone."),
            _TEST_SMS,
        )
    if known.sms_sent_at is None or (known.sms_failed_at and known.sms_failed_at > known.sms_sent_at):
        return ask.missing(
            _("The last one could not be sent."), _("This command says what the gateway answers."), _TEST_SMS
        )
    time = {"time": _time(known.sms_sent_at)}
    if _is_old(known.sms_sent_at, known):
        return ask.unknown(
            _("The last one is of: %(time)s. Since then nobody knows.") % time,
            _("Send one by this command, then register with your own phone."),
            _TEST_SMS,
        )
    return ask.well(
        _("The gateway took the last one on: %(time)s. Whether it arrived, your own phone says.") % time
    )


def _registry(known: Known) -> Finding:
    ask = _Ask("registry", _("Does the state registry answer?"))
    if known.registry_is_simulated:
        return ask.missing(_("It is a made-up one."), _("Take this setting away."), "PERSON_REGISTRY")
    at = known.registry_answered_at
    answer = _("Its last answer that was kept: %(time)s") % {"time": _time(at)} if at else ""
    if at is None or _is_old(at, known):
        return ask.unknown(
            answer or _("Nobody has been looked up yet."),
            _(
                "This command says how its answers differ from the contract. Then register one person with an IIN."
            ),
            "manage.py try_registry IIN · docs/registry.md",
        )
    return ask.well(answer)


def _calendar(known: Known) -> Finding:
    ask = _Ask("calendar", _("Does the calendar of working days reach far enough?"))
    word = known.health.get("calendar")
    if word is None:
        return _not_asked(ask)
    if word == "ok":
        return ask.well(_("It does."))
    return ask.missing(
        _("None is loaded.") if word == "missing" else _("It ends within 60 days."),
        _("Run this command, then look the calendar through: moved days off are announced late."),
        "manage.py load_holidays",
    )


def _rules(known: Known) -> Finding:
    answer = "; ".join(known.rules)
    if known.places_with_rules:
        answer += ". " + _("Places with rules of their own: %(number)s") % {"number": known.places_with_rules}
    return _Ask("rules", _("Which rules are in force?")).well(answer)


def _localities(known: Known) -> Finding:
    ask = _Ask("localities", _("Does every locality have a kindergarten?"))
    counts = {"localities": known.localities, "kindergartens": known.kindergartens}
    if known.localities and known.kindergartens and not known.localities_without_kindergarten.number:
        return ask.well(_("Localities: %(localities)s, kindergartens: %(kindergartens)s") % counts)
    answer = _("There is no locality, or no kindergarten.")
    if known.kindergartens:
        answer = _("None in: %(places)s") % {"places": known.localities_without_kindergarten}
    return ask.missing(
        answer,
        _("These commands bring localities and kindergartens."),
        "manage.py import_localities FILE · manage.py import_kindergartens FILE",
    )


def _groups(known: Known) -> Finding:
    ask = _Ask("groups", _("Does every kindergarten have groups with a confirmed capacity?"))
    wrong = []
    if not known.kindergartens:
        wrong.append(_("There is no kindergarten."))
    if known.kindergartens_without_group.number:
        wrong.append(_("Without a group: %(places)s") % {"places": known.kindergartens_without_group})
    if known.groups_to_confirm:
        wrong.append(_("Groups that nobody has confirmed: %(number)s") % {"number": known.groups_to_confirm})
    if not wrong:
        return ask.well(_("All have."))
    return ask.missing(
        "; ".join(wrong),
        _(
            "This command brings them, or kindergartens propose them in the workplace and an official confirms."
        ),
        "manage.py import_groups FILE",
    )


def _employees(known: Known) -> Finding:
    ask = _Ask(
        "employees", _("Does somebody with a second factor answer for each kindergarten that offers a place?")
    )
    if not known.kindergartens_with_vacancy:
        return ask.unknown(
            _("No kindergarten has written a vacancy yet."), _("Let kindergartens write their drafts.")
        )
    if known.nobody_answers.number:
        return ask.missing(
            _("Nobody in: %(places)s") % {"places": known.nobody_answers},
            _(
                "Make the accounts in the workplace or by one of these commands, enter where they work, and let each "
                "sign in once with their app."
            ),
            "manage.py import_staff FILE · manage.py create_staff NAME",
        )
    return ask.well(_("Kindergartens with places: %(number)s") % {"number": known.kindergartens_with_vacancy})


def _complaints(known: Known) -> Finding:
    ask = _Ask("complaints", _("Could somebody else answer a complaint once more in each locality?"))
    if not known.localities:
        return ask.unknown(_("There is no locality, or no kindergarten."), _("Bring the localities first."))
    if known.no_second_answer.number:
        return ask.missing(
            _("Fewer than two people with a second factor may answer in: %(places)s")
            % {"places": known.no_second_answer},
            _("Give a second official a place there, or one who works in every locality."),
            "manage.py import_staff FILE · manage.py create_staff NAME",
        )
    return ask.well(_("Everywhere."))


def _former_queue(known: Known) -> Finding:
    ask = _Ask(
        "reconciliation", _("Have two officials signed what became of every line of the former queue?")
    )
    if known.former_undecided is None:
        return ask.unknown(
            _("No former queue was loaded."),
            _("If the city has one, an official loads it in the workplace, or this command does."),
            "manage.py import_queue FILE --by NAME",
        )
    if known.former_undecided:
        return ask.missing(
            _("Lines about which nobody has decided: %(number)s") % {"number": known.former_undecided},
            _("Officials decide about each on the page of the reconciliation, and two of them sign."),
            page="reconciliations",
        )
    if not known.is_former_signed:
        return ask.missing(
            _("Every line is decided about, and the protocol of these decisions is not signed."),
            _("One official signs first on the page of the reconciliation, another one second."),
            page="reconciliations",
        )
    return ask.well(_("They have. Everyone reads the counts on the site."))


def _is_old(at: datetime, known: Known) -> bool:
    """Whether what went well then says nothing of today."""
    return known.today - at.date() > _FRESH


def _time(at: datetime) -> str:
    return f"{at:%d.%m.%Y %H:%M}"


_FRESH: Final = timedelta(days=7)
_TEST_SMS: Final = "manage.py send_test_sms PHONE"
# The parts of `/health/` that are asked about.
_PARTS: Final[Mapping[str, str | Promise]] = {
    "database": gettext_lazy("the database"),
    "redis": "Redis",
    "files": gettext_lazy("the disk for uploads"),
    "workers": gettext_lazy("the processes that do the work"),
    "beat": gettext_lazy("the process that begins it on time"),
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
    _complaints,
    _former_queue,
)
