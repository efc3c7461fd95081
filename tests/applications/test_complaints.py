"""Complaints: the number and the term, the answer, what is late, what is not solved, and what is forgotten."""

from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils import translation
from django.utils.timezone import localtime

from accounts import audit
from accounts.models import AuditEntry, SmsCode
from accounts.roles import Role
from applications.admin.complaints import AnswerForm
from applications.complaints import counts
from applications.complaints.late import tell_of_late
from applications.complaints.turns import (
    MOST_OPEN,
    answer_complaint,
    close_complaint,
    say_not_solved,
    send_complaint,
)
from applications.complaints.whose import Sender, to_answer, without_second_answer
from applications.jobs.retention import COMPLAINT_KEPT_FOR, empty_complaints
from applications.journal_actions import Action
from applications.models import Complaint
from applications.moves import Refused
from applications.refusals import Refusal
from bulletin.models import Review
from notifications.models import Mail, Message, Notice
from tests.applications.conftest import NOW, ZONE
from tests.factories import (
    ApplicationFactory,
    BidFactory,
    ComplaintFactory,
    GuardianshipFactory,
    KindergartenFactory,
    LocalityFactory,
    StaffFactory,
    UserFactory,
    nth_iin,
)
from tests.staff import employee, give_app, inside, official_of, press

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "calendar_2019")]

MICROSECOND = timedelta(microseconds=1)
Stage = Complaint.Stage
# Five working days after Wednesday 26.06.2019.
DUE = datetime(2019, 7, 4, tzinfo=ZONE)
TEXT = "Балабақша телефонға жауап бермейді"
ANSWER = "Балабақша меңгерушісі ертең қоңырау шалады"
STILL = "Әлі ешкім қоңырау шалған жоқ"


@pytest.fixture
def city():
    """Two places, so that an official of one is none of the whole city."""
    return LocalityFactory(), LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау")


def refused(reason):
    return pytest.raises(Refused, check=lambda error: error.reason == reason)


def sent_by(sender, *, locality, text=TEXT, now=NOW, **fields):
    return send_complaint(
        sender, about="other", text=text, locality=locality, language="kk", address=None, now=now, **fields
    )


def answered(complaint, actor, *, now=NOW):
    return answer_complaint(complaint, text=ANSWER, actor=actor, now=now)


def not_solved(complaint, *, now=NOW):
    return say_not_solved(complaint, text=STILL, actor=complaint.user, address=None, now=now)


def text(page):
    return page.content.decode()


