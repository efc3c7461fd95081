"""The code on a referral's paper: how it is read, kept and found."""

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from accounts import rotation
from applications.jobs import papers
from applications.models import CheckCode, Referral
from applications.referrals.check_codes import ALPHABET, LENGTH, code_of, grouped, read_code, referral_of
from applications.referrals.issuing import activate_bid
from tests.applications.bidding.reference import place_bid

CODE = "7K2M9QXA41TD"


@pytest.mark.parametrize(
    "typed",
    [
        CODE,
        "7K2M-9QXA-41TD",
        " 7k2m 9qxa 41td ",
        "7K2M–9QXA—41TD",
        "7K2M-9QXA-4ITD",
        "7k2m-9qxa-4ltd",
        "7К2М-9QХА-41ТD",
        "https://bala.example.kz/v/7K2M-9QXA-41TD/",
        "https://bala.example.kz/ru/v/7k2m9qxa41td",
    ],
)
def test_it_is_read_as_people_and_scanners_write_it(typed):
    assert read_code(typed) == CODE


def test_a_zero_is_read_where_an_o_was_typed():
    assert read_code("OOOO-oooo-0000") == "0" * LENGTH


@pytest.mark.parametrize(
    "typed", ["", "/", "7K2M-9QXA-41T", f"{CODE}D", "7K2M-9QXA-41TU", "КУЛМ-9QXA-41TD", "\0"]
)
def test_what_can_be_no_code(typed):
    assert read_code(typed) == ""


@given(st.text(alphabet=ALPHABET, min_size=LENGTH, max_size=LENGTH))
def test_what_is_printed_is_read_back(code):
    assert read_code(grouped(code)) == code


@pytest.mark.django_db
@pytest.mark.usefixtures("scene_once")
class TestKept:
    @pytest.fixture
    def referral(self, scene) -> Referral:
        bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        return activate_bid(bid, actor=scene.staff, now=scene.now)

    def test_it_holds_sixty_bits_and_stays_with_its_referral(self, referral):
        assert len(ALPHABET) ** LENGTH >= 2**60
        code = code_of(referral)
        assert code_of(Referral.objects.get()) == code
        assert referral_of(code) == referral
        assert referral_of("0" * LENGTH) is None

    def test_who_reads_the_database_reads_no_code(self, referral):
        code = code_of(referral)
        with connection.cursor() as cursor:
            cursor.execute("SELECT t::text FROM applications_checkcode t")
            ((row,),) = cursor.fetchall()
        assert code not in row
        assert grouped(code) not in row

    def test_it_outlives_the_keys(self, referral, settings):
        code = code_of(referral)
        settings.IIN_HASH_KEY_OLD, settings.IIN_HASH_KEY = settings.IIN_HASH_KEY, "another key of hashes"
        assert referral_of(code) == referral
        (column,) = [one for one in rotation.columns() if one.model is CheckCode]
        assert [progress.changed for progress in rotation.rotate(column)] == [1]
        settings.IIN_HASH_KEY_OLD = ""
        assert referral_of(code) == referral

    def test_a_paper_of_before_gets_one_by_and_by(self, referral, monkeypatch):
        monkeypatch.setattr("applications.referrals.paper.render", lambda referral: b"%PDF-1.7")
        papers.store_pdf(referral)
        assert not CheckCode.objects.exists()
        monkeypatch.setattr("applications.referrals.paper.render", lambda one: code_of(one).encode())
        papers.render_missing()
        made = Referral.objects.get()
        with made.pdf.open() as file:
            assert file.read().decode() == code_of(made)
        assert papers.render_missing() == 0
