"""One contract for every person registry: the simulator and the HTTP gateway answer the same questions alike."""

import json
import re
import ssl
from dataclasses import asdict, replace
from datetime import date
from io import StringIO

import pytest
from django.conf import settings as present
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.checks import registry_has_papers
from accounts.iin import parse_iin
from accounts.phones import parse_mobile
from accounts.registry import (
    PersonNotFound,
    PhoneTie,
    RegistryUnavailable,
    get_registry,
    http,
    simulated_people,
)
from accounts.registry.contract import TEXTS, Reading
from accounts.registry.http import HttpRegistry
from accounts.registry.simulator import SimulatedRegistry
from notifications.peers.calls import FAILURES
from tests import registry_server
from tests.notifications.peers.servers import answers, drips, keys, peer
from tests.registry_server import Entry

FATHER = simulated_people.MANUAL_PARENT_IIN
DAUGHTER = simulated_people.MANUAL_CHILD_IIN
MOTHER_DOCUMENT = simulated_people.FOREIGN_MOTHER_DOCUMENT
UNKNOWN = simulated_people.UNKNOWN_IINS[0]
DOWN_ADULT, DOWN_CHILD = simulated_people.UNAVAILABLE_IINS


@pytest.fixture
def gateway(settings):
    """The reference gateway of docs/registry.md, with the people of the simulated registry."""
    known = registry_server.Registry(
        [
            Entry(record(one.person), [record(ward) for ward in one.wards], one.phone)
            for one in simulated_people.everyone(today=timezone.localdate())
        ],
        unavailable=simulated_people.UNAVAILABLE_IINS,
    )
    settings.PERSON_REGISTRY = "accounts.registry.http.HttpRegistry"
    settings.PERSON_REGISTRY_TOKEN = registry_server.TOKEN
    with registry_server.serving(known) as address:
        settings.PERSON_REGISTRY_URL = address
        yield known


def record(person):
    """A person as the contract writes it: what is empty is null."""
    return {name: value or None for name, value in asdict(person).items()} | {
        "birth_date": person.birth_date.isoformat()
    }


@pytest.fixture(params=["simulator", "http"])
def registry(request, settings):
    if request.param == "http":
        request.getfixturevalue("gateway")
    else:
        settings.PERSON_REGISTRY = "accounts.registry.simulator.SimulatedRegistry"
    return get_registry()


class TestContract:
    def test_the_manuals_father(self, registry):
        person = registry.find_person(iin=FATHER)
        assert person.full_name == "КАМЕНОВ ЕРМЕК АХМЕТОВИЧ"
        assert person.birth_date == date(1994, 2, 25)
        assert person.sex == "m"
        assert person.iin == FATHER

    def test_his_daughter(self, registry):
        child = registry.find_ward(guardian_iin=FATHER, child_iin=DAUGHTER)
        assert child.full_name == "КАМЕНОВА ДАНИЯ ЕРМЕКОВНА"
        assert child.birth_date == date(2017, 7, 20)
        assert child.sex == "f"

    def test_all_his_children(self, registry):
        father = simulated_people.everyone(today=timezone.localdate())[0]
        assert registry.find_wards(guardian_iin=FATHER) == father.wards
        for nobodys in (UNKNOWN, DAUGHTER, ""):
            assert registry.find_wards(guardian_iin=nobodys) == []

    def test_a_mother_without_iin(self, registry):
        mother = registry.find_person(document_number=MOTHER_DOCUMENT)
        assert mother.iin == ""
        everyone = simulated_people.everyone(today=timezone.localdate())
        entry = next(entry for entry in everyone if entry.person == mother)
        ward = entry.wards[0]
        assert registry.find_ward(guardian_document=MOTHER_DOCUMENT, child_iin=ward.iin) == ward

    def test_nobody(self, registry):
        with pytest.raises(PersonNotFound):
            registry.find_person(iin=UNKNOWN)
        with pytest.raises(PersonNotFound):
            registry.find_person(document_number="ZZ0000000")

    def test_somebody_elses_child_and_an_unknown_one_are_alike(self, registry):
        with pytest.raises(PersonNotFound) as stranger:
            registry.find_ward(guardian_document=MOTHER_DOCUMENT, child_iin=DAUGHTER)
        with pytest.raises(PersonNotFound) as unknown:
            registry.find_ward(guardian_document=MOTHER_DOCUMENT, child_iin=UNKNOWN)
        assert str(stranger.value) == str(unknown.value)

    def test_a_child_is_no_adult(self, registry):
        with pytest.raises(PersonNotFound):
            registry.find_person(iin=DAUGHTER)

    def test_down(self, registry):
        with pytest.raises(RegistryUnavailable):
            registry.find_person(iin=DOWN_ADULT)
        with pytest.raises(RegistryUnavailable):
            registry.find_ward(guardian_iin=FATHER, child_iin=DOWN_CHILD)

    def test_whose_phone_it_is(self, registry):
        father, mother = simulated_people.everyone(today=timezone.localdate())[:2]
        assert registry.phone_tie(phone=father.phone, iin=FATHER) is PhoneTie.YES
        assert registry.phone_tie(phone=mother.phone, iin=FATHER) is PhoneTie.NO
        assert registry.phone_tie(phone="+77079999999", iin=FATHER) is PhoneTie.UNKNOWN
        assert registry.phone_tie(phone=mother.phone, iin=mother.person.iin) is PhoneTie.YES

    def test_a_phone_of_somebody_without_an_iin_is_not_everybodys(self, registry):
        foreigner = next(
            entry for entry in simulated_people.everyone(today=timezone.localdate()) if not entry.person.iin
        )
        assert registry.phone_tie(phone=foreigner.phone, iin="") is PhoneTie.NO
        assert registry.phone_tie(phone=foreigner.phone, iin=FATHER) is PhoneTie.NO

    def test_whose_phone_it_is_when_down(self, registry):
        with pytest.raises(RegistryUnavailable):
            registry.phone_tie(phone=simulated_people.MANUAL_PARENT_PHONE, iin=DOWN_ADULT)

    def test_nothing_asked_is_nobody(self, registry):
        with pytest.raises(PersonNotFound):
            registry.find_person()


