"""One-time links: an employee is invited, sets up the account, loses the phone, and sets it up anew."""

import re
import threading
from base64 import b32encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from io import StringIO
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import second_factor, staff_links
from accounts.audit import journal_of
from accounts.granting import ADMINISTRATORS
from accounts.journal_actions import Action
from accounts.models import AuditEntry, Employee, StaffLink, User
from accounts.officials import one_with
from accounts.roles import Role
from bulletin.models import Employment
from bulletin.sorting import sort_key
from notifications.models import Mail, Notice
from tests.balabaqsha.test_admin_site import is_inside, sign_in
from tests.factories import KindergartenFactory, StaffFactory, UserFactory, nth_iin
from tests.patience import PATIENCE
from tests.staff import code_of, employee, give_app, inside

pytestmark = pytest.mark.django_db

MICROSECOND = timedelta(microseconds=1)
SIGN_INS = [Action.SIGNED_IN, Action.STAFF_CODE_WRONG, Action.STAFF_SIGN_IN_FAILED]
PASSWORD = "жаңа құпия сөз 1"


@pytest.fixture
def chief():
    user = StaffFactory(username="chief", is_superuser=True)
    give_app(user)
    return user


@pytest.fixture
def manager():
    """Who may invite and change accounts, and is no superuser."""
    user = StaffFactory(username="manager")
    rights = (
        "add_employee",
        "change_employee",
        "view_employee",
        "change_user",
        "view_user",
        "work_everywhere",
    )
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    give_app(user)
    return user


def invitation(**values):
    return {
        "last_name": "Ахметова", "first_name": "Айдана", "middle_name": "Болатқызы", "position": "әдіскер",
        "work_phone": "+77253312345", "email": "", "username": "aidana", "language": "kk",
        "groups": [str(Group.objects.get(name=Role.KINDERGARTEN.value).pk)], "since": "2026-01-15",
        "staff_iin": nth_iin(90_000), **values,
    }  # fmt: skip


def link_on(page):
    (found,) = re.findall(
        r"https?://[^/<]+(/\S*admin/invitation/\?link=[\w-]+)</code>", page.content.decode()
    )
    return found


def invited(desk, **values):
    page = desk.post(reverse("admin:accounts_employee_add"), invitation(**values))
    assert page.status_code == 200, page.content.decode()
    return link_on(page)


def reset(desk, user, *, reason="Телефонын жоғалтты"):
    return link_on(
        desk.post(reverse("admin:accounts_user_second_factor", args=[user.pk]), {"reason": reason})
    )


def opened(link):
    """A browser in which the link was opened, and the key that its page shows."""
    browser = Client()
    answer = browser.get(link)
    assert answer.status_code == 302
    assert link.partition("=")[2] not in answer.url
    page = browser.get(answer.url)
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    return browser, answer.url, page


def fill(browser, address, user, **values):
    app = TOTPDevice.objects.filter(user=user, confirmed=False).latest("pk")
    sent = {"password": PASSWORD, "repeated": PASSWORD, "token": code_of(app), **values}
    return browser.post(address, sent)


