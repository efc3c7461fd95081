"""The demo city's employees: who they are, their passwords, and the code that their second factor shows now."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime

from django.contrib.auth.models import Group as AuthGroup
from django.utils.translation import gettext_lazy
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import Employee as Person
from accounts.models import User
from accounts.roles import Role
from balabaqsha.demo.places import KINDERGARTENS, PLACES
from bulletin.models import Employment, Kindergarten, Locality

ADMINISTRATOR = "administrator"
ROLE_LABELS = {**dict(Role.choices), ADMINISTRATOR: gettext_lazy("superuser: may do everything")}


@dataclass(frozen=True)
class Employee:
    """Somebody with a printed login; `role` is a `Role` or ADMINISTRATOR, `kindergarten` and `localities` are slugs."""

    username: str
    password: str
    role: str
    kindergarten: str = ""
    localities: tuple[str, ...] = ()


_BY_NAME = (
    Employee("amina", "amina-demo-1", Role.KINDERGARTEN, "amina"),
    Employee("aliya", "aliya-demo-1", Role.KINDERGARTEN, "aliya"),
    Employee("khanzada", "khanzada-demo-1", Role.KINDERGARTEN, "khanzada"),
    Employee("keremet", "keremet-demo-1", Role.KINDERGARTEN, "keremet"),
    Employee("balpan", "balpan-demo-1", Role.KINDERGARTEN, "balpan"),
    Employee("official", "official-demo-1", Role.OFFICIAL, localities=tuple(one.slug for one in PLACES)),
    Employee("kentau-official", "kentau-official-demo-1", Role.OFFICIAL, localities=("kentau",)),
    Employee("contact", "contact-demo-1", Role.CONTACT_CENTRE),
    Employee("colleague", "colleague-demo-1", Role.CONTACT_CENTRE),
    Employee("auditor", "auditor-demo-1", Role.AUDITOR),
    Employee("system", "system-demo-1", Role.ADMINISTRATOR),
    Employee("administrator", "administrator-demo-1", ADMINISTRATOR),
)
# In every other kindergarten its head answers, so that no bid waits for nobody.
_HEADS = tuple(
    Employee(plan.slug, f"{plan.slug}-demo-1", Role.KINDERGARTEN, plan.slug)
    for plan in KINDERGARTENS
    if plan.slug not in {employee.kindergarten for employee in _BY_NAME}
)
EMPLOYEES = (*_BY_NAME, *_HEADS)


# Last name, first name, position: what colleagues read.
PEOPLE = {
    "amina": ("Серікқызы", "Айгүл", "әдіскер"),
    "aliya": ("Оспанова", "Әлия", "әдіскер"),
    "khanzada": ("Төлегенова", "Ханзада", "меңгеруші"),
    "keremet": ("Жақсыбекова", "Сәуле", "әдіскер"),
    "balpan": ("Нұрланова", "Дана", "меңгеруші"),
    "official": ("Ермеков", "Арман", "бас маман"),
    "kentau-official": ("Сейтова", "Гүлнар", "бас маман"),
    "contact": ("Қасымова", "Мадина", "оператор"),
    "colleague": ("Бекенов", "Ерлан", "оператор"),
    "auditor": ("Қуанышев", "Бауыржан", "аудитор"),
    "administrator": ("Мұратов", "Тимур", "жүйе әкімшісі"),
} | {
    plan.slug: (*plan.head.split()[:2], "меңгеруші")
    for plan in KINDERGARTENS
    if plan.slug in {employee.username for employee in _HEADS}
}


@dataclass(frozen=True)
class Login:
    """What one needs to sign in as an employee at this moment."""

    employee: Employee
    role: str
    kindergarten: str
    otp: str
    seconds_left: int


def hire(*, since: date) -> None:
    """The employees, at least one in every kindergarten, each with a login. May be repeated."""
    for employee in EMPLOYEES:
        _hire(employee, since=since)


def workers() -> dict[str, User]:
    """The worker of every kindergarten, by the kindergarten's slug."""
    return {
        employment.kindergarten.slug: employment.user
        for employment in Employment.objects.select_related("user", "kindergarten").order_by("-pk")
        if employment.kindergarten
    }


def logins(*, now: datetime) -> list[Login]:
    """The employees who exist, with the code that the second factor takes now; the name follows the language."""
    devices = {
        device.user.username: device
        for device in TOTPDevice.objects.filter(
            user__username__in=[employee.username for employee in EMPLOYEES]
        ).select_related("user")
    }
    names = {kindergarten.slug: kindergarten.name for kindergarten in Kindergarten.objects.all()}
    return [
        Login(
            employee=employee,
            role=str(ROLE_LABELS[employee.role]),
            kindergarten=names.get(employee.kindergarten, ""),
            otp=current_code(devices[employee.username], now=now),
            seconds_left=_seconds_left(devices[employee.username], now=now),
        )
        for employee in EMPLOYEES
        if employee.username in devices
    ]


def current_code(device: TOTPDevice, *, now: datetime) -> str:
    """The code that `device` accepts at `now`.

    A code works once: where that of this half minute was used, it is the next one, as far as the device's tolerance
    lets a hurried clock go.
    """
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = now.timestamp()
    for ahead in range(device.tolerance + 1):
        totp.drift = device.drift + ahead
        if totp.t() > device.last_t:
            break
    return f"{totp.token():0{device.digits}d}"


def _seconds_left(device: TOTPDevice, *, now: datetime) -> int:
    return int(device.step - (now.timestamp() - device.t0) % device.step)


def _hire(employee: Employee, *, since: date) -> None:
    user = User.objects.filter(username=employee.username).first()
    if user is None:
        user = User.objects.create_staff(
            username=employee.username,
            password=employee.password,
            is_superuser=employee.role == ADMINISTRATOR,
        )
    if employee.role != ADMINISTRATOR:
        user.groups.add(AuthGroup.objects.get(name=employee.role))
    if employee.username in PEOPLE:
        last_name, first_name, position = PEOPLE[employee.username]
        named = {"last_name": last_name, "first_name": first_name, "position": position}
        Person.objects.get_or_create(user=user, defaults=named)
    TOTPDevice.objects.get_or_create(
        user=user,
        name="demo",
        # A fixed secret: the desk and a restart must show the same codes. Demo mode is refused elsewhere.
        defaults={"key": hashlib.sha1(f"demo:{employee.username}".encode()).hexdigest()},  # noqa: S324
    )
    if employee.kindergarten:
        kindergarten = Kindergarten.objects.get(slug=employee.kindergarten)
        Employment.objects.get_or_create(user=user, kindergarten=kindergarten, defaults={"since": since})
    for place in Locality.objects.filter(slug__in=employee.localities):
        Employment.objects.get_or_create(user=user, locality=place, defaults={"since": since})
