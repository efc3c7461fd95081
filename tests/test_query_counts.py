"""A list asks the database as often for many rows as for one."""

from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from applications.models import Application
from applications.waiting.filing import archive, file_application
from bulletin.models import AgeGroup
from tests.applications.bidding.reference import place_bid
from tests.factories import (
    ChildFactory,
    GroupFactory,
    GuardianshipFactory,
    HolidayFactory,
    KindergartenFactory,
    LocalityFactory,
    VacancyFactory,
)
from tests.staff import inside, worker_of

pytestmark = pytest.mark.django_db


def queries(client: Client, url: str) -> int:
    client.get(url)  # fills what is kept between requests
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


class TestAsManyQueriesForOneRowAsForMany:
    """A list that asks the database once more for every row is slow where it matters."""

    @pytest.fixture
    def place(self):
        return LocalityFactory()

    def kindergarten_with_vacancy(self, place):
        return VacancyFactory(
            group=GroupFactory(
                kindergarten=KindergartenFactory(locality=place), age_group=AgeGroup.FIRST_JUNIOR
            ),
            birth_years=[timezone.now().year - 3],
        )

    def child_in_the_queue(self, parent, place):
        child = ChildFactory(birth_date=date(timezone.now().year - 3, 2, 1))
        GuardianshipFactory(child=child, user=parent)
        return file_application(
            child=child, locality=place, languages=["ru"], actor=parent, now=timezone.now()
        )

    @pytest.mark.parametrize("name", ["applications:bulletin", "bulletin:kindergartens", "home"])
    def test_public_lists(self, client, place, name):
        self.kindergarten_with_vacancy(place)
        one = queries(client, reverse(name))
        for _ in range(3):
            self.kindergarten_with_vacancy(place)
        assert queries(client, reverse(name)) == one

    @pytest.mark.parametrize(
        "name", ["applications:list", "applications:bulletin", "children:list", "notifications:inbox"]
    )
    def test_lists_of_a_family(self, parent, parent_client, place, name):
        self.kindergarten_with_vacancy(place)
        self.child_in_the_queue(parent, place)
        one = queries(parent_client, reverse(name))
        for _ in range(3):
            self.child_in_the_queue(parent, place)
        assert queries(parent_client, reverse(name)) == one

    def test_the_list_while_every_application_is_asked_for_interest(self, clock, parent, client_of, place):
        clock.move_to(datetime(2019, 9, 15, tzinfo=UTC))
        family, address = client_of(parent), reverse("applications:list")

        def asked():
            self.child_in_the_queue(parent, place)
            Application.objects.update(interest_confirmed_at=datetime(2019, 6, 1, tzinfo=UTC))

        asked()
        one = queries(family, address)
        for _ in range(3):
            asked()
        assert [row["must_confirm"] for row in family.get(address).context["rows"]] == [True] * 4
        assert queries(family, address) == one

    def test_the_archive_of_a_family(self, parent, parent_client, place):
        def archived():
            archive(self.child_in_the_queue(parent, place), actor=parent, now=timezone.now())

        archived()
        one = queries(parent_client, reverse("applications:archive"))
        for _ in range(3):
            archived()
        answer = parent_client.get(reverse("applications:archive"))
        assert len(answer.context["rows"]) == 4
        assert queries(parent_client, reverse("applications:archive")) == one

    @pytest.mark.parametrize("name", ["admin:applications_bid_changelist", "admin:index"])
    def test_lists_of_an_employee(self, parent, place, name):
        """The list of bids shows numbers in the queue, exact at this moment, and counted all at once."""
        vacancy = self.kindergarten_with_vacancy(place)
        client = inside(worker_of(vacancy.group.kindergarten))
        for year in (timezone.now().year, timezone.now().year + 1):
            HolidayFactory(date=date(year, 1, 1))

        def bid():
            place_bid(self.child_in_the_queue(parent, place), vacancy, actor=parent, now=timezone.now())

        bid()
        one = queries(client, reverse(name))
        for _ in range(3):
            bid()
        assert queries(client, reverse(name)) == one
