"""Employees in the tests: with a role, a kindergarten and a second factor."""

import re
from collections import defaultdict
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import User
from accounts.roles import Role
from bulletin.models import Kindergarten, Locality
from tests.factories import EmploymentFactory, StaffFactory


def worker_of(kindergarten: Kindergarten, **fields) -> User:
    """A worker of one kindergarten, employed for as long as anybody asks."""
    user = employee(Role.KINDERGARTEN, **fields)
    EmploymentFactory(user=user, kindergarten=kindergarten)
    return user


def employee(role: Role, **fields) -> User:
    """An employee with the rights of `role` and an authenticator app. An official works in the whole city."""
    user = StaffFactory.create(**fields)
    user.groups.add(Group.objects.get(name=role.value))
    if role == Role.OFFICIAL:
        user.user_permissions.add(Permission.objects.get(codename="work_everywhere"))
    give_app(user)
    return user


def official_of(*localities: Locality, **fields) -> User:
    """An official of these localities alone, for as long as anybody asks."""
    user = employee(Role.OFFICIAL, **fields)
    user.user_permissions.clear()
    for locality in localities:
        EmploymentFactory(user=user, kindergarten=None, locality=locality)
    return user


def give_app(user: User) -> TOTPDevice:
    return TOTPDevice.objects.create(user=user, name="app", confirmed=True)


def code_of(device: TOTPDevice, *, ago: int = 0) -> str:
    """The code that the authenticator app shows at this moment, or showed so many half minutes ago."""
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift - ago)
    return f"{totp.token():0{device.digits}d}"


def inside(user: User) -> Client:
    """A browser in which the employee has signed in with both factors."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = TOTPDevice.objects.get(user=user).persistent_id
    session.save()
    return client


def carried(page: Any) -> dict[str, list[str]]:
    """The hidden fields of a page, which say what its reader has seen."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, value in re.findall(
        r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.content.decode()
    ):
        found[name].append(value)
    return found


def press(client: Client, address: str, data: dict[str, Any] | None = None) -> Any:
    """Read the page at an address, then send its form, filled in with `data`."""
    return client.post(address, carried(client.get(address)) | (data or {}))