def test_from_the_invitation_to_work_and_back_after_a_lost_phone(chief, settings):
    """Seen by nobody else: the password, the key, the codes."""
    settings.SENDS_MAIL = True
    desk, kindergarten = inside(chief), KindergartenFactory()
    link = invited(desk, kindergarten=str(kindergarten.pk), email="aidana@mekteb.kz", language="ru")
    user = User.objects.get(username="aidana")
    assert str(user) == "Ахметова А. Б., әдіскер"
    assert user.is_staff
    assert not user.is_superuser
    assert not user.has_usable_password()
    assert [group.name for group in user.groups.all()] == [Role.KINDERGARTEN]
    assert (Employment.objects.get().user, Employment.objects.get().kindergarten) == (user, kindergarten)
    assert link.startswith("/ru/")
    assert link in Mail.objects.get(address__isnull=False).text
    secret = link.partition("=")[2]
    assert secret not in str(StaffLink.objects.values().get())
    assert secret not in str(list(AuditEntry.objects.values()))

    browser, address, page = opened(link)
    app = TOTPDevice.objects.get(user=user)
    key = b32encode(app.bin_key).decode()
    assert key in page.content.decode().replace(" ", "")
    # A slip of the finger costs nothing.
    for wrong in ({"token": "000000"}, {"repeated": "x"}, {"password": "12345678", "repeated": "12345678"}):
        assert fill(browser, address, user, **wrong).status_code == 200
        assert not TOTPDevice.objects.filter(confirmed=True, user=user).exists()
    done = fill(browser, address, user)
    codes = re.findall(r"<li><code>([a-z2-9 ]{14})</code>", done.content.decode())
    assert len(set(codes)) == staff_links.BACKUP_CODES
    assert "no-store" in done["Cache-Control"]
    assert is_inside(browser)
    user.refresh_from_db()
    # The link is used; the page of the codes can't be called up again.
    assert Client().get(link).status_code == 404
    assert browser.get(address).status_code == 404
    assert sign_in(Client(), "aidana", password=PASSWORD, code=codes[0]) == 302
    assert sign_in(Client(), "aidana", password=PASSWORD, code=codes[0]) == 200
    # The administrator sees nothing of it.
    for name in ("accounts_user_change", "accounts_user_history"):
        seen = desk.get(reverse(f"admin:{name}", args=[user.pk])).content.decode()
        assert not any(hidden in seen for hidden in (key, app.key, secret, codes[1]))

    again = reset(desk, user)
    mail = max(Mail.objects.all(), key=lambda one: one.created_at)
    assert again in mail.text
    # It says what was lost, and does not call the account new; it is tried for as long as the link counts.
    assert "Администратор сбросил" in mail.text
    assert "открыт аккаунт" not in mail.text
    assert mail.give_up_at - mail.created_at == staff_links.LASTS
    assert not is_inside(browser)
    for code in (codes[1], code_of(app)):
        assert sign_in(Client(), "aidana", password=PASSWORD, code=code) == 200
    assert not TOTPDevice.objects.filter(user=user).exists()
    anew, address, page = opened(again)
    # Who did it, and why.
    assert "chief" in page.content.decode()
    assert "Телефонын жоғалтты" in page.content.decode()
    assert fill(anew, address, user).status_code == 200
    assert is_inside(anew)
    told = AuditEntry.objects.filter(subject=user).exclude(action__in=SIGN_INS).order_by("pk")
    assert [(one.action, one.actor) for one in told] == [
        (Action.STAFF_IIN_SET, chief), (Action.EMPLOYEE_INVITED, chief), (Action.ROW_ADDED, chief),
        (Action.SECOND_FACTOR_SET_UP, user), (Action.STAFF_LINK_USED, user),
        (Action.SECOND_FACTOR_RESET, chief), (Action.SECOND_FACTOR_SET_UP, user), (Action.STAFF_LINK_USED, user),
    ]  # fmt: skip
    added = told.get(action=Action.ROW_ADDED).changes
    assert (added["groups"], added["kindergarten"], added["last_name"]) == (
        [[], [str(user.groups.get().pk)]], [[], [str(kindergarten.pk)]], [[], ["Ахметова"]],
    )  # fmt: skip
    assert told.get(action=Action.SECOND_FACTOR_RESET).reason == "Телефонын жоғалтты"


