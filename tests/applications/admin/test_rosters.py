"""Lists of children: who stands in them, in which shape they come, and who reads that they were taken."""

import io
import zipfile
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import AuditEntry
from accounts.roles import Role
from applications.journal_actions import Action
from applications.models import Referral
from applications.queue.position import position
from applications.referrals import ending, issuing, leaving
from tests.applications.bidding.reference import place_bid
from tests.factories import ApplicationFactory
from tests.staff import employee, inside, worker_of

pytestmark = pytest.mark.django_db


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


def test_who_may_come_stands_in_the_list_with_the_last_day(scene, worker, referral):
    desk, address = inside(worker), reverse("admin:roster_awaited")
    rows = desk.get(address).context["sheet"].in_words
    last_day = scene.application.locality.day(referral.last_moment)
    assert [row[:4] for row in rows] == [
        [f"{last_day:%d.%m.%Y}", scene.application.child.full_name, "20.07.2017", referral.number]
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
