"""Lists of children: who stands in them, in which shape they come, and who reads that they were taken."""

import io
import zipfile
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts.masks import mask_phone
from accounts.models import AuditEntry, User
from accounts.roles import Role
from applications.admin import rosters as pages
from applications.files import makers, making
from applications.journal_actions import Action
from applications.models import MadeFile, Referral, Transfer
from applications.queue.position import position
from applications.referrals import ending, issuing, leaving
from applications.rosters import held, rosters
from tests.applications.bidding.reference import place_bid
from tests.factories import ApplicationFactory, GroupFactory, KindergartenFactory
from tests.staff import employee, inside, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]


@pytest.fixture
def worker(scene, clock):
    return worker_of(scene.vacancy.group.kindergarten)


@pytest.fixture
def referral(scene, worker):
    application = scene.application
    bid = place_bid(application, scene.vacancy, actor=application.filed_by, now=scene.now)
    return issuing.activate_bid(bid, actor=worker, now=scene.now)


def enrolled_page(scene) -> str:
    return reverse("admin:roster_enrolled", args=[scene.vacancy.group.kindergarten_id])


def sign(referral, worker, scene, *, number="К-1"):
    ending.sign_contract(referral, actor=worker, contract_number=number, now=scene.now)
    return Referral.objects.get(pk=referral.pk).contract


def test_who_is_enrolled_stands_in_the_list_until_the_child_leaves(scene, worker, referral):
    name, desk = scene.application.child.full_name, inside(worker)
    assert name not in desk.get(enrolled_page(scene)).content.decode()
    contract = sign(referral, worker, scene, number="=1+1")
    html = desk.get(f"/ru{enrolled_page(scene)}").content.decode()
    assert name in html
    assert "Солнце" in html
    assert (
        "".join(part.decode() for part in desk.get(enrolled_page(scene), {"as": "csv"}).streaming_content)
        .splitlines()[1]
        .split(";")[3]
        == "'=1+1"
    )
    leaving.end_contract(contract, actor=worker, left_on=scene.now.date(), reason="Көшті", now=scene.now)
    assert name not in desk.get(enrolled_page(scene)).content.decode()


def test_one_group_alone_is_a_link_away_from_its_page(scene, worker, referral):
    """A child that was moved stands in the group where it is now; a file of the list holds the same rows."""
    contract, desk = sign(referral, worker, scene), inside(worker)
    name, first = scene.application.child.full_name, scene.vacancy.group
    second = GroupFactory(kindergarten=first.kindergarten, name="Ай")

    def in_list(group) -> bool:
        address = reverse("admin:roster_enrolled_in", args=[group.pk])
        assert address in desk.get(reverse("admin:bulletin_group_change", args=[group.pk])).content.decode()
        page = desk.get(address)
        assert page.context["title"].startswith(f"{first.kindergarten.name}, {group.name}")
        return any(name in row for row in page.context["sheet"].in_words)

    assert (in_list(first), in_list(second)) == (True, False)
    type(contract).objects.filter(pk=contract.pk).update(moved_to=second)
    Transfer.objects.create(
        contract=contract, source=first, target=second, at=scene.now, by=worker, reason="Бос орын"
    )
    assert (in_list(first), in_list(second)) == (False, True)
    taken = AuditEntry.objects.filter(action=Action.ROSTER_TAKEN, about__startswith="roster.enrolled_in")
    told = {span.about for span in held.lists_of([scene.application.child])}
    assert {entry.about for entry in taken} == {f"roster.enrolled_in:{one.pk}" for one in (first, second)}
    assert {entry.about for entry in taken} <= told
    file = MadeFile(user=worker, what="roster:enrolled_in", query=f"pk={second.pk}", language="kk")
    assert makers._roster_of(file, scene.now).count() == 1


def test_who_may_come_stands_in_the_list_with_the_last_day(scene, worker, referral):
    desk, address = inside(worker), reverse("admin:roster_awaited")
    rows = desk.get(address).context["sheet"].in_words
    last_day = scene.application.locality.day(referral.last_moment)
    to_ring = f"{scene.parent.profile.full_name} {scene.parent.phone.as_international}"
    assert [row[:5] for row in rows] == [
        [f"{last_day:%d.%m.%Y}", scene.application.child.full_name, "20.07.2017", to_ring, referral.number]
    ]
    sign(referral, worker, scene)
    assert desk.get(address).context["sheet"].rows == []


def test_bids_come_in_the_order_in_which_they_were_sent_with_their_numbers(scene, worker):
    bids = [
        place_bid(one, scene.vacancy, actor=one.filed_by, now=scene.now + timedelta(minutes=turn))
        for turn, one in enumerate(
            (
                scene.application,
                ApplicationFactory(
                    locality=scene.application.locality, child__birth_date=scene.application.child.birth_date
                ),
            )
        )
    ]
    address = reverse("admin:roster_bids", args=[scene.vacancy.pk])
    rows = inside(worker).get(address).context["sheet"].rows
    assert [row[3] for row in rows] == [bid.application.number for bid in bids]
    assert [row[4] for row in rows] == [position(bid.application, now=scene.now).number for bid in bids]


def test_as_a_spreadsheet_it_opens(scene, worker, referral):
    answer = inside(worker).get(reverse("admin:roster_awaited"), {"as": "xlsx"})
    assert answer["Content-Disposition"].startswith('attachment; filename="awaited-')
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert scene.application.child.full_name in packed.read("xl/sharedStrings.xml").decode()


