"""Pages on paper: rows of a table, not cards, no empty sheet, and no heading alone at the foot of one."""

import io

import pikepdf
from pypdf import PdfReader

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


def test_no_heading_is_alone_at_the_foot_of_a_sheet(page, transactional_db):
    """Some of these numbers of lines end just above the foot of the sheet, so that the heading alone would fit."""
    page.goto("/statistics/")
    for lines in range(40, 54):
        page.evaluate(
            """lines => {
            const text = '<p style="margin: 0">x</p>'.repeat(lines);
            const below = '<h2>Тақырып</h2><div class="card"><p>a</p><p>b</p></div>';
            document.querySelector('.page-body').innerHTML = `${text}<section class="section">${below}</section>`;
        }""",
            lines,
        )
        sheets = [sheet.extract_text() for sheet in PdfReader(io.BytesIO(page.pdf(format="A4"))).pages]
        (heading,) = (sheet for sheet in sheets if "Тақырып" in sheet)
        assert heading.split("Тақырып")[1].split()[:2] == ["a", "b"], lines
