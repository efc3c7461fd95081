"""The public register of referrals, and that no public page leads from an application to a kindergarten."""

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from applications.models import Correction, Referral
from applications.queue.small_groups import FEW
from applications.referrals import ending, issuing
from applications.referrals.register import register_rows, registered, told_years
from applications.states import CorrectionState
from balabaqsha.open_data.sources import SOURCES
from tests.applications.bidding.reference import place_bid
from tests.factories import (
    ApplicationFactory,
    GroupFactory,
    KindergartenFactory,
    LocalityFactory,
    VacancyFactory,
)
from tests.test_every_url import EVERYONE, MADE_UP, TABLE

REGISTER = reverse("applications:referrals")
NUMBER = re.compile(r"\d\d-\d{4}-\d{4}")
MICROSECOND = timedelta(microseconds=1)
JULY = datetime(2019, 6, 30, 18, tzinfo=UTC)  # midnight in Turkistan

pytestmark = pytest.mark.django_db


@pytest.fixture
def refer(scene, clock):
    """Gives referrals to so many children of a birth year, in the scene's kindergarten or another one."""

    def give(count=1, *, birth_year=2017, kindergarten=None, now=scene.now):
        group = GroupFactory(kindergarten=kindergarten or scene.group.kindergarten)
        vacancy = VacancyFactory(
            group=group, birth_years=[birth_year], seats_total=max(count, 1), opens_at=scene.vacancy.opens_at
        )
        made = []
        for _child in range(count):
            application = ApplicationFactory(
                locality=group.kindergarten.locality, child__birth_date=date(birth_year, 7, 20)
            )
            bid = place_bid(application, vacancy, actor=application.filed_by, now=scene.now)
            referral = issuing.activate_bid(bid, actor=scene.staff, now=now)
            made.append(referral)
        return made

    return give


def rows(client, **query):
    return client.get(REGISTER, query).context["rows"]


def page(client, prefix=""):
    return client.get(prefix + REGISTER).content.decode()


def text_of(html):
    """What a page says, but for the clock and the tokens of its forms."""
    return re.sub(r'(?:datetime|value)="[^"]*"|\d\d:\d\d(:\d\d)?|\d\d\.\d\d\.\d{4}', "", html)


class TestANumberOfItsOwn:
    def test_it_says_nothing_of_the_application(self, refer):
        for referral in refer(3):
            assert NUMBER.fullmatch(referral.number)
            assert referral.number[:2] == "19"
            assert referral.application.number not in referral.number

    def test_one_that_is_taken_is_drawn_again(self, refer, monkeypatch):
        draws = iter([5, 5, 5, 60_007])
        monkeypatch.setattr(issuing.secrets, "randbelow", lambda _end: next(draws))
        assert [referral.number for referral in refer(2)] == ["19-0000-0005", "19-0006-0007"]

    def test_the_year_is_that_of_the_place(self, refer):
        [referral] = refer(now=datetime(2019, 12, 31, 18, tzinfo=UTC))
        assert referral.number.startswith("20-")

    def test_the_migration_numbers_anew_what_was_numbered_after_its_application(
        self, refer, django_capture_on_commit_callbacks
    ):
        valid, ended = refer(2)
        for number, referral in enumerate((valid, ended)):
            referral.pdf.save(f"{number}.pdf", ContentFile(b"%PDF"), save=False)
            referral.number = f"{referral.application.number}-1"
            referral.save()
        ending.expire_referral(ended, now=ended.valid_until)
        papers = {referral: Referral.objects.get(pk=referral.pk).pdf for referral in (valid, ended)}
        migration = import_module("applications.migrations.0006_numbers_of_referrals")
        loader = MigrationLoader(connection, replace_migrations=False)
        before = loader.project_state(("applications", "0005_events_are_never_emptied")).apps
        with django_capture_on_commit_callbacks(execute=True):
            migration.number_anew(before, SimpleNamespace(connection=connection))
            assert papers[valid].storage.exists(str(papers[valid].name))
        for referral in (valid, ended):
            referral.refresh_from_db()
            assert NUMBER.fullmatch(referral.number)
        assert valid.pdf == ""
        assert not papers[valid].storage.exists(str(papers[valid].name))
        assert papers[ended].storage.exists(str(papers[ended].name))