class TestALinkEnds:
    @pytest.mark.parametrize(
        ("after", "opens"), [(staff_links.LASTS - MICROSECOND, True), (staff_links.LASTS, False)]
    )
    def test_after_three_days_to_the_microsecond(self, after, opens):
        user, now = StaffFactory(password="!"), timezone.now()
        secret = staff_links.invite(user, actor=None, now=now)
        if opens:
            assert staff_links.find(secret, now=now + after).user == user
        else:
            with pytest.raises(staff_links.NoLink):
                staff_links.find(secret, now=now + after)

    def test_by_a_newer_one_by_being_withdrawn_and_with_the_account(self, chief):
        desk = inside(chief)
        first = invited(desk)
        user = User.objects.get(username="aidana")
        second = link_on(desk.post(reverse("admin:accounts_user_link", args=[user.pk])))
        assert Client().get(first).status_code == 404
        assert Client().get(second).status_code == 302
        user.is_active = False
        user.save()
        assert Client().get(second).status_code == 404
        user.is_active = True
        user.save()
        desk.post(reverse("admin:accounts_user_void_link", args=[user.pk]))
        assert Client().get(second).status_code == 404
        assert (
            AuditEntry.objects.filter(action=Action.STAFF_LINK_VOIDED, subject=user, actor=chief).count() == 1
        )

    def test_while_its_page_is_open(self, chief):
        """What was opened in time and is sent too late changes nothing, and says so."""
        desk = inside(chief)
        browser, address, _page = opened(invited(desk))
        user = User.objects.get(username="aidana")
        desk.post(reverse("admin:accounts_user_link", args=[user.pk]))
        assert fill(browser, address, user).status_code == 404
        user.refresh_from_db()
        assert not user.has_usable_password()
        assert not TOTPDevice.objects.filter(user=user, confirmed=True).exists()

    def test_a_key_that_another_browser_was_shown_does_not_count(self, chief):
        link = invited(inside(chief))
        user = User.objects.get(username="aidana")
        opened(link)
        known = TOTPDevice.objects.get(user=user)
        browser, address, page = opened(link)
        assert b32encode(known.bin_key).decode() not in page.content.decode().replace(" ", "")
        wrong = fill(browser, address, user, token=code_of(known))
        assert wrong.status_code == 200
        # The right password is not kept by the page, which says so beside the field.
        assert {"token", "password", "repeated"} <= wrong.context["form"].errors.keys()
        assert PASSWORD not in wrong.content.decode()
        assert not TOTPDevice.objects.filter(user=user, confirmed=True).exists()

    def test_a_set_up_account_is_only_reset(self, chief):
        worker = employee(Role.KINDERGARTEN)
        answer = inside(chief).post(reverse("admin:accounts_user_link", args=[worker.pk]))
        assert answer.status_code == 302
        assert not StaffLink.objects.exists()
        assert TOTPDevice.objects.filter(user=worker, confirmed=True).exists()

    def test_a_reset_takes_a_reason(self, chief):
        worker = employee(Role.KINDERGARTEN)
        url = reverse("admin:accounts_user_second_factor", args=[worker.pk])
        for reason in ("", "  ", "..."):
            assert inside(chief).post(url, {"reason": reason}).status_code == 200
        assert inside(chief).get(url).status_code == 200
        assert TOTPDevice.objects.filter(user=worker).exists()


class TestGuessing:
    def test_wrong_addresses_of_one_network_are_stopped_and_a_right_one_is_not_counted(self, chief):
        link = invited(inside(chief))
        stranger = Client(REMOTE_ADDR="10.9.9.9")
        for number in range(20):
            assert stranger.get(link).status_code == 302
            assert stranger.get(f"/admin/invitation/?link={number}").status_code == 404
        assert stranger.get("/admin/invitation/?link=x").status_code == 429
        assert stranger.get(link).status_code == 429
        assert Client(REMOTE_ADDR="10.8.8.8").get(link).status_code == 302

    def test_the_page_without_a_link_is_told_nothing(self):
        page = Client().get(reverse("admin:set_up"))
        assert page.status_code == 404
        assert 'class="picture"' not in page.content.decode()


