"""What the workplace enters into the audit by itself: changes in forms, and looks at families' data."""

import csv
import io
import json
from datetime import date, timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group as UserGroup
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from accounts import limits
from accounts.audit import LOOK_LASTS, journal_of, record, record_look
from accounts.changes import in_words, rows_called
from accounts.journal_actions import Action
from accounts.limits import Limit
from accounts.models import AuditEntry, Employee, Profile, User
from accounts.roles import Role
from applications.admin.work import WorkAdmin
from applications.journal_actions import Action as FamilyAction
from applications.rosters import held
from bulletin.models import Employment, Holiday, Locality
from tests.factories import (
    ApplicationFactory,
    BenefitCategoryFactory,
    BidFactory,
    GuardianshipFactory,
    HolidayFactory,
    KindergartenFactory,
    LocalityFactory,
    ProfileFactory,
    ReferralFactory,
    StaffFactory,
    VacancyFactory,
    left_out,
    nth_iin,
)
from tests.staff import employee, give_app, inside, official_of, press, worker_of

pytestmark = pytest.mark.django_db

# Pages that show no family's data, by the label of their model. Somebody has looked at each.
OF_NOBODY = {
    "accounts.Employee",
    "accounts.SmsCode",  # a masked number, of nobody in particular
    "applications.BenefitCategory",
    "applications.CityExport",
    "applications.FormerProtocol",
    "applications.GroupProposal",
    "applications.ProfileProposal",
    "applications.Headcount",
    "applications.Rules",
    "applications.RulesProposal",
    "auth.Group",
    "bulletin.Closing",
    "bulletin.Employment",
    "bulletin.Group",
    "bulletin.Holiday",
    "bulletin.Photo",
    "bulletin.Kindergarten",
    "bulletin.Locality",
    "bulletin.Pause",
    "bulletin.ReportedIncident",
    "bulletin.Review",  # written to be published, without its author
    "bulletin.Vacancy",
}


@pytest.fixture
def chief():
    user = StaffFactory(username="chief", is_superuser=True)
    give_app(user)
    return user


@pytest.fixture
def desk(chief):
    return inside(chief)


def page_of(obj):
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def filled(desk, address):
    """The form at an address as it would be sent back unchanged."""
    form = desk.get(address).context["adminform"].form
    held = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    sent = {}
    for name, value in held.items():
        value = form.fields[name].prepare_value(value)
        if value is not None and value is not False:
            sent[name] = [str(one) for one in value] if isinstance(value, list) else str(value)
    return sent


def save(desk, address, **values):
    sent = {**filled(desk, address), **values}
    answer = press(desk, address, {**sent, "confirmed": "1"})
    if answer.status_code == 200 and (reckoned := answer.context.get("reckoned")):
        # What the consequences were reckoned by comes back with the confirmation.
        answer = press(desk, address, {**sent, "_reckoned": reckoned, "confirmed": "1"})
    assert answer.status_code == 302, answer.context["errors"]


def newest():
    return AuditEntry.objects.order_by("-pk").first()


