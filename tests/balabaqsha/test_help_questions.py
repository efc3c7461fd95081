"""Each question of the help has a page in both languages, and is found however its words are written."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils.translation import override

from balabaqsha.help_questions import SLUGS, found, question
from tests.factories import BenefitCategoryFactory

pytestmark = pytest.mark.django_db

FOLDER = Path(settings.BASE_DIR) / "templates" / "pages" / "help"


def test_every_file_is_a_question_and_every_question_has_both():
    files = {path.name for path in FOLDER.iterdir()}
    assert files == {f"{slug}.{language}.html" for slug in SLUGS for language in ("kk", "ru")}
    assert len(SLUGS) == len(set(SLUGS)) == 39


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_each_has_a_page_that_the_help_leads_to(client, language):
    with override(language):
        overview = client.get(reverse("help")).content.decode()
        for slug in SLUGS:
            address = reverse("help_question", args=[slug])
            assert f'href="{address}"' in overview
            page = client.get(address).content.decode()
            title = re.search(r"<h1>(.*?)</h1>", page)[1]
            assert title in overview
        assert client.get(reverse("help_question", args=["none"])).status_code == 404


@pytest.mark.parametrize(
    ("language", "asked", "first"),
    [
        ("kk", "жеңілдік", "benefit"),
        ("kk", "женилдик", "benefit"),
        ("kk", "ЖЕҢІЛДІКТІҢ", "benefit"),
        ("kk", "шагым", "complaint"),
        ("ru", "жалобу", "complaint"),
        ("ru", "zhaloba", "complaint"),
        ("ru", "забыла пароль", "password"),
        ("ru", "стоп лист", "stop-list"),
        ("kk", "стоп лист", "stop-list"),
        ("kk", "жолдама өтіп кетті", "stop-list"),
        ("kk", "көшіп келдік", "moving"),
        ("ru", "переехали", "moving"),
        ("kk", "бағасы", "fee"),
        ("kk", "төлем", "fee"),
        ("ru", "сколько стоит", "fee"),
        ("kk", "мүгедек", "who-has-a-benefit"),
        ("ru", "многодетная", "who-has-a-benefit"),
        ("kk", "мұғалім", "who-has-a-benefit"),
        ("kk", "егіз", "twins"),
        ("kk", "медициналық анықтама", "documents"),
        ("ru", "справка", "documents"),
        ("kk", "туу туралы куәлік", "documents"),
        ("kk", "қорғаншы", "no-iin"),
        ("kk", "қандас", "no-iin"),
        ("kk", "әкесі", "second-guardian"),
        ("kk", "жасы", "ages"),
        ("kk", "2 жас", "ages"),
        ("kk", "whatsapp", "ways"),
        ("kk", "телеграм", "ways"),
        ("kk", "очередь", "register"),
        ("kk", "пароль", "password"),
        ("kk", "садик", "register"),
        ("kk", "жалоба", "complaint"),
        ("kk", "архив", "bin"),
        ("kk", "ауырып қалды", "cannot-come"),
        ("ru", "жолдама", "last-day"),
    ],
)
def test_is_found_however_it_is_written(client, language, asked, first):
    with override(language):
        page = client.get(reverse("help"), {"q": asked})
    assert page.context["results"][0].slug == first


@pytest.mark.parametrize("asked", ["xyzzyqq", "?!", "а", "%_", "<script>"])
def test_nothing_found_says_what_to_do(client, asked):
    page = client.get("/help/", {"q": asked}).content.decode()
    assert "Табылған жауаптар: 0" in page
    assert settings.CONTACT_PHONES[0] in page.partition('id="found"')[2].partition("</section>")[0]
    assert "<script>" not in page.partition('id="found"')[0].partition('id="q"')[2]


@pytest.mark.parametrize("asked", ["сколько стоит", "туу туралы куәлік", "2 жас"])
def test_what_only_happens_to_have_the_word_is_not_found(client, asked):
    assert len(client.get("/help/", {"q": asked}).context["results"]) <= 2


@pytest.mark.parametrize(("language", "asked"), [("kk", "таңбадан"), ("ru", "реестра верны")])
def test_the_steps_are_looked_through_and_led_to(client, language, asked):
    with override(language):
        page = client.get(reverse("help"), {"q": asked})
        assert page.context["results"][0].address == f"{reverse('help')}#step-1"
    assert 'id="step-1"' in page.content.decode()


def test_the_benefits_are_those_that_officials_keep(client):
    BenefitCategoryFactory(name_kk="Ұшқыштардың балалары", is_active=True)
    BenefitCategoryFactory(name_kk="Бұрынғы санат", is_active=False)
    page = client.get(reverse("help_question", args=["who-has-a-benefit"])).content.decode()
    assert "Ұшқыштардың балалары" in page
    assert "Бұрынғы санат" not in page


def test_all_words_are_better_than_some():
    told = [question(slug, language="ru", context={}) for slug in ("password", "complaint")]
    assert [one.slug for one in found("пароль жалоба", told)] == ["password", "complaint"]
    assert [one.slug for one in found("забыли пароль", told)] == ["password"]
    assert found("", told) == []