class TestWhatIsTold:
    def test_number_month_kindergarten_and_year(self, client, refer, scene, clock):
        refer(FEW)
        clock.move_to(JULY)
        told = rows(client)
        assert {row.number for row in told} == set(Referral.objects.values_list("number", flat=True))
        assert {(row.month, row.kindergarten, row.birth_year) for row in told} == {
            (date(2019, 6, 1), scene.group.kindergarten, 2017)
        }

    @pytest.mark.parametrize(
        ("prefix", "sentences"),
        [("", ("Берілген айы", "бір айда ең аз бала саны: 5")), ("/ru", ("Месяц выдачи", "за месяц: 5"))],
    )
    def test_in_both_languages(self, client, refer, clock, prefix, sentences):
        refer(FEW)
        clock.move_to(JULY)
        text = page(client, prefix)
        assert all(sentence in text for sentence in (*sentences, "06.2019"))
        assert "26.06.2019" not in text

    @pytest.mark.parametrize("value", ["0", "x", "", "999", "\x00", "-1"])
    def test_any_page_is_answered(self, client, db, value):
        assert client.get(REGISTER, {"page": value}).status_code == 200

    def test_a_page_costs_the_same_for_few_and_many(self, client, refer, clock):
        refer(1)
        clock.move_to(JULY)
        client.get(REGISTER)
        with CaptureQueriesContext(connection) as few:
            client.get(REGISTER)
        clock.move_to(JULY - timedelta(days=5))
        refer(FEW + 2)
        clock.move_to(JULY)
        with CaptureQueriesContext(connection) as many:
            assert len(rows(client)) == FEW + 3
        assert len(many) == len(few)


