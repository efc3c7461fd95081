"""What users of the demo city say about the portal and about kindergartens."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import User
from applications.models import Contract
from bulletin.models import Kindergarten, Review


@dataclass(frozen=True)
class Opinion:
    text: str
    kindergarten: str = ""
    answer: str = ""
    # Of the answer.
    language: str = "kk"


PUBLISHED = (
    Opinion("Телефоннан он минутта тіркелдім. Кезектегі нөмірім бірден көрінді, рақмет!"),
    Opinion("Зарегистрировалась за десять минут с телефона, номер в очереди увидела сразу. Удобно."),
    Opinion("Тәрбиешілер мейірімді, бала балабақшаға қуанып барады.", "amina"),
    Opinion("Группа светлая, воспитатель рассказывает о каждом дне. Спасибо!", "amina"),
    Opinion("Жолдаманы үйден шықпай жүктеп алдық, басып шығарып апардық, сол күні шарт жасалды.", "balpan"),
    Opinion("Направление пришло на второй день после заявки, договор подписали без очереди.", "khanzada"),
    Opinion(
        "Бос орын сағат 18:00-де ашылатыны алдын ала жазылғаны жақсы, күні бойы отырып күтпейсің.",
        answer="Пікіріңізге рақмет! Ашылу уақыты бюллетеньде әрқашан алдын ала көрсетіледі.",
    ),
    Opinion(
        "Хотелось бы получать сообщение, когда появляется подходящее место.",
        answer="Спасибо за предложение, мы передали его разработчикам.",
        language="ru",
    ),
    Opinion("Ауласы кең, ойын алаңы жаңартылған. Тамағы да дәмді.", "aliya"),
    Opinion("Балабақша ауылымызға жақын, шағын болса да жылы.", "karashyk-zhuldyz"),
    Opinion("Логопед работает с детьми каждый день, за полгода большие успехи.", "umit"),
    Opinion("Тоқтатым-парақтан кейін өтініш бастапқы күнімен қайта оралды, кезегіміз сақталды."),
    Opinion("Ребёнок заболел, продлили направление онлайн, приложив справку. Место сохранили.", "solnyshko"),
    Opinion("Екі тілде де түсінікті жазылған, әжемізге де оңай болды."),
    Opinion("Всё понятно: видно, сколько семей впереди и почему номер изменился."),
    Opinion("Музыка сабағы мен ұлттық ойындар өте ұнайды.", "kunshuak"),
    Opinion("Қызметкерлер қоңырауға жылдам жауап береді.", "nurly-zhol"),
    Opinion("Воспитатели внимательные, ребёнок быстро привык.", "teremok"),
    Opinion("Тәулік бойы топ бар, ауысыммен жұмыс істейтін ата-анаға таптырмайды.", "shipager"),
    Opinion(
        "Автотұрақ тар, таңертең көлік қоятын орын жоқ.", "azret-sultan",
        "Аула жанындағы тұрақ келесі айда кеңейтіледі.",
    ),
    Opinion("Есть группа на узбекском языке, для нас это важно.", "ikan-nuri"),
    Opinion("Мектеп те, балабақша да бір ғимаратта: екі баламызды бірге апарамыз.", "keremet"),
    Opinion("Сәлем! Контакт-орталық бәрін түсіндіріп берді, рақмет."),
    Opinion("Кентау: ремонт закончили, группы стали просторнее.", "kenshi"),
    Opinion("Қағазбастылық азайды. Енді таңғы кезекте тұрмаймыз."),
)  # fmt: skip
PENDING = (
    Opinion("Балабақшаның асханасы туралы көбірек ақпарат болса жақсы болар еді.", "bolashak"),
    Opinion("Почему в выходные не подтверждают заявки?"),
    Opinion("Тәрбиешімізге үлкен рақмет!", "merei"),
)


def write(*, now: datetime, moderator: User) -> None:
    """The published opinions and those that wait for moderation; authors of a kindergarten's have a contract there."""
    kindergartens = {kindergarten.slug: kindergarten for kindergarten in Kindergarten.objects.all()}
    authors = list(
        User.objects.filter(is_staff=False).order_by("date_joined", "username")[: len(PUBLISHED) * 3]
    )
    for number, opinion in enumerate((*PUBLISHED, *PENDING)):
        kindergarten = kindergartens.get(opinion.kindergarten)
        is_published = number < len(PUBLISHED)
        written_at = now - timedelta(
            days=3 + 5 * number if is_published else number % 3, hours=2 + number % 7
        )
        Review.objects.create(
            author=_author(kindergarten) or authors[number % len(authors)],
            kindergarten=kindergarten,
            text=opinion.text,
            answer=opinion.answer,
            answer_language=opinion.language if opinion.answer else "",
            answered_at=written_at + timedelta(days=1) if opinion.answer else None,
            answered_by=moderator if opinion.answer else None,
            state=Review.State.PUBLISHED if is_published else Review.State.PENDING,
            created_at=written_at,
            moderated_at=written_at + timedelta(hours=5) if is_published else None,
            moderated_by=moderator if is_published else None,
        )


def _author(kindergarten: Kindergarten | None) -> User | None:
    """Somebody whose child was enrolled there, if anybody's was."""
    contracts = Contract.objects.filter(referral__bid__vacancy__group__kindergarten=kindergarten)
    contract = contracts.select_related("referral__application__filed_by").order_by("signed_at").first()
    return contract.referral.application.filed_by if contract and kindergarten else None