def test_a_family_complains_is_answered_disagrees_and_is_answered_again(client_of, city):
    place, _other = city
    guardianship = GuardianshipFactory()
    mother = guardianship.user
    application = ApplicationFactory(child=guardianship.child, locality=place)
    browser = client_of(mother)
    form = f"{reverse('applications:new_complaint')}?application={application.number}&about=bid"
    page = text(browser.get(form))
    assert f'value="{application.pk}" selected' in page
    assert 'value="bid" id="id_about_0" checked' in page.replace("required ", "")
    data = {"about": "bid", "application": application.pk, "locality": place.pk, "text": TEXT}
    address = browser.post(form, data).url
    own = Complaint.objects.get()
    assert address == reverse("applications:complaint", args=[own.pk])
    assert (own.user, own.application, own.locality, own.due_at) == (mother, application, place, DUE)
    # A double press sends it once.
    assert browser.post(form, data).url == address
    page = text(browser.get(address))
    assert own.number in page
    assert "03.07.2019" in page
    assert Message.objects.filter(recipient=mother, kind="complaint_taken").count() == 1
    for stranger in (UserFactory(), GuardianshipFactory(child=guardianship.child).user):
        assert client_of(stranger).get(address).status_code == 404
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM applications_complaint")
        assert TEXT not in cursor.fetchone()[0]

    # An official of the place: start page, list with the days left, preview, answer.
    official, city_official = official_of(place), official_of(*city)
    desk = inside(official)
    assert "applications/complaint/?answer=open" in text(desk.get(reverse("admin:index")))
    listed = text(desk.get(f"{reverse('admin:applications_complaint_changelist')}?answer=open"))
    assert "03.07.2019, қалған күн: 7" in listed
    work = reverse("admin:applications_complaint_work", args=[own.pk, "answer"])
    preview = text(desk.post(work, {"text": ANSWER}))
    assert ANSWER in preview
    assert Complaint.objects.get().is_open
    press(desk, work, {"text": ANSWER, "confirmed": "1"})
    own = Complaint.objects.get()
    assert own.answer == ANSWER
    assert ANSWER in text(browser.get(address))
    assert Message.objects.filter(recipient=mother, kind="complaint_answered").count() == 1

    # "Not solved" goes to the city's officials, not to who answered.
    assert browser.post(address, {"not_solved": "1", "text": "?"}).status_code == 200
    assert browser.post(address, {"not_solved": "1", "text": STILL}).url == address
    second = own.second
    assert (second.number, second.locality, second.application) == (own.number, place, application)
    assert not to_answer(official, now=NOW).exists()
    assert [*to_answer(city_official, now=NOW)] == [second]
    answered(second, city_official)
    page = text(browser.get(address))
    assert STILL in page
    assert "Шешілді, жабу" not in page
    with refused(Refusal.COMPLAINT_OVER):
        not_solved(own)
    done = [one.action for each in (second, own) for one in audit.history_of(each)]
    assert [one for one in done if one in Action.values] == [
        Action.COMPLAINT_ANSWERED,
        Action.COMPLAINT_NOT_SOLVED,
        Action.COMPLAINT_ANSWERED,
        Action.COMPLAINT_SENT,
    ]


def test_the_term_ends_with_a_microsecond_and_the_family_reads_who_is_late(client_of, clock, city):
    place, _other = city
    mother = UserFactory()
    own = sent_by(Sender(user=mother), locality=place)
    city_official = official_of(*city, email="a@example.kz")
    give_app(city_official)
    assert own.due_at == DUE
    assert own.stage(now=DUE - MICROSECOND) == Stage.WAITING
    assert own.stage(now=DUE) == Stage.LATE
    tell_of_late(now=DUE - MICROSECOND)
    assert not Notice.objects.filter(kind="complaint_late").exists()
    for _twice in range(2):
        tell_of_late(now=DUE)
    assert place.name_kk in Notice.objects.get(recipient=mother, kind="complaint_late").text_kk
    assert Notice.objects.get(kind="staff_late_complaints").recipient == city_official
    clock.move_to(DUE)
    page = text(client_of(mother).get(reverse("applications:complaint", args=[own.pk])))
    assert "білім бөлімі кешіктірді: Түркістан" in page
    # Late, it is still answered, by whoever of them comes first.
    assert {*to_answer(city_official, now=DUE)} == {own} == {*to_answer(official_of(place), now=DUE)}
    assert answered(own, city_official, now=DUE).stage(now=DUE) == Stage.ANSWERED
    tell_of_late(now=DUE)
    assert Notice.objects.filter(kind="complaint_late").count() == 1


