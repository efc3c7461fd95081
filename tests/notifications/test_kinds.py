"""Every text of every kind: there, whole, in the right language, and short enough."""

import re
from datetime import date
from functools import cache
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings
from django.template import Engine
from django.utils.translation import gettext, override

from notifications.kinds import KINDS, Channel, PastBudget, is_secret, register, sample_context
from notifications.management.commands.list_message_kinds import table_of_kinds
from notifications.services import render
from notifications.text import SINGLE_SEGMENT, segments

# What is asked of every text is asked of all texts in one test.
TEXTS = [
    (kind, channel, language)
    for kind in KINDS.values()
    for channel in kind.channels
    for language in ("kk", "ru")
]
KAZAKH_ONLY = set("әғқңөұүһіӘҒҚҢӨҰҮҺІ")
FOLDER = Path(settings.BASE_DIR) / "templates" / "notifications"


SMS_TEXTS = [text for text in TEXTS if text[1] is Channel.SMS]
INBOX_TEXTS = [text for text in TEXTS if text[1] is Channel.INBOX]

# What makes a text say something else than with the samples.
COLLECTED: dict[str, Any] = {"vacancy": {"mode": "queue_order"}}
VARIANTS: list[dict[str, Any]] = [
    {},
    COLLECTED,
    {"is_extended": True, "may_extend": False},
    {"may_extend": False},
    {"stand_in": "late"},
    {"stand_in": "nobody_else"},
    {"number": None},
    {"is_you": True},
    {"may_stop": False},
    {"has_number": False},
    {"due_at": None},
    {"is_gone": True},
    {"recalled": "kindergarten"},
    {"recalled": "unknown"},
    *(
        {"is_moved": True, "closing": closing, "was": was}
        for was in (
            None,
            SimpleNamespace(starts_on=date(2019, 6, 28), reopens_on=None),
            SimpleNamespace(starts_on=date(2019, 7, 3), reopens_on=date(2019, 8, 1)),
        )
        for closing in (
            {"group_id": 1, "group": SimpleNamespace(name="Солнце")},
            {"group_id": None, "reopens_on": None},
        )
    ),
    {"is_reset": True},
    {"by_other": True},
    COLLECTED | {"by_other": True},
    *({"proof": proof} for proof in ("new_number", "email", "document", "claim")),
    *({"proof": "claim", "because": because} for because in ("refused", "proven")),
    {"because": "by_owner"},
    {"new_password": False},
    *({"contact": "email", "is_gone": is_gone} for is_gone in (True, False)),
    {"contact": "calls"},
]


def source_of(kind, channel, language):
    return (FOLDER.parent / kind.template(channel, language)).read_text()


def text_of(kind, channel, language, **changes):
    return render(kind, channel, language=language, context=changed(sample_context(kind), changes))


def changed(context, changes):
    """The sample values with others in place of those that the kind has; of an object, only the given attributes."""
    new = {
        name: SimpleNamespace(**(vars(context[name]) | value)) if isinstance(value, dict) else value
        for name, value in changes.items()
        if name in context
    }
    return context | new


@cache
def every_text_of(kind, channel, language):
    """Rendered once for all tests; where a text uses what it is not given, it says MISSING."""
    with patch.object(Engine.get_default(), "string_if_invalid", "MISSING<%s>"):
        return {text_of(kind, channel, language, **changes) for changes in variants_of(kind)}


@cache
def variants_of(kind):
    """Those that change what the kind is given, beside the samples as they are.

    After a benefit or a correction the application may be anywhere; after everything else it holds a number.
    """
    may_hold_none = kind.code.startswith(("benefit_", "corrected"))
    given = sample_context(kind).keys()
    changing = [changes for changes in VARIANTS if not changes or changes.keys() & given]
    return [changes for changes in changing if may_hold_none or changes != {"number": None}]


def faulty(texts, is_as_it_should_be):
    """Which of these texts are not so."""
    return [
        f"{kind.code} {channel} {language}"
        for kind, channel, language in texts
        if not is_as_it_should_be(kind, channel, language)
    ]


def test_codes_and_warnings_can_not_be_switched_off():
    """An account would be lost in silence."""
    unsilenced = (PastBudget.WARNING, PastBudget.CODE, PastBudget.REFUSED)
    told = [
        kind for kind in KINDS.values() if kind.past_budget in unsilenced and Channel.SMS in kind.channels
    ]
    assert [kind.code for kind in told if not kind.topic.is_mandatory] == []
    assert len(told) > 20


def test_is_written_in_its_own_language():
    def is_so(kind, channel, language):
        words = re.sub(r"{{.*?}}|{%.*?%}", "", source_of(kind, channel, language))
        return bool(KAZAKH_ONLY & set(words)) == (language == "kk")

    assert faulty(TEXTS, is_so) == []


def test_uses_nothing_that_is_not_there():
    def is_so(*text):
        return not any(
            re.search(r"MISSING|[{}<>]|\s\s|\.\.| [.,:;!?]", said) for said in every_text_of(*text)
        )

    assert faulty(TEXTS, is_so) == []


