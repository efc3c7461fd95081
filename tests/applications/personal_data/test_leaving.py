"""Closing an account, coming back, and being forgotten; what other guardians and the queue keep."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from accounts import audit
from accounts.data import leaving
from accounts.data.leaving import COME_BACK_FOR
from accounts.journal_actions import Action
from accounts.models import AuditEntry, Profile, Session, User
from applications.models import Application, Benefit, Event
from applications.moves import write_event
from applications.personal_data.forgetting import children_due, forget_children_due
from applications.states import ApplicationState, BidState, Move, ReferralState
from applications.waiting.changes import change_languages
from bulletin.models import Review
from children.access import informed_guardians
from children.models import Child, Guardianship
from notifications.models import Message, Notice
from tests.applications.bidding.reference import place_bid
from tests.factories import (
    BenefitFactory,
    ContractFactory,
    GuardianshipFactory,
    ObjectionFactory,
    ReferralFactory,
    ReviewFactory,
)

MICROSECOND = timedelta(microseconds=1)
PASSWORD = "parent-pass-1"
LEAVE, COME_BACK = "accounts:leave", "accounts:come_back"

# Nothing else in the database has these.
SURNAME, NAME, CHILDS_NAME = "ҰМЫТБЕК", "АЙЫМГҮЛ", "ЖҰПАРСҰЛУ"
STREET, IP, TEXT = "Бейбітшілік 977", "198.51.100.77", "жеке пікір"


@pytest.fixture
def family(scene):
    """The scene's only parent and child, with traces of every kind."""
    Profile.objects.filter(user=scene.parent).update(
        last_name=SURNAME, first_name=NAME, address=STREET, second_phone="+77059998877"
    )
    scene.parent.profile.refresh_from_db()
    scene.parent.profile.photo.save("own.jpg", ContentFile(b"photo"))
    Child.objects.update(last_name=SURNAME, first_name=CHILDS_NAME)
    for row in (scene.parent, scene.application, scene.application.child):
        row.refresh_from_db()
    audit.record(
        Action.PROFILE_CHANGED,
        actor=scene.parent,
        subject=scene.parent,
        target=CHILDS_NAME,
        reason=TEXT,
        address=IP,
        now=scene.now,
    )
    scene.phone = scene.parent.phone.as_e164
    return scene


def leave(scene, *, at=None):
    leaving.leave(scene.parent, address=IP, now=at or scene.now)


def tables_with(*values):
    """The tables in a row of which one of these texts stands, whatever the column."""
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            for value in values:
                cursor.execute(
                    f'SELECT EXISTS (SELECT FROM "{table}" t WHERE t::text ILIKE %s)', [f"%{value}%"]
                )
                if cursor.fetchone()[0]:
                    found.add((table, value))
    return found


def numbers_agree():
    said = StringIO()
    call_command("rebuild_queue", "--check", stdout=said)
    return "agree" in said.getvalue()


