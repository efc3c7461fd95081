"""Employees by file, each known by their login: accounts that wait for their one-time link, and where they work."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.models import Group as AuthGroup
from django.db import transaction
from django.db.models import Model, TextChoices
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import staff_links, staff_names
from accounts.granting import may_manage, roles_to_give
from accounts.models import Employee, StaffLink, User
from accounts.officials import DECIDE_ABOUT_FAMILIES
from accounts.roles import Role
from accounts.services import StaffIinTaken, enter_staff_iin
from bulletin.importing.columns import Choice, Column, Day, Email, Iin, Phone, Row, Several, Takes, Text
from bulletin.importing.kept_rows import TakingBack
from bulletin.importing.kinds import Kind, LeftOut, Loader, Outcome, Run, store
from bulletin.importing.places import Kindergartens, Localities
from bulletin.importing.problems import Problem, Wrong
from bulletin.models import Employment, ImportedRow, Kindergarten, Locality

_PERSON: Final = ("last_name", "first_name", "middle_name", "position", "work_phone", "email")


class _Language(TextChoices):
    KAZAKH = "kk", "Қазақша"
    RUSSIAN = "ru", "Русский"


@dataclass(frozen=True)
class Called(Takes):
    """What a person is called, or with `is_work` what they do."""

    longest: int
    is_work: bool = False
    words = _("letters, with spaces and hyphens between them")

    def read(self, text: str) -> str:
        Text(self.longest).read(text)
        if not (staff_names.is_position(text) if self.is_work else staff_names.is_name(text)):
            raise Wrong(Problem.NOT_NAME)
        return text


@dataclass(frozen=True)
class Login(Takes):
    """The name with which an employee signs in."""

    words = _("Latin letters, digits and . _ @ -; it begins with a letter")

    def read(self, text: str) -> str:
        if staff_names.why_not(text):
            raise Wrong(Problem.NOT_LOGIN)
        return text


class _Loader(Loader):
    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.localities = Localities(run)
        self.kindergartens = Kindergartens(run)
        given = AuthGroup.objects.filter(name__in=Role.values) if run.by is None else roles_to_give(run.by)
        self.roles = {group.name: group for group in given}
        self.today = timezone.localdate(run.now)

    def prepare(self, rows: Sequence[Row]) -> None:
        self.kindergartens.prepare(rows, "kindergarten")

    def take_row(self, row: Row) -> Outcome:
        self.demand_once(row, "login", row.values["login"].lower())
        user = User.objects.filter(username__iexact=row.values["login"]).first()
        places = list(self._places(row))
        self._demand_roles(row)
        if user is None or _is_withdrawn(user):
            # What a refused row has written already goes.
            with transaction.atomic():
                return self._invite(row, user, places)
        return self._change(row, user, places)

    def label(self, row: Row) -> str:
        return f"{row.cells['last_name']} {row.cells['first_name']} ({row.cells['login']})"

    def _places(self, row: Row) -> Iterator[Kindergarten | Locality]:
        names = row.values.get("localities") or []
        if row.values.get("kindergarten"):
            if names:
                raise LeftOut(row.fault("localities", Problem.TWO_PLACES))
            yield self.kindergartens.of(row, "kindergarten")
        for name in names:
            found = self.localities.named(name, row, "localities")
            self.run.places.add(found.pk)
            yield found

    def _demand_roles(self, row: Row) -> None:
        if not set(row.values["roles"]) <= set(self.roles):
            raise LeftOut(row.fault("roles", Problem.NOT_TO_GIVE))

    def _demand_manageable(self, row: Row, user: User | None) -> None:
        if user is not None and self.run.by is not None and not may_manage(self.run.by, user):
            raise LeftOut(row.fault("login", Problem.NOT_TO_GIVE))

    def _invite(self, row: Row, user: User | None, places: Sequence[Kindergarten | Locality]) -> Outcome:
        """A new account with its link; one that an undone batch left is used again."""
        values, run = row.values, self.run
        self._demand_manageable(row, user)
        iin = values.get("iin", "")
        if {*values["roles"]} & {role.value for role in DECIDE_ABOUT_FAMILIES} and not iin:
            raise LeftOut(row.fault("iin", Problem.IIN_NEEDED))
        if user is None:
            language = values.get("language") or _Language.KAZAKH
            user = User.objects.create_staff(username=values["login"], password=None, language=language)
        if iin:
            try:
                enter_staff_iin(user, iin, actor=run.by, address=None, now=run.now)
            except StaffIinTaken:
                raise LeftOut(row.fault("iin", Problem.IIN_TAKEN)) from None
        user.is_active = True
        user.save(update_fields=["is_active"])
        user.groups.set([self.roles[role] for role in values["roles"]])
        Employee.objects.update_or_create(user=user, defaults=_person(row))
        run.note(user, line=row.line, before=None, after={"username": user.username})
        self._employ(row, user, places)
        secret = staff_links.invite(user, actor=run.by, now=run.now)
        link = staff_links.address_of(secret, language=user.language)
        run.secrets.append({"login": user.username, "name": str(user.employee.full_name), "link": link})
        return Outcome.ADDED

    def _change(self, row: Row, user: User, places: Sequence[Kindergarten | Locality]) -> Outcome:
        employee = Employee.objects.filter(user=user).first()
        if not (user.is_staff and user.is_active and employee):
            raise LeftOut(row.fault("login", Problem.LOGIN_TAKEN))
        self._demand_manageable(row, user)
        held = sorted(user.groups.values_list("name", flat=True))
        if held != sorted(row.values["roles"]):
            raise LeftOut(row.fault("roles", Problem.OTHER_ROLES, roles=", ".join(held)))
        outcome = store(self.run, row, employee, _person(row), is_new=False)
        return Outcome.CHANGED if self._employ(row, user, places) else outcome

    def _employ(self, row: Row, user: User, places: Sequence[Kindergarten | Locality]) -> bool:
        """Let the employee work there, unless they do or will already; whether anything is new."""
        is_new = False
        for place in places:
            where = {"kindergarten" if isinstance(place, Kindergarten) else "locality": place}
            since = row.values.get("since") or self.today
            held, is_made = Employment.objects.get_or_create(user=user, **where, defaults={"since": since})
            if is_made:
                self.run.note(held, line=row.line, before=None, after={"since": since.isoformat()})
            elif held.until is None or held.until >= self.today:
                continue
            else:
                # Over: the employee has come back.
                store(self.run, row, held, {"since": since, "until": None}, is_new=False)
            is_new = True
        return is_new


def _person(row: Row) -> dict[str, Any]:
    return {name: row.values[name] for name in _PERSON if name in row.values}


def _is_withdrawn(user: User) -> bool:
    """Whether an undone batch left the account, and nobody has taken it on since.

    Any other blocked account looks alike once its password was reset: whoever was dismissed comes back by no file.
    """
    if not user.is_staff or user.is_superuser or user.is_active or _was_set_up(user):
        return False
    rows = ImportedRow.objects.filter(model=User._meta.label_lower, key=str(user.pk))
    made = rows.select_related("batch").order_by("-id").first()
    if made is None or made.batch.undone_at is None:
        return False
    return not StaffLink.objects.filter(user=user, made_at__gt=made.batch.undone_at).exists()


def _was_set_up(user: User) -> bool:
    """Whether its owner has ever chosen a password, even one that was reset since."""
    return user.has_usable_password() or StaffLink.objects.filter(user=user, used_at__isnull=False).exists()


class _TakingBack(TakingBack):
    """An account that was never set up is blocked: what was written about it names it for good."""

    def why_not_unmake(self, obj: Model) -> str:
        if not isinstance(obj, User):
            return super().why_not_unmake(obj)
        return gettext("the employee has set up the account") if _was_set_up(obj) else ""

    def unmake(self, obj: Model) -> None:
        if not isinstance(obj, User):
            super().unmake(obj)
            return
        staff_links.withdraw(obj, actor=self.by, address=None, now=self.now)
        obj.is_active = False
        obj.save(update_fields=["is_active"])


class Staff(Kind):
    name = "staff"
    title = _("Employees")
    about = _(
        "Adds employees with one-time links for setting up their accounts, or changes what those that are there are "
        "called and where they work; each is known by the login. Roles of an account that is there don't change."
    )
    permissions = ("accounts.add_employee",)
    is_for_everywhere = True
    loader = _Loader
    taking_back = _TakingBack
    columns = (
        Column("login", _("Login"), Login(), "a.akhmetova"),
        Column("last_name", _("last name"), Called(100), "Ахметова"),
        Column("first_name", _("first name"), Called(100), "Айгүл"),
        Column("middle_name", _("patronymic"), Called(100), "Серікқызы", required=False),
        Column("position", _("position"), Called(150, is_work=True), "меңгеруші"),
        Column("roles", _("Roles"), Several(Choice(Role)), "kindergarten"),
        Column(
            "kindergarten",
            _("kindergarten"),
            Text(80),
            "amina",
            required=False,
            about=_("Its address on the site, for whoever works in one kindergarten."),
        ),
        Column(
            "localities",
            _("localities"),
            Several(Text(200)),
            "",
            required=False,
            empty=[],
            about=_("For officials: addresses on the site, or names."),
        ),
        Column(
            "since",
            _("since"),
            Day(),
            "01.09.2026",
            required=False,
            empty=None,
            about=_("Empty: from today on."),
        ),
        Column("work_phone", _("work phone"), Phone(), "+7 725 333 12 34", required=False),
        Column("email", _("work e-mail"), Email(), "a.akhmetova@example.kz", required=False),
        Column("language", _("language of messages"), Choice(_Language), "kk", required=False),
        Column(
            "iin",
            _("IIN"),
            Iin(),
            "800101300016",
            required=False,
            about=_("Needed for roles that decide about families. The portal keeps it encrypted."),
        ),
    )