def test_in_kazakh_no_ending_hangs_on_a_value():
    assert faulty(TEXTS, lambda *text: not re.search(r"}}[-–]?\w", source_of(*text))) == []


def test_sms_is_one_segment_without_names_iin_and_links():
    revealing = r"КАМЕНОВ|ДАНИЯ|Амина|Солнце|https?:|www\.|\d{12}"

    def is_so(*text):
        return all(
            len(said) <= SINGLE_SEGMENT and segments(said) == 1 and not re.search(revealing, said)
            for said in every_text_of(*text)
        )

    assert faulty(SMS_TEXTS, is_so) == []


# Warnings of what its owner may not have done themselves.
CALL_US = ("password_changed", "account_reopened", "document_renewed")


def test_sms_says_who_sent_it():
    """Whoever got one without the name could not tell it from fraud; the warning ends with whom to call instead."""

    def is_so(kind, channel, language):
        ending = settings.CONTACT_PHONES[0] if kind.code in CALL_US else " BALABAQSHA"
        return all(said.endswith(ending) for said in every_text_of(kind, channel, language))

    assert faulty(SMS_TEXTS, is_so) == []


def test_two_children_of_a_family_never_get_the_same_sms():
    """Two refusals on one day would read like one that came twice."""

    def is_so(kind, channel, language):
        second = {
            text_of(kind, channel, language, **{"application": {"number": "19-000418"}, **changes})
            for changes in variants_of(kind)
        }
        return all(
            re.search(rf"№(19-00)?{number}\b", said)
            for number, texts in (("0417", every_text_of(kind, channel, language)), ("0418", second))
            for said in texts
        )

    of_one = [text for text in SMS_TEXTS if "application" in text[0].needs]
    assert faulty(of_one, is_so) == []
    assert len(of_one) > 50


def test_nor_do_two_children_without_a_number():
    """Where there is no application yet, the first letter of the name and the birth year tell them apart."""
    younger = {"first_name": "ДАНИЯР", "birth_date": date(2019, 2, 1)}

    def is_so(kind, channel, language):
        second = {
            text_of(kind, channel, language, **{"child": younger, "claim": younger, **changes})
            for changes in variants_of(kind)
        }
        return all(
            told in said
            for told, texts in (
                ("(Д., 2017)", every_text_of(kind, channel, language)),
                ("(Д., 2019)", second),
            )
            for said in texts
        )

    of_one = [
        text
        for text in SMS_TEXTS
        if {"child", "claim"} & set(text[0].needs) and "application" not in text[0].needs
    ]
    assert faulty(of_one, is_so) == []
    assert of_one


def test_what_another_guardian_did_is_told_in_one_way():
    """Who, what, and what can be done: «Stop» where it is open, or whom to call; until when an archive is undone."""
    by_other = [text for text in TEXTS if text[0].code.endswith("_by_other")]
    for (kind, channel, language), may_stop in product(by_other, (True, False)):
        guardian, stop = {"kk": ("өкіл", "«Тоқтату»"), "ru": ("представитель", "«Стоп»")}[language]
        text = text_of(kind, channel, language, may_stop=may_stop)
        assert guardian in text.lower(), text
        if channel is Channel.SMS and "undo_until" in kind.needs:
            assert "27.06.2019" in text
        else:
            assert (stop in text) is may_stop, text
            assert settings.CONTACT_PHONES[0] in text or may_stop, text
    assert len(by_other) > 10


def test_nobody_reads_what_another_guardian_did_as_their_own_act():
    by_other = [text for text in TEXTS if "by_other" in text[0].needs]
    for kind, channel, language in by_other:
        guardian = {"kk": "өкіл", "ru": "представитель"}[language]
        assert guardian not in text_of(kind, channel, language).lower()
        assert guardian in text_of(kind, channel, language, by_other=True).lower(), kind.code
    assert len(by_other) > 10


def test_a_bid_is_not_called_an_application():
    words = {"kk": "өтініш", "ru": "заявлени"}
    of_bids = [text for text in TEXTS if text[0].code.startswith("bid_")]

    def is_so(kind, channel, language):
        return not any(words[language] in said.lower() for said in every_text_of(kind, channel, language))

    assert faulty(of_bids, is_so) == []
    assert len(of_bids) > 20


def test_a_number_in_the_queue_is_not_called_a_place():
    """A place is one in a kindergarten: a message that keeps the one and takes the other would contradict itself."""
    called = r"орн?ыңыз|орын сақталды|[Мм]ест\w+ в очереди|[Мм]есто \w*\s?сохранено"
    assert (
        faulty(TEXTS, lambda *text: not any(re.search(called, said) for said in every_text_of(*text))) == []
    )


@pytest.mark.parametrize(
    "code", ["referral_issued", "referral_extended", "referral_moved", "referral_reminder"]
)
@pytest.mark.parametrize("language", ["kk", "ru"])
def test_what_the_family_must_do_is_said_in_one_sentence(code, language):
    with override(language):
        rule = gettext("Come with the papers and sign the contract by the end of the last day.")
    for text in every_text_of(KINDS[code], Channel.INBOX, language):
        assert f" {rule} " in text


