"""How the workplace looks: the portal's colours, lists that are cards on a phone, filters that stay short."""

import re
from datetime import date
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe

from accounts.models import User
from balabaqsha.templatetags.cells import labelled
from bulletin.kindergarten_filter import KindergartenFilter
from bulletin.models import Closing, Vacancy
from tests.factories import EmploymentFactory, KindergartenFactory, VacancyFactory
from tests.staff import give_app, inside, worker_of

CSS = Path(settings.BASE_DIR, "static", "css")
LIST = "/admin/bulletin/vacancy/"


def tokens(sheet: str) -> dict[str, str]:
    """The variables of the first `:root`, by name."""
    root = re.search(r":root \{(.*?)\}", sheet, re.DOTALL)
    assert root
    return dict(re.findall(r"--([\w-]+): ([^;]+);", root[1]))


class TestColours:
    def test_they_are_the_portals(self):
        ours, portals = (tokens((CSS / name).read_text()) for name in ("admin.css", "app.css"))
        own = {name: value for name, value in ours.items() if not value.startswith("var(")}
        assert len(own) > 15
        assert own == {name: portals[name] for name in own}

    def test_they_are_named_once(self):
        after_root = (CSS / "admin.css").read_text().partition("\n}\n")[2]
        assert re.findall(r"#[0-9a-f]{3,6}\b(?=[ ;,)])", after_root) == []

    def test_control_another_value_is_seen(self):
        assert tokens(":root { --text: #000; --muted: var(--text); }") == {
            "text": "#000",
            "muted": "var(--text)",
        }


@pytest.mark.django_db
class TestCards:
    def test_each_cell_has_the_heading_of_its_column(self):
        vacancy = VacancyFactory(state=Vacancy.State.PUBLISHED)
        desk = inside(worker_of(vacancy.group.kindergarten))
        html = desk.get(f"/ru{LIST}").content.decode()
        headings = re.findall(r'<div class="text"><(?:a href="[^"]*"|span)>(.*?)</', html)
        labels = re.findall(r' data-label="(.*?)"', html)
        assert len(labels) > 5
        assert labels == headings[-len(labels) :]

    def test_a_heading_is_text_and_no_markup(self):
        cell, header = mark_safe('<td class="x">7</td>'), {"text": '"><script>', "class_attrib": ""}
        assert list(labelled([cell], [header])) == [
            '<td data-label="&quot;&gt;&lt;script&gt;" class="x">7</td>'
        ]

    def test_an_empty_list_says_so_and_leads_back_from_a_search(self):
        desk = inside(worker_of(KindergartenFactory()))
        assert "Здесь пока ничего нет." in desk.get(f"/ru{LIST}").content.decode()
        searched = desk.get(f"/ru{LIST}?q=nothing-like-it").content.decode()
        assert "ничего не найдено" in searched
        assert 'href="?"' in searched

    def test_only_what_a_search_found_is_counted_beside_it(self):
        kindergarten = KindergartenFactory()
        for state in Vacancy.State.DRAFT, Vacancy.State.PUBLISHED:
            VacancyFactory(group__kindergarten=kindergarten, state=state)
        desk, counted = inside(worker_of(kindergarten)), 'class="small quiet"'
        assert counted not in desk.get(f"{LIST}?state__exact=draft").content.decode()
        assert counted in desk.get(f"{LIST}?q=nothing-like-it").content.decode()


@pytest.mark.django_db
class TestFilterByKindergarten:
    @pytest.fixture
    def desk(self):
        root = User.objects.create_superuser("root")
        give_app(root)
        return inside(root)

    def listed(self, desk, query: str) -> set[str]:
        html = desk.get(f"{LIST}?{query}").content.decode()
        return {unescape(one) for one in re.findall(r'data-label="Балабақша"[^>]*>([^<]*)<', html)}

    def test_it_finds_by_a_part_of_the_name_in_either_language_and_lists_no_names(self, desk):
        for kk, ru in (("«Ақбота» балабақшасы", "Сад «Акбота»"), ("«Балапан» балабақшасы", "Сад «Цыплёнок»")):
            VacancyFactory(group__kindergarten=KindergartenFactory(name_kk=kk, name_ru=ru))
        parameter = "kindergarten_name"
        assert self.listed(desk, f"{parameter}=ақб") == {"«Ақбота» балабақшасы"}
        assert self.listed(desk, f"{parameter}=цыпл") == {"«Балапан» балабақшасы"}
        assert len(self.listed(desk, f"{parameter}=")) == 2
        html = desk.get(f"{LIST}?{parameter}=ақб&state__exact=draft&p=1").content.decode()
        assert 'value="ақб"' in html
        form = re.search(r'<form method="get">.*?</form>', html, re.DOTALL)[0]
        assert '<input type="hidden" name="state__exact" value="draft">' in form
        assert 'name="p"' not in form
        assert "Балапан" not in html

    def test_every_list_that_has_it_answers_what_is_typed_and_what_a_link_says(self, desk):
        lists = [
            one
            for one, page in admin.site._registry.items()
            if any(isinstance(row, tuple) and row[1] is KindergartenFilter for row in page.list_filter)
        ]
        assert len(lists) >= 5
        place = KindergartenFactory()
        for model in lists:
            url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            html = desk.get(url).content.decode()
            (typed,) = re.findall(r'<input type="text" id="by-[^"]+" name="([^"]+)"', html)
            assert desk.get(url, {typed: "ақб"}).status_code == 200, url
            assert desk.get(url, {"kindergarten": place.pk}).status_code == 200, url

    def test_the_page_of_a_kindergarten_leads_only_to_pages_that_answer(self, desk):
        closing, _other = (
            Closing.objects.create(
                kindergarten=KindergartenFactory(),
                cause="repair",
                starts_on=date(2027, 3, 1),
                decided_at=timezone.now(),
                decided_by=User.objects.get(),
            )
            for _time in range(2)
        )
        page = desk.get(reverse("admin:bulletin_kindergarten_change", args=[closing.kindergarten_id]))
        tools = re.search(r'<ul class="object-tools">.*?</ul>', page.content.decode(), re.DOTALL)[0]
        links = [unescape(one) for one in re.findall(r'href="([^"]+)"', tools)]
        answers = {link: desk.get(link) for link in links}
        assert all(one.status_code < 400 for one in answers.values()), answers
        (closings,) = (one for link, one in answers.items() if "/closing/?" in link)
        assert [*closings.context["cl"].result_list] == [closing]
        # What is closed already is not offered to be closed.
        address = reverse("admin:bulletin_closing_of_kindergarten", args=[closing.kindergarten_id])
        assert address not in links
        Closing.objects.all().delete()
        assert address in desk.get(page.request["PATH_INFO"]).content.decode()

    def test_its_cost_does_not_grow_with_the_city(self, desk, django_assert_max_num_queries):
        sizes = []
        for _time in range(2):
            KindergartenFactory.create_batch(20)
            with django_assert_max_num_queries(15):
                sizes.append(len(desk.get(LIST).content))
        assert abs(sizes[1] - sizes[0]) < 200

    def test_who_has_one_kindergarten_needs_none(self):
        employment = EmploymentFactory(kindergarten=KindergartenFactory())
        give_app(employment.user)
        one = inside(worker_of(employment.kindergarten)).get(LIST).content.decode()
        assert "kindergarten_name" not in one
