"""Objects for the tests, each of them valid as it stands."""

import json
from datetime import date, timedelta
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db.models import prefetch_related_objects
from django.utils import timezone
from factory.declarations import (
    LazyAttribute,
    LazyFunction,
    RelatedFactory,
    SelfAttribute,
    Sequence,
    SubFactory,
)
from factory.django import DjangoModelFactory, FileField
from factory.helpers import post_generation

from accounts.crypto import keyed_hash
from accounts.identity import iin_hash, phone_hash, stand_in
from accounts.iin import check_digit
from accounts.models import Objection, Profile, Sex, User
from applications.models import (
    Application,
    Benefit,
    BenefitCategory,
    Bid,
    Complaint,
    Contract,
    FormerLine,
    FormerRow,
    Referral,
    Rules,
    UndoRequest,
)
from applications.models.former import number_key
from applications.rules.running_out import PREFETCH, first_end
from applications.states import BidState, ReferralState, Tier, UndoKind
from bulletin.models import (
    AgeGroup,
    Employment,
    Group,
    Holiday,
    ImportBatch,
    IncidentNote,
    Kindergarten,
    Language,
    Locality,
    Photo,
    ReportedIncident,
    Review,
    Vacancy,
)
from children.models import Child, ClaimPaper, Dispute, GuardianClaim, Guardianship


class LocalityFactory(DjangoModelFactory[Locality]):
    """Turkistan, one row however often it is asked for; give `slug` and the names for another place."""

    slug = "turkistan"
    name_kk = "Түркістан қ."
    name_ru = "г. Туркестан"

    class Meta:
        model = Locality
        django_get_or_create = ("slug",)


class KindergartenFactory(DjangoModelFactory[Kindergarten]):
    locality = SubFactory(LocalityFactory)
    slug = Sequence(lambda number: f"kindergarten-{number}")
    name_kk = Sequence(lambda number: f'ЖМ "Амина балабақшасы" №{number}')
    name_ru = Sequence(lambda number: f"ЧУ «Детский сад Амина» №{number}")
    ownership = Kindergarten.Ownership.PRIVATE
    address_kk = "Уәлиқожа ата көшесі, 134"
    address_ru = "ул. Уалихожа ата, 134"
    phone = "+77253312345"
    head = "Дүйсенова Мөлдір Умарқызы"

    class Meta:
        model = Kindergarten


class GroupFactory(DjangoModelFactory[Group]):
    kindergarten = SubFactory(KindergartenFactory)
    name = Sequence(lambda number: f"Солнце {number}")
    age_group = AgeGroup.FIRST_JUNIOR
    language = Language.RUSSIAN
    capacity = 25

    class Meta:
        model = Group


class VacancyFactory(DjangoModelFactory[Vacancy]):
    """A published vacancy that opened an hour ago, for everyone, first come first served."""

    group = SubFactory(GroupFactory)
    birth_years = [2017]
    seats_total = 5
    state = Vacancy.State.PUBLISHED
    opens_at = LazyFunction(lambda: timezone.now() - timedelta(hours=1))
    vacant_from = SelfAttribute("opens_at")
    published_at = LazyAttribute(lambda vacancy: vacancy.opens_at - timedelta(days=1))
    responsible = "Дүйсенова Мөлдір Умарқызы"

    class Meta:
        model = Vacancy


class PhotoFactory(DjangoModelFactory[Photo]):
    """A photo that waits for an official; give `state`, and with it who decided is filled in."""

    kindergarten = SubFactory(KindergartenFactory)
    image = FileField(filename="large.jpg", data=b"large")
    thumbnail = FileField(filename="small.jpg", data=b"small")
    width, height = 1200, 900
    caption_kk, caption_ru = "Аула", "Двор"
    sent_at = LazyFunction(timezone.now)
    sent_by = SubFactory("tests.factories.StaffFactory")
    decided_by = LazyAttribute(lambda photo: None if photo.state == Photo.State.PENDING else photo.sent_by)
    state = Photo.State.PENDING

    class Meta:
        model = Photo


class IncidentNoteFactory(DjangoModelFactory[IncidentNote]):
    number = 1
    text_kk, text_ru = "Мамандар жөндеп жатыр", "Специалисты чинят"
    is_over = False
    written_at = LazyFunction(timezone.now)
    written_by = SubFactory("tests.factories.StaffFactory")

    class Meta:
        model = IncidentNote