def test_a_reminder_offers_an_extension_only_where_there_is_one_left():
    reminder = KINDS["referral_reminder"]
    offers = {"kk": "бір рет ұзарта аласыз", "ru": "можно один раз продлить"}
    for language, offer in offers.items():
        assert offer in text_of(reminder, Channel.INBOX, language)
        for is_extended in (True, False):
            changes = {"is_extended": is_extended, "may_extend": False}
            assert offer not in text_of(reminder, Channel.INBOX, language, **changes)


def test_where_bids_are_collected_nobody_is_told_to_wait_for_the_kindergarten():
    """Until the closing time it can't answer: places go by queue number."""
    placed = KINDS["bid_placed"]
    for language, waiting in {"kk": "күтіңіз", "ru": "Ожидайте"}.items():
        for channel in placed.channels:
            assert waiting in text_of(placed, channel, language)
            assert waiting not in text_of(placed, channel, language, **COLLECTED)
    assert "28.06.2019 16:20" in text_of(placed, Channel.INBOX, "kk", **COLLECTED)


def test_inbox_names_the_child_it_is_about():
    of_one = [text for text in INBOX_TEXTS if {"application", "child", "children"} & set(text[0].needs)]
    assert faulty(of_one, lambda *text: "КАМЕНОВА ДАНИЯ ЕРМЕКОВНА" in text_of(*text)) == []
    assert len(of_one) > 100


def test_every_folder_of_texts_belongs_to_a_kind():
    folders = {
        path.name: {file.name for file in path.iterdir()} for path in FOLDER.iterdir() if path.is_dir()
    }
    wanted = {
        kind.code: {f"{channel}.{language}.txt" for channel in kind.channels for language in ("kk", "ru")}
        for kind in KINDS.values()
        if not kind.texts_of
    }
    assert folders == wanted


def test_the_table_in_the_docs_is_that_of_the_code():
    """`manage.py list_message_kinds > docs/messages-kinds.md` writes it anew."""
    assert (Path(settings.BASE_DIR) / "docs" / "messages-kinds.md").read_text() == table_of_kinds()


def test_codes_are_secret_and_soon_worthless():
    secret = {kind.code for kind in KINDS.values() if kind.secret}
    # The link for an employee ends by itself, too, three days later; nobody waits for its e-mail before a page.
    secret.remove("staff_link")
    assert secret == {kind.code for kind in KINDS.values() if "code" in kind.needs}
    assert len(secret) >= 8
    assert {KINDS[code].worth_for.total_seconds() for code in secret} == {600}


def test_a_kind_that_no_longer_exists_counts_as_secret():
    assert is_secret("forgotten")
    assert not is_secret("bid_placed")


@pytest.mark.parametrize(
    ("kind", "language", "text"),
    [
        ("registration_code", "kk", "Код: 483920. 10 минут жарамды. Ешкімге айтпаңыз. BALABAQSHA"),
        ("registration_code", "ru", "Код: 483920. Действует 10 минут. Никому не говорите. BALABAQSHA"),
        ("bid_placed", "kk", "№0417: орынға өтінім жіберілді. Балабақша жауабын күтіңіз. BALABAQSHA"),
        ("referral_issued", "kk", "№0417: жолдама дайын. Шарт жасаудың соңғы күні: 03.07.2019. BALABAQSHA"),
        ("referral_issued", "ru", "№0417: направление готово. Договор не позднее 03.07.2019. BALABAQSHA"),
        ("stop_started", "ru", "Заявление №0417 в стоп-листе. Последний день: 03.07.2019. BALABAQSHA"),
        ("contract_signed", "kk", "№0417: шарт жасалды. Балаңыз балабақшаға қабылданды. BALABAQSHA"),
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
    assert text.endswith('Причина: Топ "Солнце" & <жабық>.')


def test_a_rejection_without_a_reason_says_nothing_of_reasons():
    context = sample_context(KINDS["bid_rejected"]) | {"reason": ""}
    text = render(KINDS["bid_rejected"], Channel.INBOX, language="ru", context=context)
    assert "Причина" not in text


def test_two_apps_do_not_share_a_kind():
    there = KINDS["bid_placed"]
    with pytest.raises(ValueError, match="already"):
        register([there], samples={})
    assert KINDS["bid_placed"] is there


@pytest.mark.parametrize("typed", ["Құжат толық емес", "Құжат толық емес.", "Кім көрсетті?"])
def test_what_somebody_typed_ends_like_a_sentence(typed):
    """Whatever follows is another one."""
    whole = typed if typed[-1] in ".?" else f"{typed}."
    objects = ("claim", "objection", "correction")
    reasons: dict[str, Any] = {"reason": typed} | {name: {"reason": typed} for name in objects}
    told = 0
    for kind, channel, language in INBOX_TEXTS:
        text = text_of(kind, channel, language, **reasons)
        if typed in text:
            told += 1
            after = text[text.index(typed) :]
            assert after.startswith(whole), kind.code
            assert after[len(whole) :].startswith((" ", "\n")) or after == whole, kind.code
            assert not after[len(whole) :].startswith("."), kind.code
    assert told > 15
