"""What users write may be one word of three hundred letters: no page is pushed sideways by it."""

from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from bulletin.models import Review
from tests.browser.session import enter
from tests.factories import KindergartenFactory
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
