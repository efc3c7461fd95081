"""The parts that pages are made of: they render, escape, keep to the content policy and speak both languages."""

import gzip
import re
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.management import CommandError, call_command
from django.core.paginator import Page, Paginator
from django.http import HttpRequest
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import formats, timezone, translation
from django.utils.functional import SimpleLazyObject
from fontTools.ttLib import TTFont

from accounts.models import User
from balabaqsha.context import contact_links

TEMPLATES = settings.BASE_DIR / "templates"
STATIC = settings.BASE_DIR / "static"
NOW = datetime(2019, 6, 26, 11, 21, 7, tzinfo=UTC)


def component(kind: str, /, **params: Any) -> str:
    return render_to_string(f"components/{kind}.html", params)


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


class SampleForm(forms.Form):
    phone = forms.CharField(
        label="Phone", help_text="With the code", widget=forms.TextInput(attrs={"type": "tel"})
    )
    languages = forms.MultipleChoiceField(
        label="Languages", choices=[("kk", "Kazakh"), ("ru", "Russian")], widget=forms.CheckboxSelectMultiple
    )
    child = forms.ChoiceField(label="Child", choices=[("1", "A"), ("2", "B")], widget=forms.RadioSelect)
    paper = forms.FileField(label="Paper")
    note = forms.CharField(label="Note", widget=forms.Textarea, required=False)
    consent = forms.BooleanField(label="I agree")
    token = forms.CharField(widget=forms.HiddenInput, required=False)


# --- every component, once --------------------------------------------------------------------------------------

ROWS = [{"label": "Place", "value": "<b>Turkistan</b>", "url": "/edit/"}, {"label": "Year", "value": 2017}]
BARS = [{"label": "2022", "value": 1834}, {"label": "2023", "value": 0, "note": "none"}]
SAMPLES: dict[str, dict[str, Any]] = {
    "action_tile": {"url": "/x/", "icon": "queue", "title": "Queue", "text": "Join"},
    "big_number": {"value": 391, "facts": ROWS, "url": "/why/"},
    "button": {"url": "/x/", "label": "Go", "icon": "bell"},
    "card_kindergarten": {"url": "/x/", "name": "Amina", "address": "Street", "free": 0, "languages": "kk"},
    "card_person": {"name": "Daniya", "birth_date": date(2017, 7, 20), "iin": "••••••••••07", "facts": ROWS},
    "card_vacancy": {
        "url": "/x/",
        "kindergarten": "Amina",
        "group": "Sun",
        "free": 22,
        "total": 23,
        "opens_at": NOW,
    },
    "chart_bar": {"caption": "Years", "rows": BARS, "maximum": 1834},
    "chart_columns": {"caption": "Months", "rows": BARS, "maximum": 1834},
    "clock": {"server_now": NOW},
    "confirm": {
        "title": "Delete",
        "text": "Sure?",
        "submit": "Yes",
        "rows": ROWS,
        "warning": "Lost",
        "back_url": "/",
    },
    "countdown": {"at": NOW + timedelta(hours=2), "now": NOW},
    "crumb": {"label": "Here", "url": "/x/"},
    "deadline": {"at": NOW, "working_days": 3},
    "empty": {"title": "Nothing", "text": "Yet", "url": "/x/", "action": "Add"},
    "inbox_item": {"at": NOW, "text": "Hello", "unread": True},
    "notice": {"text": "Hello", "tone": "warning"},
    "panel": {"title": "Done", "number": 391, "number_label": "Number", "url": "/x/", "action": "Open"},
    "post_button": {"action": "/x/", "label": "Go"},
    "review": {"text": "Good", "author": "A", "at": NOW, "answer": "Thanks"},
    "stat": {"value": 36, "label": "Kindergartens"},
    "status_tag": {"state": "waiting", "label": "Waiting"},
    "stepper": {"current": 2},
    "summary_list": {"rows": ROWS},
    "tabs": {"tabs": [{"label": "All", "url": "?", "current": True, "count": 0}], "label": "Access"},
    "time": {"at": NOW},
    "tracker_step": {"number": 1, "title": "Queue", "state": "done", "text": "Joined"},
    "wait": {"text": "A moment", "seconds": 5},
}


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("language", ["kk", "ru"])
def test_component_renders_without_inline_style_or_script(name: str, language: str) -> None:
    with translation.override(language):
        html = component(name, **SAMPLES[name])
    assert text_of(html)
    assert not re.search(r"\sstyle=|<style|<script|\son\w+=", html)
    assert "<b>Turkistan</b>" not in html