def test_each_list_that_was_taken_is_entered(scene, worker, referral):
    for query in ({}, {"as": "csv"}, {"as": "nonsense"}):
        inside(worker).get(reverse("admin:roster_awaited"), query)
    taken = AuditEntry.objects.filter(action=Action.ROSTER_TAKEN, actor=worker).order_by("pk")
    assert [entry.target.endswith("csv") for entry in taken] == [False, True, False]


def test_who_reads_no_names_reads_initials(scene, worker, referral):
    rows = inside(employee(Role.AUDITOR)).get(reverse("admin:roster_awaited")).context["sheet"].in_words
    assert rows
    assert scene.application.child.last_name not in rows[0][1]
    assert scene.parent.profile.last_name not in rows[0][3]
    assert mask_phone(scene.parent.phone) in rows[0][3]


def test_the_list_of_the_own_kindergarten_is_one_link_away(scene, worker, referral):
    """From the start page, the groups and the contracts."""
    desk, own = inside(worker), reverse("admin:roster_enrolled_own")
    for name in ("index", "bulletin_group_changelist", "applications_contract_changelist"):
        assert own in desk.get(reverse(f"admin:{name}")).content.decode(), name
    assert desk.get(own).url == enrolled_page(scene)


@pytest.fixture
def long_list(scene, worker, referral, monkeypatch):
    """Two families are expected, and one is too many for a page, and for a file made while it waits."""
    other = ApplicationFactory(
        locality=scene.application.locality,
        child__birth_date=scene.application.child.birth_date,
        child__last_name="ЯКУПОВА",
    )
    bid = place_bid(other, scene.vacancy, actor=other.filed_by, now=scene.now)
    issuing.activate_bid(bid, actor=worker, now=scene.now + timedelta(minutes=1))
    monkeypatch.setattr(pages, "MOST_SHOWN", 1)
    monkeypatch.setattr(pages, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(rosters, "BATCH", 1)
    monkeypatch.setattr(makers, "BATCH", 1)
    return {scene.application.child.full_name, other.child.full_name}


def words(answer) -> str:
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        return packed.read("xl/sharedStrings.xml").decode()


def test_a_long_list_is_cut_on_the_page_and_whole_in_the_file(scene, worker, long_list):
    desk, address = inside(worker), reverse("admin:roster_awaited")
    page = desk.get(address)
    assert (len(page.context["sheet"].rows), page.context["found"]) == (1, 2)
    assert "as=xlsx" not in page.content.decode()
    for kind in ("xlsx", "csv"):
        assert desk.get(address, {"as": kind}).url == f"{address}#files"
    assert desk.post(address).url == f"{address}#files"
    assert desk.post(address).url == f"{address}#files"
    making.make_due(now=scene.now)
    file = MadeFile.objects.get()
    assert (file.done, file.total, file.state) == (2, 2, "ready")
    before = AuditEntry.objects.filter(action=Action.ROSTER_TAKEN).count()
    download = reverse("admin:made_file", args=[file.pk])
    assert download in desk.get(address).content.decode()
    told = words(desk.get(download))
    assert [name for name in long_list if name not in told] == []
    entered = AuditEntry.objects.filter(action=Action.ROSTER_TAKEN).order_by("pk")
    assert entered.count() == before + 2
    assert entered.last().target == f"{file.title} · xlsx"


def test_a_file_of_names_is_for_who_reads_names_and_works_there(scene, worker, long_list):
    desk, address = inside(worker), reverse("admin:roster_awaited")
    desk.post(address)
    auditor = inside(employee(Role.AUDITOR))
    auditor.post(address)
    making.make_due(now=scene.now)
    downloads = {file.user_id: reverse("admin:made_file", args=[file.pk]) for file in MadeFile.objects.all()}
    told = words(auditor.get(downloads.pop(MadeFile.objects.exclude(user=worker).get().user_id)))
    assert [name for name in long_list if name in told] == []
    download = downloads[worker.pk]
    assert auditor.get(download).status_code == 404
    role = worker.groups.get()
    names = Permission.objects.get(codename="read_names_of_family")
    role.permissions.remove(names)
    assert desk.get(download).status_code == 404
    role.permissions.add(names)
    assert desk.get(download).status_code == 200
    worker.employments.update(until=scene.now.date() - timedelta(days=1))
    assert desk.get(download).status_code == 404


def test_each_list_is_made_of_what_the_page_was_of(scene, worker, referral, monkeypatch):
    """Bids of a vacancy and the enrolled of a kindergarten, each in a file of its own; of another's there is none."""
    sign(referral, worker, scene)
    monkeypatch.setattr(pages, "MOST_AT_ONCE", 0)
    desk = inside(worker)
    for address in (enrolled_page(scene), reverse("admin:roster_bids", args=[scene.vacancy.pk])):
        desk.post(address)
    making.make_due(now=scene.now)
    assert {file.what: file.state for file in MadeFile.objects.all()} == {
        "roster:enrolled": "ready",
        "roster:bids": "ready",
    }
    for file in MadeFile.objects.all():
        answer = desk.get(reverse("admin:made_file", args=[file.pk]))
        assert scene.application.child.full_name in words(answer)
    stranger = inside(worker_of(KindergartenFactory(locality=scene.locality)))
    assert stranger.post(enrolled_page(scene)).status_code == 404
    # A file that was asked for before its vacancy became another's.
    file = MadeFile.objects.create(
        user=User.objects.get(pk=stranger.session["_auth_user_id"]),
        what="roster:bids",
        query=f"pk={scene.vacancy.pk}",
        language="kk",
        asked_at=scene.now,
    )
    making.make_due(now=scene.now)
    file.refresh_from_db()
    assert file.state == "failed"