def test_where_one_official_answers_the_second_answer_is_the_administrators(city):
    """The first answer warns of it, and what is late then is told to them, not to whoever may not answer it."""
    place, _other = city
    only = official_of(place)
    work = reverse(
        "admin:applications_complaint_work",
        args=[sent_by(Sender(user=UserFactory()), locality=place).pk, "answer"],
    )

    def preview() -> str:
        return text(press(inside(only), work, {"text": ANSWER}))

    nobody = "ол жүйе әкімшісі осында тағы бір маман тағайындағанша күтеді"
    assert nobody in preview()
    chief = StaffFactory(is_superuser=True)
    give_app(chief)
    assert nobody not in (said := preview())
    assert "«Шешілмеді» жүйе әкімшісіне жіберіледі" in said
    following = not_solved(answered(Complaint.objects.get(), only))
    assert ([*to_answer(chief, now=NOW)], [*to_answer(only, now=NOW)]) == ([following], [])
    tell_of_late(now=DUE)
    assert Notice.objects.get(kind="staff_late_complaints").recipient == chief
    official_of(place)
    again = sent_by(Sender(user=UserFactory()), locality=place, text=STILL)
    later = reverse("admin:applications_complaint_work", args=[again.pk, "answer"])
    assert "жүйе әкімшісіне" not in text(press(inside(only), later, {"text": ANSWER}))


def test_officials_are_told_once_a_day_of_all_that_are_late(city):
    place, _other = city
    official = official_of(*city)
    give_app(official)
    for _each in range(3):
        sent_by(Sender(user=UserFactory()), locality=place)
    tell_of_late(now=DUE)
    told = Notice.objects.get(kind="staff_late_complaints", recipient=official)
    assert ": 3." in told.text_ru
    assert Notice.objects.filter(kind="complaint_late").count() == 3


def test_where_nobody_works_in_every_place_its_own_officials_are_told(city):
    official = official_of(city[0])
    give_app(official)
    give_app(official_of(city[1]))
    ComplaintFactory(locality=city[0], sent_at=NOW, due_at=NOW)
    tell_of_late(now=NOW)
    assert Notice.objects.get(kind="staff_late_complaints").recipient == official
    assert not Mail.objects.exists()


def test_the_time_to_disagree_ends_with_a_microsecond(city):
    complaints = [
        answered(ComplaintFactory(locality=city[0], sent_at=NOW), official_of(city[0])) for _ in "12"
    ]
    until = complaints[0].open_until
    assert until == DUE
    with refused(Refusal.COMPLAINT_OVER):
        not_solved(complaints[0], now=until)
    assert complaints[0].stage(now=until) == Stage.CLOSED
    not_solved(complaints[1], now=until - MICROSECOND)
    assert Complaint.objects.get(pk=complaints[1].pk).stage(now=until) == Stage.FOLLOWED


def test_what_is_solved_is_closed_and_nothing_is_said_to_it_any_more(client_of, city):
    mother = UserFactory()
    own = sent_by(Sender(user=mother), locality=city[0])
    address = reverse("applications:complaint", args=[own.pk])
    with refused(Refusal.NOT_ANSWERED_YET):
        close_complaint(own, actor=mother, address=None, now=NOW)
    answered(own, official_of(city[0]))
    client_of(mother).post(address, {"solved": "1"})
    own.refresh_from_db()
    assert own.closed_at == NOW
    with refused(Refusal.COMPLAINT_OVER):
        not_solved(own)
    assert Notice.objects.filter(recipient=mother, kind="complaint_closed").count() == 1


def test_nobody_answers_for_themselves_their_child_or_twice(city):
    guardianship = GuardianshipFactory()
    application = ApplicationFactory(child=guardianship.child, locality=city[0])
    official = official_of(*city, staff_iin_hash=guardianship.user.profile.iin_hash)
    other = official_of(*city)
    for own in (
        sent_by(Sender(user=guardianship.user), locality=city[0]),
        sent_by(Sender(user=guardianship.user), locality=city[0], application=application),
    ):
        with refused(Refusal.NOT_YOURS_TO_ANSWER):
            answered(own, official)
        answered(own, other)
        with refused(Refusal.ALREADY_DECIDED):
            answered(own, official_of(*city))
    with refused(Refusal.NOT_YOURS_TO_ANSWER):
        answered(not_solved(own), other)


