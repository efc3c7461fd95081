"""Who signs in with the login number of a paper finds the way wherever a phone number is asked for."""

import pytest
from django.test import Client

from accounts.models import SmsCode

pytestmark = pytest.mark.django_db


def test_the_sign_in_names_the_login_number_and_the_help_the_paper(client):
    assert "Номер телефона или номер для входа" in client.get("/ru/login/").content.decode()
    assert 'href="/ru/first/"' in client.get("/ru/help/").content.decode()
    assert 'href="/first/"' in client.get("/help/").content.decode()


@pytest.mark.parametrize("typed", ["976794068", "976 794 068", "976-794-068"])
def test_a_forgotten_password_leads_to_the_contact_centre(client, settings, typed):
    settings.CONTACT_PHONES = ["8 (727) 111-22-33"]
    page = client.post("/ru/password/reset/", {"phone": typed})
    (said,) = page.context["form"].errors["phone"]
    assert "номер для входа" in said
    assert "8 (727) 111-22-33" in said
    assert not SmsCode.objects.exists()


def test_nine_digits_of_a_phone_are_an_unfinished_phone(client):
    (said,) = client.post("/ru/password/reset/", {"phone": "701777987"}).context["form"].errors["phone"]
    assert "+7 7__" in said


def test_an_inbox_without_a_phone_says_that_no_sms_goes(parent):
    browser = Client()
    browser.force_login(parent, backend="django.contrib.auth.backends.ModelBackend")
    assert "SMS не отправляются" not in browser.get("/ru/cabinet/notifications/").content.decode()
    parent.phone, parent.username = None, "976794068"
    parent.save()
    assert "SMS не отправляются" in browser.get("/ru/cabinet/notifications/").content.decode()
