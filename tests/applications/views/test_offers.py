"""The offer of a place that was given back, as its family sees it."""

from datetime import datetime, timedelta
from html import unescape

import pytest
from django.urls import reverse

from applications.models import Bid, Offer
from applications.states import ApplicationState, OfferState
from bulletin.models import Vacancy
from tests.applications.bidding.given_back import offered_to
from tests.applications.conftest import ZONE
from tests.factories import ApplicationFactory, LocalityFactory, UserFactory, VacancyFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

MICROSECOND = timedelta(microseconds=1)
END = datetime(2019, 6, 29, tzinfo=ZONE)


@pytest.fixture
def family(clock, scene, client_of):
    return client_of(scene.parent)


@pytest.fixture
def offer(clock, scene):
    return offered_to(scene)


def url(scene, answer):
    return reverse(f"applications:{answer}_offer", args=[scene.application.pk])


def text(response):
    return unescape(response.content.decode())


def test_it_stands_first_on_the_applications_page(family, scene, offer):
    page = text(family.get(scene.application.get_absolute_url()))
    assert "28.06.2019" in page
    assert page.index("28.06.2019") < page.index(url(scene, "accept")) < page.index(url(scene, "decline"))
    # The buttons are in sight before the place is described.
    assert page.index(url(scene, "decline")) < page.index("<dl") < page.index("big-number")
    # That another child had got the place first is no news any more.
    assert "Орын кезек нөмірі бойынша басқа балаға берілді" not in page


@pytest.mark.parametrize(
    ("answer", "state", "waits"),
    [
        ("accept", OfferState.ACCEPTED, ApplicationState.BID_PLACED),
        ("decline", OfferState.DECLINED, ApplicationState.WAITING),
    ],
)
def test_one_press_and_a_confirmation(family, scene, offer, answer, state, waits):
    page = text(family.get(url(scene, answer)))
    assert scene.group.kindergarten.name in page
    assert Offer.objects.get().state == OfferState.OFFERED
    answered = family.post(url(scene, answer), follow=True)
    assert answered.redirect_chain == [(scene.application.get_absolute_url(), 302)]
    assert Offer.objects.filter(pk=offer.pk).get().state == state
    scene.application.refresh_from_db()
    assert scene.application.state == waits
    # A second press of the same button says so and changes nothing.
    again = text(family.post(url(scene, answer), follow=True))
    assert "Бұл орын енді сізге ұсынылмайды" in again
    assert Bid.objects.filter(holds_seat=True).count() == (1 if answer == "accept" else 0)


@pytest.mark.parametrize("answer", ["accept", "decline"])
def test_a_press_at_the_end_is_too_late(scene, offer, client_of, clock, answer):
    clock.move_to(END)
    family = client_of(scene.parent)
    page = text(family.post(url(scene, answer), follow=True))
    assert "Бұл орын енді сізге ұсынылмайды" in page
    assert Offer.objects.get(pk=offer.pk).state == OfferState.UNANSWERED
    assert not Bid.objects.filter(holds_seat=True).exists()


def test_a_press_in_the_last_microsecond_is_in_time(scene, offer, client_of, clock):
    clock.move_to(END - MICROSECOND)
    client_of(scene.parent).post(url(scene, "accept"))
    assert Bid.objects.get(holds_seat=True).application == scene.application


@pytest.mark.parametrize("answer", ["accept", "decline"])
def test_a_stranger_finds_nothing(scene, offer, client_of, answer):
    stranger = client_of(UserFactory())
    assert stranger.get(url(scene, answer)).status_code == 404
    assert stranger.post(url(scene, answer)).status_code == 404
    assert Offer.objects.get().state == OfferState.OFFERED


GIVEN_UP = "Қазір сізге орын ұсынылып тұр"


@pytest.mark.parametrize(
    ("page", "query", "told"),
    [
        ("delete", {}, True),
        ("languages", {"languages": ["kk"]}, True),
        ("languages", {"languages": ["kk", "ru"]}, False),
        ("move", {"locality": "elsewhere"}, True),
    ],
)
def test_whoever_would_give_it_up_is_told_before(family, scene, page, query, told):
    LocalityFactory(slug="elsewhere", name_kk="Кентау қ.", name_ru="г. Кентау")
    address = reverse(f"applications:{page}", args=[scene.application.pk])
    assert GIVEN_UP not in text(family.get(address, query))
    offered_to(scene)
    assert (GIVEN_UP in text(family.get(address, query))) == told


@pytest.fixture
def elsewhere(scene):
    """A place for which the family may bid, or wait for its opening, meanwhile."""
    return VacancyFactory(group=scene.group, birth_years=[2017], opens_at=scene.now)


def pages_of(family, scene, vacancy):
    """Where a bid for that place begins: on its page, on the page of the press, where the child is chosen."""
    return [
        text(family.get(address))
        for address in (
            vacancy.get_absolute_url(),
            reverse("applications:apply", args=[scene.application.pk, vacancy.pk]),
            reverse("applications:choose_child", args=[vacancy.pk]),
        )
    ]


@pytest.mark.parametrize("opens_in", [timedelta(0), timedelta(hours=1)])
def test_whoever_would_bid_elsewhere_is_told_beside_the_button(family, scene, elsewhere, opens_in):
    Vacancy.objects.filter(pk=elsewhere.pk).update(opens_at=scene.now + opens_in)
    assert not any(GIVEN_UP in page for page in pages_of(family, scene, elsewhere))
    offered_to(scene)
    for page in pages_of(family, scene, elsewhere):
        assert GIVEN_UP in page
        assert f"Бала: {scene.application.child.full_name}" in page


def test_of_several_children_the_one_is_named_to_whom_it_is_offered(family, scene, elsewhere):
    sister = ApplicationFactory(
        locality=scene.locality,
        filed_by=scene.parent,
        child__birth_date=scene.application.child.birth_date,
        languages=["ru"],
        filed_at=scene.now,
    )
    offered_to(scene)
    page = text(family.get(reverse("applications:choose_child", args=[elsewhere.pk])))
    assert page.count(GIVEN_UP) == 1
    assert f"Бала: {scene.application.child.full_name}" in page
    assert GIVEN_UP not in text(family.get(reverse("applications:apply", args=[sister.pk, elsewhere.pk])))


def test_the_applications_page_leads_to_the_offer_and_not_to_the_bulletin(family, scene, elsewhere):
    to_places = reverse("applications:bulletin") + "?status=me"
    for address in (scene.application.get_absolute_url(), reverse("applications:cabinet")):
        assert to_places in text(family.get(address))
    offered_to(scene)
    for address in (scene.application.get_absolute_url(), reverse("applications:cabinet")):
        page = text(family.get(address))
        assert to_places not in page
        assert "28.06.2019" in page
    Offer.objects.update(state=OfferState.DECLINED, ended_at=scene.now)
    assert to_places in text(family.get(scene.application.get_absolute_url()))
