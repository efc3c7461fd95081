"""Being signed in without the way through the form, where a test is about something else."""

from django.conf import settings
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import BrowserContext

from accounts.models import User


def session_cookie(user: User) -> str:
    """The value of a new session's cookie; an employee has shown both factors."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    device = TOTPDevice.objects.filter(user=user).first()
    if device is not None:
        session = client.session
        session[DEVICE_ID_SESSION_KEY] = device.persistent_id
        session.save()
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def enter(context: BrowserContext, user: User, *, portal: str) -> None:
    """Give a browser the session cookie of `user` at the address `portal`."""
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": session_cookie(user), "url": portal}])
