"""Children of the former queue whom no family ever claimed: how long they are known."""

from datetime import timedelta

import pytest

from applications.access.settling import settle
from applications.jobs.retention import purge_former_guardians
from applications.models import Application, FormerRow
from applications.personal_data.forgetting import UNCLAIMED_KEPT_FOR, forget_unclaimed
from applications.queue.history import differences
from applications.waiting.bringing_in import OldRow, bring_in, take_back
from bulletin.models import ImportBatch
from children.models import Child, GuardianClaim
from tests.applications.conftest import NOW
from tests.factories import GuardianClaimFactory, GuardianshipFactory, nth_iin

pytestmark = pytest.mark.django_db

MICROSECOND = timedelta(microseconds=1)
IIN = nth_iin(60_001)


@pytest.fixture
def batch():
    return ImportBatch.objects.create(kind="queue", loaded_at=NOW)


@pytest.fixture
def waiting(scene, batch):
    """The one that the file brought in; the child of the scene has a family."""
    row = OldRow(
        line=2,
        old_number="2017-004512",
        iin=IIN,
        paper_number="",
        last_name="ҰМЫТЫЛҒАН",
        first_name="АЛИЯ",
        middle_name="",
        birth_date=scene.now.date().replace(year=2014),
        sex="F",
        locality=scene.locality,
        languages=["kk"],
        filed_at=NOW - timedelta(days=700),
        filed_text="26.07.2017",
        guardian_iin=nth_iin(1),
        phone="+77015550011",
    )
    bring_in([row], batch=batch, actor=None, now=NOW)
    return Application.objects.select_related("child", "locality").get(former__batch=batch)


def is_known(application):
    return Child.objects.get(pk=application.child_id).last_name == "ҰМЫТЫЛҒАН"


def test_ninety_days_after_it_left_the_queue_to_the_microsecond(waiting):
    """At school age, which is the last day on which its family may come."""
    left = waiting.runs_out_at
    assert forget_unclaimed(now=left + UNCLAIMED_KEPT_FOR) == 0
    settle(waiting, now=left)
    waiting.refresh_from_db()
    assert waiting.archived_at == left
    assert purge_former_guardians(now=left) == 1
    assert forget_unclaimed(now=left + UNCLAIMED_KEPT_FOR - MICROSECOND) == 0
    assert is_known(waiting)
    assert forget_unclaimed(now=left + UNCLAIMED_KEPT_FOR) == 1
    assert forget_unclaimed(now=left + UNCLAIMED_KEPT_FOR) == 0
    child, row = Child.objects.get(pk=waiting.child_id), FormerRow.objects.get(application=waiting)
    assert (child.iin, child.last_name, child.birth_date.month, child.birth_date.day) == ("", "", 1, 1)
    assert (row.old_number, row.number_key, row.filed_text, row.guardian_iin, row.phone) == ("",) * 5
    assert [one for one in differences() if str(waiting.pk) in one] == []


def test_whose_family_came_is_kept(waiting, batch):
    take_back(batch, actor=None, reason="", now=NOW)
    GuardianshipFactory(child=waiting.child)
    assert forget_unclaimed(now=NOW + UNCLAIMED_KEPT_FOR) == 0
    assert is_known(waiting)


def test_whose_family_has_handed_in_papers_is_kept(waiting, batch):
    take_back(batch, actor=None, reason="", now=NOW)
    GuardianClaimFactory(
        iin=IIN,
        paper_number="",
        child_hash=waiting.child.iin_hash,
        ground=GuardianClaim.Ground.NOT_IN_REGISTRY,
    )
    assert forget_unclaimed(now=NOW + UNCLAIMED_KEPT_FOR) == 0


def test_who_came_in_again_by_a_later_file_is_kept(waiting, batch, scene):
    take_back(batch, actor=None, reason="", now=NOW)
    row = OldRow(
        line=2,
        old_number="1",
        iin=IIN,
        paper_number="",
        last_name="ҰМЫТЫЛҒАН",
        first_name="АЛИЯ",
        middle_name="",
        birth_date=waiting.child.birth_date,
        sex="F",
        locality=scene.locality,
        languages=["kk"],
        filed_at=NOW - timedelta(days=700),
    )
    later = ImportBatch.objects.create(kind="queue", loaded_at=NOW)
    bring_in([row], batch=later, actor=None, now=NOW + timedelta(days=80))
    assert forget_unclaimed(now=NOW + UNCLAIMED_KEPT_FOR) == 0