def test_a_city_without_officials_of_all_answers_by_another_of_the_place(city):
    """A superuser may, too, but nobody waits for one."""
    first, second = official_of(city[0]), official_of(city[0])
    chief = StaffFactory(is_superuser=True)
    give_app(chief)
    assert without_second_answer(now=NOW) == [city[1]]
    own = sent_by(Sender(user=UserFactory()), locality=city[0])
    following = not_solved(answered(own, first))
    assert [one for one in (first, second, chief) if to_answer(one, now=NOW).exists()] == [second, chief]
    of_all = official_of(*city)
    assert [one for one in (first, second, chief, of_all) if to_answer(one, now=NOW).exists()] == [
        chief,
        of_all,
    ]
    with refused(Refusal.NOT_YOURS_TO_ANSWER):
        answered(following, second)
    # The only official of all has given the first answer: then another of the place, too.
    again = sent_by(Sender(user=UserFactory()), locality=city[0], text=STILL)
    again = not_solved(answered(again, of_all))
    assert [*to_answer(second, now=NOW)] == [again]


def test_not_without_end_and_not_about_anothers_application(city):
    sender = Sender(user=UserFactory())
    with refused(Refusal.NO_LONGER_YOURS):
        sent_by(sender, locality=city[0], application=ApplicationFactory(locality=city[0]))
    for number in range(MOST_OPEN):
        sent_by(sender, locality=city[0], text=f"{TEXT} {number}")
    with refused(Refusal.TOO_MANY_COMPLAINTS):
        sent_by(sender, locality=city[0])
    sent_by(Sender(phone="+77017779876"), locality=city[0])


def test_a_visitor_writes_and_reads_by_phone_and_code(client, city):
    kindergarten = KindergartenFactory(locality=city[1], name_kk="Амина")
    start = f"{reverse('applications:complain')}?kindergarten={kindergarten.slug}"
    assert client.get(start).status_code == 200
    write = reverse("applications:complain_write")
    assert client.get(write).url == reverse("applications:complain")
    # A number with an account is proven like any other, and leads nowhere into it.
    family = ComplaintFactory(locality=city[0])
    phone = family.user.phone.as_e164

    client.post(reverse("applications:complain"), {"phone": phone})
    code = Message.objects.get(kind="complaint_code").text.split("Код: ")[1][:6]
    assert client.post(reverse("applications:complain_code"), {"code": code}).url == write
    page = text(client.get(write))
    assert kindergarten.name_kk in page
    assert family.number not in page
    assert 'href="#sent"' not in page
    data = {"about": "conduct", "locality": city[0].pk, "kindergarten": kindergarten.pk, "text": TEXT}
    # The kindergarten says where, and that is said before anything is kept.
    page = client.post(write, data)
    assert f"сол жердің мамандары жауап береді: {city[1].name_kk}" in text(page)
    assert page.context["form"]["locality"].value() == city[1].pk
    assert not Complaint.objects.filter(user=None).exists()
    address = client.post(write, data | {"locality": city[1].pk}).url
    own = Complaint.objects.get(user=None)
    assert (str(own.phone), own.locality, own.kindergarten) == (phone, city[1], kindergarten)
    answered(own, official_of(city[1]))
    assert ANSWER in text(client.get(address))
    assert client.get(reverse("applications:complaint_of_visitor", args=[family.pk])).status_code == 404
    sms = Message.objects.filter(phone=phone, kind="complaint_answered").get()
    assert own.number in sms.text
    # Whoever comes back for the answer is led to it before the form.
    page = text(client.get(write))
    assert page.index('<a href="#sent">Шағымдарыңыз бен жауаптары</a>') < page.index('name="about"')
    assert page.index('name="about"') < page.index('id="sent"')
    client.post(address, {"solved": "1"})
    own.refresh_from_db()
    assert own.closed_at is not None
    # Within the hour the way in leads to the form, until they close it for the next person at this browser.
    assert client.get(reverse("applications:complain")).url == write
    assert 'name="leave"' in text(client.get(address))
    assert client.post(write, {"leave": "1"}).url == reverse("applications:complain")
    assert phone[-4:] not in text(client.get(reverse("applications:complain")))
    assert client.get(address).url == reverse("applications:complain")
    assert not SmsCode.objects.filter(used_at=None).exists()


