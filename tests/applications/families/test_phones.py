"""One rule for who reads a whole phone, on every page of the workplace that names a family."""

import pytest
from django.urls import reverse

from accounts.roles import Role
from applications.journal_actions import Action
from applications.referrals.ending import sign_contract
from applications.referrals.issuing import activate_bid
from applications.referrals.leaving import end_contract
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import NOW
from tests.staff import employee, inside, official_of, worker_of
from tests.thorough import THOROUGH

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]

STAGES = ("waits", "has applied", "is to come", "is enrolled", "has left")
READERS = {
    "worker": lambda scene: worker_of(scene.group.kindergarten),
    "official": lambda scene: official_of(scene.locality),
    "contact centre": lambda _scene: employee(Role.CONTACT_CENTRE),
    "administrator": lambda _scene: employee(Role.ADMINISTRATOR),
    "auditor": lambda _scene: employee(Role.AUDITOR),
}
LISTS = (
    *("applications_application", "applications_bid", "applications_referral", "applications_contract"),
    *("applications_event", "applications_benefit", "applications_stoplistentry", "applications_undorequest"),
    *("children_child", "children_dispute", "accounts_user", "accounts_profile"),
    *("accounts_auditentry", "accounts_numbermove", "notifications_message", "notifications_notice"),
)


def brought_to(stage, scene):
    """The family's application, bid and referral at a stage of their way."""
    worker, rows = worker_of(scene.group.kindergarten), {"application": scene.application}
    if stage != "waits":
        rows["bid"] = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=NOW)
    if stage in STAGES[2:]:
        rows["referral"] = activate_bid(rows["bid"], actor=worker, now=NOW)
    if stage in STAGES[3:]:
        rows["contract"] = sign_contract(rows["referral"], actor=worker, now=NOW)
    if stage == "has left":
        end_contract(rows["contract"], left_on=NOW.date(), reason="x", actor=worker, now=NOW)
    return rows


def pages_of(scene, rows, stage):
    """Every page that names the family: its card, the lists, the rosters, and the page of each row."""
    group, kindergarten = scene.group, scene.group.kindergarten
    yield "card", reverse("admin:family_of_child", args=[scene.application.child_id])
    yield "awaited", reverse("admin:roster_awaited")
    yield "enrolled", reverse("admin:roster_enrolled", args=[kindergarten.pk])
    yield "enrolled in", reverse("admin:roster_enrolled_in", args=[group.pk])
    yield "bids of", reverse("admin:roster_bids", args=[scene.vacancy.pk])
    # In a quick run while the family is to come, which every reader looks at.
    for name in LISTS if THOROUGH or stage == "is to come" else ():
        yield name, reverse(f"admin:{name}_changelist")
    profile = scene.parent.profile
    for row in (*rows.values(), scene.application.child, scene.parent, profile):
        meta = row._meta
        yield meta.model_name, reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


@pytest.mark.parametrize(
    ("stage", "who"),
    [
        *(("is to come", who) for who in READERS),
        *((stage, "official") for stage in STAGES if stage != "is to come"),
    ],
)
def test_a_whole_phone_stands_where_a_kindergarten_has_to_do_with_the_family(scene, stage, who):
    rows = brought_to(stage, scene)
    client, whole = inside(READERS[who](scene)), scene.parent.phone.as_international
    addresses = dict(pages_of(scene, rows, stage))
    client.post(addresses["card"], {"reason": Action.LOOKED_ON_CALL.value})
    opened = {name: client.get(url) for name, url in addresses.items()}
    pages = {name: page.content.decode() for name, page in opened.items() if page.status_code == 200}
    shown = {name for name, page in pages.items() if whole in page or scene.parent.phone.as_e164 in page}
    is_expected = stage in ("is to come", "is enrolled")
    # Whom to call stands on the card, on the referral, and in the list of who is to come.
    told = {"card", "referral", *(["awaited"] if stage == "is to come" else [])}
    assert shown == (told if is_expected and who in ("worker", "official") else set())
    assert pages