class TestClosing:
    def test_it_says_what_is_lost_takes_the_password_and_can_be_undone(self, family, client_of, clock):
        bid = place_bid(family.application, family.vacancy, actor=family.parent, now=family.now)
        browser = client_of(family.parent)
        page = browser.get(reverse(LEAVE)).content.decode()
        assert page.count(family.application.number) == 2
        assert CHILDS_NAME in page
        answer = browser.post(reverse(LEAVE), {"password": "another-pass-1"})
        assert answer.status_code == 200
        assert "Қазіргі құпия сөз қате" in answer.content.decode()
        assert not User.objects.filter(leaving_since__isnull=False).exists()

        assert browser.post(reverse(LEAVE), {"password": PASSWORD}).url == reverse("home")
        assert reverse("accounts:login") in browser.get(reverse("accounts:profile")).url
        bid.refresh_from_db()
        family.vacancy.refresh_from_db()
        assert (bid.state, family.vacancy.seats_taken) == (BidState.WITHDRAWN, 0)
        assert set(Notice.objects.values_list("kind", flat=True)) >= {"account_closed"}
        assert Message.objects.filter(kind="account_closed", phone=family.phone).count() == 1

        browser = client_of(family.parent)
        for page in ("accounts:profile", "applications:cabinet", "children:add"):
            assert browser.get(reverse(page)).url == reverse(COME_BACK)
        assert browser.post(reverse("accounts:profile"), {"language": "ru"}).url == reverse(COME_BACK)
        assert "button" in browser.get(reverse(COME_BACK)).content.decode()
        clock.move_to(family.now + COME_BACK_FOR - timedelta(seconds=1))
        browser = client_of(User.objects.get(pk=family.parent.pk))
        assert browser.post(reverse(COME_BACK), {"password": PASSWORD}).url == reverse("applications:cabinet")
        assert browser.get(reverse("accounts:profile")).status_code == 200
        application = Application.objects.get()
        assert (application.state, application.filed_at) == (
            ApplicationState.WAITING,
            family.application.filed_at,
        )
        assert set(AuditEntry.objects.filter(subject=family.parent).values_list("action", flat=True)) >= {
            Action.ACCOUNT_CLOSED,
            Action.ACCOUNT_REOPENED,
        }

    def test_it_ends_every_session_and_none_opens_it_without_the_password(self, family, client_of, clock):
        """Perhaps it was closed because somebody else has a session."""
        browser, thief = client_of(family.parent), client_of(family.parent)
        assert browser.post(reverse(LEAVE), {"password": PASSWORD}).url == reverse("home")
        assert not Session.objects.filter(user=family.parent).exists()
        for one in (browser, thief):
            assert one.post(reverse(COME_BACK)).url.startswith(reverse("accounts:login"))
        # One that was being signed in while the account was closed.
        thief = client_of(User.objects.get(pk=family.parent.pk))
        for typed in ({}, {"password": "another-pass-1"}):
            assert thief.post(reverse(COME_BACK), typed).status_code == 200
        assert User.objects.get(pk=family.parent.pk).leaving_since is not None

    @pytest.mark.parametrize(("after", "opens"), [(-MICROSECOND, False), (timedelta(0), True)])
    def test_without_a_password_a_sign_in_after_the_closing_opens_it(
        self, family, client_of, clock, after, opens
    ):
        leave(family)
        user = User.objects.get(pk=family.parent.pk)
        user.set_unusable_password()
        user.save()
        browser = client_of(user)
        session = browser.session
        session.begin_family(now=user.leaving_since + after)
        session.save()
        answer = browser.post(reverse(COME_BACK))
        assert answer.url.startswith(reverse("applications:cabinet" if opens else "accounts:login"))
        assert (User.objects.get(pk=user.pk).leaving_since is None) == opens

    def test_nothing_can_be_done_or_is_told_once_it_is_closed(self, family):
        leave(family)
        assert informed_guardians(family.application.child) == []
        with pytest.raises(PermissionDenied):
            change_languages(family.application, languages=["kk"], actor=family.parent, now=family.now)

    def test_another_guardian_keeps_the_bid(self, family):
        GuardianshipFactory(child=family.application.child)
        bid = place_bid(family.application, family.vacancy, actor=family.parent, now=family.now)
        leave(family)
        bid.refresh_from_db()
        assert bid.state == BidState.PENDING

    def test_the_thirty_days_end_with_a_microsecond(self, family):
        leave(family)
        end = family.now + COME_BACK_FOR
        assert leaving.forget_due(now=end - MICROSECOND) == 0
        assert not leaving.come_back(family.parent, address=None, now=end)
        assert leaving.come_back(family.parent, address=None, now=end - MICROSECOND)
        assert leaving.forget_due(now=end) == 0

    def test_an_employees_account_is_not_closed(self, family, client_of):
        User.objects.filter(pk=family.parent.pk).update(is_staff=True)
        browser = client_of(User.objects.get(pk=family.parent.pk))
        answer = browser.post(reverse(LEAVE), {"password": PASSWORD})
        assert answer.status_code == 200
        assert not User.objects.filter(leaving_since__isnull=False).exists()