def test_a_family_names_a_kindergarten_and_finds_its_complaints_again(client_of, city):
    place, other = city
    guardianship = GuardianshipFactory()
    application = ApplicationFactory(child=guardianship.child, locality=place)
    asked, elsewhere = KindergartenFactory(locality=place), KindergartenFactory(locality=other)
    browser, form = client_of(guardianship.user), reverse("applications:new_complaint")
    page = text(browser.get(f"{form}?application={application.number}"))
    assert f'<option value="{asked.pk}">' in page
    assert f'<option value="{elsewhere.pk}"' not in page
    BidFactory(application=application, vacancy__group__kindergarten=asked)
    page = text(browser.get(f"{form}?application={application.number}"))
    assert f'<option value="{asked.pk}" selected>' in page

    data = {"about": "late", "application": application.pk, "kindergarten": asked.pk, "text": TEXT}
    page = text(browser.post(form, data | {"locality": other.pk}, follow=True))
    assert f"сол жердің мамандары жауап береді: {place.name_kk}" in page
    assert not Complaint.objects.exists()
    browser.post(form, data | {"locality": place.pk})
    own = Complaint.objects.get()
    assert (own.kindergarten, own.locality) == (asked, place)
    all_of_them = reverse("applications:complaints")
    for address in (reverse("applications:cabinet"), reverse("applications:list")):
        assert all_of_them in text(browser.get(address))
    page = text(browser.get(application.get_absolute_url()))
    assert reverse("applications:complaint", args=[own.pk]) in page
    close_complaint(answered(own, official_of(place)), actor=guardianship.user, address=None, now=NOW)
    assert reverse("applications:complaint", args=[own.pk]) not in text(
        browser.get(application.get_absolute_url())
    )


def test_line_breaks_count_once_and_no_mark_turns_the_text(client_of, city):
    """In every form: a review counts, and is cleaned, as a complaint is."""
    browser = client_of(GuardianshipFactory().user)
    sent = "Сөз\r\n" * 499 + "С\u202eөзз"
    browser.post(
        reverse("applications:new_complaint"), {"about": "late", "locality": city[0].pk, "text": sent}
    )
    assert Complaint.objects.get().text == "Сөз\n" * 499 + "Сөзз"
    browser.post(reverse("bulletin:reviews"), {"text": "Тамаша\r\nбалабақша \u2066екен\u2069", "rating": "5"})
    assert [one.text for one in Review.objects.all()] == ["Тамаша\nбалабақша екен"]


class TestPrivate:
    """What officials need not know is asked about once, and goes if it is sent again."""

    def send(self, browser, city, text, **more):
        data = {"about": "late", "locality": city[0].pk, "text": text, **more}
        return browser.post(reverse("applications:new_complaint"), data)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (f"{TEXT} ЖСН {nth_iin(1)}", "Мәтінде бар: ЖСН."),
            (f"{TEXT} Құпия сөзім 12345", "Мәтінде бар: құпия сөз."),
            (f"{TEXT} Пароль qwerty", "Мәтінде бар: құпия сөз."),
            (f"{TEXT} SMS коды 529910 келді", "Мәтінде бар: код."),
            (f"{TEXT} Пришло 529 910, это код", "Мәтінде бар: код."),
            (f"{TEXT} 8 701 777 98 76", "Мәтінде бар: телефон нөмірі."),
        ],
        ids=["iin", "password", "russian", "code", "code_after", "phone"],
    )
    def test_it_is_asked_about_once(self, client_of, city, text, said):
        browser = client_of(GuardianshipFactory().user)
        page = self.send(browser, city, text)
        assert said in page.content.decode()
        assert not Complaint.objects.exists()
        asked = page.context["form"]["asked_about"].value()
        # Another text is asked about anew.
        self.send(browser, city, f"{text} тағы", asked_about=asked)
        assert not Complaint.objects.exists()
        assert self.send(browser, city, text, asked_about=asked).status_code == 302
        assert Complaint.objects.get().text == text

    @pytest.mark.parametrize("text", ["123456789012", "27.06.2019 16:20"])
    def test_other_numbers_are_not(self, client_of, city, text):
        self.send(client_of(GuardianshipFactory().user), city, f"{TEXT} {text}")
        assert Complaint.objects.exists()

    def test_the_own_phone_and_the_kindergartens_may_stand_there(self, client_of, city, settings):
        settings.CONTACT_PHONES = ["8 (727) 339-72-22"]
        user = GuardianshipFactory().user
        kindergarten = KindergartenFactory(locality=city[0], phone="+77253312345")
        text = f"{TEXT} {user.phone.as_e164}, 8 (7253) 31-23-45, 8 (727) 339-72-22"
        self.send(client_of(user), city, text, kindergarten=kindergarten.pk)
        assert Complaint.objects.get().text == text


