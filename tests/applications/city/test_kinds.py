"""What each kind of file loads, what it refuses, and that loading it again changes nothing."""

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from django.contrib.auth.models import Group as AuthGroup
from django.contrib.auth.models import Permission
from django.utils import timezone
from django.utils.translation import override

from accounts import staff_links
from accounts.models import AuditEntry, Employee, StaffLink, User
from accounts.roles import Role
from applications.city import enrolled
from applications.city.kinds import KINDS
from applications.models import Headcount
from applications.moves import Refused
from applications.places.occupancy import occupancies_of
from applications.refusals import Refusal
from bulletin.calendar_loading import load_official_days
from bulletin.employment import kindergartens_of
from bulletin.importing.columns import by_name, read_row
from bulletin.importing.running import run_import
from bulletin.importing.undoing import UNDOABLE_FOR, TooLate, purge_rows, undo_batch
from bulletin.models import (
    AgeGroup,
    Employment,
    Group,
    ImportBatch,
    Kindergarten,
    Language,
    Locality,
    Vacancy,
)
from tests.factories import (
    ContractFactory,
    GroupFactory,
    KindergartenFactory,
    LocalityFactory,
    VacancyFactory,
    nth_iin,
)
from tests.staff import employee, official_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_example_of_every_column_is_one(kind):
    columns = by_name(kind.columns)
    row = read_row(2, {name: column.example for name, column in columns.items()}, columns)
    assert row.faults == []


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_no_two_columns_of_a_kind_can_be_mistaken(kind):
    names = [name for column in kind.columns for name in column.names()]
    assert len(names) == len(set(names))


class TestLocalities:
    HEADING = "slug;name_kk;name_ru;timezone;order"

    def test_are_added_changed_and_left(self, load):
        code, said = load("localities", self.HEADING, "kentau;Кентау қ.;г. Кентау;;2")
        assert (code, "Added 1" in said) == (0, True)
        kentau = Locality.objects.get(slug="kentau")
        assert (kentau.timezone, kentau.order) == ("Asia/Almaty", 2)
        assert "unchanged 1" in load("localities", self.HEADING, "kentau;Кентау қ.;г. Кентау;;2")[1]
        assert "changed 1" in load("localities", "slug;name_kk;name_ru", "kentau;Кентау;г. Кентау")[1]
        kentau.refresh_from_db()
        assert (kentau.name_kk, kentau.order) == ("Кентау", 2)

    def test_a_zone_is_a_real_one_and_stays_while_places_are_announced(self, load):
        locality = LocalityFactory.create()
        row = "turkistan;Түркістан;Туркестан"
        assert "no such time zone" in load("localities", self.HEADING, f"{row};Asia/Turkistan;1")[1]
        VacancyFactory.create(group__kindergarten__locality=locality)
        code, said = load("localities", self.HEADING, f"{row};Asia/Oral;1")
        assert (code, "It can't change while" in said) == (1, True)

    def test_an_official_of_one_adds_no_other(self):
        turkistan = LocalityFactory.create()
        file = BytesIO(b"slug;name_kk;name_ru\nturkistan;A;B\nkentau;C;D")
        report = run_import(
            KINDS["localities"], file, file_name="x", now=timezone.now(), localities=[turkistan.pk]
        )
        assert [(fault.line, fault.problem) for fault in report.faults] == [(3, "not_yours")]


