"""The pages and files of the public statistics: the same numbers in the chart, the table and the files."""

import csv
import io
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from applications.reports.published import PUBLISHED
from applications.states import ReferralState
from tests.factories import ApplicationFactory, LocalityFactory, ReferralFactory, VacancyFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def here():
    """Eight no-shows and two referrals that are valid, of a week ago."""
    place, week_ago = LocalityFactory(), timezone.now() - timedelta(days=7)
    for state, number in ((ReferralState.EXPIRED, 8), (ReferralState.ISSUED, 2)):
        for _one in range(number):
            application = ApplicationFactory(locality=place, filed_at=week_ago - timedelta(days=30))
            ReferralFactory(
                application=application, bid__vacancy=VacancyFactory(), issued_at=week_ago, state=state
            )
    return place


def address(view: str, name: str, **query: str) -> str:
    return reverse(f"applications:statistics_{view}", args=[name], query=query)


def test_chart_table_and_files_tell_the_same(client, here) -> None:
    asked = {"place": here.slug, "by": "year"}
    page = client.get(address("table", "no-shows", **asked))
    rows = [[row["label"], *(str(value) for _heading, value in row["cells"])] for row in page.context["rows"]]
    assert rows[-1][1:4] == ["10", "…", "…"]
    drawn = [[bar.value for bar in line.bars] for line in page.context["chart"].lines]
    assert drawn == [["…"]]
    assert "<figure" not in page.content.decode(), "a chart without bars says why there is none"
    sent = b"".join(client.get(address("csv", "no-shows", **asked)).streaming_content).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(sent), delimiter=";"))[1:] == rows
    book = load_workbook(io.BytesIO(client.get(address("xlsx", "no-shows", **asked)).content))
    assert len(book.worksheets) == 3
    first = [[str(cell.value) for cell in row] for row in book.worksheets[0].iter_rows()]
    assert first[-len(rows) :] == rows


@pytest.mark.parametrize("prefix", ["", "/ru"])
@pytest.mark.parametrize("name", PUBLISHED)
def test_every_way_to_cut_is_a_page(client, here, name: str, prefix: str) -> None:
    for slice_ in PUBLISHED[name].slices:
        answer = client.get(f"{prefix}/statistics/{name}/?place=all&by={slice_.value}")
        assert answer.context["slice"] is slice_
        assert len(answer.context["rows"]) > 1
        assert "<table" in answer.content.decode()


@pytest.mark.parametrize("view", ["table", "csv", "xlsx"])
@pytest.mark.parametrize("query", ["by=kindergarten", "by=%00", "place=almaty", "place='", "period=2025"])
def test_what_there_is_not_is_never_answered_by_other_figures(client, here, view: str, query: str) -> None:
    answer = client.get(f"{address(view, 'waits')}?{query}")
    page = answer.content.decode()
    assert (answer.status_code, answer.context["sentence"] in page) == (404, True)
    assert 'href="/statistics/"' in page


def test_of_one_place_the_table_of_places_has_its_row(client, here) -> None:
    """Whoever looks at all places, and chooses one in the head of the page, comes there."""
    LocalityFactory(slug="kentau")
    answer = client.get(address("table", "waits", by="locality", place=here.slug))
    assert [row["label"] for row in answer.context["rows"]] == [here.name, "Барлығы"]


def test_files_are_named_by_figures_cut_place_and_day(client, here) -> None:
    day = here.day(timezone.now())
    named = {
        "csv": {"place": here.slug, "by": "year"},
        "xlsx": {"place": "all", "by": "language"},
    }
    names = [
        client.get(address(view, "queue", **query))["Content-Disposition"] for view, query in named.items()
    ]
    assert names == [
        f'attachment; filename="queue-by-year-{here.slug}-{day}.csv"',
        f'attachment; filename="queue-by-language-all-{day}.xlsx"',
    ]


@pytest.mark.parametrize(
    ("name", "by", "word"),
    [
        ("no-shows", "language", "Бірнеше тілді"),
        ("places", "year", "Бірнеше туған жылға"),
        ("queue", "year", ""),
    ],
)
def test_what_does_not_add_up_is_explained_beside_the_table_and_in_the_file(
    client, here, name: str, by: str, word: str
) -> None:
    asked = {"place": here.slug, "by": by}
    page = client.get(address("table", name, **asked)).content.decode().partition("<table")[0]
    book = load_workbook(io.BytesIO(client.get(address("xlsx", name, **asked)).content))
    file = " ".join(str(row[0].value) for row in book.worksheets[0].iter_rows())
    for told in (page, file):
        assert "Әр сан бөлек дөңгелектеледі" in told
        assert [one for one in ("Бірнеше тілді", "Бірнеше туған жылға") if one in told] == (
            [word] if word else []
        )


def test_a_chart_has_a_title_and_a_legend_for_one_column_too(client, here) -> None:
    page = client.get(address("table", "queue", place=here.slug, by="year")).content.decode()
    chart = page.partition("<figcaption>")[2].partition("</figcaption>")[0]
    assert "Кезек және оның қозғалысы: Туған жылдар" in chart
    assert "Кезекте" in chart


def test_reports_of_officials_alone_are_not_found(client, here) -> None:
    for view in ("table", "csv", "xlsx"):
        assert client.get(address(view, "corrections")).status_code == 404


def test_without_anything_the_page_says_so(client) -> None:
    LocalityFactory()
    cache.clear()
    answer = client.get(address("table", "queue"))
    assert 'class="empty"' in answer.content.decode()