class ReportedIncidentFactory(DjangoModelFactory[ReportedIncident]):
    """An incident everywhere that goes on, with its first note; `note__until` and others say what that says."""

    title_kk, title_ru = Sequence(lambda n: f"СМС кешігеді {n}"), Sequence(lambda n: f"СМС опаздывают {n}")
    broken_kk, broken_ru = "Кодтар кеш келеді", "Коды приходят поздно"
    works_kk, works_ru = "Кабинет жұмыс істейді", "Кабинет работает"
    started_at = LazyFunction(timezone.now)
    note = RelatedFactory(IncidentNoteFactory, factory_related_name="incident")

    class Meta:
        model = ReportedIncident
        skip_postgeneration_save = True


def nth_iin(number: int) -> str:
    """A valid IIN, different for every number below some thousands."""
    stem = f"800101{number:05d}"
    digit = check_digit(stem)
    return f"{stem}{digit}" if digit is not None else nth_iin(number + 50_000)


class UserFactory(DjangoModelFactory[User]):
    """A parent who signs in with `phone` and the password "parent-pass-1", with a profile: give `profile__iin=…`."""

    phone = Sequence(lambda number: f"+7701{number % 10_000_000:07d}")
    username = SelfAttribute("phone")
    password = LazyFunction(lambda: make_password("parent-pass-1"))
    profile = RelatedFactory("tests.factories.ProfileFactory", factory_related_name="user")

    class Meta:
        model = User
        skip_postgeneration_save = True


class ProfileFactory(DjangoModelFactory[Profile]):
    """What the registry says of the manual's father, with a valid IIN of its own for every profile."""

    user = SubFactory(UserFactory, profile=None)
    iin = Sequence(nth_iin)
    iin_hash = LazyAttribute(lambda profile: keyed_hash("iin", profile.iin) if profile.iin else None)
    last_name = "КАМЕНОВ"
    first_name = "ЕРМЕК"
    middle_name = "АХМЕТОВИЧ"
    birth_date = date(1994, 2, 25)
    sex = Sex.MALE

    class Meta:
        model = Profile


class StaffFactory(DjangoModelFactory[User]):
    """An employee with the password "staff-pass-1" and no second factor yet."""

    username = Sequence(lambda number: f"staff-{number}")
    password = LazyFunction(lambda: make_password("staff-pass-1"))
    is_staff = True

    class Meta:
        model = User


class ChildFactory(DjangoModelFactory[Child]):
    """The manual's daughter; nobody is her guardian until a `GuardianshipFactory` says so."""

    iin = Sequence(lambda number: nth_iin(number + 20_000))
    iin_hash = LazyAttribute(lambda child: keyed_hash("iin", child.iin))
    last_name = "КАМЕНОВА"
    first_name = "ДАНИЯ"
    middle_name = "ЕРМЕКОВНА"
    birth_date = date(2017, 7, 20)
    sex = Sex.FEMALE
    created_at = LazyFunction(timezone.now)

    class Meta:
        model = Child


class GuardianshipFactory(DjangoModelFactory[Guardianship]):
    child = SubFactory(ChildFactory)
    user = SubFactory(UserFactory)
    source = Guardianship.Source.REGISTRY
    added_at = SelfAttribute("verified_at")
    verified_at = LazyFunction(timezone.now)

    class Meta:
        model = Guardianship


class DisputeFactory(DjangoModelFactory[Dispute]):
    """A guardian of the same child does not know the one of `guardianship`: costly acts are halted."""

    guardianship = SubFactory(GuardianshipFactory)
    raised_by = LazyAttribute(lambda dispute: GuardianshipFactory(child=dispute.guardianship.child).user)
    raised_at = LazyFunction(timezone.now)
    due_at = LazyAttribute(lambda dispute: dispute.raised_at + timedelta(days=2))

    class Meta:
        model = Dispute


class GuardianClaimFactory(DjangoModelFactory[GuardianClaim]):
    """A mother's papers for a child without an IIN, waiting for a check."""

    user = SubFactory(UserFactory)
    ground = GuardianClaim.Ground.NO_IIN
    paper_number = Sequence(lambda number: f"AB{number:06d}")
    child_hash = LazyAttribute(lambda claim: stand_in(claim.paper_number))
    last_name = "КАРИМОВ"
    first_name = "АМИР"
    birth_date = date(2017, 7, 20)
    sex = Sex.MALE
    made_at = LazyFunction(timezone.now)

    class Meta:
        model = GuardianClaim


class ClaimPaperFactory(DjangoModelFactory[ClaimPaper]):
    claim = SubFactory(GuardianClaimFactory)
    file = FileField(filename="certificate.pdf", data=b"%PDF-1.4")
    original_name = "туу туралы куәлік.pdf"

    class Meta:
        model = ClaimPaper


class ObjectionFactory(DjangoModelFactory[Objection]):
    """What a parent says is wrong about themselves, waiting for an answer."""

    user = SubFactory(UserFactory)
    about = Objection.About.PERSON
    wrong = "Тегім қате жазылған"
    right = "Әбдіқадырова"
    sent_at = LazyFunction(timezone.now)
    due_at = LazyAttribute(lambda objection: objection.sent_at + timedelta(days=14))

    class Meta:
        model = Objection


