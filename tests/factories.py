"""Objects for the tests, each of them valid as it stands."""

from datetime import timedelta

from django.utils import timezone
from factory.declarations import LazyAttribute, LazyFunction, SelfAttribute, Sequence, SubFactory
from factory.django import DjangoModelFactory

from bulletin.models import AgeGroup, Group, Kindergarten, Language, Locality, Vacancy


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