class TestNobodyRises:
    """An administrator makes no superuser, changes nobody above, and gives themselves nothing."""

    def change(self, manager, user, **values):
        address = reverse("admin:accounts_user_change", args=[user.pk])
        return inside(manager).post(address, {"is_active": "on", **values})

    def test_whom_they_may_not_touch(self, manager, chief):
        Group.objects.get_or_create(name=ADMINISTRATORS)
        equal = StaffFactory(password="!")
        equal.groups.add(Group.objects.get(name=ADMINISTRATORS))
        official = str(Group.objects.get(name=Role.OFFICIAL.value).pk)
        for user in (manager, chief, equal):
            assert self.change(manager, user, groups=[official], is_superuser="on").status_code == 403
            for name in ("second_factor", "link", "void_link"):
                url = reverse(f"admin:accounts_user_{name}", args=[user.pk])
                assert inside(manager).get(url).status_code == 403
                assert inside(manager).post(url, {"reason": "Жоғалтты"}).status_code == 403
            user.refresh_from_db()
            assert Role.OFFICIAL.value not in {group.name for group in user.groups.all()}
        assert User.objects.filter(is_superuser=True).get() == chief

    def test_what_they_may_not_give(self, manager):
        above, _made = Group.objects.get_or_create(name=ADMINISTRATORS)
        other = Group.objects.create(name="powerful")
        worker = employee(Role.KINDERGARTEN)
        for group in (above, other):
            assert self.change(manager, worker, groups=[str(group.pk)]).status_code == 200
            page = inside(manager).post(
                reverse("admin:accounts_employee_add"), invitation(groups=[str(group.pk)], is_superuser="on")
            )
            assert page.status_code == 200
            assert not User.objects.filter(username="aidana").exists()
        official = Group.objects.get(name=Role.OFFICIAL.value)
        # Whose own child it would be is known first.
        assert self.change(manager, worker, groups=[str(official.pk)]).status_code == 200
        known = {"groups": [str(official.pk)], "staff_iin": nth_iin(90_001)}
        assert self.change(manager, worker, **known).status_code == 302
        assert worker.groups.get() == official

    def test_nobody_resets_a_parents_or_their_own(self, chief):
        for user in (chief, UserFactory()):
            url = reverse("admin:accounts_user_second_factor", args=[user.pk])
            assert inside(chief).post(url, {"reason": "Жоғалтты"}).status_code == 403

    @pytest.mark.parametrize("role", Role)
    def test_who_manages_nobody_invites_and_resets_nobody(self, role):
        other, worker = employee(role), employee(Role.KINDERGARTEN)
        if other.has_perm("accounts.change_user"):
            return
        for url in (
            reverse("admin:accounts_employee_add"),
            reverse("admin:accounts_user_second_factor", args=[worker.pk]),
        ):
            assert inside(other).get(url).status_code == 403
            assert inside(other).post(url, {**invitation(), "reason": "Жоғалтты"}).status_code == 403
        assert TOTPDevice.objects.filter(user=worker, confirmed=True).exists()

    def test_an_invitation_is_refused_in_words(self, chief):
        desk, taken = inside(chief), StaffFactory(username="Taken")
        kindergarten = KindergartenFactory()
        for field, values in (
            ("username", {"username": "taken"}),
            ("username", {"username": "+77017779876"}),
            ("locality", {"kindergarten": str(kindergarten.pk), "locality": str(kindergarten.locality.pk)}),
            ("since", {"kindergarten": str(kindergarten.pk), "since": ""}),
            ("groups", {"groups": []}),
            ("staff_iin", {"staff_iin": "123"}),
            ("staff_iin", {"staff_iin": ""}),
            ("last_name", {"last_name": "<script>"}),
            ("first_name", {"first_name": "=1+1"}),
            ("middle_name", {"middle_name": "Б@"}),
            ("position", {"position": "=cmd|' /C calc'!A0"}),
            ("email", {"email": "x"}),
        ):
            page = desk.post(reverse("admin:accounts_employee_add"), invitation(**values))
            assert page.status_code == 200
            assert field in page.context["adminform"].form.errors
        assert set(User.objects.filter(is_staff=True)) == {taken, User.objects.get(username="chief")}


def test_officials_read_of_accounts_that_read_families(manager):
    """Made, given the role later, or reset; by whom and why. Of a kindergarten's worker they read nothing."""
    official, desk = employee(Role.OFFICIAL, username="zhanar"), inside(manager)
    other = str(Group.objects.get(name=Role.OFFICIAL.value).pk)
    link = invited(desk, groups=[other])
    browser, address, _page = opened(link)
    made = User.objects.get(username="aidana")
    assert fill(browser, address, made).status_code == 200
    invited(desk, username="worker", staff_iin=nth_iin(90_002))
    worker = User.objects.get(username="worker")
    page = reverse("admin:accounts_user_change", args=[worker.pk])
    centre = str(Group.objects.get(name=Role.CONTACT_CENTRE.value).pk)
    assert desk.post(page, {"is_active": "on", "groups": [centre]}).status_code == 302
    reset(desk, made, reason="Телефоны сынып қалды")
    told = list(
        Notice.objects.filter(recipient=official).order_by("created_at").values_list("kind", "text_kk")
    )
    assert [kind for kind, _text in told] == [
        "staff_account_made",
        "staff_account_made",
        "staff_account_reset",
    ]
    assert "Ахметова А. Б., әдіскер" in told[0][1]
    assert "manager" in told[0][1]
    assert "Телефоны сынып қалды" in told[2][1]
    # Nobody of themselves.
    assert not Notice.objects.filter(recipient=manager).exists()
    assert Notice.objects.filter(recipient=made).count() == 1


