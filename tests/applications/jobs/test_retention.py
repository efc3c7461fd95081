"""Documents of families go when nobody needs them any more, with their files."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command

from applications.jobs import retention
from applications.models import ExtensionDocument
from applications.referrals import ending, extending, issuing
from applications.states import BenefitState
from tests.applications.bidding.reference import place_bid
from tests.factories import BenefitFactory

pytestmark = pytest.mark.usefixtures("scene_once")

MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def document(scene) -> ExtensionDocument:
    """The proof of an extension whose referral the employee has revoked since."""
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
    referral = issuing.activate_bid(bid, actor=scene.staff, now=scene.now)
    extending.extend_referral(
        referral,
        actor=scene.parent,
        until=extending.longest_extension(referral),
        reason="illness",
        documents=[("анықтама.jpg", ContentFile(b"picture", name="x.jpg"))],
        now=scene.now,
    )
    return ExtensionDocument.objects.get()


def test_a_document_of_a_live_referral_stays(scene, document):
    assert retention.purge_extension_documents(now=scene.now + timedelta(days=400)) == 0
    assert default_storage.exists(document.file.name)


def test_ninety_days_after_the_referral_ended_its_documents_go(scene, document):
    referral = document.extension.referral
    ending.revoke_referral(referral, actor=scene.staff, reason="Топ жабылды", now=scene.now)
    due = scene.now + retention.DOCUMENT_KEPT_FOR
    assert retention.purge_extension_documents(now=due) == 0
    assert default_storage.exists(document.file.name)
    assert retention.purge_extension_documents(now=due + MICROSECOND) == 1
    assert not default_storage.exists(document.file.name)
    assert not ExtensionDocument.objects.exists()
    assert retention.purge_extension_documents(now=due + MICROSECOND) == 0


def test_a_file_that_is_gone_already_does_not_stop_the_others(scene, document):
    referral = document.extension.referral
    ending.revoke_referral(referral, actor=scene.staff, reason="Топ жабылды", now=scene.now)
    default_storage.delete(document.file.name)
    assert retention.purge_extension_documents(now=scene.now + timedelta(days=91)) == 1


@pytest.mark.parametrize(
    ("state", "ended"),
    [
        (BenefitState.REJECTED, "decided_at"),
        (BenefitState.WITHDRAWN, "decided_at"),
        (BenefitState.EXPIRED, "valid_until"),
    ],
)
def test_ninety_days_after_a_benefit_ended_its_document_goes(scene, state, ended):
    benefit = BenefitFactory(application=scene.application, state=state, **{ended: scene.now})
    name, due = benefit.document.name, scene.now + retention.DOCUMENT_KEPT_FOR
    assert retention.purge_benefit_documents(now=due) == 0
    assert default_storage.exists(name)
    assert retention.purge_benefit_documents(now=due + MICROSECOND) == 1
    assert not default_storage.exists(name)
    benefit.refresh_from_db()
    assert not benefit.document
    assert retention.purge_benefit_documents(now=due + MICROSECOND) == 0


@pytest.mark.parametrize("state", [BenefitState.CLAIMED, BenefitState.VERIFIED])
def test_the_document_of_a_benefit_that_counts_stays(scene, state):
    BenefitFactory(application=scene.application, state=state, decided_at=scene.now)
    assert retention.purge_benefit_documents(now=scene.now + timedelta(days=400)) == 0


def test_the_command_counts_and_only_then_deletes(scene, clock):
    benefit = BenefitFactory(
        application=scene.application, state=BenefitState.REJECTED, decided_at=scene.now - timedelta(days=91)
    )

    def printed(*arguments: str) -> str:
        out = StringIO()
        call_command("purge_personal_data", *arguments, stdout=out)
        return out.getvalue()

    line = "documents of benefits, 90 days after the benefit ended: 1"
    assert line in printed("--dry-run")
    assert default_storage.exists(benefit.document.name)
    assert line in printed()
    assert not default_storage.exists(benefit.document.name)