class ComplaintFactory(DjangoModelFactory[Complaint]):
    """What a family complains of, waiting for an answer."""

    number = Sequence(lambda n: f"2019-{n:06}")
    user = SubFactory(UserFactory)
    language = "kk"
    locality = SubFactory(LocalityFactory)
    about = Complaint.About.OTHER
    text = "Балабақша телефонға жауап бермейді"
    sent_at = LazyFunction(timezone.now)
    due_at = LazyAttribute(lambda complaint: complaint.sent_at + timedelta(days=7))

    class Meta:
        model = Complaint


def reckon_all():
    """Recompute when each application runs out, for tests that change rows by hand; moves do it by themselves."""
    for application in Application.objects.all():
        _reckon(application)


def _reckon(application):
    # Right ever since it was filed: a test may go back and forth in time.
    application.runs_out_at = first_end(application, now=application.filed_at)
    application.save(update_fields=["runs_out_at"])


class ApplicationFactory(DjangoModelFactory[Application]):
    """A waiting application of a family: `filed_by` is the child's guardian, interest has just been confirmed."""

    child = SubFactory(ChildFactory)
    locality = SubFactory(LocalityFactory)
    birth_year = LazyAttribute(lambda application: application.child.birth_date.year)
    languages = ("kk", "ru")
    filed_at = LazyFunction(lambda: timezone.now() - timedelta(days=30))
    sequence = Sequence(lambda number: 1_000_000 + number)
    number = LazyAttribute(lambda application: f"19-{application.sequence}")
    filed_by = SubFactory(UserFactory)
    interest_confirmed_at = LazyFunction(timezone.now)

    class Meta:
        model = Application
        skip_postgeneration_save = True

    @post_generation
    def guardianship(self, create, extracted, **kwargs):
        if create and not self.child.guardianships.filter(user=self.filed_by).exists():
            GuardianshipFactory(child=self.child, user=self.filed_by)

    @classmethod
    def _create(cls, model_class, *args, **fields):
        """It runs out when filing says so; `reckon_all` computes it anew for rows that a test changes by hand."""
        application = model_class(**fields)
        # Nothing that was promised can be there yet: it is not asked for.
        application._prefetched_objects_cache = {
            name: getattr(application, name).none() for name in ("benefits", "referrals", "stops", "offers")
        }
        application.runs_out_at = first_end(application, now=application.filed_at)
        del application._prefetched_objects_cache
        application.save(force_insert=True)
        return application


def unclaimed(
    *, phone: str = "", guardian_iin: str = "", old_number: str = "123/17", **fields: Any
) -> Application:
    """An application of the former queue in a stored `locality`, as the import leaves it; its child has no guardian."""
    batch, _ = ImportBatch.objects.get_or_create(kind="queue", defaults={"loaded_at": timezone.now()})
    of_child = {name: fields.pop(name) for name in list(fields) if name.startswith("child__")}
    child = ChildFactory(**{name.removeprefix("child__"): value for name, value in of_child.items()})
    application = ApplicationFactory.build(**{"child": child, **fields, "filed_by": None})
    application.runs_out_at = first_end(
        application, now=application.filed_at, rules=list(Rules.objects.all())
    )
    application.save(force_insert=True)
    FormerRow.objects.create(
        application=application,
        batch=batch,
        line=application.sequence % 1_000_000 + 1,
        locality=application.locality,
        old_number=old_number,
        number_key=number_key(old_number),
        guardian_iin=guardian_iin,
        guardian_hash=iin_hash(guardian_iin),
        phone=phone,
        phone_hash=phone_hash(phone),
    )
    return application


def left_out(locality: Locality | None, *, old_number: str = "124/17", **cells: str) -> FormerLine:
    """A line that a file of the former queue left out: its date lies in the future."""
    batch, _ = ImportBatch.objects.get_or_create(kind="queue", defaults={"loaded_at": timezone.now()})
    fault = {"line": 1, "column": "filed_at", "value": "01.01.2031", "problem": "in_future", "values": {}}
    stood = {
        "old_number": old_number,
        "filed_at": "01.01.2031",
        "last_name": "Қаменова",
        "first_name": "Әлия",
    }
    return FormerLine.objects.create(
        batch=batch,
        line=10_000_000 + FormerLine.objects.count(),
        locality=locality,
        birth_year=2017,
        problem="in_future",
        faults=[fault],
        cells=json.dumps(stood | cells),
    )


def filer(application: Application) -> User:
    """Who filed or claimed it."""
    assert application.filed_by is not None
    return application.filed_by