def test_whoever_made_an_account_is_no_second_pair_of_eyes_beside_it():
    chief, helper, colleague = (StaffFactory(password=password) for password in ("x", "!", "!"))
    for made in (helper, colleague):
        made.set_unusable_password()
        made.save()
        staff_links.invite(made, actor=chief, now=timezone.now())
    assert one_with(helper) == {helper.pk}
    StaffLink.objects.filter(user=helper).update(used_at=timezone.now())
    assert one_with(helper) == one_with(chief) == {helper.pk, chief.pk}
    # A link that was never used has opened nothing.
    assert one_with(colleague) == {colleague.pk}


class TestNobodyElseSeesAKey:
    @pytest.mark.parametrize(
        "model", ["otp_totp_totpdevice", "otp_static_staticdevice", "accounts_stafflink"]
    )
    def test_devices_and_links_have_no_page(self, chief, model):
        for page in ("changelist", "add", "change"):
            with pytest.raises(NoReverseMatch):
                reverse(f"admin:{model}_{page}", args=[1] if page == "change" else [])

    def test_the_last_administrator_has_a_command(self, chief):
        said = StringIO()
        call_command("reset_second_factor", "chief", "--reason", "Телефонды ұрлап кетті", stdout=said)
        (link,) = re.findall(r"Link: (\S+)", said.getvalue())
        browser, address, page = opened(link)
        assert "Телефонды ұрлап кетті" in page.content.decode()
        assert fill(browser, address, chief).status_code == 200
        assert is_inside(browser)
        with pytest.raises(CommandError):
            call_command("reset_second_factor", UserFactory().username, stdout=StringIO())


def test_who_decided_is_named_at_work_and_told_by_role_to_families(chief):
    """Colleagues read name and position, a family the role and the institution."""
    worker = employee(Role.KINDERGARTEN, username="amina")
    Employee.objects.create(user=worker, last_name="Серікқызы", first_name="Айгүл", position="меңгеруші")
    parent = UserFactory()
    from accounts import audit

    audit.record(Action.PERSONAL_DATA_VIEWED, actor=worker, subject=parent, now=timezone.now())
    page = inside(chief).get(reverse("admin:accounts_auditentry_changelist"), {"who": "серікқызы айг"})
    assert [row.who for row in page.context["rows"]] == ["Серікқызы А., меңгеруші"]
    assert "Серікқызы А., меңгеруші" in inside(worker).get(reverse("admin:index")).content.decode()
    assert journal_of(parent).get().actor == worker


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
class TestRaces:
    def use_at_once(self, *, unlocked):
        """Two windows of one browser send the page at once."""
        user = StaffFactory(password="!")
        secret = staff_links.invite(user, actor=None, now=timezone.now())
        session, barrier = SessionStore(), threading.Barrier(2)
        app = second_factor.app_to_set_up(user, session)
        code, find = code_of(app), staff_links.find

        def find_together(*args, **options):
            """Both have found the link before either goes on."""
            found = find(*args, **options)
            barrier.wait(timeout=PATIENCE)
            return found

        def use(number):
            try:
                if not unlocked:
                    barrier.wait(timeout=PATIENCE)
                password = f"{PASSWORD}{number}"
                staff_links.use(secret, password=password, code=code, session=session, now=timezone.now())
                return number
            except (staff_links.NoLink, staff_links.WrongCode):
                return None
            finally:
                connection.close()

        with ExitStack() as patched:
            if unlocked:
                rows = type(User.objects.all())
                patched.enter_context(
                    patch.object(rows, "select_for_update", lambda found, **_options: found)
                )
                patched.enter_context(patch.object(staff_links, "find", find_together))
                patched.enter_context(
                    patch.object(second_factor, "set_up_app", lambda *_args, **_options: app)
                )
            with ThreadPoolExecutor(2) as pool:
                done = list(pool.map(use, range(2)))
        user.refresh_from_db()
        return done, user

    def test_one_link_opened_twice_at_once_sets_one_password(self):
        done, user = self.use_at_once(unlocked=False)
        (winner,) = [number for number in done if number is not None]
        assert user.check_password(f"{PASSWORD}{winner}")
        assert TOTPDevice.objects.filter(user=user).count() == 1
        assert StaticToken.objects.filter(device__user=user).count() == staff_links.BACKUP_CODES
        assert AuditEntry.objects.filter(action=Action.STAFF_LINK_USED).count() == 1

    def test_control_without_the_lock_both_would(self):
        done, _user = self.use_at_once(unlocked=True)
        assert done == [0, 1]

    def test_a_reset_beside_a_sign_in_leaves_nobody_inside(self):
        """Whichever comes first: after the reset neither the old factors nor that session open anything."""
        user = employee(Role.KINDERGARTEN)
        code = code_of(TOTPDevice.objects.get(user=user))
        browser, barrier = Client(), threading.Barrier(2)

        def enter():
            try:
                barrier.wait(timeout=PATIENCE)
                return sign_in(browser, user.username, code=code)
            finally:
                connection.close()

        def take():
            try:
                barrier.wait(timeout=PATIENCE)
                return staff_links.reset(user, reason="x", actor=None, now=timezone.now())
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            entered, taken = pool.submit(enter), pool.submit(take)
            assert entered.result() in (200, 302)
            assert taken.result()
        assert not is_inside(browser)
        assert not TOTPDevice.objects.filter(user=user).exists()
        assert not StaticDevice.objects.filter(user=user).exists()

    def test_a_sign_in_whose_app_was_just_taken_is_refused(self):
        """Between the check of the code and its use."""
        user = employee(Role.KINDERGARTEN)
        device = TOTPDevice.objects.get(user=user)
        code = code_of(device)
        staff_links.reset(user, reason="x", actor=None, now=timezone.now())
        assert not second_factor.use_up(device, code, now=timezone.now())