def test_icons_named_in_templates_are_drawn() -> None:
    sources = "\n".join(path.read_text() for path in TEMPLATES.rglob("*.html"))
    names = set(re.findall(r'components/icon\.html" with name="([^"]+)"', sources))
    names |= set(re.findall(r'\b(?:icon|icon_after|submit_icon|action_icon)="([^"]+)"', sources))
    assert len(names) > 15
    missing = [
        name for name in sorted(names) if not re.search(r"<(path|circle|rect)", component("icon", name=name))
    ]
    assert missing == []


def test_icon_is_silent_beside_text_and_named_alone() -> None:
    assert 'aria-hidden="true"' in component("icon", name="bell")
    assert 'aria-label="Bell"' in component("icon", name="bell", label="Bell")


# --- numbers, dates, states -------------------------------------------------------------------------------------


def test_the_number_leads_and_is_grouped() -> None:
    assert '<strong class="big-number__value">391</strong>' in component("big_number", value=391)
    with translation.override("kk"):
        assert "5\u00a0012" in component("big_number", value=5012)
    assert ">—</strong>" in component("big_number", value=None)


@pytest.mark.parametrize(
    ("show", "expected"),
    [(None, "26.06.2019 17:21"), ("date", "26.06.2019"), ("time", "17:21"), ("weekday", "26.06.2019, среда")],
)
def test_time_is_shown_in_the_active_zone(show: str | None, expected: str) -> None:
    with timezone.override("Asia/Almaty"), translation.override("ru"):
        html = component("time", at=NOW, show=show)
    assert text_of(html) == expected
    assert 'datetime="2019-06-26' in html


def test_clock_carries_the_instant_and_the_zone() -> None:
    with timezone.override("Asia/Almaty"):
        html = component("clock", server_now=NOW)
    assert 'datetime="2019-06-26T17:21:07+06:00"' in html
    assert 'data-clock="/clock.json"' in html
    assert text_of(html).endswith("26.06.2019 17:21:07 UTC+06")


@pytest.mark.parametrize(
    ("params", "css", "words"),
    [
        ({"working_days": 3}, None, "3 working days left"),
        ({"working_days": 1}, "deadline--soon", "1 working day left"),
        ({"working_days": 0}, "deadline--soon", "Today is the last day"),
        ({"calendar_days": 12}, None, "12 calendar days left"),
        ({"calendar_days": 0}, "deadline--soon", "Today is the last day"),
        ({"passed": True}, "deadline--passed", "The time is over"),
        ({}, None, "26.06.2019"),
    ],
)
def test_deadline_says_what_is_left(params: dict[str, Any], css: str | None, words: str) -> None:
    with translation.override(None):
        html = component("deadline", at=NOW, **params)
    assert words in text_of(html)
    assert (css in html) if css else ("deadline--" not in html)


def test_countdown_over_says_so() -> None:
    assert "data-countdown" in component("countdown", at=NOW + timedelta(seconds=1), now=NOW)
    with translation.override(None):
        assert "It is open" in component("countdown", at=NOW, now=NOW)


@pytest.mark.parametrize(
    ("state", "tone"),
    [
        ("waiting", "info"),
        ("referred", "accent"),
        ("enrolled", "success"),
        ("stop_listed", "warning"),
        ("rejected", "danger"),
        ("archived", "neutral"),
    ],
)
def test_status_has_word_icon_and_tone(state: str, tone: str) -> None:
    html = component("status_tag", state=state, label="Word")
    assert f"tag--{tone}" in html
    assert "<svg" in html
    assert text_of(html) == "Word"


def test_bars_are_a_table_with_widths_in_attributes() -> None:
    html = component("chart_bar", caption="Years", rows=[{"label": "A", "value": 50}], maximum=200)
    assert '<th scope="row">A</th>' in html
    assert 'width="25%"' in html


# --- steps --------------------------------------------------------------------------------------------------------


def test_stepper_tells_each_state_in_words() -> None:
    with translation.override(None):
        html = component("stepper", current=2)
    assert text_of(html) == "SMS Done 2 Password Current 3 Account Ahead"
    assert html.count('aria-current="step"') == 1


@pytest.mark.parametrize(("state", "word"), [("done", "Done"), ("current", "Current"), ("ahead", "Ahead")])
def test_tracker_step_tells_its_state_in_words(state: str, word: str) -> None:
    with translation.override(None):
        html = component("tracker_step", number=2, title="Bulletin", state=state)
    assert f"Step 2 {word} Bulletin" in text_of(html)
    assert ('aria-current="step"' in html) is (state == "current")


# --- lists --------------------------------------------------------------------------------------------------------