class TestHttp:
    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (500, b"{}"), (403, b"{}"), (302, b""), (200, b""), (200, b"<html>"), (200, b"[]"), (200, b"{}"),
            (200, b"null"), (200, b'{"iin": 5}'), (200, b"\xff\xfe"), (200, b"[" * 60_000),
        ],
    )  # fmt: skip
    def test_an_answer_that_makes_no_sense(self, gateway, status, body):
        gateway.broken = status, body
        with pytest.raises(RegistryUnavailable):
            HttpRegistry().find_person(iin=FATHER)

    def test_an_answer_about_somebody_else(self, gateway):
        father = SimulatedRegistry().find_person(iin=FATHER)
        body = asdict(father) | {"birth_date": "1994-02-25", "iin": UNKNOWN}
        gateway.broken = 200, json.dumps(body).encode()
        with pytest.raises(RegistryUnavailable):
            HttpRegistry().find_person(iin=FATHER)

    def test_a_gateway_that_does_not_offer_phones(self, gateway):
        gateway.offers_phones = False
        assert (
            HttpRegistry().phone_tie(phone=simulated_people.MANUAL_PARENT_PHONE, iin=FATHER)
            is PhoneTie.UNASKED
        )

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (500, b"{}"), (403, b"{}"), (302, b""), (200, b""), (200, b"<html>"), (200, b"[]"), (200, b"{}"),
            (200, b"true"), (200, b'{"belongs": "yes"}'), (200, b'{"belongs": 1}'), (200, b"\xff\xfe"),
            (200, b"[" * 60_000),
        ],
    )  # fmt: skip
    def test_an_answer_about_a_phone_that_makes_no_sense_is_neither_yes_nor_no(self, gateway, status, body):
        gateway.broken = status, body
        with pytest.raises(RegistryUnavailable):
            HttpRegistry().phone_tie(phone=simulated_people.MANUAL_PARENT_PHONE, iin=FATHER)

    def test_a_gateway_that_does_not_list_children(self, gateway):
        gateway.offers_wards = False
        assert HttpRegistry().find_wards(guardian_iin=FATHER) == []

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (500, b"{}"), (403, b"{}"), (302, b""), (200, b""), (200, b"<html>"), (200, b"[]"), (200, b"{}"),
            (200, b"null"), (200, b'{"wards": null}'), (200, b'{"wards": {}}'), (200, b'{"wards": "x"}'),
            (200, b'{"wards": [null]}'), (200, b'{"wards": [{}]}'), (200, b"\xff\xfe"), (200, b"[" * 60_000),
        ],
    )  # fmt: skip
    def test_a_list_of_children_that_makes_no_sense(self, gateway, status, body):
        gateway.broken = status, body
        with pytest.raises(RegistryUnavailable):
            HttpRegistry().find_wards(guardian_iin=FATHER)

    @pytest.mark.parametrize(
        "said", [{"iin": ""}, {"birth_date": "soon"}, {"last_name": "", "first_name": ""}]
    )
    def test_one_child_that_makes_no_sense_spoils_the_list(self, gateway, said):
        daughter = SimulatedRegistry().find_ward(guardian_iin=FATHER, child_iin=DAUGHTER)
        child = asdict(daughter) | {"birth_date": daughter.birth_date.isoformat()}
        for listed, is_read in (([child] * 30, True), ([child] * 31, False), ([child, child | said], False)):
            gateway.broken = 200, json.dumps({"wards": listed}).encode()
            if is_read:
                assert HttpRegistry().find_wards(guardian_iin=FATHER) == [daughter] * 30
                continue
            with pytest.raises(RegistryUnavailable):
                HttpRegistry().find_wards(guardian_iin=FATHER)

    def test_nobody_listens(self, gateway, settings):
        settings.PERSON_REGISTRY_URL = "http://127.0.0.1:1/"
        with pytest.raises(RegistryUnavailable):
            HttpRegistry().find_person(iin=FATHER)

    def test_no_address(self, gateway, settings):
        settings.PERSON_REGISTRY_URL = ""
        with pytest.raises(RegistryUnavailable):
            HttpRegistry().find_person(iin=FATHER)

    @pytest.mark.parametrize(
        "start", [b"HTTP/1.1 200 OK\r\nX-Long: ", b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n"]
    )
    def test_one_that_drips_is_waited_for_no_longer_than_a_parent_would(self, settings, start):
        settings.PERSON_REGISTRY_SECONDS = 0.3
        with peer(drips(start)) as slow:
            settings.PERSON_REGISTRY_URL = slow.url
            with pytest.raises(RegistryUnavailable, match="TimeoutError"):
                HttpRegistry().find_person(iin=FATHER)
            assert slow.goes_on

    def test_a_redirect_is_no_answer(self, settings):
        with peer(answers(b"{}")) as other:
            elsewhere = b"Location: %b\r\n" % other.url.encode()
            with peer(answers(status=307, more=elsewhere)) as one:
                settings.PERSON_REGISTRY_URL = one.url
                with pytest.raises(RegistryUnavailable, match="status 307"):
                    HttpRegistry().find_person(iin=FATHER)
            assert other.calls == 0

    def test_one_that_rests_is_told_once_and_not_for_every_family(self, gateway, caplog):
        gateway.broken = 500, b""
        for _ in range(10):
            with pytest.raises(RegistryUnavailable):
                HttpRegistry().find_person(iin=FATHER)
        assert len(gateway.seen) == FAILURES
        assert caplog.text.count("The person registry gives no usable answer") == FAILURES
        assert caplog.text.count("is left alone") == 1

    @pytest.mark.parametrize(
        ("said", "understood"),
        [
            ({"middle_name": None}, {"middle_name": ""}),
            ({"document_number": None, "middle_name": None}, {"document_number": "", "middle_name": ""}),
            ({"sex": "M"}, {"sex": "m"}),
            ({"sex": "F"}, {"sex": "f"}),
            ({"birth_date": "1994-02-25T00:00:00"}, {}),
            ({"birth_date": "1994-02-25T00:00:00Z"}, {}),
            ({"birth_date": "1994-02-25T00:00:00+06:00"}, {}),
        ],
    )
    def test_other_ways_to_say_the_same(self, gateway, said, understood):
        father = SimulatedRegistry().find_person(iin=FATHER)
        answer = asdict(father) | {"birth_date": father.birth_date.isoformat()} | said
        gateway.broken = 200, json.dumps(answer).encode()
        assert HttpRegistry().find_person(iin=FATHER) == replace(father, **understood)

    @pytest.mark.parametrize(
        "said",
        [
            {"sex": None},
            {"sex": "x"},
            {"birth_date": None},
            # It might be the next day where the person was born.
            {"birth_date": "1994-02-24T18:00:00Z"},
            {"birth_date": "25.02.1994"},
            {"birth_date": 19940225},
            {"last_name": None, "first_name": None},
            {"last_name": 5},
            {"iin": None},
            # No page and no paper can show it, and no database keep it.
            {"last_name": "КАМЕ\0НОВ"},
            {"first_name": "\ud83d"},
            {"middle_name": "\udc00 x"},
            {"document_number": "N1\n2"},
            {"last_name": "К" * 101},
            {"last_name": ["КАМЕНОВ"]},
        ],
    )
    def test_what_can_not_be_understood_is_not_guessed(self, gateway, said):
        father = SimulatedRegistry().find_person(iin=FATHER)
        answer = asdict(father) | {"birth_date": father.birth_date.isoformat()} | said
        gateway.broken = 200, json.dumps(answer).encode()
        with pytest.raises(RegistryUnavailable):
            HttpRegistry().find_person(iin=FATHER)

    def test_no_iin_in_the_address_and_a_token_in_the_header(self, gateway):
        HttpRegistry().find_person(iin=FATHER)
        HttpRegistry().phone_tie(phone=simulated_people.MANUAL_PARENT_PHONE, iin=FATHER)
        assert gateway.seen == [("/v1/persons/find", "Bearer token"), ("/v1/phones/check", "Bearer token")]

    def test_the_log_holds_no_personal_data(self, gateway, caplog):
        gateway.broken = 500, f"{FATHER} КАМЕНОВ".encode()
        with pytest.raises(RegistryUnavailable):
            HttpRegistry().find_person(iin=FATHER)
        assert "500" in caplog.text
        assert FATHER not in caplog.text


class TestPapers:
    """A gateway that asks for the portal's certificate, by an authority of its own."""

    @pytest.fixture
    def strict(self, tmp_path, settings):
        """A peer that lets in whoever holds its certificate's authority; both are one file here."""
        pem = keys(tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        context.load_verify_locations(pem)
        context.verify_mode = ssl.CERT_REQUIRED
        father = json.dumps(record(SimulatedRegistry().find_person(iin=FATHER))).encode()
        with peer(answers(father), tls=context) as one:
            settings.PERSON_REGISTRY_URL = f"https://localhost:{one.port}"
            yield pem

    def test_who_has_them_is_answered(self, strict, settings):
        settings.PERSON_REGISTRY_CERTIFICATE = settings.PERSON_REGISTRY_CA = str(strict)
        assert HttpRegistry().find_person(iin=FATHER).iin == FATHER
        assert registry_has_papers(None) == []

    def test_who_shows_none_is_not(self, strict, settings):
        settings.PERSON_REGISTRY_CA = str(strict)
        with pytest.raises(RegistryUnavailable):
            HttpRegistry().find_person(iin=FATHER)

    def test_a_gateway_of_another_authority_is_not_believed(self, strict, settings):
        settings.PERSON_REGISTRY_CERTIFICATE = str(strict)
        with pytest.raises(RegistryUnavailable, match="SSLCertVerificationError"):
            HttpRegistry().find_person(iin=FATHER)

    @pytest.mark.parametrize("name", ["PERSON_REGISTRY_CERTIFICATE", "PERSON_REGISTRY_CA"])
    def test_a_file_that_is_none_is_refused_before_anything_starts(self, tmp_path, settings, name):
        settings.PERSON_REGISTRY_URL = "https://localhost:1/"
        nonsense = tmp_path / "nonsense.pem"
        nonsense.write_text("nonsense")
        for path in (nonsense, tmp_path / "absent.pem"):
            setattr(settings, name, str(path))
            assert [one.id for one in registry_has_papers(None)] == ["accounts.E012"]
            with pytest.raises(RegistryUnavailable):
                HttpRegistry().find_person(iin=FATHER)


class TestTryRegistry:
    def tried(self, *arguments, fails=False):
        out = StringIO()
        if not fails:
            call_command("try_registry", *arguments, stdout=out)
            return out.getvalue()
        with pytest.raises(CommandError) as refused:
            call_command("try_registry", *arguments, stdout=out)
        return f"{out.getvalue()}{refused.value}"

    def test_the_reference_keeps_to_the_contract(self, gateway):
        said = self.tried(FATHER)
        assert "The gateway keeps to the contract." in said
        assert said.count("ok     ") == 7

    def test_nothing_of_the_person_is_printed(self, gateway):
        said = self.tried(FATHER)
        for secret in (FATHER, DAUGHTER, "КАМЕНОВ", "1994", "N15036421"):
            assert secret not in said
        assert "••••••••••09" in said

    def test_the_iin_may_come_from_standard_input(self, gateway, monkeypatch):
        monkeypatch.setattr("sys.stdin", StringIO(f"{FATHER}\n"))
        assert "keeps to the contract" in self.tried()

    def test_what_need_not_be_offered_is_no_fault(self, gateway):
        gateway.offers_phones = gateway.offers_wards = False
        assert self.tried(FATHER).count("not offered (404)") == 2

    @pytest.mark.parametrize(
        ("said", "words"),
        [
            ({"sex": "M"}, "DIFFERS  the person: “sex” is not exactly m or f"),
            (
                {"birth_date": "1994-02-25T00:00:00"},
                "DIFFERS  the person: “birth_date” is not exactly a date",
            ),
            ({"birth_date": "1994-02-25T06:00:00"}, "FAILS    the person: “birth_date” has a time"),
            ({"birth_date": "25.02.1994"}, "FAILS    the person: “birth_date” is no date"),
            ({"last_name": "К\0"}, "FAILS    the person: “last_name” holds a control sign"),
            ({"iin": UNKNOWN}, "FAILS    the person: the answer is about somebody else"),
        ],
    )
    def test_what_differs_is_said_in_words(self, gateway, said, words):
        father = gateway.people[0]
        gateway.people = [Entry(father.person | said, father.wards, father.phone), *gateway.people[1:]]
        if "iin" in said:
            gateway.answer = lambda path, question: gateway.people[0].person
        told = self.tried(FATHER, fails=True)
        assert words in told
        assert "of the answers differ from docs/registry.md" in told

    def test_an_open_door_is_told(self, gateway, monkeypatch):
        gateway.broken = 200, b"{}"
        told = self.tried(FATHER, fails=True)
        assert "a wrong token is refused: status 200 instead of 401 or 403" in told
        assert "a document of nobody: status 200 instead of 404" in told

    def test_a_gateway_that_is_gone(self, gateway, settings):
        settings.PERSON_REGISTRY_URL = "http://127.0.0.1:1/"
        assert "no whole answer: ConnectionRefusedError" in self.tried(FATHER, fails=True)

    def test_there_is_no_gateway_to_ask_in_a_demo(self, settings):
        settings.PERSON_REGISTRY = "accounts.registry.simulator.SimulatedRegistry"
        assert "there is no gateway" in self.tried(FATHER, fails=True)


def test_the_document_shows_a_person_that_can_be_read():
    document = (present.BASE_DIR / "docs" / "registry.md").read_text()
    [example] = re.findall(r"```json\n(.*?)```", document, re.DOTALL)
    reading = Reading()
    assert reading.person(example.encode()) == replace(
        SimulatedRegistry().find_person(iin=FATHER), middle_name=""
    )
    assert reading.departures == []
    for path in (http.PERSON, http.WARD, http.WARDS, http.PHONE):
        assert f"`/{path}`" in document
    assert set(json.loads(example)) == {*TEXTS, "sex", "birth_date"}


class TestSimulatedPeople:
    def test_the_same_at_every_start(self):
        simulated_people._everyone.cache_clear()
        first = simulated_people.everyone(today=date(2026, 1, 1))
        simulated_people._everyone.cache_clear()
        assert simulated_people.everyone(today=date(2026, 12, 31)) == first

    @pytest.mark.parametrize("year", [2019, 2026, 2030])
    def test_everybody_is_somebody_of_their_own(self, year):
        people = simulated_people.everyone(today=date(year, 6, 26))
        adults = [entry.person.iin for entry in people if entry.person.iin]
        assert len({parse_mobile(entry.phone) for entry in people}) == len(people)
        children = {ward.iin: ward for entry in people for ward in entry.wards}
        assert len(adults) == len(set(adults))
        assert not set(adults) & set(children)
        for iin in [*adults, *children, *simulated_people.UNKNOWN_IINS, *simulated_people.UNAVAILABLE_IINS]:
            assert parse_iin(iin) == iin
        assert len(people) >= 80
        assert any(not entry.wards for entry in people)

    def test_the_manuals_family_has_children_of_one_two_and_four(self):
        father = simulated_people.everyone(today=date(2026, 11, 22))[0]
        assert father.person.iin == FATHER
        assert sorted(ward.birth_date.year for ward in father.wards) == [2017, 2022, 2024, 2025]
