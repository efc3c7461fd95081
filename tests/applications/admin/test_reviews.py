"""Reviews: published or declined in turn, answered by the kindergarten, hidden by an official, told to the author."""

from datetime import timedelta
from html import unescape

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from accounts.models import AuditEntry, User
from accounts.roles import Role
from bulletin import moderation
from bulletin.journal_actions import Action
from bulletin.models import Review
from bulletin.moderation import answer_review, hide_answer, moderate_review, show_answer, withdraw_answer
from bulletin.seen import mark_of
from bulletin.services import submit_review
from notifications.models import Message, Notice
from tests.factories import KindergartenFactory, ReviewFactory
from tests.staff import carried, employee, give_app, inside, official_of, press, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

LIST = reverse("admin:bulletin_review_changelist")


@pytest.fixture
def place(scene, clock):
    return scene.group.kindergarten


@pytest.fixture
def worker(place):
    return worker_of(place)


@pytest.fixture
def official(scene):
    return official_of(scene.locality)


def review_of(place, state=Review.State.PUBLISHED, **fields):
    return ReviewFactory(kindergarten=place, state=state, **fields)


def page_of(review):
    return reverse("admin:bulletin_review_change", args=[review.pk])


def button(review, name):
    return reverse("admin:bulletin_review_work", args=[review.pk, name])


def buttons(desk, review):
    return {work["url"].rsplit("/", 2)[1] for work in desk.get(page_of(review)).context["works"]}


def told(review):
    return [one.kind for one in Notice.objects.filter(recipient=review.author).order_by("created_at")]


class TestModerating:
    def test_one_after_another_the_oldest_first(self, scene, place, official):
        first, second, third = (
            review_of(
                place,
                Review.State.PENDING,
                created_at=scene.now.replace(minute=minute),
                text=f"{minute} пікір",
            )
            for minute in (1, 2, 3)
        )
        desk = inside(official)
        answer = press(desk, button(first, "publish"), {"next": "1"})
        assert answer.url == page_of(second)
        answer = press(desk, button(second, "decline"), {"reason": "Адам аты бар", "next": "1"})
        assert answer.url == page_of(third)
        assert press(desk, button(third, "publish"), {"next": "1"}).url == page_of(third)
        states = [Review.objects.get(pk=one.pk).state for one in (first, second, third)]
        assert states == ["published", "rejected", "published"]
        assert [told(one) for one in (first, second)] == [["review_published"], ["review_declined"]]
        (notice,) = Notice.objects.filter(kind="review_declined")
        assert "Адам аты бар" in notice.text_kk
        assert place.name_ru in notice.text_ru
        assert notice.link == reverse("bulletin:reviews") + f"?kindergarten={place.slug}"
        assert not Message.objects.filter(kind__startswith="review_").exists()

    @pytest.mark.parametrize("reason", ["", "  ", "+7 701 777 98 76"])
    def test_a_reason_is_demanded(self, place, official, reason):
        review = review_of(place, Review.State.PENDING)
        answer = press(inside(official), button(review, "decline"), {"reason": reason})
        assert answer.context["errors"]["reason"]
        assert told(review) == []

    def test_what_a_colleague_decided_meanwhile_is_not_decided_over(self, place, official):
        review = review_of(place, Review.State.PENDING)
        desk = inside(official)
        page = desk.get(button(review, "decline"))
        moderate_review(review, moderator=official, publish=True, now=review.created_at)
        answer = desk.post(button(review, "decline"), carried(page) | {"reason": "Адам аты бар"})
        assert answer.status_code == 200
        assert "Адам аты бар" in answer.content.decode()
        review.refresh_from_db()
        assert review.state == "published"

    def test_several_at_once(self, place, official):
        rows = [review_of(place, Review.State.PENDING) for _number in range(3)]
        desk = inside(official)
        chosen = {"action": "decline_selected", "_selected_action": [str(one.pk) for one in rows[:2]]}
        page = desk.post(LIST, chosen)
        assert Review.objects.filter(state=Review.State.PENDING).count() == 3
        assert desk.post(LIST, chosen | {"confirmed": "yes", "reason": ""}).status_code == 200
        assert (
            desk.post(
                LIST, carried(page) | chosen | {"confirmed": "yes", "reason": "Бұл жарнама ғой"}
            ).status_code
            == 302
        )
        assert [*Review.objects.order_by("pk").values_list("moderation_reason", flat=True)] == [
            "Бұл жарнама ғой",
            "Бұл жарнама ғой",
            "",
        ]
        chosen = {"action": "publish_selected", "_selected_action": [str(rows[2].pk)]}
        desk.post(LIST, chosen | {"confirmed": "yes"})
        assert Review.objects.get(pk=rows[2].pk).moderated_by == official

    def test_a_review_whose_author_is_gone_is_moderated(self, place, official):
        review = review_of(place, Review.State.PENDING, author=None)
        press(inside(official), button(review, "publish"))
        assert Review.objects.get().state == "published"
        assert not Notice.objects.exists()


