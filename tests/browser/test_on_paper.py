"""The bulletin on paper: rows of a table, not cards, and no empty first sheet."""

import io

import pikepdf

from bulletin.models import Vacancy
from tests.factories import GroupFactory, KindergartenFactory, LocalityFactory, VacancyFactory


def test_a_page_of_places_fits_on_few_sheets_and_begins_on_the_first(page, transactional_db):
    place = LocalityFactory.create()
    for number in range(8):
        kindergarten = KindergartenFactory.create(
            locality=place, name_kk=f"«Болашақ» бөбекжай-балабақшасы № {number}"
        )
        for _ in range(5):
            VacancyFactory.create(group=GroupFactory.create(kindergarten=kindergarten))
    assert Vacancy.objects.count() == 40
    page.goto("/bulletin/")
    assert page.locator("tbody tr").count() == 20
    with pikepdf.open(io.BytesIO(page.pdf(format="A4"))) as paper:
        assert len(paper.pages) <= 3, "five sheets when each row was a card"
    page.set_viewport_size({"width": 680, "height": 1000})
    page.emulate_media(media="print")
    # Before, the table began on a sheet of its own, since it was too long to stay in one piece.
    assert page.eval_on_selector("table", "table => getComputedStyle(table).breakInside") == "auto"
    assert page.eval_on_selector("thead", "head => getComputedStyle(head).display") == "table-header-group"
    assert page.eval_on_selector("tbody tr", "row => getComputedStyle(row).display") == "table-row"