class TestNobodyIsFollowed:
    def test_a_month_appears_when_it_is_over(self, client, refer, clock):
        refer(FEW)
        clock.move_to(JULY - MICROSECOND)
        assert rows(client) == []
        clock.move_to(JULY)
        assert len(rows(client)) == FEW

    def test_the_last_and_the_first_microsecond_of_a_month(self, client, refer, clock):
        refer(1, now=JULY - MICROSECOND)
        refer(1, now=JULY)
        clock.move_to(JULY)
        assert [row.month for row in rows(client)] == [date(2019, 6, 1)]
        clock.move_to(JULY + timedelta(days=31))
        assert [row.month for row in rows(client)] == [date(2019, 7, 1), date(2019, 6, 1)]

    @pytest.mark.parametrize("end", ["sign", "expire", "revoke"])
    def test_the_register_does_not_change_when_a_child_leaves_the_queue(
        self, client, refer, scene, clock, end
    ):
        """Somebody who looks at both every hour would connect changes that happen together."""
        [referral, *_others] = refer(FEW, now=JULY - timedelta(hours=1))
        clock.move_to(JULY)
        before = text_of(page(client))
        if end == "sign":
            ending.sign_contract(referral, actor=scene.staff, now=JULY)
        elif end == "revoke":
            ending.revoke_referral(referral, actor=scene.staff, reason="x", now=JULY)
        else:
            clock.move_to(referral.valid_until)
            ending.expire_referral(referral, now=referral.valid_until)
        referral.refresh_from_db()
        assert referral.state != "issued"
        assert text_of(page(client)) == before

    def test_inside_a_month_the_order_is_not_that_of_time(self, client, refer, clock):
        for hour in range(FEW):
            refer(1, now=JULY - timedelta(hours=hour + 1))
        clock.move_to(JULY)
        numbers = [row.number for row in rows(client)]
        assert numbers == sorted(numbers)

    def test_a_year_that_few_share_is_left_out(self, client, refer, clock):
        refer(FEW, birth_year=2017)
        refer(FEW - 1, birth_year=2016)
        refer(1, birth_year=2015)
        clock.move_to(JULY)
        assert Counter(row.birth_year for row in rows(client)) == {2017: FEW, None: FEW}

    def test_all_years_are_left_out_where_too_few_would_be(self, client, refer, clock):
        refer(FEW + 1, birth_year=2017)
        refer(1, birth_year=2016)
        clock.move_to(JULY)
        assert {row.birth_year for row in rows(client)} == {None}

    def test_each_place_and_each_month_is_counted_by_itself(self, client, refer, clock):
        elsewhere = KindergartenFactory(
            locality=LocalityFactory(slug="kentau", name_kk="Кентау", name_ru="Кентау")
        )
        refer(FEW, kindergarten=elsewhere)
        refer(FEW - 1)
        refer(1, now=JULY)
        clock.move_to(JULY + timedelta(days=31))
        told = {(row.kindergarten == elsewhere, row.month.month, row.birth_year) for row in rows(client)}
        assert told == {(True, 6, 2017), (False, 6, None), (False, 7, None)}

    def test_what_is_not_on_the_page_counts_for_nothing_on_it(self, refer):
        """A page shows a month of one place and another month of another: not the months that they don't share."""
        elsewhere = KindergartenFactory(
            locality=LocalityFactory(slug="kentau", name_kk="Кентау", name_ru="Кентау")
        )
        refer(FEW, kindergarten=elsewhere)
        refer(1, birth_year=2016)
        refer(FEW, now=JULY)
        page = [
            one
            for one in registered(now=JULY + timedelta(days=31))
            if (one.place == elsewhere.locality_id) == (one.month.month == 6)
        ]
        told = {
            (row.kindergarten == elsewhere, row.month.month, row.birth_year) for row in register_rows(page)
        }
        assert told == {(True, 6, 2017), (False, 7, 2017)}

    @given(st.dictionaries(st.integers(2012, 2019), st.integers(1, 12), max_size=8))
    def test_nobody_is_known_by_what_is_left_out(self, counts):
        told = told_years(counts)
        left_out = sum(counts[year] for year in counts if year not in told)
        assert all(counts[year] >= FEW for year in told)
        assert left_out == 0 or left_out >= FEW or not told

    def test_no_public_page_tells_an_application_and_a_kindergarten(self, client, refer, scene, clock):
        """Files and feeds, too. The number of an application is known to who was shown a paper of it once."""
        ApplicationFactory.create_batch(FEW, locality=scene.locality, child__birth_date=date(2017, 1, 1))
        followed, *_others = refer(FEW)
        Correction.objects.create(
            application=followed.application, new_birth_year=2016, previous_birth_year=2017,
            previous_filed_at=scene.now, reason="x", document_number="1", document_date=scene.now.date(),
            proposed_at=scene.now, proposed_by=scene.staff, state=CorrectionState.APPROVED, decided_at=scene.now,
            decided_by=scene.application.filed_by,
        )  # fmt: skip
        clock.move_to(JULY)
        number, kindergarten = followed.application.number, scene.group.kindergarten
        addresses = {
            "bulletin:kindergarten": [kindergarten.slug],
            "help_question": ["benefit"],
            "styleguide_error": ["404"],
            "applications:statistics_table": ["waits"],
            "applications:statistics_csv": ["waits"],
            "applications:statistics_xlsx": ["waits"],
            "applications:checked_referral": ["7K2M-9QXA-41TD"],
            "applications:order": [scene.locality.slug, 2017],
            "applications:order_csv": [scene.locality.slug, 2017],
        }
        say_number, say_place = set(), set()
        for row in (row for row, statuses in TABLE.items() if statuses == EVERYONE and row not in MADE_UP):
            name, *parts = row.split()
            pages = {name: [scene.vacancy.pk] if parts else addresses.get(name, [])}
            if name in ("api_rows", "api_csv"):
                pages = {f"{name} {source}": [source] for source in SOURCES}
            for page, args in pages.items():
                answer = client.get(reverse(name, args=args))
                said = (answer.getvalue() if answer.streaming else answer.content).decode(errors="replace")
                if number in said:
                    say_number.add(page)
                if kindergarten.name in said.replace("&quot;", '"') or followed.number in said:
                    say_place.add(page)
        # The desk of the demo city is not the portal's: it names some of its made-up families.
        assert say_number - {"demo"} == {
            "applications:order", "applications:order_csv", "applications:corrections", "applications:corrections_csv",
            "api_rows corrections", "api_csv corrections",
        }  # fmt: skip
        assert {"applications:referrals", "applications:bulletin", "bulletin:kindergarten"} <= say_place
        assert say_number & say_place == set()


def test_the_days_of_few_referrals_are_not_in_the_statistics(client, refer, clock):
    """With the time of filing, which is public, the days of one would tell the day of issue."""
    refer(FEW - 1, now=timezone.now() - timedelta(days=1))
    for prefix, sentence in (("", "қанша күткені көрсетілмейді"), ("/ru", "время ожидания не показывается")):
        assert sentence in client.get(f"{prefix}/statistics/").content.decode()