def crowd(*families: dict[str, Any]) -> list[Application]:
    """Applications as `ApplicationFactory` makes them, in a few statements for all.

    Each family names its `locality` and `filed_by`, as stored rows.
    """
    made = [ApplicationFactory.build(**fields) for fields in families]
    rules = list(Rules.objects.all())
    prefetch_related_objects(made, *PREFETCH)
    for application in made:
        application.runs_out_at = first_end(application, now=application.filed_at, rules=rules)
    Child.objects.bulk_create(application.child for application in made)
    Application.objects.bulk_create(made)
    Guardianship.objects.bulk_create(
        GuardianshipFactory.build(child=application.child, user=application.filed_by) for application in made
    )
    return made


class BenefitCategoryFactory(DjangoModelFactory[BenefitCategory]):
    """Large families: in the priority part of the queue, without an end; give `valid_days` for a time."""

    slug = Sequence(lambda number: f"category-{number}")
    name_kk = "Көпбалалы отбасылардың балалары"
    name_ru = "Дети из многодетных семей"
    proof_kk = "Көпбалалы отбасы мәртебесі туралы анықтама"
    proof_ru = "Справка о статусе многодетной семьи"
    tier = Tier.PRIORITY

    class Meta:
        model = BenefitCategory


class BenefitFactory(DjangoModelFactory[Benefit]):
    """A claim that waits for a check, with its document."""

    application = SubFactory(ApplicationFactory)
    category = SubFactory(BenefitCategoryFactory)
    document = FileField(filename="proof.pdf", data=b"%PDF-1.4")
    original_name = "анықтама.pdf"
    claimed_at = LazyFunction(timezone.now)
    claimed_by = SelfAttribute("application.filed_by")

    class Meta:
        model = Benefit
        skip_postgeneration_save = True

    @post_generation
    def runs_out(self, create, extracted, **kwargs):
        _reckon(self.application)


class BidFactory(DjangoModelFactory[Bid]):
    """A bid that waits for its answer, as a row alone: no seat is taken, no state is changed, nobody is told."""

    application = SubFactory(ApplicationFactory)
    vacancy = SubFactory(VacancyFactory)
    state = BidState.PENDING
    placed_at = LazyFunction(timezone.now)
    placed_by = SelfAttribute("application.filed_by")

    class Meta:
        model = Bid


class ReferralFactory(DjangoModelFactory[Referral]):
    """A referral for a week, with the bid that it was issued for, as rows alone."""

    application = SubFactory(ApplicationFactory)
    bid = SubFactory(
        BidFactory,
        application=SelfAttribute("..application"),
        placed_at=SelfAttribute("..issued_at"),
        state=BidState.ACTIVATED,
    )
    number = LazyAttribute(lambda referral: f"{referral.application.number}-1")
    state = ReferralState.ISSUED
    issued_at = LazyFunction(timezone.now)
    issued_by = SubFactory(StaffFactory)
    valid_until = LazyAttribute(lambda referral: referral.issued_at + timedelta(days=7))

    class Meta:
        model = Referral


class UndoRequestFactory(DjangoModelFactory[UndoRequest]):
    """What a worker says of an expired referral, waiting for an official; a row alone."""

    kind = UndoKind.COMING
    bid = SubFactory(BidFactory)
    came_on = LazyAttribute(lambda request: request.proposed_at.date())
    reason = "Құжаттарын әкелген"
    proposed_at = LazyFunction(timezone.now)
    proposed_by = SubFactory(StaffFactory)

    class Meta:
        model = UndoRequest


class ContractFactory(DjangoModelFactory[Contract]):
    referral = SubFactory(ReferralFactory, state=ReferralState.SIGNED)
    number = SelfAttribute("referral.number")
    signed_at = LazyFunction(timezone.now)
    signed_by = SelfAttribute("referral.issued_by")

    class Meta:
        model = Contract


class HolidayFactory(DjangoModelFactory[Holiday]):
    """A day off, in words that both languages share letters with."""

    date = LazyFunction(lambda: timezone.now().date())
    name_kk = "Мереке"
    name_ru = "Праздник"

    class Meta:
        model = Holiday


class EmploymentFactory(DjangoModelFactory[Employment]):
    """For as long as anybody asks."""

    user = SubFactory(StaffFactory)
    kindergarten = SubFactory(KindergartenFactory)
    since = date(2000, 1, 1)

    class Meta:
        model = Employment


class ReviewFactory(DjangoModelFactory[Review]):
    """A published review of the portal."""

    author = SubFactory(UserFactory)
    text = "Рақмет!"
    state = Review.State.PUBLISHED
    created_at = LazyFunction(timezone.now)

    class Meta:
        model = Review