def pages(page: Page, request: HttpRequest) -> str:
    return Template('{% include "components/pagination.html" %}').render(
        Context({"page": page, "request": request})
    )


def test_pagination_keeps_the_query() -> None:
    request = RequestFactory().get("/bulletin/", {"year": "2017", "page": "5"})
    html = pages(Paginator(range(200), 20).page(5), request)
    assert "?year=2017&amp;page=6" in html
    assert re.findall(r">(\d+)</a>", html) == ["1", "4", "5", "6", "10"]


@pytest.mark.parametrize(("count", "printed"), [(0, False), (20, False), (21, True)])
def test_pagination_is_silent_for_one_page(count: int, printed: bool) -> None:
    html = pages(Paginator(range(count), 20).page(1), RequestFactory().get("/"))
    assert bool(html.strip()) is printed


def test_summary_change_link_names_its_row() -> None:
    with translation.override(None):
        html = component("summary_list", rows=ROWS)
    assert "Change : Place" in text_of(html)
    assert "&lt;b&gt;Turkistan&lt;/b&gt;" in html
    assert "2017" in html


# --- forms --------------------------------------------------------------------------------------------------------


class Ids(HTMLParser):
    """Collects ids and what points at them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.pointed: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name in {"for", "aria-describedby", "aria-labelledby"}:
                self.pointed.update((value or "").split())
            elif name == "href" and (value or "").startswith("#"):
                self.pointed.add((value or "")[1:])


def test_refused_form_points_from_summary_to_fields_and_from_fields_to_errors() -> None:
    form = SampleForm({})
    html = component("error_summary", form=form) + component("form", form=form, submit="Send")
    found = Ids(html)
    assert len(found.ids) == len(set(found.ids))
    assert found.pointed - set(found.ids) == set()
    assert {
        "id_phone",
        "id_languages_0",
        "id_child_0",
        "id_phone_error",
        "id_languages_error",
    } <= found.pointed
    assert html.count('aria-invalid="true"') >= 3


def test_form_carries_what_its_fields_need() -> None:
    html = component("form", form=SampleForm(), submit="Send", cancel_url="/back/")
    assert 'enctype="multipart/form-data"' in html
    assert 'name="token"' in html
    assert html.count("<fieldset") == 2
    assert "has-error" not in html
    assert 'href="/back/"' in html


def test_error_summary_is_absent_without_errors_and_holds_form_wide_ones() -> None:
    assert component("error_summary", form=SampleForm()).strip() == ""
    form = SampleForm({})
    form.add_error(None, "Registry is down")
    assert "Registry is down" in component("error_summary", form=form)


def test_label_with_a_link_is_kept_and_user_text_is_escaped() -> None:
    html = Template(
        '{% include "components/field.html" with field=form.consent label=label only %}'
        '{% include "components/notice.html" with text="<i>x</i>"|add:"" only %}{{ hostile }}'
    ).render(Context({"form": SampleForm(), "label": "<a>x</a>", "hostile": "<script>"}))
    assert "&lt;a&gt;" in html
    assert "<script>" not in html


# --- layouts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "template", ["400.html", "403.html", "404.html", "405.html", "429.html", "500.html", "503.html"]
)
@pytest.mark.parametrize("language", ["kk", "ru"])
def test_pages_of_breakdowns_need_no_request_and_no_database(template: str, language: str) -> None:
    with translation.override(language):
        html = render_to_string(template)
        told = render_to_string(template, {"contact_links": contact_links()})
    assert html.count("<h1") == 1
    assert f'<html lang="{language}">' in html
    assert f'<a href="tel:+77273397222" class="nowrap">{settings.CONTACT_PHONES[0]}</a>' in told


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_a_breakdown_of_a_signed_in_family_asks_no_database(rf, language: str) -> None:
    """Also with all that pages know; no test here may ask the database."""
    request = rf.get("/")
    request.user = SimpleLazyObject(lambda: User.objects.get())
    with translation.override(language):
        pages = {name: render_to_string(name, {}, request) for name in ("500.html", "503.html", "404.html")}
    for name, html in pages.items():
        assert f'href="{"/ru/" if language == "ru" else "/"}"' in html, name
    # What became of what was sent nobody knows, after these two.
    assert ("тексеріңіз" if language == "kk" else "дошло ли") in pages["500.html"]


def test_the_page_while_the_portal_is_off_needs_nothing_but_itself(capsys) -> None:
    call_command("maintenance_page", until="2026-12-01 14:00")
    html = capsys.readouterr().out
    assert [*re.findall(r'lang="(\w+)"', html)] == ["kk", "kk", "ru"]
    assert html.count("01.12.2026 14:00") == 2
    assert not re.search(r"src=|url\(|@import|<link|<script", html)
    with pytest.raises(CommandError):
        call_command("maintenance_page", until="tomorrow")


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["help", "contacts", "privacy", "accessibility"])
@pytest.mark.parametrize("prefix", ["", "/ru"])
def test_static_pages_open_in_both_languages(client, page: str, prefix: str) -> None:
    response = client.get(f"{prefix}/{page}/")
    html = response.content.decode()
    assert response.status_code == 200
    assert html.count("<h1") == 1
    assert ('lang="ru"' if prefix else 'lang="kk"') in html
    assert not re.search(r"\sstyle=|<style|\son\w+=", html)


@pytest.mark.django_db
def test_policy_shows_the_version_that_a_consent_is_stored_with(client) -> None:
    assert settings.DATA_POLICY_VERSION in client.get("/privacy/").content.decode()


@pytest.mark.django_db
def test_language_switch_keeps_the_page_and_its_query(client) -> None:
    html = client.get("/help/?a=1&b=2").content.decode()
    assert 'href="/ru/help/?a=1&amp;b=2"' in html
    html = client.get("/ru/help/?a=1&b=2").content.decode()
    assert 'href="/help/?a=1&amp;b=2" lang="kk"' in html


@pytest.mark.django_db
def test_unknown_address_gets_the_portals_own_page(client) -> None:
    response = client.get("/no-such-page/")
    assert response.status_code == 404
    assert "site" not in response.content.decode().lower().split("<main")[1].split("</main>")[0]
    assert 'class="skip-link"' in response.content.decode()


@pytest.mark.django_db
def test_too_many_attempts_tells_the_time_of_the_next_one(rf) -> None:
    request = rf.get("/login/")
    request.user = AnonymousUser()
    request.session = {}
    with timezone.override("Asia/Almaty"):
        html = render_to_string("429.html", {"retry_at": NOW, "minutes": 7}, request)
    assert "17:21" in html
    assert "Қалған минут: 7." in html


# --- files --------------------------------------------------------------------------------------------------------


def test_style_sheet_is_small_and_all_it_names_exists() -> None:
    css = (STATIC / "css" / "app.css").read_text()
    assert len(gzip.compress(css.encode())) <= 15_000
    named = set(re.findall(r'url\("\.\./([^"]+)"\)', css))
    assert {name for name in named if not name.startswith("fonts/") and not (STATIC / name).exists()} == set()
    assert {name for name in named if name.startswith("fonts/")} == {
        f"fonts/roboto-{weight}.woff2" for weight in ("regular", "bold")
    }


def test_templates_keep_to_the_content_policy() -> None:
    inline = re.compile(r"\sstyle=|<style|\son(click|change|submit|load)=|<script(?![^>]*\ssrc=)")
    tag = re.compile(r"{%.*?%}", re.DOTALL)
    guilty = [
        str(path.relative_to(TEMPLATES))
        for path in TEMPLATES.rglob("*.html")
        if path.relative_to(TEMPLATES).parts[0] not in {"pdf", "admin", "maintenance.html"}
        and inline.search(tag.sub("", path.read_text()))
    ]
    assert guilty == []


def test_fonts_hold_every_kazakh_letter(settings, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    call_command("build_fonts", verbosity=0)
    fonts = sorted((tmp_path / "fonts").glob("*.woff2"))
    assert [font.name for font in fonts] == [
        "roboto-bold.woff2",
        "roboto-regular.woff2",
    ]
    for font in fonts:
        letters = TTFont(font).getBestCmap()
        assert [letter for letter in "ӘәҒғҚқҢңӨөҰұҮүҺһІіЁё«»–—…№₸\u00a0" if ord(letter) not in letters] == []
        assert font.stat().st_size < 15_000
    before = [font.stat().st_mtime_ns for font in fonts]
    call_command("build_fonts", verbosity=0)
    assert [font.stat().st_mtime_ns for font in fonts] == before


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_dates_and_numbers_are_written_as_in_kazakhstan(language: str) -> None:
    with translation.override(language):
        assert formats.date_format(date(2019, 7, 3)) == "03.07.2019"
        assert formats.date_format(NOW, "DATETIME_FORMAT") == "26.06.2019 11:21"
        assert formats.number_format(5012.5, force_grouping=True) == "5\u00a0012,5"
        assert formats.get_format("FIRST_DAY_OF_WEEK") == 1
        assert forms.DateField().clean("03.07.2019") == date(2019, 7, 3)