class TestForms:
    def test_an_employment_is_added_changed_and_ended(self, chief, desk):
        worker, kindergarten = StaffFactory(), KindergartenFactory()
        address = reverse("admin:bulletin_employment_add")
        save(desk, address, user=str(worker.pk), kindergarten=str(kindergarten.pk), since="2026-01-15")
        entry, row = newest(), Employment.objects.get()
        assert (entry.action, entry.actor, entry.subject) == (Action.ROW_ADDED, chief, worker)
        assert entry.changes["since"] == [[], ["2026-01-15"]]
        save(desk, page_of(row), until="2026-06-30")
        entry = newest()
        assert (entry.action, entry.changes) == (Action.ROW_CHANGED, {"until": [[], ["2026-06-30"]]})
        with override("ru"):
            assert in_words(Employment, entry.changes, called={}) == [
                "последний день: — → 30.06.2026"
            ] or in_words(Employment, entry.changes, called={})[0].endswith(": — → 30.06.2026")
        desk.post(reverse("admin:bulletin_employment_delete", args=[row.pk]), {"post": "yes"})
        entry = newest()
        assert (entry.action, entry.subject, Employment.objects.count()) == (Action.ROW_DELETED, worker, 0)
        assert worker.username in entry.target

    def test_roles_and_blocking_are_entered_with_what_they_were(self, desk):
        worker = employee(Role.KINDERGARTEN)
        official = UserGroup.objects.get(name=Role.OFFICIAL.value)
        was = worker.groups.get()
        save(desk, page_of(worker), groups=[str(official.pk)], is_active="", staff_iin=nth_iin(90_000))
        changes = newest().changes
        assert changes["groups"] == [[str(was.pk)], [str(official.pk)]]
        assert changes["is_active"] == [["True"], ["False"]]
        with override("kk"):
            lines = " ".join(in_words(User, changes, called=rows_called([(User, changes)])))
            assert str(Role.OFFICIAL.label) in lines

    def test_a_parent_reads_that_the_account_was_blocked(self, desk, chief):
        parent = ProfileFactory().user
        save(desk, page_of(parent), is_active="")
        assert journal_of(parent).first().action == Action.ACCOUNT_BLOCKED
        # Of a parent the form's own entry says nothing more, and stands in nobody's journal.
        assert newest().subject is None
        save(desk, page_of(parent), is_active="on")
        assert journal_of(parent).first().action == Action.ACCOUNT_UNBLOCKED

    @pytest.mark.parametrize(
        ("make", "values"),
        [
            (KindergartenFactory, {"head": "Серікқызы Айгүл"}),
            (HolidayFactory, {"name_kk": "Айгүл күні", "source": "Айгүл"}),
            (BenefitCategoryFactory, {"name_kk": "Айгүл"}),
        ],
    )
    def test_what_somebody_typed_is_never_kept(self, desk, make, values):
        """The audit is for ever; a line of text may hold anything."""
        row = make()
        save(desk, page_of(row), **values)
        entry = newest()
        assert entry.action == Action.ROW_CHANGED
        assert entry.changes == {name: [] for name in values}
        assert "Айгүл" not in json.dumps(entry.changes, ensure_ascii=False)

    def test_saving_what_is_there_already_is_no_change(self, desk):
        row = BenefitCategoryFactory()
        before = AuditEntry.objects.count()
        save(desk, page_of(row))
        assert AuditEntry.objects.count() == before

    def test_every_page_with_a_form_is_behind_the_one_that_enters_it(self):
        """Ours and the libraries'."""
        from balabaqsha.staff_audit import AuditedAdmin

        assert all(isinstance(page, AuditedAdmin) for page in admin.site._registry.values())


class TestLooks:
    def test_every_page_is_a_familys_or_nobodys(self):
        for model, page in admin.site._registry.items():
            is_told = hasattr(page, "whose_data")
            if isinstance(page, WorkAdmin) and type(page).whose_data is WorkAdmin.whose_data:
                # Whose application it is; without one it shows nobody's data.
                is_told = type(page).application_of is not WorkAdmin.application_of
            assert is_told == (model._meta.label not in OF_NOBODY), model._meta.label

    @pytest.mark.parametrize("model", [Profile, User])
    def test_opening_a_parents_page_is_in_their_journal(self, desk, chief, model):
        parent = ProfileFactory().user
        desk.get(page_of(parent if model is User else parent.profile))
        entry = journal_of(parent).get()
        assert (entry.action, entry.actor) == (Action.PERSONAL_DATA_VIEWED, chief)

    def test_once_in_ten_minutes_for_each_employee_and_object(self, desk, chief):
        """Reading the page again, its history and the page of a button is the same look."""
        application = ApplicationFactory()
        parent = application.filed_by
        looks = journal_of(parent).filter(action=Action.PERSONAL_DATA_VIEWED)
        for page in ("change", "history", "change"):
            desk.get(reverse(f"admin:applications_application_{page}", args=[application.pk]))
        assert looks.count() == 1
        other = StaffFactory(is_superuser=True)
        give_app(other)
        inside(other).get(page_of(application))
        desk.get(page_of(application.child))
        assert looks.count() == 3

    def test_the_ten_minutes_end_to_the_microsecond(self, chief):
        parent = ProfileFactory().user
        from django.utils import timezone

        now = timezone.now()
        for after in (timedelta(0), LOOK_LASTS - timedelta(microseconds=1), LOOK_LASTS):
            record_look(actor=chief, families=[parent], about=parent, now=now + after)
        assert journal_of(parent).count() == 2

    def test_an_employee_is_no_family(self, desk):
        worker = StaffFactory()
        desk.get(page_of(worker))
        assert not AuditEntry.objects.filter(subject=worker).exists()


