"""A family's whole way, and what is left of it where anybody might read it: no IIN, phone, code or name.

Looked through are the log, addresses (also of redirects), public pages, feeds and downloads, SMS, health, error reports
and mails. What a person sees in their own cabinet is theirs.
"""

import logging
import re
from collections.abc import Iterator

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.views.debug import ExceptionReporter

from accounts.iin import check_digit
from accounts.models import Profile
from accounts.registry.simulated_people import MANUAL_CHILD_IIN, MANUAL_PARENT_IIN
from applications.models import Application
from bulletin.models import Locality
from children.models import Child
from notifications.clock import read_clock
from notifications.delivery import deliver_due
from notifications.models import Message
from tests.accounts.walk import PASSWORD, PHONE, to_end
from tests.factories import HolidayFactory, KindergartenFactory

TWELVE_DIGITS = re.compile(r"(?<![0-9a-fA-F-])[0-9]{12}(?![0-9a-fA-F-])")
PHONES = re.compile(r"\+7[ ()-]*7\d\d[ ()-]*\d{3}[ -]*\d\d[ -]*\d\d")
CODES = re.compile(r"(?<!\w)\d{6}(?!\w)")


def iins_in(text: str) -> set[str]:
    """What has the length and the check digit of an IIN."""
    return {found for found in TWELVE_DIGITS.findall(text) if check_digit(found[:11]) == int(found[11])}


def leaks(text: str, *, known: frozenset[str] = frozenset()) -> set[str]:
    """Every IIN, mobile number, and known word in a text."""
    low = text.casefold()
    return iins_in(text) | set(PHONES.findall(text)) | {word for word in known if word.casefold() in low}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("GET /children/170720600007/", {"170720600007"}),
        ("number 170720600008", set()),
        ("to +7 701 777-98-76", {"+7 701 777-98-76"}),
        ("9f170720-6000-07aa-170720600007", set()),
        ("added Дания", {"ДАНИЯ"}),
        ("a page of nothing", set()),
    ],
)
def test_control_what_leaks_is_seen(text, found):
    assert leaks(text, known=frozenset({"ДАНИЯ"})) == found


@pytest.fixture
def log() -> Iterator[list[str]]:
    """Every line of the log, with its traceback."""
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler, root = Kept(level=logging.DEBUG), logging.getLogger()
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    # Statements hold what they look for, and are logged only while somebody debugs.
    logging.getLogger("django.db.backends").setLevel(logging.INFO)
    yield lines
    root.removeHandler(handler)
    root.setLevel(before)
    logging.getLogger("django.db.backends").setLevel(logging.NOTSET)


class Traced(Client):
    """A browser that notes every address it asked for or was sent to."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def request(self, **request):
        answer = super().request(**request)
        query = request.get("QUERY_STRING", "")
        self.addresses += [f"{request['PATH_INFO']}?{query}", answer.headers.get("Location", "")]
        return answer


PUBLIC = (
    *("home", "statistics", "help", "contacts", "privacy", "health"),
    *(
        "applications:bulletin",
        "applications:bulletin_csv",
        "applications:bulletin_atom",
        "applications:queue",
    ),
    *(
        "applications:queue_csv",
        "applications:queue_check",
        "applications:queue_check_former",
        "applications:corrections",
        "applications:referrals",
    ),
    *("bulletin:kindergartens", "bulletin:reviews"),
)


@pytest.mark.django_db
def test_nothing_of_a_family_is_left_where_others_read(log, settings, clock, monkeypatch):
    locality: Locality = KindergartenFactory().locality
    HolidayFactory()
    family = Traced()
    to_end(family)
    family.post(reverse("children:add"), {"iin": MANUAL_CHILD_IIN})
    token = family.get(reverse("children:confirm")).context["form"]["token"].value()
    family.post(reverse("children:confirm"), {"save": "1", "token": token})
    family.get(reverse("applications:new"))
    child = Child.objects.get()
    family.post(
        reverse("applications:new"),
        {"child": str(child.pk), "locality": locality.slug, "languages": ["kk"], "confirm": "1"},
    )
    application = Application.objects.get()
    for page in ("applications:cabinet", "accounts:profile", "accounts:journal", "notifications:inbox"):
        assert family.get(reverse(page)).status_code == 200
    family.get(application.get_absolute_url())
    family.post(reverse("accounts:leave"), {"password": PASSWORD})
    secret = Message.objects.filter(kind__endswith="_code").values_list("text", flat=True)
    codes = {code for text in secret for code in CODES.findall(text)}
    assert codes
    texts = list(Message.objects.exclude(kind__endswith="_code").values_list("text", flat=True))
    deliver_due(now=read_clock())

    known = frozenset(
        {"КАМЕНОВ", "ДАНИЯ", "ЕРМЕК", PASSWORD, PHONE[2:], MANUAL_CHILD_IIN, MANUAL_PARENT_IIN} | codes
    )
    visitor = Client()
    public = [b"".join(visitor.get(reverse(page))).decode() for page in PUBLIC]
    public.append(
        visitor.get(
            reverse("applications:order", args=[locality.slug, child.birth_date.year])
        ).content.decode()
    )
    assert log
    read_by_others = {
        "the log": log,
        "addresses": family.addresses,
        "public pages": public,
        "SMS": texts,
        "mails": [f"{one.subject} {one.body}" for one in mail.outbox],
    }
    ours = {f"+7{re.sub(r'[^0-9]', '', phone)[1:]}" for phone in settings.CONTACT_PHONES}
    found = {
        where: set().union(*(leaks(text, known=known) for text in some)) - ours
        for where, some in read_by_others.items()
        if some
    }
    assert found == {where: set() for where in found}


@pytest.mark.django_db
def test_an_error_report_hides_what_was_typed(parent, monkeypatch):
    """A fault while a password is checked is reported without it."""

    def breaks(*_args, **_options):
        raise RuntimeError("broken")

    monkeypatch.setattr("accounts.views.own_password.services.is_own_password", breaks)
    client = Client(raise_request_exception=False)
    client.force_login(parent, backend="django.contrib.auth.backends.ModelBackend")
    reports: list[str] = []

    class Report(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            request = getattr(record, "request", None)
            if request is not None and record.exc_info:
                reports.append(ExceptionReporter(request, *record.exc_info).get_traceback_text())

    handler = Report()
    logging.getLogger("django.request").addHandler(handler)
    try:
        assert client.post(reverse("accounts:leave"), {"password": "my-secret-pass-1"}).status_code == 500
    finally:
        logging.getLogger("django.request").removeHandler(handler)
    assert len(reports) == 1
    assert "RuntimeError" in reports[0]
    assert "my-secret-pass-1" not in reports[0]
    assert Profile.objects.get(user=parent).iin not in reports[0]
