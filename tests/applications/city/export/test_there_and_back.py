"""A whole city leaves and comes back: the same numbers, the same pages; and what should not come in changes nothing."""

import json
import re
from contextlib import nullcontext
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import psycopg2
import pyrage
import pytest
import time_machine
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import identity
from accounts.journal_actions import Action as AccountAction
from accounts.models import AuditEntry, Profile, User
from applications.city.export import writing
from applications.city.export.packing import MANIFEST
from applications.city.export.tables import TABLES
from applications.jobs import invariants
from applications.journal_actions import Action
from applications.models import Application, CityExport
from applications.queue import history
from applications.queue.buckets import bucket_differences
from applications.states import LIVE_STATES, ProposalState
from bulletin.models import Locality
from children.models import Child
from notifications.cipher import encrypt
from notifications.clock import read_clock
from tests.applications.city.export.exports import Keys, members, opened, rewritten
from tests.city import build_city
from tests.emptying import empty_tables
from tests.factories import StaffFactory
from tests.thorough import THOROUGH

pytestmark = pytest.mark.django_db(transaction=True)

SCALE = 0.2 if THOROUGH else 0.01
PAGES = 500 if THOROUGH else 40


def set_up() -> None:
    """What `set_up` puts into an empty portal, beside the roles."""
    call_command("load_holidays", stdout=StringIO())
    call_command("load_benefit_categories", stdout=StringIO())


def allow(keys: Keys) -> CityExport:
    """An export that two officials agreed on."""
    now = read_clock()
    return CityExport.objects.create(
        keys=keys.public, reason="бұйрық №7", proposed_at=now, proposed_by=StaffFactory(), decided_at=now,
        decided_by=StaffFactory(), state=ProposalState.APPROVED,
    )  # fmt: skip


def export(path: Path) -> str:
    said = StringIO()
    call_command("export_city", path, stdout=said)
    return said.getvalue()


def bring_back(path: Path, keys: Keys, **options) -> str:
    key = path.with_name("city.key")
    key.write_text(f"# created: today\n{keys.private}\n")
    said = StringIO()
    call_command("import_city", path, key=key, stdout=said, **options)
    return said.getvalue()


def refused(path: Path, keys: Keys, **options) -> str:
    """Why it is not imported; then nothing is in the portal but what was there."""
    before = rows()
    with pytest.raises(CommandError) as refusal:
        bring_back(path, keys, **options)
    assert refusal.value.returncode == 2
    assert rows() == before
    return str(refusal.value)


def rows() -> dict[str, int]:
    return {table.name: table.model._base_manager.count() for table in TABLES}