class TestSearch:
    ADDRESS = "admin:accounts_auditentry_changelist"

    def shown(self, desk, **asked):
        page = desk.get(reverse(self.ADDRESS), asked)
        assert page.status_code == 200
        return [row.entry for row in page.context["rows"]]

    def test_who_whom_what_and_when(self, clock, desk, chief):
        application = ApplicationFactory()
        parent, worker = application.filed_by, StaffFactory(username="aidana.k")
        now = application.filed_at
        record_look(actor=worker, families=[parent], about=application, target=application.number, now=now)
        look = newest()
        record(Action.SIGNED_IN, actor=worker, subject=worker, now=now + timedelta(days=1))
        sign_in = newest()
        assert self.shown(desk, who="AIDANA") == [sign_in, look]
        assert self.shown(desk, who="aidana", what="all:looks") == [look]
        assert self.shown(desk, who="aidana", what="signed_in") == [sign_in]
        for words in (application.number, application.number.replace("-", "")):
            assert look in self.shown(desk, q=words, who="aidana")
            assert sign_in not in self.shown(desk, q=words)
        for words in (str(parent.phone), parent.profile.iin, application.child.iin):
            assert self.shown(desk, q=words, who="aidana") == [look]
            # Whose number it is reads that somebody searched for it.
        assert journal_of(parent).filter(action=Action.LOOKED_UP, actor=chief).count() == 2
        day = f"{(now + timedelta(days=1)):%Y-%m-%d}"
        assert self.shown(desk, who="aidana", since=day, until=day) == [sign_in]
        assert self.shown(desk, who="nobody") == []

    @pytest.mark.parametrize(
        "asked",
        [
            {"what": "no-such"}, {"what": "all:no-such"}, {"since": "31.02.2026"}, {"since": "0001-01-01"},
            {"until": "9999-12-31"}, {"who": "\0"}, {"q": "\0" * 5}, {"q": "x" * 101}, {"before": "x"},
            {"before": "2026-01-01T00:00:00~1"}, {"before": "2026-01-01T00:00:00+00:00~" + "9" * 30},
            {"before": "2026-13-01T00:00:00+00:00~1"}, {"before": "0001-01-01T00:00:00+14:00~1"},
            {"e": "1"}, {"o": "1"},
        ],
    )  # fmt: skip
    def test_whatever_the_address_says_it_is_answered(self, desk, asked):
        assert desk.get(reverse(self.ADDRESS), asked).status_code == 200

    def test_many_namesakes_are_nobody_in_particular(self, desk):
        StaffFactory.create_batch(21)
        page = desk.get(reverse(self.ADDRESS), {"who": "staff-"})
        assert page.context["form"].errors["who"]
        assert page.context["rows"] == []

    def test_a_file_is_safe_in_the_readers_language_and_entered(self, desk, chief):
        parent = ProfileFactory().user
        now = parent.date_joined
        record(
            Action.REGISTERED, actor=parent, subject=parent, now=now, target='=HYPERLINK("x")', reason="+1;@x"
        )
        kindergarten = KindergartenFactory()
        save(desk, page_of(kindergarten), phone="", ownership="state")
        answer = desk.post("/ru" + reverse("admin:accounts_auditentry_export"), {})
        (heading, *rows) = csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig")), delimiter=";")
        with override("ru"):
            assert heading[1] == "Кто сделал"
            assert {row[4] for row in rows} >= {str(Action.REGISTERED.label), str(Action.ROW_CHANGED.label)}
        assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
        assert "." not in rows[0][0].partition(" ")[2]
        assert any("форма собственности" in row[7].lower() for row in rows)
        entry = AuditEntry.objects.get(action=Action.AUDIT_EXPORTED)
        assert (entry.actor, entry.target) == (chief, "")
        assert desk.get(reverse("admin:accounts_auditentry_export")).status_code == 302
        assert AuditEntry.objects.filter(action=Action.AUDIT_EXPORTED).count() == 1

    def test_a_file_is_a_search_like_any_other(self, desk, chief, monkeypatch):
        """Counted, entered, and told to whose number it is; past the limit no file, and nothing is looked up."""
        monkeypatch.setattr(
            limits, "LOOK_UP_PER_EMPLOYEE", Limit("LOOK_UP_PER_EMPLOYEE", 2, timedelta(hours=1))
        )
        families = [ApplicationFactory() for _ in range(3)]
        for one in families:
            record(Action.SIGNED_IN, actor=one.filed_by, subject=one.filed_by, now=timezone.now())
        export = reverse("admin:accounts_auditentry_export")
        answers = [desk.post(export, {"q": one.child.iin}) for one in families]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        looked_up = [journal_of(one.filed_by).filter(action=Action.LOOKED_UP).count() for one in families]
        assert looked_up == [1, 1, 0]
        assert AuditEntry.objects.filter(action=Action.SEARCHED, actor=chief).count() == 2
        assert AuditEntry.objects.filter(action=Action.AUDIT_EXPORTED).count() == 2
        # The file of what was just searched for on the page is no other search.
        assert desk.get(reverse(self.ADDRESS), {"q": families[1].child.iin}).status_code == 200

    def test_a_file_asks_for_the_names_of_rows_once(self, desk, chief, django_assert_max_num_queries):
        """However many entries lead to rows of other models."""
        entries = [
            AuditEntry(
                at=timezone.now(),
                action=Action.ROW_CHANGED,
                actor=chief,
                about=f"bulletin.kindergarten:{number}",
                changes={"locality": [[str(LocalityFactory(slug=f"l{number}").pk)], ["999999"]]},
            )
            for number in range(12)
        ]
        AuditEntry.objects.bulk_create(entries)
        with django_assert_max_num_queries(30) as asked:
            answer = desk.post("/ru" + reverse("admin:accounts_auditentry_export"), {})
            text = answer.getvalue().decode("utf-8-sig")
        assert text.count("→ 999999") == 12
        names = [one["sql"] for one in asked if '"bulletin_locality"."id" I' in one["sql"]]
        assert len([one for one in names if 'FROM "bulletin_locality"' in one]) == 1

    def test_every_row_of_the_list_leads_to_its_page(self):
        """Also for an official of every locality, of entries that concern no family: a sign-in, a search, a form."""
        LocalityFactory()
        official = official_of(*Locality.objects.all())
        desk = inside(official)
        for entry in (
            {"action": Action.SIGNED_IN, "subject": employee(Role.ADMINISTRATOR)},
            {"action": Action.SEARCHED, "target": "accounts.user 9"},
            {
                "action": Action.REGISTERED,
                "subject": ApplicationFactory(locality=Locality.objects.first()).filed_by,
            },
        ):
            AuditEntry.objects.create(at=timezone.now(), **entry)
        rows = desk.get(reverse(self.ADDRESS)).context["rows"]
        assert len(rows) >= 3
        assert {desk.get(page_of(row.entry)).status_code for row in rows} == {200}

    def test_every_look_at_a_family_is_found_by_whatever_names_it(self, desk, clock):
        """Three siblings on one card, a list that held one of them, searches; nobody else's."""
        mother = ProfileFactory(last_name="МАХМҰТОВА", second_phone="+77011112233").user
        siblings = [
            ApplicationFactory(
                child__last_name="МАХМҰТОВ",
                child__first_name=name,
                filed_by=mother,
                number=f"23-{number:06d}",
            )
            for number, name in enumerate(("АСЫЛ", "АЙДОС", "АЛМАС"), start=811)
        ]
        father = ProfileFactory(last_name="АХМЕТОВ").user
        GuardianshipFactory(child=siblings[0].child, user=father, ended_at=timezone.now())
        vacancy = VacancyFactory(group__kindergarten__locality=siblings[1].locality)
        bid = BidFactory(application=siblings[1], vacancy=vacancy)
        referral = ReferralFactory(bid=bid, application=siblings[1], number="26-0403-9941")
        stranger = ApplicationFactory(number="23-000900")
        caller, worker = (
            employee(Role.CONTACT_CENTRE, username="zhanar"),
            worker_of(vacancy.group.kindergarten),
        )
        calls, house = inside(caller), inside(worker)
        for text in ("23-000900", "23-000811"):
            to_card = calls.post("/admin/family/", {"text": text})
            calls.post(to_card["location"], {"reason": "looked_on_call"})
        others = set(AuditEntry.objects.filter(subject=stranger.filed_by))
        for address in (
            reverse("admin:roster_bids", args=[vacancy.pk]),
            reverse("admin:roster_awaited"),
            page_of(referral),
            reverse("admin:applications_bid_changelist") + "?q=23-000812",
        ):
            assert house.get(address).status_code == 200
        theirs = AuditEntry.objects.filter(actor__in=[caller, worker]).exclude(action=Action.SEARCHED)
        looks = set(theirs.exclude(target__contains="000900").exclude(subject=stranger.filed_by))
        # Three on the card, which one search found, the page, the search in a list, and two lists.
        assert len(looks) == 3 + 1 + 1 + 1 + 2
        for text in (
            *(one.number for one in siblings),
            "23000811",
            siblings[2].child.iin,
            "махмутов асыл",
            "Махмұтов",
            referral.number,
            str(mother.phone),
            "8 701 111 22 33",
        ):
            found = set(self.shown(desk, q=text))
            missing = {one.action for one in looks - found}
            if text in (str(mother.phone), "8 701 111 22 33", "Махмұтов"):
                assert missing == set(), text
            elif text in ("23-000812", referral.number):
                # The search found another child.
                assert missing == {FamilyAction.FOUND_FAMILY}, text
            else:
                assert missing <= {FamilyAction.FOUND_FAMILY, FamilyAction.ROSTER_TAKEN}, text
            assert not others & found, text
        # Who is a guardian no more leads to the child that was theirs.
        (look,) = looks & {one for one in self.shown(desk, q="Ахметов") if one.actor == caller and one.child}
        assert look.child == siblings[0].child.pk
        searches = [one for one in self.shown(desk, q="23-000811") if one.action == Action.SEARCHED]
        assert [one.actor for one in searches[-1:]] == [caller]
        assert {one.action for one in self.shown(desk, who="zhanar", what="all:looks")} == {
            Action.SEARCHED,
            FamilyAction.FOUND_FAMILY,
            FamilyAction.LOOKED_ON_CALL,
        }
        # A file that a worker made is entered like the list, and found after the child has left it.
        file = held.in_file("roster:bids", f"pk={vacancy.pk}", employee=worker, now=timezone.now())
        assert file == held.bids_for(vacancy.pk)
        awaited = held.in_file("roster:awaited", "", employee=worker, now=timezone.now())
        assert {*file, *awaited} <= {span.about for span in held.lists_of([siblings[1].child])}
        # On the card, an auditor who reads no names tells the three apart.
        card = reverse("admin:family_of_child", args=[siblings[0].child.pk])
        auditor = inside(employee(Role.AUDITOR))
        auditor.post(card, {"reason": "looked_for_check"})
        rows = auditor.get(card).context["card"].sections["journal"].rows
        told = {row.target for row in rows if row.entry.action == FamilyAction.LOOKED_ON_CALL}
        assert told == {f"М••••• А., {one.number}" for one in siblings}

    def test_who_has_no_right_reads_and_takes_nothing(self):
        worker = inside(employee(Role.KINDERGARTEN))
        assert worker.get(reverse(self.ADDRESS)).status_code == 403
        assert worker.post(reverse("admin:accounts_auditentry_export")).status_code == 403
        assert not AuditEntry.objects.filter(action=Action.AUDIT_EXPORTED).exists()

    def test_whoever_acted_is_told_as_they_were(self, desk):
        """A new name and a new position rewrite nothing, by whatever way they come; the audit holds both."""
        worker = employee(Role.OFFICIAL, username="atk.off1")
        person = Employee.objects.create(
            user=worker, last_name="Ахметова", first_name="Алия", position="әдіскер"
        )
        record(Action.EMPLOYEE_INVITED, actor=worker, now=timezone.now())
        before = newest()
        values = {"last_name": "Бекова", "first_name": "Алия", "middle_name": "", "position": "директор"}
        page = reverse("admin:accounts_employee_change", args=[person.pk])
        assert desk.post(page, {**values, "work_phone": "", "email": ""}).status_code == 302
        renamed = newest()
        record(Action.EMPLOYEE_INVITED, actor=worker, now=timezone.now())
        after = newest()
        Employee.objects.filter(pk=person.pk).update(position="кезекші")
        then, now = "Ахметова А., әдіскер", "Бекова А., директор"
        rows = {row.entry: row for row in desk.get(reverse(self.ADDRESS)).context["rows"]}
        assert [(rows[one].who, rows[one].login) for one in (before, after)] == [
            (then, "atk.off1"),
            (now, "atk.off1"),
        ]
        assert rows[renamed].whom == f"{now} (atk.off1)"
        file = desk.post(reverse("admin:accounts_auditentry_export"), {}).getvalue().decode("utf-8-sig")
        told = {row[1]: row[2] for row in csv.reader(io.StringIO(file), delimiter=";")}
        assert (told[then], told[now]) == ("atk.off1", "atk.off1")
        for address in (page_of(renamed), reverse("admin:accounts_employee_history", args=[person.pk])):
            text = desk.get("/ru" + address).content.decode()
            assert "Ахметова → Бекова" in text
            assert "әдіскер → директор" in text
        assert f"{then} (atk.off1)" in desk.get(page_of(before)).content.decode()

    @pytest.mark.parametrize("role", [Role.AUDITOR, Role.OFFICIAL])
    def test_a_name_that_was_typed_into_a_reason_is_read_by_who_reads_names(self, role, chief):
        guardianship = GuardianshipFactory(child__last_name="НАЗАРОВА", child__first_name="ШОЛПАН")
        parent = guardianship.user
        Profile.objects.filter(user=parent).update(last_name="СЕРІКОВ", first_name="БЕКЗАТ")
        reason = "Назарова Шолпанның әкесі Серіков Бекзат қоңырау шалды: у Назаровой нет места"
        record(
            Action.PERSONAL_DATA_VIEWED,
            actor=chief,
            subject=parent,
            target="x",
            reason=reason,
            now=timezone.now(),
        )
        entry, desk, asked = newest(), inside(employee(role)), {"q": str(parent.phone)}
        file = desk.post(reverse("admin:accounts_auditentry_export"), asked).getvalue().decode("utf-8-sig")
        dots = "•••••"
        masked = f"{dots} {dots} әкесі {dots} {dots} қоңырау шалды: у {dots} нет места"
        told = reason if role == Role.OFFICIAL else masked
        for text in (
            file,
            desk.get(reverse(self.ADDRESS), asked).content.decode(),
            desk.get(page_of(entry)).content.decode(),
        ):
            assert told in text
            assert ("Назаров" in text) == (role == Role.OFFICIAL)

    def test_a_name_of_a_line_that_was_typed_into_a_reason(self, chief):
        line = left_out(None, last_name="НАЗАРОВА", first_name="ШОЛПАН")
        record(
            FamilyAction.LINE_LEFT_OUT,
            actor=chief,
            target="1",
            reason="Назарова Шолпан келмеді",
            about=line,
            now=timezone.now(),
        )
        entry, auditor = newest(), inside(employee(Role.AUDITOR))
        assert "••••• ••••• келмеді" in auditor.get(page_of(entry)).content.decode()
        # Whom the line named is not known any more.
        type(line).objects.filter(pk=line.pk).update(cells="")
        page = auditor.get(page_of(entry)).content.decode()
        assert "Назарова" not in page
        assert "келмеді" not in page
        assert "Назарова" in inside(employee(Role.OFFICIAL)).get(page_of(entry)).content.decode()

    @pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMINISTRATOR])
    def test_who_reads_no_names_reads_none_here(self, role, chief):
        guardianship = GuardianshipFactory(child__last_name="НАЗАРОВА", child__first_name="ШОЛПАН")
        child, parent = guardianship.child, guardianship.user
        application = ApplicationFactory(child=child)
        targets = (
            child.full_name,
            f"{application.number}: Назарова.pdf",
            f"{child.full_name}, {child.full_name}",
        )
        for target in targets:
            record(
                Action.PERSONAL_DATA_VIEWED, actor=chief, subject=parent, target=target, now=timezone.now()
            )
        record(
            Action.PERSONAL_DATA_VIEWED, actor=chief, target=child.full_name, about=child, now=timezone.now()
        )
        entry, masked = newest(), "Н••••• Ш."
        desk, address = inside(employee(role)), reverse(self.ADDRESS)
        page = desk.get(address, {"q": application.number})
        assert [row.what for row in page.context["rows"]][:4] == [
            masked, f"{masked}, {masked}", application.number, masked,
        ]  # fmt: skip
        for asked in ({"q": application.number}, {"q": str(parent.phone)}):
            file = (
                desk.post(reverse("admin:accounts_auditentry_export"), asked).getvalue().decode("utf-8-sig")
            )
            assert masked in file
            for text in (
                file,
                desk.get(address, asked).content.decode(),
                desk.get(page_of(entry)).content.decode(),
            ):
                assert "азаров" not in text.lower()
                assert "шолпан" not in text.lower()
        for words in (child.full_name, "назарова", parent.profile.last_name):
            assert self.shown(desk, q=words) == []
            assert len(self.shown(inside(chief), q=words)) >= 4
        assert child.full_name in inside(chief).get(page_of(entry)).content.decode()
        # Employees are found as before.
        assert self.shown(desk, q=str(parent.phone))

    def test_an_entry_shows_what_changed(self, desk):
        day = HolidayFactory(date=date(2026, 7, 6))
        save(desk, page_of(day), kind=Holiday.Kind.WORKING_DAY)
        text = desk.get("/ru" + page_of(newest())).content.decode()
        with override("ru"):
            assert f"{Holiday.Kind.DAY_OFF.label} → {Holiday.Kind.WORKING_DAY.label}" in text