class TestGroups:
    HEADING = "kindergarten;name;age_group;language;regime;capacity"

    def test_are_added_changed_and_left(self, load):
        KindergartenFactory.create(slug="amina")
        row = "amina;Балапан;3-4;kk;;25"
        assert load("groups", self.HEADING, row)[0] == 0
        group = Group.objects.get()
        assert (group.name, group.age_group, group.regime, group.capacity) == ("Балапан", "3-4", "day", 25)
        assert "unchanged 1" in load("groups", self.HEADING, row)[1]
        assert "changed 1" in load("groups", self.HEADING, row.replace("25", "20"))[1]

    def test_a_group_is_known_however_its_name_is_spelt(self, load):
        group = GroupFactory.create(kindergarten__slug="amina", name="«Балапан»")
        load("groups", self.HEADING, "amina;БАЛАПАН;3-4;kk;day;20")
        assert Group.objects.get().pk == group.pk

    def test_the_words_of_the_field_are_taken(self, load):
        KindergartenFactory.create(slug="amina")
        with override("ru"):
            words = AgeGroup.MIDDLE.label, Language.KAZAKH.label, Group.Regime.DAY.label
        code, said = load(
            "groups", self.HEADING, f"amina;Балапан;{words[0]};{words[1].upper()};{words[2]};20"
        )
        assert (code, said.startswith("Added 1")) == (0, True)
        assert Group.objects.get().age_group == AgeGroup.MIDDLE

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            ("nowhere;A;3-4;kk;day;20", "comes in first: import_kindergartens"),
            ("amina;A;3-4;kk;day;51", "no whole number from 1 to 50"),
            ("amina;A;3-4;kk;day;50", "More than a group may hold"),
            ("amina;A;6-7;kk;day;20", "There is no such value"),
        ],
    )
    def test_what_is_refused(self, load, row, said):
        KindergartenFactory.create(slug="amina")
        code, words = load("groups", self.HEADING, row)
        assert (code, said in words) == (1, True)

    def test_what_families_rely_on_stays(self, load):
        group = GroupFactory.create(kindergarten__slug="amina", name="A", capacity=20)
        VacancyFactory.create(group=group, seats_total=15)
        same = f"amina;A;{group.age_group};{group.language};day"
        assert "Less than what is taken and promised" in load("groups", self.HEADING, f"{same};10")[1]
        other = f"amina;A;{group.age_group};kk;day;20"
        assert "Families rely on it" in load("groups", self.HEADING, other)[1]
        assert load("groups", self.HEADING, f"{same};18")[0] == 0