def test_no_history_says_who_wrote_a_review(place, official, worker, scene):
    review = submit_review(
        author=scene.parent, kindergarten=place, text="Балама бұл балабақша қатты ұнады.", now=scene.now
    )
    moderate_review(review, moderator=official, publish=True, now=scene.now)
    for reader in (worker, official):
        html = inside(reader).get(reverse("admin:bulletin_review_history", args=[review.pk])).content.decode()
        assert str(official) in html
        assert str(Action.REVIEW_WRITTEN.label) in html
        assert str(scene.parent) not in html
        assert scene.parent.phone.as_e164[-4:] not in html


class TestAnswering:
    TEXT = {"answer": "Рақмет! Тұрақ келесі айда кеңейеді.", "language": "kk"}

    def test_the_kindergarten_answers_and_everybody_reads_it_in_its_language(self, client, place, worker):
        review = review_of(place)
        desk = inside(worker)
        home = desk.get(reverse("admin:index"))
        assert home.context["today"].unanswered == 1
        assert desk.get(LIST + "?answer=missing").context["cl"].result_count == 1
        assert buttons(desk, review) == {"answer"}
        assert press(desk, button(review, "answer"), self.TEXT).url == page_of(review)
        for address in (f"/ru/feedback/?kindergarten={place.slug}", f"/ru/kindergartens/{place.slug}/"):
            page = client.get(address).content.decode()
            assert '<div lang="kk"><p>Рақмет! Тұрақ келесі айда кеңейеді.</p></div>' in page
            assert "Ответ детского сада" in page
        assert told(review) == ["review_answered"]
        entry = AuditEntry.objects.get(action=Action.REVIEW_ANSWERED)
        assert (entry.actor, entry.subject, entry.target) == (worker, review.author, place.name_kk)
        assert desk.get(reverse("admin:index")).context["today"].unanswered == 0

    @pytest.mark.parametrize("text", ["", " ", "Қоңырау шалыңыз: +7 701 777 98 76", "a" * 1001])
    def test_it_is_bounded_like_what_a_stranger_types(self, place, worker, text):
        review = review_of(place)
        answer = press(inside(worker), button(review, "answer"), self.TEXT | {"answer": text})
        assert answer.context["errors"]["answer"]
        assert (
            press(inside(worker), button(review, "answer"), self.TEXT | {"language": "en"}).status_code == 200
        )
        assert Review.objects.get().answer == ""

    def test_who_may_change_and_withdraw_it(self, scene, place, worker, official):
        """Any employee of the kindergarten; nobody of another one, nor the department."""
        review = review_of(place)
        press(inside(worker), button(review, "answer"), self.TEXT)
        colleague, stranger = worker_of(place), worker_of(KindergartenFactory(locality=scene.locality))
        for user, expected in ((stranger, 404), (official, 403), (employee(Role.AUDITOR), 403)):
            for name in ("answer", "withdraw-answer"):
                assert (
                    inside(user).post(button(review, name), self.TEXT | {"seen": mark_of(review)}).status_code
                    == expected
                )
        desk = inside(colleague)
        assert buttons(desk, review) == {"answer", "withdraw-answer"}
        press(desk, button(review, "answer"), {"answer": "Спасибо!", "language": "ru"})
        review.refresh_from_db()
        assert (review.answer, review.answer_language, review.answered_by) == ("Спасибо!", "ru", colleague)
        press(desk, button(review, "withdraw-answer"))
        review.refresh_from_db()
        assert (review.answer, review.answered_by, review.shown_answer) == ("", None, "")
        # Once, of the first answer.
        assert told(review) == ["review_answered"]
        done = AuditEntry.objects.filter(action__in=[Action.ANSWER_CHANGED, Action.ANSWER_WITHDRAWN])
        assert [one.actor for one in done] == [colleague, colleague]

    def test_two_colleagues_at_once_lose_nothing(self, place, worker):
        review = review_of(place)
        desk, other = inside(worker), inside(worker_of(place))
        page = desk.get(button(review, "answer"))
        press(other, button(review, "answer"), {"answer": "Бірінші", "language": "kk"})
        answer = desk.post(button(review, "answer"), carried(page) | self.TEXT)
        assert answer.status_code == 200
        assert "Тұрақ келесі айда" in unescape(answer.content.decode())
        assert Review.objects.get().answer == "Бірінші"

    def test_an_official_hides_it_and_only_an_official_shows_it_again(
        self, client, scene, clock, place, worker, official
    ):
        review = review_of(place)
        desk, office = inside(worker), inside(official)
        press(desk, button(review, "answer"), self.TEXT)
        clock.move_to(scene.now + timedelta(minutes=1))
        press(office, button(review, "hide-answer"), {"reason": "Отбасының аты бар"})
        clock.move_to(scene.now + timedelta(minutes=2))
        assert "Тұрақ" not in client.get("/feedback/").content.decode()
        page = desk.get(page_of(review)).content.decode()
        assert "Отбасының аты бар" in page
        assert buttons(desk, review) == {"answer", "withdraw-answer"}
        # Not by withdrawing it and writing another one either.
        press(desk, button(review, "withdraw-answer"))
        press(desk, button(review, "answer"), {"answer": "Жаңа жауап", "language": "kk"})
        assert "Жаңа жауап" not in client.get("/feedback/").content.decode()
        assert office.get(LIST + "?answer=hidden").context["cl"].result_count == 1
        assert told(review) == ["review_answered"]
        assert buttons(office, review) == {"show-answer", "decline"}
        press(office, button(review, "show-answer"))
        assert "Жаңа жауап" in client.get("/feedback/").content.decode()
        assert told(review) == ["review_answered", "review_answered"]
        assert AuditEntry.objects.get(action=Action.ANSWER_HIDDEN).reason == "Отбасының аты бар"

    def test_a_worker_reads_only_what_everybody_reads(self, place, worker):
        shown, *others = (review_of(place, state) for state in ("published", "pending", "rejected"))
        desk = inside(worker)
        assert [*desk.get(LIST).context["cl"].result_list] == [shown]
        for review in others:
            assert desk.get(page_of(review)).status_code == 404
            assert desk.post(button(review, "answer"), self.TEXT).status_code == 404
            with pytest.raises(ValidationError):
                answer_review(review, actor=worker, text="x", language="kk", now=review.created_at)

    def test_for_the_portal_an_official_answers(self, place, worker, official):
        review = review_of(None)
        assert inside(worker).get(page_of(review)).status_code == 404
        press(inside(official), button(review, "answer"), self.TEXT)
        review.refresh_from_db()
        assert review.shown_answer == self.TEXT["answer"]
        assert not review.is_answered_by_kindergarten

    def test_a_superuser_may_too(self, place):
        review = review_of(place)
        chief = User.objects.create_superuser("root", "root-pass-1")
        give_app(chief)
        assert buttons(inside(chief), review) == {"answer", "decline"}

    def test_what_is_not_there_is_neither_hidden_nor_withdrawn(self, place, worker):
        review = review_of(place)
        at = {"actor": worker, "now": review.created_at}
        for act in (
            lambda: withdraw_answer(review, **at),
            lambda: hide_answer(review, reason="x", **at),
            lambda: show_answer(review, **at),
        ):
            with pytest.raises(ValidationError):
                act()
        answer_review(review, text="Рақмет", language="kk", **at)
        with pytest.raises(ValidationError):
            answer_review(review, text=" Рақмет ", language="kk", **at)
        assert AuditEntry.objects.filter(action__in=moderation.Action.values).count() == 1
