"""The questions of the help: each has a page of its own, and is found by words however these are written.

A question is the file `templates/pages/help/<slug>.<language>.html`: its heading, and below it the answer.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from bulletin.sorting import sounds

GROUPS: Final[Mapping[str, tuple[str | Promise, tuple[str, ...]]]] = {
    "begin": (
        _("Registration and application"),
        (
            "register",
            "documents",
            "ages",
            "no-iin",
            "second-guardian",
            "one-application",
            "twins",
            "languages",
            "moving",
            "bin",
            "free",
        ),
    ),
    "queue": (
        _("The number in the queue and benefits"),
        (
            "number-changes",
            "check-number",
            "how-long",
            "benefit",
            "who-has-a-benefit",
            "special-needs",
            "interest",
        ),
    ),
    "places": (
        _("Vacant places and bids"),
        ("for-me-for-all", "no-button", "alert", "refused", "fee", "another-kindergarten"),
    ),
    "referral": (
        _("Referral and last days"),
        ("last-day", "cannot-come", "stop-list", "check-referral"),
    ),
    "account": (
        _("Account, messages and data"),
        ("no-sms", "ways", "home-screen", "password", "lost-phone", "paper", "my-data", "close-account"),
    ),
    "trouble": (_("When something is wrong"), ("complaint", "wrong-data", "stranger")),
}
SLUGS: Final = tuple(slug for _title, slugs in GROUPS.values() for slug in slugs)
# What families call what a question is about, where its text has other words: in both languages, as people speak.
ASKED_AS: Final[Mapping[str, str]] = {
    "register": "тіркелу кіру аккаунт ашу садик балабақшаға очередь встать записаться записать кезекке тұру",
    "documents": "құжат қағаз справка анықтама медициналық медсправка дәрігер куәлік туу свидетельство прививка "
    "паспорт документы бумаги",
    "ages": "жас жасы жаста жасар жасқа неше возраст лет год года исполнится мектеп школа",
    "no-iin": "ЖСН ИИН шетелдік иностранец гражданство қандас азаматтық қорғаншы опекун опека патронат приёмный",
    "second-guardian": "әкесі әке папа отец анасы ана мама жұбайы муж жена ажырасу развод",
    "one-application": "екі өтініш второе заявление",
    "twins": "егіз егіздер близнецы двойня двойняшки екі бала двое бауыры ағасы брат сестра сіңлісі",
    "languages": "тіл тілі орысша қазақша русский казахский ағылшын",
    "moving": "көшу көшіп көштік көшеміз көшсе переехали переехать переезд переезжаем қала ауыстыру",
    "bin": "архив мұрағат өшіру удалить жою корзина себет",
    "free": "ақылы ақы тегін бесплатно платно пара взятка",
    "number-changes": "очередь кезек өзгерді неге артқа сдвинулась двигается жылжымайды",
    "check-number": "очередь кезек нөмір нөмірі номер проверить тексеру нешінші",
    "how-long": "очередь қашан күту ждать когда подойдёт ұзақ",
    "benefit": "льгота жеңілдік",
    "who-has-a-benefit": "льгота жеңілдік көпбалалы көп балалы многодетная многодетные мұғалім педагог ұстаз учитель "
    "әскери военный мүгедек мүгедектік инвалид инвалидность жетім сирота санат категория",
    "special-needs": "мүгедек мүгедектік инвалид инвалидность аутизм логопед ЕБҚ ООП ПМПК арнайы особенный ерекше "
    "сөйлемейді",
    "alert": "хабарлау уведомить сообщить шыққанда",
    "fee": "бағасы баға ақысы қанша тұрады төлем төлеу оплата платить плата стоит стоимость цена тамақ",
    "another-kindergarten": "ауысу ауысқым ауыстыру басқа садик перевод перевести перейти другой сад балабақша",
    "refused": "отказ отказали қабылдамады бас тартты",
    "last-day": "жолдама направление мерзімі соңғы",
    "cannot-come": "ауырып ауырды ауру болезнь заболел продлить ұзарту үлгермеймін больница аурухана",
    "stop-list": "стоп лист стоплист стоп-лист жолдама өтіп кетті өткен просрочили пропустили кешігу кешіктім",
    "no-sms": "смс код келмейді не приходит",
    "ways": "whatsapp ватсап уатсап telegram телеграм почта email",
    "password": "пароль құпия сөз ұмыттым забыла",
    "lost-phone": "нөмірім номер симка сим-карта жоғалттым ауыстырдым телефон",
    "complaint": "жалоба шағым арыз пожаловаться шағымдану",
    "wrong-data": "қате ошибка ошибки фамилия аты-жөні",
}
# Words that a question shares with any other.
_SAID_EVERYWHERE: Final = frozenset(
    sounds(
        "бала балам баланы балама балаға ребёнок ребёнка ребёнку туралы үшін деген не қалай қандай маған менің "
        "мен біз бізге бар ма ме ба бе жоқ ше керек болады болса болу бола қалды келді алды кетеді деп және мен "
        "пен бен егер қашан неге қайда кім кімге осы бұл ол сол енді әлі тағы как какой какая какие что чтобы где "
        "когда кто кому для при или если уже ещё есть нет надо нужно нужен нужна можно мне мой моя мои нам наш "
        "это этот так на во по за из от до об со он она они сколько"
    ).split()
)
# A word of fewer letters is looked for whole; of a longer one the beginning, since Kazakh and Russian inflect words.
_SHORT: Final = 4
_WHOLE: Final = 5
_ENDING: Final = 4
_STEP: Final = re.compile(r'<li id="(step-\d)"><strong>(.*?)</strong>(.*?)</li>', re.DOTALL)
_HEADING: Final = re.compile(r"\s*<h2>(.*?)</h2>", re.DOTALL)
_TAG: Final = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Question:
    """A question in one language, with the answer as it is shown."""

    slug: str
    title: str
    answer: SafeString
    is_step: bool = False

    @property
    def address(self) -> str:
        return (
            f"{reverse('help')}#{self.slug}" if self.is_step else reverse("help_question", args=[self.slug])
        )

    @property
    def names(self) -> str:
        """Its title, and what else families call what it is about."""
        return f"{self.title} {ASKED_AS.get(self.slug, '')}"

    @property
    def words(self) -> str:
        """All its words, without tags."""
        return html.unescape(_TAG.sub(" ", f"{self.names} {self.answer}"))


def question(slug: str, *, language: str, context: Mapping[str, Any]) -> Question:
    """One of `SLUGS`; `context` is what the answers name: the periods of the rules in force."""
    text = render_to_string(f"pages/help/{slug}.{language}.html", dict(context))
    heading = _HEADING.match(text)
    assert heading is not None
    # Our own file, rendered with its values escaped.
    return Question(slug, html.unescape(heading[1].strip()), mark_safe(text[heading.end() :]))  # noqa: S308


def steps(*, language: str, context: Mapping[str, Any]) -> list[Question]:
    """The steps of the help, each with its first words as its title."""
    text = render_to_string(f"pages/help.{language}.html", dict(context))
    return [
        Question(name, html.unescape(title), mark_safe(told), is_step=True)  # noqa: S308
        for name, title, told in _STEP.findall(text)
    ]


def found(asked: str, questions: list[Question]) -> list[Question]:
    """The questions with all words of `asked`, or, if none has, with the most; first those that are named so.

    Where some are named by all the words, what only mentions them is left out. Case, Kazakh letters written as Russian
    ones, Latin transliteration and endings make no difference; words that any question has are passed over. Pure.
    """
    words = _words(asked)
    scored = [(*_score(words, one), one) for one in questions]
    most = max((hits for hits, _in_name, _one in scored), default=0)
    are_named = any(in_name == len(words) for _hits, in_name, _one in scored)
    if not most:
        return []
    kept = [each for each in scored if each[0] == most and (each[1] or not are_named)]
    return [one for _hits, _in_name, one in sorted(kept, key=lambda each: -each[1])]


def _words(text: str) -> list[str]:
    return [word for word in sounds(text).split() if len(word) > 1 and word not in _SAID_EVERYWHERE]


def _score(words: list[str], one: Question) -> tuple[int, int]:
    """How many of the words it has, and how many of them in what it is called."""
    everywhere, names = _words(one.words), _words(one.names)
    return sum(_has(everywhere, word) for word in words), sum(_has(names, word) for word in words)


def _has(words: list[str], asked: str) -> bool:
    if len(asked) < _SHORT:
        return asked in words
    beginning = asked[: max(_WHOLE, len(asked) - _ENDING)]
    return any(word.startswith(beginning) for word in words)