class TestStaff:
    HEADING = "login;last_name;first_name;position;roles;kindergarten;localities;iin;email"
    ROW = f"a.akhmetova;Ахметова;Айгүл;меңгеруші;kindergarten;amina;;{nth_iin(1)};a@example.kz"

    @pytest.fixture(autouse=True)
    def _amina(self):
        KindergartenFactory.create(slug="amina")

    def test_an_employee_is_invited_and_can_work_there(self, load, settings):
        settings.SITE_URL = "https://bala.example.kz"
        code, said = load("staff", self.HEADING, self.ROW)
        assert code == 0
        user = User.objects.get(username="a.akhmetova")
        assert user.employee.full_name == "Ахметова Айгүл"
        assert list(user.groups.values_list("name", flat=True)) == [Role.KINDERGARTEN]
        assert kindergartens_of(user, today=timezone.localdate()).get().slug == "amina"
        assert not user.has_usable_password()
        (secret,) = re.findall(r"a\.akhmetova\thttps://bala\.example\.kz\S*link=(\S+)", said)
        assert staff_links.find(secret, now=timezone.now()).user == user
        assert secret not in str(list(ImportBatch.objects.get().rows.values()))

    def test_the_same_file_again_changes_nothing_and_makes_no_link(self, load):
        load("staff", self.HEADING, self.ROW)
        code, said = load("staff", self.HEADING, self.ROW)
        assert (code, "unchanged 1" in said, "link=" in said) == (0, True, False)
        assert StaffLink.objects.count() == 1
        assert "changed 1" in load("staff", self.HEADING, self.ROW.replace("Айгүл", "Айнұр"))[1]
        assert Employee.objects.get().first_name == "Айнұр"

    def test_a_trial_invites_nobody(self, load):
        code, said = load("staff", self.HEADING, self.ROW, dry_run=True)
        assert (code, "link=" in said, User.objects.exists()) == (0, False, False)

    def test_links_go_into_a_file_that_only_its_owner_reads(self, load, tmp_path):
        links = tmp_path / "links.txt"
        _code, said = load("staff", self.HEADING, self.ROW, links=links)
        assert "link=" not in said
        assert "link=" in links.read_text()
        assert links.stat().st_mode & 0o077 == 0

    def test_an_official_works_in_several_localities(self, load):
        LocalityFactory.create(slug="kentau", name_kk="Кентау")
        row = f"o.official;Омаров;Ерлан;бас маман;official;;turkistan, Кентау;{nth_iin(2)};"
        assert load("staff", self.HEADING, row)[0] == 0
        assert set(Employment.objects.values_list("locality__slug", flat=True)) == {"turkistan", "kentau"}

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            (nth_iin(1), "", "nobody decides for their own child"),
            (
                nth_iin(1),
                nth_iin(1)[1:],
                "Excel drops zeros" if nth_iin(1)[0] == "0" else "An IIN has 12 digits",
            ),
            (";amina;;", ";amina;turkistan;", "not both"),
            (";kindergarten;", ";king;", "There is no such value"),
            ("a.akhmetova", "әмина", "can't be a login"),
            ("Ахметова", "=cmd()", "no name of a person"),
            ("a@example.kz", "a@", "no e-mail address"),
            (";amina;", ";nowhere;", "does not know it"),
        ],
    )
    def test_what_is_refused(self, load, old, new, said):
        code, words = load("staff", self.HEADING, self.ROW.replace(old, new))
        assert (code, said in words) == (1, True)
        assert not User.objects.exists()

    def test_the_iin_of_a_refused_row_is_not_printed(self, load):
        iin = nth_iin(1)
        _code, said = load("staff", self.HEADING, self.ROW.replace(iin, iin[:-1] + "x"))
        assert iin[:8] not in said

    def test_an_iin_that_somebody_has_leaves_nothing_behind(self, load):
        load("staff", self.HEADING, self.ROW)
        other = self.ROW.replace("a.akhmetova", "b.other")
        code, said = load("staff", self.HEADING, other, skip_bad=True)
        assert (code, "Another employee has this IIN" in said) == (1, True)
        assert not User.objects.filter(username="b.other").exists()

    def test_roles_of_an_account_do_not_change(self, load):
        load("staff", self.HEADING, self.ROW)
        _code, said = load("staff", self.HEADING, self.ROW.replace(";kindergarten;", ";auditor;"))
        assert "The account has other roles: kindergarten" in said

    def test_an_administrator_gives_no_role_above_their_own(self, load):
        administrator = employee(Role.ADMINISTRATOR)
        row = self.ROW.replace(";kindergarten;amina;", ";system_administrator;;")
        code, said = load("staff", self.HEADING, row, by=administrator.username)
        assert (code, "You can't give this role" in said) == (1, True)

    def test_an_undone_batch_blocks_whom_nobody_became_and_can_be_loaded_again(self, load, undo):
        load("staff", self.HEADING, self.ROW)
        assert undo(ImportBatch.objects.get())[0] == 0
        user = User.objects.get(username="a.akhmetova")
        assert (user.is_active, Employment.objects.count()) == (False, 0)
        assert staff_links.live_link(user, now=timezone.now()) is None
        assert "Added 1" in load("staff", self.HEADING, self.ROW)[1]
        user.refresh_from_db()
        assert user.is_active

    def test_who_worked_there_once_works_there_again(self, load, undo):
        today = timezone.localdate()
        load("staff", self.HEADING, self.ROW)
        years_ago = {"since": today - timedelta(days=900), "until": today - timedelta(days=1)}
        Employment.objects.update(**years_ago)
        assert "changed 1" in load("staff", self.HEADING, self.ROW)[1]
        user = User.objects.get(username="a.akhmetova")
        assert kindergartens_of(user, today=today).get().slug == "amina"
        assert "unchanged 1" in load("staff", self.HEADING, self.ROW)[1]
        assert undo(ImportBatch.objects.first())[0] == 0
        assert Employment.objects.values("since", "until").get() == years_ago

    def test_who_works_there_until_today_stays_as_they_are(self, load):
        load("staff", self.HEADING, self.ROW)
        Employment.objects.update(until=timezone.localdate())
        assert "unchanged 1" in load("staff", self.HEADING, self.ROW)[1]

    def test_links_go_into_no_file_that_is_there(self, load, tmp_path):
        links = tmp_path / "links.txt"
        links.touch(0o644)
        code, said = load("staff", self.HEADING, self.ROW, links=links)
        assert (code, "already" in said, links.read_text()) == (2, True, "")
        assert not User.objects.exists()

    @pytest.mark.parametrize("fields", [{}, {"is_superuser": True}])
    def test_a_blocked_account_stays_blocked(self, load, fields):
        """It was reset for a lost phone, and then its owner left."""
        left = employee(Role.KINDERGARTEN, username="a.akhmetova", **fields)
        staff_links.reset(left, reason="phone", actor=None, now=timezone.now())
        User.objects.filter(pk=left.pk).update(is_active=False)
        code, said = load("staff", self.HEADING, self.ROW)
        assert (code, "the account is blocked" in said, "link=" in said) == (1, True, False)
        left.refresh_from_db()
        assert not left.is_active

    def test_nor_does_one_come_back_that_was_taken_on_after_the_batch_was_undone(self, load, undo):
        load("staff", self.HEADING, self.ROW)
        undo(ImportBatch.objects.get())
        user = User.objects.get(username="a.akhmetova")
        staff_links.invite(user, actor=None, now=timezone.now())
        code, said = load("staff", self.HEADING, self.ROW)
        assert (code, "the account is blocked" in said) == (1, True)

    def test_an_administrator_takes_no_withdrawn_account_above_their_own(self, load, undo):
        load("staff", self.HEADING, self.ROW.replace(";kindergarten;amina;", ";system_administrator;;"))
        assert undo(ImportBatch.objects.get())[0] == 0
        administrator = employee(Role.ADMINISTRATOR)
        code, said = load("staff", self.HEADING, self.ROW, by=administrator.username)
        assert (code, "change this account" in said) == (1, True), said
        assert not User.objects.get(username="a.akhmetova").is_active

    def test_a_batch_is_not_undone_once_its_employee_had_a_password(self, load, undo):
        """One that was reset since: the account has a past."""
        load("staff", self.HEADING, self.ROW)
        StaffLink.objects.update(used_at=timezone.now())
        code, said = undo(ImportBatch.objects.get())
        assert (code, "has set up the account" in said) == (1, True)

    def test_a_batch_whose_employee_works_already_is_not_undone(self, load, undo):
        load("staff", self.HEADING, self.ROW)
        user = User.objects.get(username="a.akhmetova")
        user.set_password("chosen-by-her-1")
        user.save()
        code, said = undo(ImportBatch.objects.get())
        assert (code, "has set up the account" in said) == (1, True)
        assert Employment.objects.exists()


