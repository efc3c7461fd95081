"""The inbox narrowed by child, topic and words; and what its reader puts away."""

import re
from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from applications.models import Application
from notifications.folding import FOLDED, fold_name, pattern_of, words_of
from notifications.kinds import KINDS, Topic
from notifications.models import Notice
from notifications.selectors import found_in, inbox_of
from tests.factories import ApplicationFactory, DisputeFactory, GuardianshipFactory, StaffFactory, UserFactory
from tests.notifications.test_inbox import INBOX, NOW, notice_for, page

ARCHIVE = "/cabinet/notifications/archive/"
ADD, UNDO = f"{ARCHIVE}add/", f"{ARCHIVE}undo/"


def shown(client, **asked):
    return [row["notice"] for row in client.get(INBOX, asked).context["rows"]]


def archived(client):
    return [row["notice"] for row in client.get(ARCHIVE).context["rows"]]


@pytest.fixture
def referral(parent):
    return notice_for(
        parent,
        kind="referral_issued",
        text_kk="Жолдама берілді. Өтініш №\u00a019-000417. «Күншуақ» балабақшасы",
        text_ru="Выдано направление. Заявление №\u00a019-000417. Детский сад «Күншуақ»",
    )


@pytest.fixture
def password(parent):
    return notice_for(parent, kind="password_changed", text_kk="Құпиясөз өзгерді", text_ru="Пароль изменён")


def test_what_another_guardian_did_is_found_under_what_it_is_about(parent, parent_client):
    told = notice_for(parent, kind="bid_withdrawn_by_other", text_kk="а", text_ru="б")
    for topic in (Topic.BIDS, Topic.GUARDIANS):
        assert shown(parent_client, topic=topic.value) == [told]
    assert shown(parent_client, topic=Topic.REVIEWS.value) == []
    # What protects is not switched off with bids.
    assert KINDS["bid_withdrawn_by_other"].topic.is_mandatory


class TestWords:
    @pytest.mark.parametrize(
        "typed",
        [
            "жолдама",
            "ЖОЛДАМА бер",
            "0417",
            "19-000417",
            "куншуак",
            "КУНШУAK",
            "направл детский",
            "  Выдано,  ",
        ],
    )
    def test_are_found_however_they_are_typed_in_either_language(
        self, parent_client, referral, password, typed
    ):
        assert shown(parent_client, q=typed) == [referral]

    def test_digits_of_an_sms_find_what_is_about_that_application(self, parent, parent_client, referral):
        application = ApplicationFactory(number="26-007291")
        GuardianshipFactory(user=parent, child=application.child)
        told = notice_for(
            parent, about=application.child_id, text_kk="Өтінім жіберілді", text_ru="Заявка отправлена"
        )
        for typed in ("7291", "№7291", "7291 заявка", "26-007291", "№26-007291", "заявка 26-007291"):
            assert shown(parent_client, q=typed) == [told], typed
        for typed in ("291", "7292", "7291 жолдама", "25-007291", "26-007292"):
            assert shown(parent_client, q=typed) == [], typed

    def test_a_whole_number_finds_one_child_of_two(self, parent, parent_client, referral):
        for number in ("26-007291", "26-007292"):
            child = ApplicationFactory(number=number).child
            GuardianshipFactory(user=parent, child=child)
            notice_for(parent, about=child.pk, text_kk=f"{number} өтінім", text_ru="Заявка отправлена")
            notice_for(parent, about=child.pk, text_kk="Өтінім жіберілді", text_ru="Заявка отправлена")
        for number in ("26-007291", "26-007292"):
            (about,) = {notice.about for notice in shown(parent_client, q=number)}
            assert Application.objects.get(child=about).number == number
            assert len(shown(parent_client, q=number)) == 2

    @pytest.mark.parametrize("typed", ["жолдама пароль", "Выдано балабақшасы", "zzz", "100%_"])
    def test_all_of_them_must_stand_in_one_text(self, parent_client, referral, password, typed):
        assert shown(parent_client, q=typed) == []

    @pytest.mark.parametrize("typed", [".*", "(", "[", "\\", "%", "_", "«%"])
    def test_signs_alone_are_found_where_they_stand(self, parent_client, referral, typed):
        assert shown(parent_client, q=typed) == []
        Notice.objects.filter(pk=referral.pk).update(text_ru=f"Ответ: {typed}")
        assert shown(parent_client, q=f" {typed} ") == [referral]

    def test_blanks_are_nothing_to_look_for(self, parent_client, referral):
        assert shown(parent_client, q="  ") == [referral]

    @pytest.mark.parametrize("typed", ["x" * 101, "a\0b"])
    def test_what_makes_no_sense_is_said_and_narrows_nothing(self, parent_client, referral, typed):
        html = page(parent_client, f"{INBOX}?q={typed}")
        assert 'class="field__errors"' in html
        assert "Жолдама берілді" in html

    def test_many_words_are_no_work(self, parent_client, referral):
        assert shown(parent_client, q="а " * 50) == [referral]

    @given(st.text(alphabet=FOLDED + "0123456789_", max_size=12))
    def test_a_pattern_finds_what_folds_to_the_word(self, text):
        for word in words_of(text):
            for written in re.split(r"[^\w]", text):
                # What is written without a letter that folding drops.
                if fold_name(written) == word and len(written) == len(word):
                    assert re.fullmatch(pattern_of(word), written)