def test_an_answer_may_name_the_kindergartens_phone_and_says_who_reads_it(city):
    own = sent_by(Sender(user=GuardianshipFactory().user), locality=city[0])
    own.kindergarten = KindergartenFactory(locality=city[0], phone="+77253312345")
    with translation.override("ru"):
        form = AnswerForm({"text": f"{TEXT} Звоните 8 (7253) 31-23-45."}, complaint=own)
        assert form.is_valid()
        assert "только тот, кто пожаловался" in form.fields["text"].help_text
        assert own.kindergarten.phone_label in form.fields["text"].help_text
    other = AnswerForm({"text": f"{TEXT} Звоните 8 701 777 98 76."}, complaint=own)
    assert not other.is_valid()


def test_a_kindergarten_is_found_by_its_name_and_nothing_is_sent(client_of, city):
    place = city[0]
    guardianship = GuardianshipFactory()
    KindergartenFactory.create_batch(3, locality=place)
    wanted = KindergartenFactory(locality=place, name_kk="Қарлығаш", name_ru="Карлыгаш")
    family = client_of(guardianship.user)
    typed = {"about": "late", "locality": place.pk, "text": "Жазып", "search": "карлагаш", "find": "1"}
    answer = family.post(reverse("applications:new_complaint"), typed)
    shown = answer.content.decode()
    assert f'<option value="{wanted.pk}" selected>' in shown
    assert len(answer.context["form"].fields["kindergarten"].choices) == 2
    assert "Жазып" in shown
    assert "has-error" not in shown
    assert not Complaint.objects.exists()
    for nonsense in ("\0", "☺", "%" * 300):
        sent = typed | {"search": nonsense, "locality": nonsense, "application": nonsense}
        assert family.post(reverse("applications:new_complaint"), sent).status_code == 200


@pytest.mark.parametrize("key", ["x", "99999999999999999999", "-1", "²"])
def test_a_kindergarten_and_a_place_that_are_none_are_asked_again(client_of, key):
    LocalityFactory()
    browser = client_of(GuardianshipFactory().user)
    data = {"about": "late", "kindergarten": key, "locality": key, "text": TEXT}
    assert browser.post(reverse("applications:new_complaint"), data).status_code == 200
    assert not Complaint.objects.exists()


def test_by_night_a_visitor_hears_at_once_what_they_pressed_and_in_the_morning_what_officials_did(city):
    night, morning = (datetime(2019, 6, 27, hour, tzinfo=ZONE) for hour in (4, 9))
    phone = "+77017779876"
    own = sent_by(Sender(phone=phone), locality=city[0], now=night)
    answered(own, official_of(city[0]), now=night)
    not_solved(own, now=night)
    due = dict(Message.objects.filter(phone=phone).values_list("kind", "next_attempt_at"))
    assert due == {
        "complaint_taken": night,
        "complaint_answered": morning,
        "complaint_taken_further": night,
    }