class TestVacancies:
    HEADING = "kindergarten;group;birth_years;seats_total;opens_at;vacant_from;responsible;mode;closes_at"

    @pytest.fixture
    def group(self):
        year = timezone.localdate().year
        load_official_days(first_year=year, last_year=year + 1)
        return GroupFactory.create(kindergarten__slug="amina", name="Балапан")

    def row(self, **other):
        opens = timezone.localtime(timezone.now() + timedelta(days=10)).replace(hour=18, minute=0)
        year = str(opens.year - 2)
        cells = {
            "kindergarten": "amina", "group": "Балапан", "birth_years": year, "seats_total": "3",
            "opens_at": f"{opens:%d.%m.%Y %H:%M}", "vacant_from": "", "responsible": "Ахметова А. С.",
            "mode": "", "closes_at": "",
        }  # fmt: skip
        return ";".join((cells | other).values())

    def test_a_draft_is_made_once_in_the_zone_of_its_place(self, load, group):
        code, said = load("vacancies", self.HEADING, self.row())
        assert code == 0, said
        vacancy = Vacancy.objects.get()
        assert (vacancy.state, vacancy.group, vacancy.seats_total) == ("draft", group, 3)
        assert vacancy.opens_at.astimezone(group.kindergarten.locality.zone).hour == 18
        assert "unchanged 1" in load("vacancies", self.HEADING, self.row())[1]
        assert "changed 1" in load("vacancies", self.HEADING, self.row(seats_total="4"))[1]
        assert Vacancy.objects.get().seats_total == 4

    @pytest.mark.parametrize(
        ("cell", "said"),
        [
            ({"group": "Жоқ"}, "comes in first: import_groups"),
            ({"seats_total": "26"}, "seats_total"),
            ({"birth_years": "2001"}, "birth_years"),
            ({"opens_at": "01.01.2020 10:00"}, "opens_at"),
            ({"mode": "queue_order"}, "closes_at"),
            ({"responsible": ""}, "The cell is empty"),
        ],
    )
    def test_what_could_not_be_published_is_refused(self, load, group, cell, said):
        code, words = load("vacancies", self.HEADING, self.row(**cell))
        assert (code, said in words) == (1, True), words

    def test_rows_of_one_group_share_its_places(self, load, group):
        rows = (
            self.row(seats_total="20"),
            self.row(seats_total="20", opens_at=self.row().split(";")[4][:-1] + "1"),
        )
        code, said = load("vacancies", self.HEADING, *rows)
        assert (code, "row 3" in said, "row 2" in said) == (1, True, False), said

    def test_a_published_one_is_left_and_does_not_change(self, load, group):
        load("vacancies", self.HEADING, self.row())
        Vacancy.objects.update(state="published", published_at=datetime(2020, 1, 1, tzinfo=UTC))
        assert "unchanged 1" in load("vacancies", self.HEADING, self.row())[1]
        code, said = load("vacancies", self.HEADING, self.row(seats_total="4"))
        assert (code, "It can't change while" in said) == (1, True)

    def test_a_batch_of_which_one_is_published_is_not_undone(self, load, undo, group):
        load("vacancies", self.HEADING, self.row())
        Vacancy.objects.update(state="published", published_at=datetime(2020, 1, 1, tzinfo=UTC))
        code, said = undo(ImportBatch.objects.get())
        assert (code, "It was changed since" in said) == (1, True)
        Vacancy.objects.update(state="draft", published_at=None)
        assert undo(ImportBatch.objects.get())[0] == 0
        assert not Vacancy.objects.exists()