class TestTopicsAndChildren:
    def test_by_topic(self, parent_client, referral, password):
        assert shown(parent_client, topic=KINDS["referral_issued"].topic) == [referral]
        assert shown(parent_client, topic=Topic.ACCOUNT) == [password]
        assert set(shown(parent_client, topic="nonsense")) == {referral, password}

    def test_families_are_not_asked_about_the_work_of_employees(self, parent_client, password):
        offered = dict(parent_client.get(INBOX).context["filters"].fields["topic"].choices)
        assert offered.keys() == {"", *Topic} - {Topic.WORK}

    def test_by_child_with_its_name(self, parent, parent_client):
        elder, younger = (GuardianshipFactory(user=parent).child for _ in range(2))
        first, _second = notice_for(parent, about=elder.pk), notice_for(parent, minutes=1, about=younger.pk)
        html = unescape(page(parent_client))
        assert f'<option value="{elder.pk}">{elder.full_name}</option>' in html
        assert shown(parent_client, child=str(elder.pk)) == [first]
        assert len(shown(parent_client, child="nonsense")) == 2
        assert len(shown(parent_client, child=str(uuid4()))) == 2

    def test_one_child_leaves_no_choice(self, parent, parent_client):
        notice_for(parent, about=GuardianshipFactory(user=parent).child_id)
        assert "child" not in parent_client.get(INBOX).context["filters"].fields

    def test_a_child_whose_guardian_one_is_no_more_is_neither_offered_nor_found(self, parent, parent_client):
        former = GuardianshipFactory(user=parent)
        mine = [GuardianshipFactory(user=parent).child for _ in range(2)]
        notice_for(parent, about=former.child_id)
        former.ended_at = NOW
        former.save()
        choices = parent_client.get(INBOX).context["filters"].fields["child"].choices
        assert {key for key, _name in choices} == {"", *(child.pk for child in mine)}
        assert shown(parent_client, child=str(former.child_id), q="Хабарлама") == []

    def test_who_is_disputed_finds_nothing_of_the_child(self, parent, parent_client):
        disputed = GuardianshipFactory(user=parent)
        notice_for(parent, about=disputed.child_id)
        assert len(shown(parent_client, q="Хабарлама")) == 1
        DisputeFactory(guardianship=disputed)
        assert shown(parent_client, q="Хабарлама") == []

    def test_together(self, parent, parent_client, referral):
        children = [GuardianshipFactory(user=parent).child for _ in range(2)]
        Notice.objects.filter(pk=referral.pk).update(about=children[0].pk)
        asked = {"q": "жолдама", "topic": KINDS["referral_issued"].topic}
        assert shown(parent_client, **asked, child=str(children[0].pk)) == [referral]
        assert shown(parent_client, **asked, child=str(children[1].pk)) == []


class TestThePage:
    def test_says_how_many_were_found_and_keeps_the_filters_from_page_to_page(self, parent, parent_client):
        for minutes in range(25):
            notice_for(parent, minutes=minutes)
        notice_for(parent, text_kk="Басқа", text_ru="Другое")
        html = page(parent_client, f"/ru{INBOX}?q=уведомление")
        assert re.search(r'role="status">\s*Найдено: 25 уведомлений', html)
        assert "?q=%D1%83%D0%B2%D0%B5%D0%B4%D0%BE%D0%BC%D0%BB%D0%B5%D0%BD%D0%B8%D0%B5&amp;page=2" in html
        assert len(shown(parent_client, q="уведомление", page=2)) == 5

    def test_says_what_to_do_where_nothing_was_found(self, parent_client, referral):
        html = page(parent_client, f"{INBOX}?q=zzz")
        assert "<table" not in html
        assert 'class="empty"' in html
        assert f'href="{INBOX}">Барлық хабарламаны көрсету' in html

    def test_one_button_leads_to_the_thing(self, parent_client, referral, password):
        html = page(parent_client)
        for notice in (referral, password):
            assert html.count(f'href="{reverse("notifications:open", args=[notice.pk])}"') == 1

    def test_costs_the_same_however_many_children_and_notices(self, parent, parent_client):
        def statements(times):
            for _time in range(times):
                child = GuardianshipFactory(user=parent).child_id
                notice_for(parent, about=child, read_at=NOW, kind="referral_issued")
            topic = KINDS["referral_issued"].topic
            with CaptureQueriesContext(connection) as made:
                page(parent_client, f"{INBOX}?q=хабарлама&topic={topic}")
            return len(made)

        statements(2)
        assert statements(1) == statements(17)

    def test_thousands_are_searched(self, parent):
        Notice.objects.bulk_create(
            Notice(
                recipient=parent,
                kind="stop_lifted",
                text_kk=f"Хабарлама {number}",
                text_ru=f"Уведомление {number}",
                dedupe_key=uuid4().hex,
                created_at=NOW + timedelta(minutes=number),
            )
            for number in range(5000)
        )
        assert found_in(inbox_of(parent), typed="хабарлама 499").count() == 15