def test_an_account_without_a_name_gets_one_from_the_list(chief, manager):
    """As the operator makes them. Nobody completes whom they may not manage, nor who has a name."""
    nameless = User.objects.create_staff(username="auditor-1", password=PASSWORD)
    above = User.objects.create_staff(username="root-1", password=PASSWORD, is_superuser=True)
    listed, add = reverse("admin:accounts_employee_changelist"), reverse("admin:accounts_employee_add")
    of = {user: f"{add}?account={user.pk}" for user in (nameless, above)}
    shown = inside(manager).get(listed).content.decode()
    assert [of[nameless] in shown, of[above] in shown] == [True, False]
    desk = inside(manager)
    for wrong in (of[above], f"{add}?account=x", f"{add}?account={uuid4()}"):
        assert desk.get(wrong).status_code == 404
    page = desk.get(of[nameless]).content.decode()
    assert "auditor-1" in page
    assert 'name="username"' not in page
    name = {"last_name": "Қуанышев", "first_name": "Бауыржан", "position": "аудитор"}
    assert desk.post(of[nameless], name | {"last_name": "1"}).context["errors"]
    done = desk.post(of[nameless], name)
    employee = Employee.objects.get(user=nameless)
    assert done.url == reverse("admin:accounts_employee_change", args=[employee.pk])
    assert (employee.full_name, StaffLink.objects.filter(user=nameless).exists()) == (
        "Қуанышев Бауыржан",
        False,
    )
    assert desk.get(of[nameless]).status_code == 404
    assert of[nameless] not in desk.get(listed).content.decode()


def test_employees_stand_in_the_order_of_the_kazakh_alphabet(chief):
    """And what was lost is reset from the employee's own page."""
    names = ["Тұрар", "Қанат", "Әли", "Лесбек", "Абай", "Іңкәр", "Кенже", "Яқуб"]
    for name in names:
        Employee.objects.create(user=StaffFactory(), last_name=name, first_name="А", position="әдіскер")
    desk = inside(chief)
    listed = desk.get(reverse("admin:accounts_employee_changelist")).context["cl"].result_list
    assert [one.last_name for one in listed] == sorted(names, key=sort_key)
    assert [one.last_name for one in listed][:2] == ["Абай", "Әли"]
    page = desk.get(reverse("admin:accounts_employee_change", args=[listed[0].pk])).content.decode()
    assert reverse("admin:accounts_user_second_factor", args=[listed[0].user.pk]) in page
