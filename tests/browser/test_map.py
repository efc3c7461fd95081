"""The map that moves: the list follows it, a row shows its mark, and where somebody is stands in no address."""

import itertools
import math
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from bulletin.models import Kindergarten
from tests.browser.barriers import against_axe
from tests.browser.session import enter
from tests.factories import KindergartenFactory
from tests.staff import worker_of

pytestmark = pytest.mark.browser

NORTH, EAST = Decimal("43.300000"), Decimal("68.250000")
HERE = {"latitude": 43.3051, "longitude": 68.2513}


@pytest.fixture
def city(transactional_db):
    """Two beside each other, and one two kilometres to the north of them."""
    return [
        KindergartenFactory.create(slug=slug, name_kk=slug, latitude=NORTH + north, longitude=EAST + east)
        for slug, north, east in (
            ("amina", Decimal(0), Decimal(0)),
            ("balapan", Decimal(0), Decimal("0.001000")),
            ("qarlygash", Decimal("0.020000"), Decimal(0)),
        )
    ]


def test_the_list_follows_the_map(open_context, city):
    context = open_context(
        viewport={"width": 1024, "height": 900}, permissions=["geolocation"], geolocation=HERE
    )
    page = context.new_page()
    page.goto("/map/")
    rows = page.locator("#found [data-at]")
    expect(rows).to_have_count(3)
    page.locator(".map-box").hover()
    pins = page.locator(".map__pin")
    expect(pins).to_have_count(2)
    assert against_axe(page, width=1024) == []

    # A mark of several leads closer, and the list is of what is seen.
    pins.filter(has_text="2").click()
    expect(rows).to_have_count(2)
    expect(pins).to_have_count(2)
    assert "bounds=" in page.url
    page.locator("#found a", has_text="balapan").focus()
    expect(page.locator(".map__pin.is-found")).to_have_attribute("href", "/kindergartens/balapan/")
    page.reload()
    expect(rows).to_have_count(2)

    # By the keyboard alone.
    page.locator(".map-box a").first.focus()
    live = page.locator(".map-live")
    expect(live).to_be_visible()
    live.focus()
    for _step in range(2):
        with page.expect_response("**/map/?*zoom=*"):
            page.keyboard.press("Shift+Minus")
    expect(rows).to_have_count(3)


def test_the_map_around_a_visitor_writes_no_address(open_context, city):
    context = open_context(
        viewport={"width": 1024, "height": 900}, permissions=["geolocation"], geolocation=HERE
    )
    page = context.new_page()
    page.goto("/map/")
    page.locator("button[data-near]").click()
    page.wait_for_url("**/map/?sort=near")
    rows = page.locator("#found [data-at]")
    expect(rows.first).to_contain_text("560")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.locator(".map-box").hover()
    expect(page.locator(".map-live .map__home")).to_be_attached()
    page.locator(".map-live").focus()
    with page.expect_response(lambda answer: answer.request.method == "POST") as answer:
        page.keyboard.press("Shift+Minus")
    assert answer.value.ok
    # So far away, all three are one mark.
    expect(page.locator(".map__pin")).to_have_count(1)
    expect(rows).to_have_count(3)
    assert page.url.endswith("/map/?sort=near")
    assert not [url for url in asked if "43.3" in url or "68.2" in url or "bounds" in url]
    assert page.evaluate("localStorage.length") == 0


def test_without_scripts_a_mark_of_several_is_a_link(open_context, city):
    page = open_context(java_script_enabled=False).new_page()
    page.goto("/map/")
    expect(page.locator("button[data-near]")).to_be_hidden()
    page.locator(".map__mark", has_text="2").click()
    page.wait_for_url("**/map/?bounds=*")
    expect(page.locator("#found [data-at]")).to_have_count(2)
    page.locator(".map__mark").first.click()
    page.wait_for_url("**/kindergartens/*/")


def test_an_employee_presses_where_the_kindergarten_is(open_context, city, live_server):
    amina = city[0]
    context = open_context(viewport={"width": 1280, "height": 900})
    enter(context, worker_of(amina), portal=live_server.url)
    page = context.new_page()
    page.goto(f"/admin/bulletin/kindergarten/{amina.pk}/change/")
    before = page.locator("#id_latitude").input_value()
    page.locator(".map-choice summary").click()
    here = page.locator(".map-point__here")
    expect(here).to_be_attached()
    page.locator(".map-point").click(position={"x": 90, "y": 60})
    expect(page.locator("#id_latitude")).not_to_have_value(before)
    page.locator("[name=_save]").click()
    page.wait_for_url("**/admin/bulletin/kindergarten/")
    moved = Kindergarten.objects.get(pk=amina.pk)
    assert moved.latitude > amina.latitude
    assert moved.longitude < amina.longitude


@pytest.mark.parametrize("width", [360, 1024])
def test_the_drawn_map_is_pressed_by_a_finger_on_any_screen(open_context, city, width):
    for step in range(1, 8):
        KindergartenFactory.create(
            latitude=NORTH + step * Decimal("0.004"), longitude=EAST + step * Decimal("0.002")
        )
    page = open_context(viewport={"width": width, "height": 800}, java_script_enabled=False).new_page()
    page.goto("/map/")
    marks = page.locator(".map__mark").all()
    assert len(marks) > 2
    presses = [mark.locator(".map__press").bounding_box() for mark in marks]
    for box in presses:
        assert min(box["width"], box["height"]) >= 43.9
    for mark in marks:
        seen = mark.locator("use").bounding_box()
        assert min(seen["width"], seen["height"]) >= 24
    for one, other in itertools.combinations(presses, 2):
        across = math.dist((one["x"], one["y"]), (other["x"], other["y"]))
        assert across >= 43.9