class TestEnrolled:
    HEADING = "kindergarten;group;iin"

    @pytest.fixture
    def group(self):
        return GroupFactory.create(kindergarten__slug="amina", name="Балапан")

    @pytest.fixture
    def official(self):
        return employee(Role.OFFICIAL)

    def rows(self, count):
        return [f"amina;Балапан;{nth_iin(number)}" for number in range(count)]

    def test_so_many_places_are_taken(self, load, undo, group, official):
        code, said = load("enrolled", self.HEADING, *self.rows(7), by=official.username)
        assert code == 0, said
        count = Headcount.objects.get()
        assert (count.children, count.state, count.decided_by) == (7, "approved", official)
        assert occupancies_of([group], now=timezone.now())[group.pk][-1].total == 7
        again = load("enrolled", self.HEADING, *self.rows(7), by=official.username)[1]
        assert "unchanged 7" in again
        assert "changed 8" in load("enrolled", self.HEADING, *self.rows(8), by=official.username)[1]
        assert occupancies_of([group], now=timezone.now())[group.pk][-1].total == 8
        assert undo(ImportBatch.objects.first())[0] == 0
        assert occupancies_of([group], now=timezone.now())[group.pk][-1].total == 7

    def test_a_child_stands_in_one_row(self, load, group, official):
        GroupFactory.create(kindergarten=group.kindergarten, name="Күншуақ")
        rows = [*self.rows(2), self.rows(1)[0].replace("Балапан", "Күншуақ")]
        code, said = load("enrolled", self.HEADING, *rows, by=official.username)
        assert (code, "row 4, iin" in said, "in row 2 already" in said) == (1, True, True)
        assert nth_iin(0) not in said
        assert not Headcount.objects.exists()

    def test_children_with_a_contract_are_in_the_file_too(self, load, group, official):
        contract = ContractFactory.create(referral__bid__vacancy__group=group)
        assert contract.group == group
        code, said = load("enrolled", self.HEADING, *self.rows(1), by=official.username)
        assert code == 0, said
        ContractFactory.create(referral__bid__vacancy=contract.referral.bid.vacancy)
        code, said = load("enrolled", self.HEADING, *self.rows(1), by=official.username)
        assert (code, "fewer children of this group (1) than have contracts in it (2)" in said) == (1, True)

    def test_a_child_with_a_contract_in_another_group_is_named(self, load, group, official):
        other = GroupFactory.create(kindergarten=group.kindergarten, name="Күншуақ")
        GroupFactory.create(kindergarten__slug="far", name="Far")
        contract = ContractFactory.create(
            referral__bid__vacancy__group=other, referral__application__child__iin=nth_iin(1)
        )
        assert contract.group == other
        code, said = load("enrolled", self.HEADING, *self.rows(3), "far;Far;", by=official.username)
        assert code == 1
        assert "row 3, group «Балапан»: The child has a contract in another group." in said
        assert "Kindergarten: amina, group: Күншуақ." in said
        load("enrolled", self.HEADING, *self.rows(3), "far;Far;", by=official.username, skip_bad=True)
        assert set(Headcount.objects.values_list("group__name", flat=True)) == {"Far"}
        # Where the contract is, the row is right; and one that has ended says nothing.
        right = self.rows(1)[0].replace("Балапан", "Күншуақ").replace(nth_iin(0), nth_iin(1))
        assert load("enrolled", self.HEADING, right, by=official.username)[0] == 0
        type(contract).objects.update(
            ended_at=timezone.now(), left_on=timezone.localdate(), ended_by=official, end_reason="x"
        )
        assert load("enrolled", self.HEADING, *self.rows(3), by=official.username)[0] == 0

    @pytest.mark.parametrize(
        ("bad", "counted"),
        [
            # A mistyped IIN is still a child; a child in two rows is in one of the two groups.
            ("amina;Балапан;123", {"Күншуақ", "Far"}),
            (f"amina;Күншуақ;{nth_iin(0)}", {"Far"}),
            ("amina;Балапон;", {"Far"}),
            ("amina;;", set()),
            ("amin;Балапан;", set()),
        ],
    )
    def test_a_bad_row_leaves_every_group_uncounted_that_it_may_be_of(
        self, load, group, official, bad, counted
    ):
        GroupFactory.create(kindergarten=group.kindergarten, name="Күншуақ")
        GroupFactory.create(kindergarten__slug="far", name="Far")
        rows = [*self.rows(3), "amina;Күншуақ;", "far;Far;", bad]
        code, said = load("enrolled", self.HEADING, *rows, by=official.username, skip_bad=True)
        assert code == 1
        assert "may be children of this group" in said
        assert set(Headcount.objects.values_list("group__name", flat=True)) == counted

    def test_the_same_number_is_counted_again_once_a_child_has_come(self, load, group, official):
        load("enrolled", self.HEADING, *self.rows(7), by=official.username)
        ContractFactory.create(
            referral__bid__vacancy__group=group,
            referral__bid__vacancy__seats_taken=1,
            referral__bid__holds_seat=True,
            signed_at=timezone.now(),
        )
        before = occupancies_of([group], now=timezone.now())[group.pk][-1]
        said = load("enrolled", self.HEADING, *self.rows(7), by=official.username)[1]
        assert ", changed 7" in said
        assert occupancies_of([group], now=timezone.now())[group.pk][-1].total == before.total - 1
        assert "unchanged 7" in load("enrolled", self.HEADING, *self.rows(7), by=official.username)[1]

    def test_the_same_number_is_counted_again_once_a_child_has_left(self, load, group, official):
        now = timezone.now()
        contract = ContractFactory.create(
            referral__bid__vacancy__group=group, signed_at=now - timedelta(days=9)
        )
        load("enrolled", self.HEADING, *self.rows(7), by=official.username)
        Headcount.objects.update(counted_at=now - timedelta(days=5))
        contract.ended_at, contract.left_on = now, timezone.localdate() - timedelta(days=1)
        contract.ended_by, contract.end_reason = official, "moved"
        contract.save()
        contract.referral.bid.holds_seat = False
        contract.referral.bid.save()
        before = occupancies_of([group], now=timezone.now())[group.pk][-1]
        assert ", changed 7" in load("enrolled", self.HEADING, *self.rows(7), by=official.username)[1]
        assert occupancies_of([group], now=timezone.now())[group.pk][-1].total == before.total + 1

    def test_a_group_that_somebody_holds_disturbs_it(self, load, monkeypatch, group, official):
        def busy(*_args, **_options):
            raise Refused(Refusal.BUSY)

        monkeypatch.setattr(enrolled, "count_children", busy)
        code, said = load("enrolled", self.HEADING, *self.rows(2), by=official.username)
        assert (code, "Somebody else is changing the same rows" in said) == (1, True)

    def test_what_a_count_refuses_is_told_of_its_row(self, load, monkeypatch, group, official):
        def refused(*_args, **_options):
            raise Refused(Refusal.PROPOSAL_WAITS)

        monkeypatch.setattr(enrolled, "count_children", refused)
        code, said = load("enrolled", self.HEADING, *self.rows(2), by=official.username)
        assert (code, "row 2, group" in said) == (1, True)

    @pytest.mark.parametrize("lacking", ["load_files", "change_group", "change_headcount"])
    def test_who_answers_has_every_right_it_takes(self, load, group, lacking):
        official = employee(Role.OFFICIAL)
        AuthGroup.objects.get(name=Role.OFFICIAL).permissions.remove(
            *Permission.objects.filter(codename=lacking)
        )
        code, said = load("enrolled", self.HEADING, *self.rows(1), by=official.username)
        assert (code, lacking in said) == (2, True)

    def test_somebody_has_to_answer_for_it(self, load, group):
        code, said = load("enrolled", self.HEADING, *self.rows(1))
        assert (code, "--by NAME" in said) == (2, True)

    def test_no_iin_is_kept(self, load, group, official):
        load("enrolled", self.HEADING, *self.rows(3), by=official.username)
        kept = str(list(ImportBatch.objects.get().rows.values())) + str(list(AuditEntry.objects.values()))
        assert not any(nth_iin(number) in kept for number in range(3))


