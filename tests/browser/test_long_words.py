"""What users write may be one word of three hundred letters: no page is pushed sideways by it."""

from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from bulletin.models import Review
from notifications.models import Notice
from tests.browser.session import enter
from tests.factories import ApplicationFactory, KindergartenFactory
from tests.staff import employee
from tests.thorough import pairs

NARROW = {"width": 360, "height": 740}


def test_a_review_of_one_long_word(open_context, live_server, transactional_db):
    kindergarten = KindergartenFactory.create()
    for state, text in ((Review.State.PUBLISHED, "ш" * 300), (Review.State.PENDING, "ж" * 300)):
        Review.objects.create(
            kindergarten=kindergarten, text=text, answer="щ" * 300, state=state, created_at=timezone.now()
        )
    context = open_context(viewport=NARROW)
    page = context.new_page()
    enter(context, employee(Role.OFFICIAL), portal=live_server.url)
    wide = []
    reviews = reverse("admin:bulletin_review_changelist")
    one = reverse("admin:bulletin_review_change", args=[Review.objects.latest("pk").pk])
    addresses = ("/", "/feedback/", kindergarten.get_absolute_url(), reviews, one)
    for address, language in pairs(addresses, ("", "/ru")):
        page.goto(language + address)
        assert page.get_by_text("шш").or_(page.get_by_text("жж")).first.is_visible()
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            wide.append(language + address)
    assert wide == []


# How many lines each word of a button takes: a word of one line has one rectangle.
LINES_OF_WORDS = """() => [...document.querySelectorAll('.cell-actions .button')].flatMap(button => {
  const text = document.createTreeWalker(button, NodeFilter.SHOW_TEXT).nextNode()
  return [...text.data.matchAll(/\\S+/g)].map(word => {
    const range = document.createRange()
    range.setStart(text, word.index)
    range.setEnd(text, word.index + word[0].length)
    return range.getClientRects().length
  })
})"""


def test_no_button_of_the_inbox_is_broken_inside_a_word(open_context, live_server, transactional_db):
    """«К заявлен-ию»: a long notice left its buttons a column of three letters."""
    application = ApplicationFactory()
    parent = application.filed_by
    text = "Детский сад активировал вашу заявку, направление выдано. " * 8
    Notice.objects.create(
        recipient=parent, kind="referral_issued", text_kk=text, text_ru=text, created_at=timezone.now(),
        link=application.get_absolute_url(), dedupe_key="1",
    )  # fmt: skip
    context = open_context()
    page = context.new_page()
    enter(context, parent, portal=live_server.url)
    for width in (360, 700, 1000, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto("/ru/cabinet/notifications/")
        lines = page.evaluate(LINES_OF_WORDS)
        assert len(lines) >= 4
        assert set(lines) == {1}, width