def test_an_official_who_answers_by_night_reads_when_the_sms_goes(city, clock):
    clock.move_to(datetime(2019, 6, 27, 4, tzinfo=ZONE))
    desk = inside(official_of(city[0]))
    senders = {"user": UserFactory(), "phone": ""}, {"user": None, "phone": "+77017779876"}
    for fields in senders:
        own = ComplaintFactory(locality=city[0], sent_at=NOW, **fields)
        work = reverse("admin:applications_complaint_work", args=[own.pk, "answer"])
        data = {"text": ANSWER, "confirmed": "1"}
        said = [str(one) for one in desk.post(work, data, follow=True).context["messages"]]
        assert "SMS күндіз жіберіледі: 27.06.2019 09:00" in said[0]
        assert ("Келуші" in said[0]) == (own.user is None)


def test_an_auditor_reads_numbers_and_terms_and_no_person(city):
    own = ComplaintFactory(locality=city[0], sent_at=NOW, user__profile__last_name="КАМЕНОВА")
    answered(own, official_of(city[0]))
    desk = inside(employee(Role.AUDITOR))
    for address in (
        reverse("admin:applications_complaint_changelist"),
        reverse("admin:applications_complaint_change", args=[own.pk]),
    ):
        page = text(desk.get(address))
        assert own.number in page
        assert not [word for word in (TEXT, ANSWER, "КАМЕНОВА") if word in page]
    assert AuditEntry.objects.filter(action=Action.COMPLAINT_ANSWERED, subject=own.user).exists()


def test_a_row_is_never_deleted_and_is_emptied_a_year_after_the_answer(city):
    own = answered(
        ComplaintFactory(user=None, phone="+77017779876", locality=city[0], sent_at=NOW), official_of(city[0])
    )
    waits = ComplaintFactory(locality=city[0], sent_at=NOW)
    over = NOW + COMPLAINT_KEPT_FOR
    assert empty_complaints(now=over) == 0
    assert empty_complaints(now=over + MICROSECOND) == 1
    own.refresh_from_db()
    assert (own.text, own.answer, own.phone, own.phone_hash) == ("", "", "", None)
    assert empty_complaints(now=over + MICROSECOND) == 0
    waits.refresh_from_db()
    assert waits.text == TEXT
    with (
        pytest.raises(DatabaseError, match="never deleted"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM applications_complaint")


def test_everybody_reads_how_many_were_answered_in_time_but_no_small_part(city):
    official = official_of(*city)
    for place, in_time, late in ((city[0], 6, 5), (city[1], 6, 1)):
        for _ in range(in_time):
            answered(ComplaintFactory(locality=place, sent_at=NOW), official)
        for _ in range(late):
            ComplaintFactory(locality=place, sent_at=NOW, due_at=NOW)
    ComplaintFactory(locality=city[0], sent_at=NOW - counts.COUNTED_FOR)
    told = counts.by_locality(now=NOW)
    assert {one.locality: (one.sent, one.in_time, one.late, one.are_parts_told) for one in told} == {
        city[0]: (11, 6, 5, True),
        city[1]: (7, 6, 1, False),
    }


def test_a_day_of_the_term_is_that_of_the_place(city):
    far = LocalityFactory(slug="far", timezone="Asia/Almaty")
    own = sent_by(
        Sender(user=UserFactory()), locality=far, now=datetime(2019, 6, 26, 23, 59, 59, tzinfo=ZONE)
    )
    assert localtime(own.due_at, ZONE) == DUE
    assert sent_by(
        Sender(user=UserFactory()), locality=far, now=datetime(2019, 6, 27, tzinfo=ZONE)
    ).due_at == (datetime(2019, 7, 5, tzinfo=ZONE))
