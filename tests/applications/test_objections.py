"""Wrong data: what a parent sends, the day of the answer, and the official who answers."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.urls import reverse

from accounts import audit, limits
from accounts.journal_actions import Action as AccountAction
from accounts.models import AuditEntry, Objection
from accounts.roles import Role
from applications.jobs.retention import OBJECTION_KEPT_FOR, old_objections, purge_objections
from applications.journal_actions import Action
from applications.moves import Refused
from applications.objections import MOST_OPEN, answer_objection, send_objection, to_answer
from applications.refusals import Refusal
from bulletin.models import Holiday
from notifications.models import Message, Notice
from tests.applications.conftest import NOW, ZONE
from tests.factories import GuardianshipFactory, ObjectionFactory, StaffFactory, UserFactory
from tests.staff import employee, inside, press

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "calendar_2019")]

MICROSECOND = timedelta(microseconds=1)
About, Answer = Objection.About, Objection.Answer
# Ten working days after Wednesday 26.06.2019, of which 8 July is a day off.
DUE = datetime(2019, 7, 12, tzinfo=ZONE)
FORM = "applications:objections"


def refused(reason):
    return pytest.raises(Refused, check=lambda error: error.reason == reason)


def sent_by(user, **fields):
    data = {"about": About.OTHER, "child": None, "wrong": "Тегім қате", "right": "Әли", **fields}
    return send_objection(user, **data, address=None, now=NOW)


def answered(objection, *, actor=None, answer=Answer.STANDS, reason="Тізілімде солай", now=NOW):
    return answer_objection(
        objection, answer=answer, reason=reason, actor=actor or StaffFactory.create(), now=now
    )


def text(page):
    return page.content.decode()


def test_a_family_objects_reads_the_day_and_then_the_answer(client_of, clock):
    guardianship = GuardianshipFactory.create()
    mother, child = guardianship.user, guardianship.child
    browser = client_of(mother)
    page = text(browser.get(reverse("children:child", args=[child.pk])))
    chosen = f"{reverse(FORM)}?child={child.pk}"
    assert chosen in page
    assert f'value="{child.pk}" selected' in text(browser.get(chosen))
    told = {
        "about": "child",
        "child": child.pk,
        "wrong": "ЖСН 170720600007 қате",
        "right": "Туу куәлігінде басқа",
    }
    page = browser.post(reverse(FORM), told, follow=True)
    own = Objection.objects.get()
    address = reverse("applications:objection", args=[own.pk])
    assert page.redirect_chain[-1][0] == address
    assert (own.user, own.child, own.due_at) == (mother, child.pk, DUE)
    # Read whole by its sender, by nobody else, and not by who reads the table.
    for one in (address, reverse(FORM)):
        assert "11.07.2019" in text(browser.get(one))
    assert "170720600007" in text(browser.get(address))
    with connection.cursor() as cursor:
        cursor.execute("SELECT wrong, accounts_objection.right FROM accounts_objection")
        assert "170720600007" not in "".join(cursor.fetchone())
    other = GuardianshipFactory.create(child=child).user
    for stranger in (UserFactory.create(), other):
        assert client_of(stranger).get(address).status_code == 404
        assert str(own.pk) not in text(client_of(stranger).get(reverse(FORM)))
    # Sent once more by a double press, it is the same.
    assert browser.post(reverse(FORM), told).url == address
    assert Objection.objects.count() == 1

    # The official's list, the audited page, the button.
    desk, page_of_it = (
        inside(employee(Role.OFFICIAL)),
        reverse("admin:accounts_objection_change", args=[own.pk]),
    )
    assert "?answer=open" in text(desk.get(reverse("admin:index")))
    assert "170720600007" in text(desk.get(page_of_it))
    assert AuditEntry.objects.get(action=AccountAction.PERSONAL_DATA_VIEWED).subject == mother
    work = reverse("admin:accounts_objection_work", args=[own.pk, "not-ours"])
    # What may hold an IIN is read only where the journal says so: here, too.
    read = AuditEntry.objects.filter(action=AccountAction.PERSONAL_DATA_VIEWED)
    before = read.count()
    for times, ask in ((1, desk.get), (2, lambda address: desk.post(address, {"reason": ""}))):
        clock.shift(audit.LOOK_LASTS)
        assert "170720600007" in text(ask(work))
        assert read.count() == before + times
    # The family reads the reason: it must say something, and nobody's number.
    for bad in ("", "  ", "...", "ЖСН 170720600007"):
        assert press(desk, work, {"reason": bad}).status_code == 200
    assert Objection.objects.get().is_open
    press(desk, work, {"reason": "Туу куәлігін АХАЖ бөлімі түзетеді"})
    own.refresh_from_db()
    assert (own.answer, own.reason) == (Answer.NOT_OURS, "Туу куәлігін АХАЖ бөлімі түзетеді")
    page = text(browser.get(address))
    assert own.reason in page
    assert "11.07.2019" not in page
    assert own.reason in Notice.objects.get(recipient=mother, kind="objection_answered").text_kk
    assert Message.objects.filter(recipient=mother, kind="objection_answered").count() == 1
    assert list(dict.fromkeys(one.action for one in audit.history_of(own))) == [
        Action.OBJECTION_ANSWERED, AccountAction.PERSONAL_DATA_VIEWED, Action.OBJECTION_SENT
    ]  # fmt: skip
    assert "бала: аты-жөні" in text(browser.get(reverse("accounts:journal")))


def test_the_day_ends_with_a_microsecond(client_of, clock):
    mother = UserFactory.create()
    own = sent_by(mother)
    assert own.due_at == DUE
    official = employee(Role.OFFICIAL)
    address = reverse("applications:objection", args=[own.pk])
    late = "Жауап кешікті"
    lists = reverse("admin:accounts_objection_changelist")
    for moment, is_late in ((DUE - MICROSECOND, False), (DUE, True)):
        clock.move_to(moment)
        # Sessions of two weeks ago are over.
        browser, desk = client_of(mother), inside(official)
        assert own.is_late(now=moment) == is_late
        assert (late in text(browser.get(address))) == is_late
        assert desk.get(f"{lists}?answer=late").context["cl"].result_count == is_late
    # Late or not, it is answered, and late no more.
    assert not answered(own, now=DUE).is_late(now=DUE + timedelta(days=1))
    assert late not in text(browser.get(address))


def test_nobody_is_kept_from_objecting_by_a_missing_calendar():
    Holiday.objects.all().delete()
    assert sent_by(UserFactory.create()).due_at == datetime(2019, 7, 13, tzinfo=ZONE)


def test_what_is_due_first_stands_first_and_what_is_answered_last():
    staff = employee(Role.OFFICIAL)
    later, sooner = (
        ObjectionFactory.create(sent_at=NOW, due_at=NOW + timedelta(days=days)) for days in (9, 2)
    )
    done = answered(ObjectionFactory.create(sent_at=NOW, due_at=NOW))
    assert list(to_answer(staff)) == [sooner, later]
    page = inside(staff).get(reverse("admin:accounts_objection_changelist"))
    assert list(page.context["cl"].result_list) == [sooner, later, done]


def test_nobody_answers_about_themselves_or_their_own_child():
    guardianship = GuardianshipFactory.create()
    official = employee(Role.OFFICIAL, staff_iin_hash=guardianship.user.profile.iin_hash)
    other = GuardianshipFactory.create(child=guardianship.child).user
    about_child = sent_by(other, about=About.CHILD, child=guardianship.child)
    for own in (sent_by(guardianship.user), about_child):
        with refused(Refusal.OWN_DATA):
            answered(own, actor=official)
        page = text(inside(official).get(reverse("admin:accounts_objection_change", args=[own.pk])))
        assert reverse("admin:accounts_objection_work", args=[own.pk, "stands"]) not in page
    assert answered(about_child).answer == Answer.STANDS
    with refused(Refusal.ALREADY_DECIDED):
        answered(about_child, answer=Answer.MENDED)
    with refused(Refusal.REASON_MISSING):
        answered(ObjectionFactory.create(), reason=" ")


def test_only_about_children_of_whom_one_is_told(client_of):
    guardianship = GuardianshipFactory.create()
    mother, child = guardianship.user, guardianship.child
    strange = GuardianshipFactory.create().child
    with refused(Refusal.NOT_YOUR_CHILD):
        sent_by(mother, about=About.CHILD, child=strange)
    browser = client_of(mother)
    for data in ({"about": "child", "child": strange.pk}, {"about": "application"}, {"about": "x"}, {}):
        assert browser.post(reverse(FORM), {"wrong": "Қате дерек", "right": "x", **data}).status_code == 200
    assert not Objection.objects.exists()
    # Whoever has no child is offered nothing of a child's.
    page = text(client_of(UserFactory.create()).get(reverse(FORM)))
    assert 'value="child"' not in page
    assert 'value="person"' in page
    own = sent_by(mother, about=About.CHILD, child=child)
    address = reverse("applications:objection", args=[own.pk])
    assert browser.get(address).status_code == 200
    guardianship.ended_at = NOW
    guardianship.save()
    own = answered(own)
    assert browser.get(address).status_code == 404
    assert str(own.pk) not in text(browser.get(reverse(FORM)))
    assert own.reason not in text(browser.get(reverse("notifications:inbox")))


def test_not_without_end(client_of):
    mother = UserFactory.create()
    for number in range(MOST_OPEN):
        own = sent_by(mother, wrong=f"Қате {number}")
    with refused(Refusal.TOO_MANY_OBJECTIONS):
        sent_by(mother, wrong="Тағы қате")
    sent_by(UserFactory.create())
    answered(own)
    sent_by(mother, wrong="Тағы қате")
    # Ten a day, whatever was answered meanwhile.
    browser = client_of(mother)
    for number in range(limits.OBJECTIONS_PER_ACCOUNT.times):
        Objection.objects.filter(user=mother).delete()
        told = {"about": "other", "wrong": f"Мынау қате {number}", "right": "x"}
        page = browser.post(reverse(FORM), told)
        assert page.status_code == 302, page.context["form"].errors
    page = browser.post(reverse(FORM), {"about": "other", "wrong": "Бұл да қате", "right": "x"})
    assert page.status_code == 200
    assert "Бұл да қате" in text(page)
    assert Objection.objects.filter(user=mother).count() == 1


def test_a_year_after_the_answer_it_goes():
    own, waits = answered(ObjectionFactory.create(sent_at=NOW)), ObjectionFactory.create(sent_at=NOW)
    over = NOW + OBJECTION_KEPT_FOR
    assert not old_objections(now=over).exists()
    assert purge_objections(now=over + MICROSECOND) == 1
    assert list(Objection.objects.all()) == [waits]
    assert not Objection.objects.filter(pk=own.pk).exists()