class TestForgetting:
    def test_nothing_names_them_any_more_and_the_queue_still_adds_up(
        self, family, django_capture_on_commit_callbacks
    ):
        benefit = BenefitFactory(application=family.application, original_name=f"{SURNAME}.pdf", reason=TEXT)
        photo, proof = family.parent.profile.photo.name, benefit.document.name
        assert default_storage.exists(photo)
        assert default_storage.exists(proof)
        ReviewFactory(author=family.parent, text="Рақмет!", created_at=family.now)
        write_event(
            family.application,
            Move.FILE,
            before="",
            actor=family.parent,
            now=family.application.filed_at,
            reason=TEXT,
        )
        change_languages(family.application, languages=["kk"], actor=family.parent, now=family.now)
        assert {SURNAME, NAME, CHILDS_NAME, STREET, IP, TEXT} <= {
            value for _table, value in tables_with(SURNAME, NAME, CHILDS_NAME, STREET, IP, TEXT)
        }
        ObjectionFactory(
            user=family.parent, answer="stands", reason=TEXT, answered_at=family.now, answered_by=family.staff
        )
        leave(family)
        moves = list(Event.objects.values_list("pk", "move", "to_state", "filed_at", "data"))
        call_command("rebuild_queue", stdout=StringIO())
        assert numbers_agree()

        now = family.now + COME_BACK_FOR
        with django_capture_on_commit_callbacks(execute=True):
            assert (leaving.forget_due(now=now), leaving.forget_due(now=now)) == (1, 0)
            assert (forget_children_due(now=now), forget_children_due(now=now)) == (1, 0)

        assert Profile.objects.filter(last_name="").exists()
        names = (SURNAME, NAME, CHILDS_NAME, STREET, IP, TEXT, "+77059998877", "parent-pass")
        assert tables_with(*names) == set()
        # The fact that an SMS was sent stays for its year.
        assert {table for table, _value in tables_with(family.phone)} <= {"notifications_message"}
        user, child = User.objects.get(pk=family.parent.pk), Child.objects.get()
        assert (user.profile.iin, user.profile.document_number, child.iin) == ("", "", "")
        # Whatever a later column holds must go, too, or be named here.
        kept = {*("id", "username", "password", "language", "date_joined", "leaving_since", "forgotten_at")}
        kept |= {*("user", "iin_hash", "birth_date", "sex", "phone_tie")}
        left = {
            field.name: getattr(row, field.name)
            for row in (user, user.profile)
            for field in row._meta.concrete_fields
            if field.name not in kept and getattr(row, field.name) and not field.primary_key
        }
        assert left == {}
        assert not Guardianship.objects.filter(ended_at=None).exists()
        assert Review.objects.get().author is None
        assert Benefit.objects.get().document.name == ""
        assert not Notice.objects.filter(recipient=user).exists()
        assert (
            list(Event.objects.values_list("pk", "move", "to_state", "filed_at", "data"))[: len(moves)]
            == moves
        )
        assert Application.objects.get().state == ApplicationState.ARCHIVED
        assert numbers_agree()
        assert not any(map(default_storage.exists, (photo, proof)))

    def test_the_journal_of_anybody_else_is_as_closed_as_before(self, family):
        other = GuardianshipFactory(child=family.application.child).user
        write_event(family.application, Move.FILE, before="", actor=other, now=family.now, reason=TEXT)
        audit.record(Action.SIGNED_IN, actor=other, subject=other, target=TEXT, now=family.now)
        leave(family)
        leaving.forget_due(now=family.now + COME_BACK_FOR)
        with connection.cursor() as cursor:
            cursor.execute("SELECT forget_in_journal(%s)", [family.parent.pk])
        assert AuditEntry.objects.get(subject=other).target == TEXT
        for change in (
            f"SELECT forget_in_journal('{other.pk}')",
            f"UPDATE accounts_auditentry SET at = now() WHERE subject_id = '{family.parent.pk}'",
            f"DELETE FROM accounts_auditentry WHERE subject_id = '{family.parent.pk}'",
            "UPDATE applications_event SET reason = ''",
        ):
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                connection.cursor().execute(change)

    def test_what_another_guardian_has_stays(self, family):
        other = GuardianshipFactory(child=family.application.child).user
        leave(family)
        now = family.now + COME_BACK_FOR
        assert (leaving.forget_due(now=now), forget_children_due(now=now)) == (1, 0)
        application = Application.objects.get()
        assert (application.state, application.child.first_name) == (ApplicationState.WAITING, CHILDS_NAME)
        assert informed_guardians(application.child) == [other]

    def test_a_valid_referral_puts_it_off(self, family):
        leave(family)
        now = family.now + COME_BACK_FOR
        referral = ReferralFactory(
            application=family.application,
            issued_at=now - timedelta(days=1),
            valid_until=now + timedelta(days=5),
        )
        Application.objects.update(state=ApplicationState.REFERRED, runs_out_at=referral.valid_until)
        assert leaving.forget_due(now=now) == 0
        assert User.objects.get(pk=family.parent.pk).profile.last_name == SURNAME
        referral.state = ReferralState.REVOKED
        referral.ended_at = now
        referral.save()
        Application.objects.update(state=ApplicationState.WAITING, runs_out_at=None)
        assert leaving.forget_due(now=now) == 1

    def test_a_child_with_a_contract_is_known_until_the_year_in_which_it_turns_eight(self, family):
        ContractFactory(referral__application=family.application, signed_at=family.now)
        Application.objects.update(state=ApplicationState.ENROLLED, runs_out_at=None)
        leave(family)
        assert leaving.forget_due(now=family.now + COME_BACK_FOR) == 1
        new_year = family.now.replace(year=2025, month=1, day=1, hour=0, minute=0)
        assert children_due(now=new_year - MICROSECOND).count() == 0
        assert children_due(now=new_year).count() == 1