def pages() -> dict[str, str]:
    """Pages of queues as a family and as everybody sees them, at this instant."""
    live = (
        Application.objects.filter(state__in=LIVE_STATES)
        .select_related("filed_by", "locality")
        .order_by("number")
    )
    step = max(1, live.count() // (PAGES // 3))
    found = {}
    for application in live[::step][: PAGES // 3 + 1]:
        client = Client()
        assert application.filed_by is not None
        client.force_login(application.filed_by, backend="django.contrib.auth.backends.ModelBackend")
        for name in ("application", "why"):
            address = reverse(f"applications:{name}", args=[application.pk])
            found[address] = shown(client, address)
        address = reverse("applications:order", args=[application.locality.slug, application.birth_year])
        found[f"{address} {application.number}"] = shown(Client(), address)
    return found


def shown(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())
    return re.sub(r'nonce="[^"]*"', "", text)


@pytest.fixture(autouse=True)
def _sequence_of_before():
    """An import goes on with the numbers of its rows. Later tests would give those that factories give, too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value, is_called FROM application_sequence")
        before = cursor.fetchone()
    yield
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('application_sequence', %s, %s)", before)


@pytest.fixture
def keys():
    return Keys()


@pytest.fixture
def folder(tmp_path):
    return tmp_path


class TestTheDemoCity:
    def test_comes_back_as_it_was(self, keys, folder, settings):
        set_up()
        call_command("setup_demo", scale=SCALE, stdout=StringIO())
        some = Profile.objects.exclude(iin="").order_by("pk").first()
        request, path = allow(keys), folder / "city.age"
        said = export(path)
        frozen = timezone.now()
        with time_machine.travel(frozen, tick=False):
            before, seen = rows(), pages()
        iins = {child.pk: child.iin for child in Child.objects.all()}
        audited = AuditEntry.objects.get(action=Action.CITY_EXPORTED)
        assert audited.reason.split()[-1] in said
        request.refresh_from_db()
        assert request.sha256 in said

        empty_tables()
        set_up()
        settings.IIN_HASH_KEY, settings.IIN_KEYS = "another key of another portal", [KEY, *settings.IIN_KEYS]
        told = bring_back(path, keys, sha256=request.sha256)
        assert f"{sum(before.values()) - 1:,} rows" in told  # the export does not tell of its own end
        assert AuditEntry.objects.get(action=Action.CITY_IMPORTED).actor is None
        with time_machine.travel(frozen, tick=False):
            assert rows() == before
            again = pages()
        assert again.keys() == seen.keys()
        assert [address for address, text in again.items() if text != seen[address]] == []
        assert len(seen) >= PAGES * 0.9
        assert [*invariants.differences(), *history.differences(), *bucket_differences()] == []
        assert {child.pk: child.iin for child in Child.objects.all()} == iins
        # Found by the new key, encrypted by the new one, without a password.
        assert Profile.objects.get(iin_hash=identity.iin_hash(some.iin)).user_id == some.user_id
        assert not any(user.has_usable_password() for user in User.objects.all())
        assert not AuditEntry.objects.filter(action=AccountAction.ROW_ADDED).exists()

        self.goes_on_after_what_came()

    def goes_on_after_what_came(self):
        """New rows and new applications get keys and numbers of their own."""
        place = Locality.objects.create(name_kk="Жаңа", name_ru="Новый", slug="new-place")
        assert place.pk > 1
        last = Application.objects.order_by("-sequence").values_list("sequence", flat=True)[0]
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval('application_sequence')")
            assert cursor.fetchone() == (last + 1,)


KEY = "VvYUrRUVbO3ZbtCBmvI4AvYxZLT7bbUIFT0ap6X2yrk="


SMALL: dict[str, bytes] = {}


@pytest.fixture
def small(folder) -> SimpleNamespace:
    """A small city's export, made once for all tests; the portal is empty."""
    path, keys = folder / "city.age", Keys()
    if not SMALL:
        build_city()
        allow(keys)
        export(path)
        empty_tables()
        SMALL[keys.private] = path.read_bytes()
    [(private, content)] = SMALL.items()
    path.write_bytes(content)
    keys.private, keys.public = private, str(pyrage.x25519.Identity.from_str(private).to_public())
    return SimpleNamespace(path=path, keys=keys)


class TestWhatIsRefused:
    def test_another_key(self, small):
        assert "another key" in refused(small.path, Keys())

    def test_a_file_of_keys_that_is_none(self, small, folder):
        key = folder / "picture"
        key.write_bytes(b"\xff\xfe")
        with pytest.raises(CommandError, match="text"):
            call_command("import_city", small.path, key=key, stdout=StringIO())

    def test_another_sum(self, small):
        assert "another file" in refused(small.path, small.keys, sha256="0" * 64)

    @pytest.mark.parametrize("part", [0, 0.01, 0.5, 0.99])
    def test_a_part_of_it(self, small, part):
        content = small.path.read_bytes()
        small.path.write_bytes(content[: int(len(content) * part)])
        assert "Nothing was imported" in refused(small.path, small.keys)

    @pytest.mark.parametrize("part", [0.2, 0.6, 0.999])
    def test_a_changed_byte(self, small, part):
        content = bytearray(small.path.read_bytes())
        content[int(len(content) * part)] ^= 1
        small.path.write_bytes(bytes(content))
        assert "damaged" in refused(small.path, small.keys)

    def test_a_newer_format(self, small):
        # `rewritten` keeps the rest of the manifest.
        def newer(files):
            files[MANIFEST] = json.dumps(json.loads(files[MANIFEST]) | {"version": 99}).encode()

        assert "update this portal first" in refused(rewritten(small.path, small.keys, newer), small.keys)

    def test_other_columns(self, small):
        def other(files):
            told = json.loads(files[MANIFEST])
            told["files"][-1]["columns"].append("more")
            files[MANIFEST] = json.dumps(told).encode()

        assert "other columns" in refused(rewritten(small.path, small.keys, other), small.keys)

    def test_a_table_less(self, small):
        def less(files):
            told = json.loads(files[MANIFEST])
            gone = told["files"].pop()
            del files[gone["name"]]
            files[MANIFEST] = json.dumps(told).encode()

        assert "other files" in refused(rewritten(small.path, small.keys, less), small.keys)

    ROWS = {
        "no JSON": ("bulletin_locality", rb"^", b"{\n"),
        "another column": ("bulletin_locality", rb'"slug"', b'"slag"'),
        "a list": ("bulletin_locality", rb"^", b"[]\n"),
        "brackets": ("bulletin_locality", rb"^", b"[" * 100_000 + b"\n"),
        "a role that there is not": ("accounts_user_groups", rb"^", b'{"id":1,"user_id":"x","role":"king"}\n'),
        "words for a date": ("children_child", rb'"birth_date":"[^"]+"', b'"birth_date":"x"'),
        "a time without its zone": ("applications_application", rb"\+00:00", b""),
        "a sign that no text has": ("bulletin_locality", rb'"slug":"', rb'"slug":"\\u0000'),
        "half of a letter": ("bulletin_locality", rb'"name_kk":"', rb'"name_kk":"\\ud800'),
        "a text that is too long": ("bulletin_locality", rb'"slug":"', b'"slug":"' + b"x" * 999),
        "a number out of bounds": ("bulletin_locality", rb'"order":\d+', b'"order":99999999999'),
        "nothing where something must be": ("children_child", rb'"sex":"."', b'"sex":null'),
        "a row of nowhere": ("applications_event", rb'"locality_id":\d+', b'"locality_id":987654'),
        "a row twice": ("bulletin_locality", rb"(?s)(.+)", rb"\1\1"),
    }  # fmt: skip

    @pytest.mark.parametrize("name", ROWS)
    def test_a_row_that_can_not_be(self, small, name):
        table, wrong, by = self.ROWS[name]

        def other(files):
            text = files[f"{table}.jsonl"]
            files[f"{table}.jsonl"] = re.sub(wrong, by, text)
            assert files[f"{table}.jsonl"] != text

        words = refused(rewritten(small.path, small.keys, other), small.keys)
        assert "Nothing was imported" in words
        assert "987654" not in words

    def test_the_control_of_those_is_imported(self, small):
        assert "rows of" in bring_back(rewritten(small.path, small.keys, lambda files: None), small.keys)

    def test_a_portal_that_is_not_empty(self, small):
        Locality.objects.create(name_kk="x", name_ru="x", slug="x")
        with pytest.raises(CommandError, match="not empty: bulletin_locality"):
            bring_back(small.path, small.keys)
        assert Locality.objects.count() == 1

    def test_twice(self, small):
        bring_back(small.path, small.keys)
        before = rows()
        with pytest.raises(CommandError, match="not empty"):
            bring_back(small.path, small.keys)
        assert rows() == before


class TestTheFile:
    @pytest.fixture
    def city(self, keys):
        return build_city()

    def test_holds_numbers_in_clear_and_nothing_that_lets_somebody_in(self, city, keys, folder):
        allow(keys)
        export(folder / "city.age")
        content = (folder / "city.age").read_bytes()
        files = members(opened(content, keys))
        everything = b"".join(files.values())
        child = Child.objects.exclude(iin="").first()
        assert f'"iin":"{child.iin}"'.encode() in files["children_child.jsonl"]
        assert child.iin.encode() not in content
        for secret in (
            User.objects.first().password,
            *settings.IIN_KEYS,
            settings.IIN_HASH_KEY,
            child.iin_hash,
        ):
            assert secret.encode() not in everything
        assert b"gAAAAA" not in everything  # how a value encrypted by the portal begins

    def test_is_for_nobody_else_on_the_machine(self, city, keys, folder):
        allow(keys)
        export(folder / "city.age")
        assert (folder / "city.age").stat().st_mode & 0o777 == 0o600
        assert [path.name for path in folder.iterdir()] == ["city.age"]

    def test_a_folder_gets_a_file_with_the_day(self, city, keys, folder):
        allow(keys)
        export(folder)
        assert [path.suffix for path in folder.iterdir()] == [".age"]

    def test_nothing_is_overwritten(self, city, keys, folder):
        allow(keys)
        (folder / "city.age").write_text("mine")
        with pytest.raises(CommandError, match="exists already"):
            export(folder / "city.age")
        assert (folder / "city.age").read_text() == "mine"
        assert not CityExport.objects.exclude(made_at=None).exists()

    def test_another_one_at_work_is_left_alone(self, city, keys, folder):
        allow(keys)
        (folder / "city.age.part").write_text("of the other")
        with pytest.raises(CommandError, match="another export"):
            export(folder / "city.age")
        assert (folder / "city.age.part").read_text() == "of the other"

    def test_a_value_that_can_not_be_read_leaves_nothing(self, city, keys, folder, settings):
        allow(keys)
        text = encrypt("990101300018")
        settings.IIN_KEYS = [KEY]
        Profile.objects.update(document_number="")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE children_child SET iin = %s", [text])
        with pytest.raises(CommandError, match="rotate_iin_keys"):
            export(folder / "city.age")
        assert list(folder.iterdir()) == []
        assert not CityExport.objects.exclude(made_at=None).exists()

    def test_one_request_makes_one_file(self, city, keys, folder):
        allow(keys)
        export(folder / "one.age")
        with pytest.raises(CommandError, match="No export is allowed"):
            export(folder / "two.age")

    def test_of_several_requests_one_is_chosen(self, city, keys, folder):
        first, second = allow(keys), allow(Keys())
        with pytest.raises(CommandError, match="--request"):
            export(folder / "city.age")
        call_command("export_city", folder / "city.age", request=first.pk, stdout=StringIO())
        assert opened((folder / "city.age").read_bytes(), keys)
        second.refresh_from_db()
        assert second.made_at is None


class TestOneMoment:
    """Somebody writes while the file is written."""

    @pytest.fixture
    def written_to(self, keys, monkeypatch):
        build_city()
        allow(keys)
        other = psycopg2.connect(**connection.get_connection_params())
        other.autocommit = True
        written: list[bool] = []
        told = writing._told

        def write_once(lines, what, entry, tell):
            if entry is not None and not written:
                written.append(True)
                with other.cursor() as cursor:
                    cursor.execute("UPDATE applications_application SET number = number || 'x'")
            return told(lines, what, entry, tell)

        monkeypatch.setattr(writing, "_told", write_once)
        yield written
        other.close()

    def test_it_holds_what_was_true_at_one_moment(self, written_to, keys, folder):
        before = set(Application.objects.values_list("number", "birth_year"))
        export(folder / "city.age")
        assert written_to
        lines = members(opened((folder / "city.age").read_bytes(), keys))[
            "applications_application.jsonl"
        ].splitlines()
        assert {(row["number"], row["birth_year"]) for row in map(json.loads, lines)} == before
        assert set(Application.objects.values_list("number", "birth_year")) != before

    def test_without_a_snapshot_the_two_readings_differ(self, written_to, folder, monkeypatch):
        """The control: it is found, and leaves nothing."""
        monkeypatch.setattr(writing, "one_moment", nullcontext)
        with pytest.raises(ValueError, match="changed while"):
            export(folder / "city.age")
        assert list(folder.iterdir()) == []
