"""Every text of every kind: there, whole, in the right language, and short enough."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Engine

from notifications.kinds import KINDS, Channel, is_secret, register, sample_context
from notifications.services import render
from notifications.text import SINGLE_SEGMENT, segments

TEXTS = [
    (kind, channel, language)
    for kind in KINDS.values()
    for channel in kind.channels
    for language in ("kk", "ru")
]
KAZAKH_ONLY = set("әғқңөұүһіӘҒҚҢӨҰҮҺІ")
FOLDER = Path(settings.BASE_DIR) / "templates" / "notifications"


def text_of(kind, channel, language):
    return render(kind, channel, language=language, context=sample_context(kind))


@pytest.mark.parametrize(("kind", "channel", "language"), TEXTS)
def test_renders_in_its_own_language(kind, channel, language):
    source = (FOLDER / kind.code / f"{channel}.{language}.txt").read_text()
    words = re.sub(r"{{.*?}}|{%.*?%}", "", source)
    assert bool(KAZAKH_ONLY & set(words)) == (language == "kk")


@pytest.mark.parametrize(("kind", "channel", "language"), TEXTS)
def test_uses_nothing_that_is_not_there(kind, channel, language, monkeypatch):
    monkeypatch.setattr(Engine.get_default(), "string_if_invalid", "MISSING<%s>")
    text = text_of(kind, channel, language)
    assert "MISSING" not in text
    assert not re.search(r"[{}<>]|\s\s|\.\.| \.| ,", text)


@pytest.mark.parametrize(("kind", "channel", "language"), TEXTS)
def test_in_kazakh_no_ending_hangs_on_a_value(kind, channel, language):
    source = (FOLDER / kind.code / f"{channel}.{language}.txt").read_text()
    assert not re.search(r"}}[-–]?\w", source)


@pytest.mark.parametrize(("kind", "channel", "language"), [text for text in TEXTS if text[1] is Channel.SMS])
def test_sms_is_one_segment_without_names_iin_and_links(kind, channel, language):
    text = text_of(kind, channel, language)
    assert len(text) <= SINGLE_SEGMENT
    assert segments(text) == 1
    assert not re.search(r"КАМЕНОВ|Амина|Солнце|https?:|www\.|\d{12}", text)


@pytest.mark.parametrize(
    ("kind", "channel", "language"), [text for text in TEXTS if text[1] is Channel.INBOX]
)
def test_inbox_names_the_child_it_is_about(kind, channel, language):
    if kind.needs:
        assert "КАМЕНОВА ДАНИЯ ЕРМЕКОВНА" in text_of(kind, channel, language)


def test_every_folder_of_texts_belongs_to_a_kind():
    folders = {
        path.name: {file.name for file in path.iterdir()} for path in FOLDER.iterdir() if path.is_dir()
    }
    wanted = {
        kind.code: {f"{channel}.{language}.txt" for channel in kind.channels for language in ("kk", "ru")}
        for kind in KINDS.values()
    }
    assert folders == wanted


def test_codes_are_secret_and_soon_worthless():
    secret = {kind.code for kind in KINDS.values() if kind.secret}
    assert secret == {"registration_code", "reset_code", "sign_in_code", "stop_code"}
    assert {KINDS[code].worth_for.total_seconds() for code in secret} == {600}


def test_a_kind_that_no_longer_exists_counts_as_secret():
    assert is_secret("forgotten")
    assert not is_secret("bid_placed")


@pytest.mark.parametrize(
    ("kind", "language", "text"),
    [
        ("registration_code", "kk", "Код: 483920. 10 минут жарамды. Ешкімге айтпаңыз. BALABAQSHA"),
        ("registration_code", "ru", "Код: 483920. Действует 10 минут. Никому не говорите. BALABAQSHA"),
        ("bid_placed", "kk", "Бюллетеньге өтініш жіберілді. Балабақшаның жауабын күтіңіз."),
        ("referral_issued", "kk", "Жолдама дайын. Келудің соңғы күні: 03.07.2019. BALABAQSHA"),
        ("referral_issued", "ru", "Направление готово. Последний день явки: 03.07.2019. BALABAQSHA"),
        ("stop_started", "ru", "Заявление в стоп-листе. Окончание: 03.07.2019. BALABAQSHA"),
        ("contract_signed", "kk", "Шарт жасалды. Балаңыз балабақшаға қабылданды. BALABAQSHA"),
    ],
)
def test_sms_of_the_specification(kind, language, text):
    assert text_of(KINDS[kind], Channel.SMS, language) == text


def test_a_time_is_told_in_the_zone_of_the_place():
    # 27.06.2019 10:20 UTC in Turkistan, which was UTC+6 in that summer.
    assert "27.06.2019 16:20" in text_of(KINDS["application_archived"], Channel.INBOX, "kk")


def test_plain_text_is_not_escaped():
    context = sample_context(KINDS["bid_rejected"]) | {"reason": 'Топ "Солнце" & <жабық>'}
    text = render(KINDS["bid_rejected"], Channel.INBOX, language="ru", context=context)
    assert text.endswith('Причина: Топ "Солнце" & <жабық>')


def test_a_rejection_without_a_reason_says_nothing_of_reasons():
    context = sample_context(KINDS["bid_rejected"]) | {"reason": ""}
    text = render(KINDS["bid_rejected"], Channel.INBOX, language="ru", context=context)
    assert text.endswith("стоп-лист не применяется.")


def test_two_apps_do_not_share_a_kind():
    there = KINDS["bid_placed"]
    with pytest.raises(ValueError, match="already"):
        register([there], samples={})
    assert KINDS["bid_placed"] is there
