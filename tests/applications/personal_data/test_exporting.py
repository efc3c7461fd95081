"""A copy of one's own data: everything about the person, nothing about others, once a day, for a day."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from django.urls import reverse

from accounts import audit
from accounts.data import exporting
from accounts.journal_actions import Action
from accounts.models import DataExport, Profile, User
from accounts.views.export import CONFIRMED_FOR
from applications.models import Application, Correction
from applications.moves import write_event
from applications.states import ApplicationState, Move
from children.models import Child
from notifications.models import Notice
from notifications.services import enqueue
from tests.factories import (
    BenefitFactory,
    ContractFactory,
    DisputeFactory,
    GuardianshipFactory,
    ObjectionFactory,
    ReferralFactory,
    ReviewFactory,
    UndoRequestFactory,
    nth_iin,
)

EXPORT = "accounts:export"
MICROSECOND = timedelta(microseconds=1)
PASSWORD = "parent-pass-1"

OURS = (
    "notifications",
    "accounts",
    "children",
    "bulletin",
    "applications",
    "balabaqsha",
    "otp_totp",
    "otp_static",
)
# Tables with a key that leads to a person or a child, of which a copy holds nothing.
LEFT_OUT = {
    "accounts.FirstSignIn": "hash of a code on paper, void after ten days",
    "accounts.DataExport": "the copy itself",
    "accounts.ContactCode": "hashes of codes, gone a day later, without a key",
    "accounts.RecoveryCode": "hashes of codes",
    "accounts.Session": "secrets, gone a day later; «Where you are signed in» shows them",
    "accounts.SmsCode": "hashes of codes, gone a day later; by phone, without a key",
    "accounts.Employee": "an employee's",
    "accounts.EmployeeVersion": "an employee's",
    "accounts.StaffLink": "a hash of an employee's link, which works once",
    "bulletin.Employment": "an employee's",
    "bulletin.Closing": "an official's act, about nobody",
    "applications.CheckCode": "stands on the paper of the referral, which the copy holds",
    "applications.Transfer": "of a contract; its notice and the journal tell of it",
    "applications.ToldOfClosing": "that a notice was written, which the copy holds",
    "applications.ToldPlace": "of a vacancy",
    "bulletin.Vacancy": "what is offered; the closing that recalled it names an official",
    "applications.PriorityCutoff": "of a vacancy",
    "bulletin.Pause": "an employee's act, about nobody",
    "bulletin.ReportedIncident": "an official's word to everybody, about nobody",
    "bulletin.IncidentNote": "an official's word to everybody, about nobody",
    "bulletin.MovedOpening": "of a vacancy",
    "applications.GroupProposal": "an employee's act, about a group",
    "applications.ProfileProposal": "an employee's act, about a kindergarten",
    "bulletin.Photo": "an employee's act, about a kindergarten; nobody who can be recognised is on it",
    "applications.FormerRow": "what the former queue said; the guardian's data go with the claim",
    "applications.FormerChange": "for the undoing of a file; what counts stands in the application and its history",
    "applications.FormerLine": "an employee's act; of whom nobody has claimed, nobody can be told",
    "applications.FormerDecision": "an employee's act, about a line of a file",
    "applications.FormerProtocol": "an official's act: sums of a file",
    "applications.Headcount": "an employee's act, about a group",
    "applications.CityExport": "an official's act; the file is not kept here",
    "bulletin.ImportBatch": "the name and counts of a file of the city",
    "bulletin.ImportedRow": "what a file said of institutions and employees",
    "applications.BroughtFile": "a file that an employee brings, gone a day later",
    "applications.MadeFile": "an employee's copy of figures or of a list, gone a day later",
    "applications.Rules": "rules for all",
    "applications.RulesProposal": "an employee's act, about rules for all",
    "children.OverruledDecision": "an employee's act; what it changed stands in the journal and in the dispute",
    "otp_totp.TOTPDevice": "a secret",
    "otp_static.StaticDevice": "a secret",
    "otp_static.StaticToken": "a secret",
}


def about_people():
    """Every model of ours from which keys lead to a person or a child."""
    ours = [model for model in apps.get_models() if model._meta.app_label in OURS]
    found = {User, Child}
    while True:
        more = {
            model
            for model in ours
            if any(
                field.is_relation and field.related_model in found and not field.auto_created
                for field in model._meta.get_fields()
            )
        } - found
        if not more:
            return found
        found |= more


def test_every_table_about_people_is_in_the_copy_or_named_with_its_reason():
    exported = {section.model._meta.label for section in exporting.sections()}
    about = {model._meta.label for model in about_people()}
    assert about - exported - LEFT_OUT.keys() == set()
    assert exported & LEFT_OUT.keys() == set()


@pytest.mark.parametrize("section", exporting.sections(), ids=lambda section: section.name)
def test_every_column_is_in_the_copy_or_named_with_its_reason(section):
    columns = {
        field.name for field in section.model._meta.get_fields() if field.concrete and not field.auto_created
    } | {"id"}
    told = {name.removesuffix("_id") for name in section.fields} | set(section.people) | set(section.files)
    assert columns - told - set(section.left_out) == set(), section.name
    assert told & set(section.left_out) == set()


@pytest.fixture
def crowd(scene):
    """A family with something in every table, beside another guardian and an employee with names of their own."""
    Profile.objects.filter(user=scene.parent).update(last_name="ӨЗІМ", address="Бейбітшілік 977")
    other = GuardianshipFactory(
        child=scene.application.child, user__profile__last_name="БӨТЕНБЕК", user__profile__iin=nth_iin(7777)
    ).user
    scene.staff.username = "qyzmetker-zhasyryn"
    scene.staff.save()
    application = scene.application
    write_event(application, Move.FILE, before="", actor=scene.parent, now=scene.now)
    audit.record(
        Action.PROFILE_CHANGED, actor=scene.staff, subject=scene.parent, address="203.0.113.99", now=scene.now
    )
    audit.record(
        Action.SIGNED_IN, actor=scene.parent, subject=scene.parent, address="198.51.100.7", now=scene.now
    )
    scene.own = BenefitFactory(application=application, original_name="own.pdf", document__data=b"own proof")
    BenefitFactory(
        application=application,
        claimed_by=other,
        original_name="БӨТЕНБЕК.pdf",
        document__data=b"proof of the other",
    )
    referral = ReferralFactory(application=application, issued_by=scene.staff)
    UndoRequestFactory(bid=referral.bid, proposed_by=scene.staff)
    ContractFactory(referral=referral, signed_by=scene.staff)
    Application.objects.update(state=ApplicationState.ENROLLED, runs_out_at=None)
    Correction.objects.create(
        application=application,
        new_birth_year=2016,
        previous_filed_at=application.filed_at,
        previous_birth_year=2017,
        document_date=scene.now.date(),
        proposed_at=scene.now,
    )
    ReviewFactory(author=scene.parent, text="Менің пікірім")
    DisputeFactory(guardianship=other.guardianships.get(), raised_by=scene.parent, freed_at=scene.now)
    enqueue(scene.parent, "password_changed", context={}, dedupe_key="x", now=scene.now)
    for about, who, wrong in (("child", scene.parent, "Менікі қате"), ("child", other, "БӨТЕНБЕК қате")):
        ObjectionFactory(user=who, about=about, child=application.child_id, wrong=wrong)
    scene.other = other
    return scene


def copy_of(scene, *, now=None):
    export = exporting.ask(scene.parent, address=None, now=now or scene.now)
    assert exporting.make_due(now=now or scene.now) == 1
    export.refresh_from_db()
    with export.file.open("rb") as file:
        archive = zipfile.ZipFile(io.BytesIO(file.read()))
    return export, {name: archive.read(name) for name in archive.namelist()}


def test_it_holds_what_is_about_the_person_and_nothing_about_others(crowd):
    export, files = copy_of(crowd)
    assert (export.state, export.done, export.total) == ("ready", len(exporting.sections()), export.total)
    data = json.loads(files.pop("data.json"))
    filled = {name for name, rows in data.items() if isinstance(rows, list) and rows}
    assert filled >= {
        *(
            "account",
            "profile",
            "journal",
            "messages",
            "sms",
            "children",
            "guardianships",
            "disputes",
            "reviews",
            "objections",
        ),
        *(
            "applications",
            "events",
            "benefits",
            "bids",
            "referrals",
            "contracts",
            "corrections",
            "undo_requests",
        ),
    }
    text = json.dumps(data, ensure_ascii=False)
    own, child = crowd.parent.profile, crowd.application.child
    own.refresh_from_db()
    for value in (own.iin, child.iin, "ӨЗІМ", "Бейбітшілік 977", crowd.parent.phone.as_e164, "198.51.100.7"):
        assert value in text
    other = crowd.other
    packed = text.encode() + b"".join(files.values()) + " ".join(files).encode()
    for secret in (
        *(other.profile.iin, other.profile.last_name, other.phone.as_e164, str(other.pk)),
        *(crowd.staff.username, str(crowd.staff.pk), "203.0.113.99", "proof of the other"),
        *(crowd.parent.password, own.iin_hash, child.iin_hash),
    ):
        assert secret.encode() not in packed
    assert [content for name, content in files.items() if "benefits" in name] == [b"own proof"]
    assert {row["claimed_by"] for row in data["benefits"]} == {"me", "other guardian"}
    assert data["contracts"][0]["signed_by"] == "employee"
    assert Notice.objects.filter(recipient=crowd.parent, kind="export_ready").count() == 1


def test_where_the_child_is_given_a_place_is_not_told_to_whom_it_is_withheld(crowd):
    mine = crowd.parent.guardianships.get()
    User.objects.filter(pk=crowd.parent.pk).update(email="ozim@mail.kz", mails_notices=True)
    crowd.parent.refresh_from_db()
    changed = {"contact": "phone", "is_gone": False}
    for key, about in (("child", mine.child_id), ("account", None)):
        enqueue(crowd.parent, "contact_changed", context=changed, dedupe_key=key, about=about, now=crowd.now)
    DisputeFactory(guardianship=mine, raised_by=crowd.other)
    _export, files = copy_of(crowd)
    data = json.loads(files["data.json"])
    assert data["children"]
    assert not data["applications"] + data["events"] + data["referrals"] + data["objections"]
    for letters in ("messages", "sms", "mails"):
        assert [row["kind"] for row in data[letters]].count("contact_changed") == 1


def test_one_a_day_to_the_microsecond(crowd):
    first, _files = copy_of(crowd)
    with pytest.raises(exporting.TooSoon):
        exporting.ask(crowd.parent, address=None, now=crowd.now + timedelta(days=1) - MICROSECOND)
    assert exporting.ask(crowd.parent, address=None, now=crowd.now + timedelta(days=1)) != first


def test_a_copy_can_be_had_for_a_day_to_the_microsecond(crowd, django_capture_on_commit_callbacks):
    export, _files = copy_of(crowd)
    end = crowd.now + timedelta(hours=24)
    assert exporting.is_downloadable(export, now=end - MICROSECOND)
    assert not exporting.is_downloadable(export, now=end)
    assert exporting.purge(now=end - MICROSECOND) == 0
    with django_capture_on_commit_callbacks(execute=True):
        assert exporting.purge(now=end) == 1
    assert not default_storage.exists(export.file.name)
    assert not DataExport.objects.exists()


def test_a_worker_that_died_is_followed_by_another_three_times(crowd, monkeypatch):
    export = exporting.ask(crowd.parent, address=None, now=crowd.now)

    def killed(*_args, **_options):
        raise SystemExit

    monkeypatch.setattr(exporting, "_pack", killed)
    now = crowd.now
    for _attempt in range(3):
        with pytest.raises(SystemExit):
            exporting.make_due(now=now)
        # Nobody else takes it before its time is over.
        assert not exporting.to_make(now=now + timedelta(minutes=15) - MICROSECOND).exists()
        now += timedelta(minutes=15)
    exporting.make_due(now=now)
    export.refresh_from_db()
    assert export.state == DataExport.State.FAILED
    assert exporting.free_at(export) is None


def test_a_worker_that_could_not_make_it_says_so_at_once(crowd, monkeypatch):
    """The disk is full, say: it is tried again at the next sweep, and the person need not wait for it for long."""
    export = exporting.ask(crowd.parent, address=None, now=crowd.now)
    monkeypatch.setattr(exporting, "_pack", lambda *_args, **_options: 1 / 0)
    for state in (*[DataExport.State.WAITING] * 3, DataExport.State.FAILED):
        exporting.make_due(now=crowd.now)
        export.refresh_from_db()
        assert export.state == state
    assert exporting.free_at(export) is None


def test_who_leaves_meanwhile_leaves_no_copy_behind(crowd, django_capture_on_commit_callbacks):
    export = exporting.ask(crowd.parent, address=None, now=crowd.now)
    User.objects.filter(pk=crowd.parent.pk).update(leaving_since=crowd.now)
    with django_capture_on_commit_callbacks(execute=True):
        exporting.make_due(now=crowd.now)
    export.refresh_from_db()
    assert (export.state, export.file.name) == ("working", "")
    assert not Notice.objects.filter(kind="export_ready").exists()


def test_the_page_asks_for_the_password_each_time(crowd, client_of, clock):
    browser, url = client_of(crowd.parent), reverse(EXPORT)
    assert browser.get(url).status_code == 200
    assert "қате" in browser.post(url, {"password": "another-pass"}).content.decode()
    assert not DataExport.objects.exists()
    assert browser.post(url, {"password": PASSWORD}).url == url
    assert "0 / " in browser.get(url).content.decode()
    exporting.make_due(now=crowd.now)
    file = reverse("accounts:export_file")
    assert browser.post(url, {"password": "another-pass"})["Content-Type"].startswith("text/html")
    assert browser.get(file).url == url
    # A file in answer to the form would leave the page with the error of before and a button that is pressed.
    assert browser.post(url, {"password": PASSWORD}).url == url
    page = browser.get(url).content.decode()
    assert file in page
    assert 'type="password"' not in page
    assert client_of(crowd.parent).get(file).url == url
    for _twice in range(2):
        answer = browser.get(file)
        assert answer["Content-Type"] == "application/zip"
        assert "no-store" in answer["Cache-Control"]
        assert zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))).testzip() is None
    # A link of somebody else leads to a page of their own.
    assert "0 / " not in client_of(crowd.other).get(url).content.decode()
    assert set(crowd.parent.journal.values_list("action", flat=True)) >= {"data_asked_for", "data_downloaded"}
    clock.move_to(crowd.now + CONFIRMED_FOR - MICROSECOND)
    assert zipfile.ZipFile(io.BytesIO(b"".join(browser.get(file).streaming_content))).testzip() is None
    clock.move_to(crowd.now + CONFIRMED_FOR)
    assert browser.get(file).url == url
    assert 'type="password"' in browser.get(url).content.decode()
    browser.post(url, {"password": PASSWORD})
    # A new password voids what was confirmed with the former one.
    another = "тағы бір құпия 8"
    changed = {"old_password": PASSWORD, "password": another, "repeated": another}
    assert browser.post(reverse("accounts:password"), changed).url == reverse("accounts:profile")
    assert browser.get(file).url == url
    browser.post(url, {"password": another})
    assert zipfile.ZipFile(io.BytesIO(b"".join(browser.get(file).streaming_content))).testzip() is None
    DataExport.objects.update(ready_at=crowd.now - timedelta(hours=24))
    assert browser.get(file).url == url
    assert file not in browser.get(url).content.decode()
