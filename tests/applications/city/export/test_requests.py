"""Who may have the whole city: two people who are known to be two, for keys that both saw."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from accounts.journal_actions import Action as AccountAction
from accounts.models import AuditEntry, StaffLink, User
from accounts.roles import Role
from accounts.services import StaffIinTaken, enter_staff_iin
from applications.city.export.requests import (
    allow_export,
    allowed_exports,
    ask_for_export,
    decline_export,
    note_made,
)
from applications.journal_actions import Action
from applications.models import CityExport
from applications.models.city_export import MADE_WITHIN
from applications.moves import Refused
from applications.refusals import Refusal
from tests.applications.city.export.exports import Keys
from tests.applications.conftest import NOW
from tests.factories import LocalityFactory, nth_iin
from tests.staff import employee, inside, official_of, press

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

KEYS = Keys()


def known(official, number):
    """The official with an IIN that was entered."""
    enter_staff_iin(official, nth_iin(number), actor=official, address=None, now=NOW)
    return User.objects.get(pk=official.pk)


@pytest.fixture
def officials():
    return [known(employee(Role.OFFICIAL), 9000 + number) for number in range(3)]


def ask(official, keys=KEYS.public, reason="бұйрық №7"):
    return ask_for_export(keys=keys, reason=reason, actor=official, now=NOW)


def refused(act, *args, **kwargs):
    with pytest.raises(Refused) as refusal:
        act(*args, **kwargs)
    return refusal.value.reason


class TestFourEyes:
    def test_two_officials_agree_and_an_operator_may_make_it_once(self, officials):
        request = ask(officials[0])
        assert allowed_exports(now=NOW) == []
        allow_export(request, actor=officials[1], now=NOW)
        assert allowed_exports(now=NOW) == [request]
        assert note_made(request, sha256="0" * 64, now=NOW)
        assert not note_made(request, sha256="1" * 64, now=NOW)
        request.refresh_from_db()
        assert request.sha256 == "0" * 64
        assert allowed_exports(now=NOW) == []
        entries = AuditEntry.objects.filter(about=f"applications.cityexport:{request.pk}").order_by("pk")
        assert [(entry.action, entry.actor) for entry in entries] == [
            (Action.CITY_EXPORT_ASKED, officials[0]),
            (Action.CITY_EXPORT_ALLOWED, officials[1]),
            (Action.CITY_EXPORTED, None),
        ]

    def test_nobody_allows_their_own(self, officials):
        request = ask(officials[0])
        for act in (allow_export, decline_export):
            more = {"reason": "x"} if act is decline_export else {}
            assert refused(act, request, actor=officials[0], now=NOW, **more) == Refusal.PROPOSER
        assert allowed_exports(now=NOW) == []

    def test_nor_an_account_that_they_set_up(self, officials):
        request = ask(officials[0])
        StaffLink.objects.create(
            user=officials[1],
            link_hash="x",
            made_at=NOW,
            made_by=officials[0],
            expires_at=NOW + MADE_WITHIN,
            used_at=NOW,
        )
        assert refused(allow_export, request, actor=officials[1], now=NOW) == Refusal.PROPOSER

    def test_nor_somebody_of_whom_it_is_not_known_who_they_are(self, officials):
        unknown = employee(Role.OFFICIAL)
        assert refused(ask, unknown) == Refusal.OFFICIAL_UNKNOWN
        request = ask(officials[0])
        assert refused(allow_export, request, actor=unknown, now=NOW) == Refusal.OFFICIAL_UNKNOWN

    def test_one_person_has_no_second_account(self, officials):
        """Why two known IINs are two people."""
        with pytest.raises(StaffIinTaken):
            known(employee(Role.OFFICIAL), 9000)

    def test_the_database_refuses_it_too(self, officials):
        request = ask(officials[0])
        with pytest.raises(IntegrityError), transaction.atomic():
            CityExport.objects.filter(pk=request.pk).update(state="approved", decided_by=officials[0])

    def test_only_who_works_everywhere(self, officials):
        here = LocalityFactory()
        LocalityFactory(slug="elsewhere")
        local = known(official_of(here), 9100)
        assert refused(ask, local) == Refusal.NOT_EVERYWHERE
        assert refused(allow_export, ask(officials[0]), actor=local, now=NOW) == Refusal.NOT_EVERYWHERE

    @pytest.mark.parametrize("role", [role for role in Role if role != Role.OFFICIAL])
    def test_no_other_role(self, role, officials):
        other = known(employee(role), 9200)
        with pytest.raises(PermissionDenied):
            ask(other)
        with pytest.raises(PermissionDenied):
            allow_export(ask(officials[0]), actor=other, now=NOW)


class TestWhatIsAskedFor:
    @pytest.mark.parametrize(
        "keys",
        ["", "x", "AGE-SECRET-KEY-1", f"{KEYS.public} {KEYS.public}", KEYS.private],
        # Keys are made anew by each process, which would give the tests other names.
        ids=["none", "a letter", "half a secret one", "the same twice", "a secret one"],
    )
    def test_keys_that_are_none(self, officials, keys):
        with pytest.raises(ValidationError) as refusal:
            ask(officials[0], keys=keys)
        assert KEYS.private not in str(refusal.value)
        assert not CityExport.objects.exists()

    def test_a_reason(self, officials):
        assert refused(ask, officials[0], reason=" ") == Refusal.REASON_MISSING

    def test_one_at_a_time(self, officials):
        request = ask(officials[0])
        assert refused(ask, officials[1]) == Refusal.PROPOSAL_WAITS
        decline_export(request, actor=officials[1], reason="кілт басқа", now=NOW)
        assert ask(officials[1])

    def test_it_is_decided_once(self, officials):
        request = ask(officials[0])
        decline_export(request, actor=officials[1], reason="кілт басқа", now=NOW)
        assert refused(allow_export, request, actor=officials[2], now=NOW) == Refusal.PROPOSAL_DECIDED

    def test_seven_days_end_with_a_microsecond(self, officials):
        request = allow_export(ask(officials[0]), actor=officials[1], now=NOW)
        assert allowed_exports(now=NOW + MADE_WITHIN - timedelta(microseconds=1)) == [request]
        assert allowed_exports(now=NOW + MADE_WITHIN) == []


class TestThePages:
    ADD = "/admin/applications/cityexport/add/"

    @pytest.mark.parametrize("prefix", ["", "/ru"])
    def test_ask_and_allow(self, officials, prefix):
        first, second = inside(officials[0]), inside(officials[1])
        answer = press(
            first, prefix + self.ADD, {"keys": KEYS.public, "reason": "Әкімдіктің бұйрығы бойынша"}
        )
        request = CityExport.objects.get()
        page = answer.url
        assert KEYS.public in first.get(page).content.decode()
        allow = page.replace("/change/", "/do/approve/")
        assert press(first, allow).url == page
        request.refresh_from_db()
        assert request.state == "proposed"
        assert KEYS.public in second.get(allow).content.decode()
        assert press(second, allow).status_code == 302
        assert allowed_exports(now=NOW) == [request]
        assert "03.07.2019" in second.get(page).content.decode()
        assert second.get(f"{prefix}/admin/applications/cityexport/").status_code == 200

    @pytest.mark.parametrize(
        "sent", [{}, {"keys": "x", "reason": "x"}, {"keys": KEYS.private, "reason": "бұйрық"}]
    )
    def test_what_is_wrong_is_said_and_asks_for_nothing(self, officials, sent):
        answer = press(inside(officials[0]), self.ADD, sent)
        assert answer.status_code == 200
        assert answer.context["errors"]
        assert not CityExport.objects.exists()

    def test_a_second_one_is_refused_in_the_form(self, officials):
        ask(officials[0])
        answer = press(
            inside(officials[1]), self.ADD, {"keys": KEYS.public, "reason": "Әкімдіктің бұйрығы бойынша"}
        )
        assert str(Refusal.PROPOSAL_WAITS.label) in answer.content.decode()

    def test_who_is_unknown_reads_why(self):
        client = inside(employee(Role.OFFICIAL))
        answer = client.get(self.ADD, follow=True)
        assert str(Refusal.OFFICIAL_UNKNOWN.label).replace("'", "&#x27;") in answer.content.decode()

    def test_nobody_asked_for_what_is_entered_by_the_admin_itself(self, officials):
        press(inside(officials[0]), self.ADD, {"keys": KEYS.public, "reason": "Әкімдіктің бұйрығы бойынша"})
        assert not AuditEntry.objects.filter(action=AccountAction.ROW_ADDED).exists()