class TestArchive:
    def test_one_goes_is_read_and_comes_back(self, parent_client, referral, password):
        response = parent_client.post(ADD, {"notice": referral.pk}, follow=True)
        assert [row["notice"] for row in response.context["rows"]] == [password]
        assert response.context["put_away"]["count"] == 1
        referral.refresh_from_db()
        assert referral.read_at == referral.archived_at is not None
        assert archived(parent_client) == [referral]
        parent_client.post(UNDO, {"notice": referral.pk})
        assert archived(parent_client) == []
        assert set(shown(parent_client)) == {referral, password}

    def test_what_went_is_offered_back_once(self, parent_client, referral):
        html = parent_client.post(ADD, {"notice": referral.pk}, follow=True).content.decode()
        assert f'action="{UNDO}"' in html
        assert f'action="{UNDO}"' not in page(parent_client)

    def test_everything_read_goes_and_comes_back_together(self, parent, parent_client, referral, password):
        read = [notice_for(parent, minutes=minutes) for minutes in range(30)]
        Notice.objects.filter(pk__in=[one.pk for one in read]).update(read_at=NOW)
        earlier = notice_for(parent, archived_at=NOW, read_at=NOW)
        response = parent_client.post(ADD, follow=True)
        assert set(Notice.objects.filter(archived_at=None)) == {referral, password}
        put_away = response.context["put_away"]
        assert put_away["count"] == 30
        parent_client.post(UNDO, {"at": put_away["at"]})
        assert archived(parent_client) == [earlier]

    def test_of_what_was_found_only(self, parent_client, referral, password):
        shown(parent_client)
        response = parent_client.post(ADD, {"q": "жолдама"})
        assert response.url == f"{INBOX}?q=%D0%B6%D0%BE%D0%BB%D0%B4%D0%B0%D0%BC%D0%B0"
        assert archived(parent_client) == [referral]

    def test_what_was_read_long_ago_keeps_its_time(self, parent, parent_client):
        notice = notice_for(parent, read_at=NOW)
        parent_client.post(ADD, {"notice": notice.pk})
        notice.refresh_from_db()
        assert notice.read_at == NOW

    @pytest.mark.parametrize("address", [ADD, UNDO])
    @pytest.mark.parametrize("notice", ["nonsense", "", "0", "\0"])
    def test_what_is_no_notice_is_404(self, parent_client, referral, address, notice):
        assert parent_client.post(address, {"notice": notice}).status_code == 404
        assert shown(parent_client) == [referral]

    @pytest.mark.parametrize("at", ["", "x", "2026-13-45T00:00", "2026-11-22T09:00", "9" * 400])
    def test_what_is_no_instant_is_404(self, parent_client, at):
        assert parent_client.post(UNDO, {"at": at}).status_code == 404

    def test_a_stranger_moves_nothing(self, client_of, parent, referral):
        stranger = client_of(UserFactory())
        stranger.post(ADD, {"notice": referral.pk})
        stranger.post(ADD)
        referral.refresh_from_db()
        assert referral.archived_at is None
        Notice.objects.update(archived_at=NOW)
        stranger.post(UNDO, {"notice": referral.pk})
        stranger.post(UNDO, {"at": NOW.isoformat()})
        referral.refresh_from_db()
        assert referral.archived_at == NOW

    def test_an_empty_inbox_says_where_everything_is(self, parent_client, referral):
        html = parent_client.post(ADD, {"notice": referral.pk}, follow=True).content.decode()
        assert f'href="{ARCHIVE}">' in html.split('class="empty"')[1]

    def test_an_empty_archive_says_what_it_is_for(self, parent_client):
        assert f'href="{INBOX}">' in page(parent_client, ARCHIVE).split('class="empty"')[1]

    def test_undoing_keeps_what_is_looked_for(self, parent_client, referral):
        parent_client.get(INBOX)
        found = parent_client.post(ADD, {"q": "жолдама"}).url
        shown_page = parent_client.get(found)
        assert '<input type="hidden" name="q" value="жолдама">' in shown_page.content.decode()
        sent = {"at": shown_page.context["put_away"]["at"], "q": "жолдама"}
        assert parent_client.post(UNDO, sent).url == found

    def test_a_page_fetched_beforehand_takes_no_offer_to_undo(self, parent_client, referral):
        parent_client.post(ADD, {"notice": referral.pk})
        parent_client.get(INBOX, headers={"Sec-Purpose": "prefetch"})
        assert f'action="{UNDO}"' in page(parent_client)


def test_an_employee_searches_too(client_of, db):
    employee = StaffFactory()
    notice_for(employee, kind="staff_new_bids", text_kk="Жаңа өтінімдер: 3", text_ru="Новые заявки: 3")
    assert len(shown(client_of(employee), q="заявки")) == 1
    assert shown(client_of(employee), q="zzz") == []