def test_rows_of_other_localities_are_left_to_others(load):
    kentau = LocalityFactory.create(slug="kentau")
    KindergartenFactory.create(slug="here", locality=kentau)
    KindergartenFactory.create(slug="there")
    official = official_of(kentau)
    rows = ["here;A;3-4;kk;20", "there;A;3-4;kk;20"]
    code, said = load("groups", "kindergarten;name;age_group;language;capacity", *rows, by=official.username)
    assert (code, "row 3, kindergarten «there»: It is in a locality in which you don't work" in said) == (
        1,
        True,
    )


class TestUndoing:
    HEADING = "slug;name_kk;name_ru;locality;ownership;type;address_kk;address_ru"
    ROW = "amina;Амина;Амина;turkistan;state;nursery;Абай;Абая"

    @pytest.fixture(autouse=True)
    def _turkistan(self):
        LocalityFactory.create()

    def test_what_was_made_goes_and_what_was_changed_is_as_before(self, load, undo):
        KindergartenFactory.create(slug="old", name_kk="Бұрынғы", phone="+77253312345")
        phone = f"{self.HEADING};phone"
        load("kindergartens", phone, f"{self.ROW};", f"{self.ROW};".replace("amina", "old"))
        old = Kindergarten.objects.get(slug="old")
        assert (old.name_kk, old.phone) == ("Амина", "")
        batch = ImportBatch.objects.get()
        code, said = undo(batch)
        assert (code, said.strip()) == (0, f"Undone: batch {batch.pk}, kindergartens.csv.")
        old = Kindergarten.objects.get()
        assert (old.slug, old.name_kk, old.phone.as_e164) == ("old", "Бұрынғы", "+77253312345")
        assert undo(batch) == (1, "It was undone before.")
        assert AuditEntry.objects.filter(action="file_undone").count() == 1

    def test_for_ninety_days_to_the_microsecond(self, load):
        load("kindergartens", self.HEADING, self.ROW)
        batch, kind = ImportBatch.objects.get(), KINDS["kindergartens"]
        over, before = batch.loaded_at + UNDOABLE_FOR, timedelta(microseconds=1)
        assert purge_rows(now=over - before) == 0
        with pytest.raises(TooLate):
            undo_batch(batch, kind, by=None, now=over)
        assert undo_batch(batch, kind, by=None, now=over - before) == ()
        assert purge_rows(now=over) == 1

    def test_nothing_is_undone_once_something_stands_on_it(self, load, undo):
        load("kindergartens", self.HEADING, self.ROW, self.ROW.replace("amina", "other"))
        GroupFactory.create(kindergarten=Kindergarten.objects.get(slug="amina"))
        code, said = undo(ImportBatch.objects.get())
        assert (code, "row 2" in said, "Something stands on it by now" in said) == (1, True, True)
        assert Kindergarten.objects.count() == 2

    def test_nothing_is_undone_that_was_changed_since(self, load, undo):
        load("kindergartens", self.HEADING, self.ROW)
        Kindergarten.objects.update(address_kk="Басқа")
        code, said = undo(ImportBatch.objects.get())
        assert (code, "It was changed since: address in Kazakh" in said) == (1, True)
        Kindergarten.objects.all().delete()
        assert "It was deleted since" in undo(ImportBatch.objects.get())[1]

    def test_batches_are_undone_from_the_newest_on(self, load, undo):
        load("kindergartens", self.HEADING, self.ROW)
        load("groups", "kindergarten;name;age_group;language;capacity", "amina;A;3-4;kk;20")
        groups, kindergartens = ImportBatch.objects.all()
        assert undo(kindergartens)[0] == 1
        assert undo(groups)[0] == 0
        assert undo(kindergartens)[0] == 0
        assert not Kindergarten.objects.exists()

    def test_a_group_gets_no_capacity_back_that_is_too_small_by_now(self, load, undo):
        group = GroupFactory.create(kindergarten__slug="amina", name="A", capacity=10)
        row = f"amina;A;{group.age_group};{group.language};20"
        load("groups", "kindergarten;name;age_group;language;capacity", row)
        VacancyFactory.create(group=group, seats_total=15)
        code, said = undo(ImportBatch.objects.get())
        assert (code, "Less than what is taken" in said) == (1, True)

    def test_a_kindergarten_is_not_moved_back_from_its_families(self, load, undo):
        kindergarten = KindergartenFactory.create(
            slug="amina", locality=LocalityFactory.create(slug="kentau")
        )
        load("kindergartens", self.HEADING, self.ROW)
        VacancyFactory.create(group__kindergarten=kindergarten)
        code, said = undo(ImportBatch.objects.get())
        assert (code, "places in the bulletin" in said) == (1, True)
