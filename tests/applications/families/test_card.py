"""A call is answered from the family's card: what opens it, what it tells to whom, and what it costs."""

import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import audit
from accounts.masks import mask_name
from accounts.models import AuditEntry, Profile, User
from accounts.roles import Role
from applications.families.card import IN_FULL, SHOWN
from applications.families.looks import LASTS
from applications.journal_actions import Action
from applications.queue.history import explain
from applications.referrals.issuing import activate_bid
from applications.states import BidState
from children.models import Dispute
from notifications.models import Message, TelegramMessage
from tests.applications.bidding.reference import place_bid
from tests.factories import (
    ApplicationFactory,
    BenefitFactory,
    BidFactory,
    ChildFactory,
    DisputeFactory,
    GuardianshipFactory,
    KindergartenFactory,
    UserFactory,
    VacancyFactory,
)
from tests.staff import employee, inside, official_of, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]

CALL = {"reason": Action.LOOKED_ON_CALL.value}


def page_of(child):
    return reverse("admin:family_of_child", args=[child.pk])


def opened(user, child, **query):
    """The card, once its reader has said why."""
    client = inside(user)
    client.post(page_of(child), CALL)
    return client, client.get(page_of(child), query)


def text_of(answer):
    return answer.content.decode()


def failed(to, kind="bid_placed", **fields):
    now = timezone.now()
    values = {
        "recipient": to,
        "phone": to.phone,
        "kind": kind,
        "language": "kk",
        "text": "Мәтін",
        "state": "failed",
        "next_attempt_at": now,
        "give_up_at": now,
        "created_at": now,
    }
    key = f"{kind} {Message.objects.count()}"
    return Message.objects.create(**(values | {"dedupe_key": key} | fields))


def test_no_look_without_a_reason_in_the_journal(scene, clock):
    centre, child = employee(Role.CONTACT_CENTRE), scene.application.child
    client = inside(centre)
    asked = client.get(page_of(child))
    assert asked.context["form"] is not None
    assert "card" not in asked.context
    # Nothing is entered yet: of the family it tells the initials of who was looked for, and nobody else.
    assert scene.application.number not in text_of(asked)
    assert mask_name(child.last_name, child.first_name) in text_of(asked)
    told = {
        word
        for word in re.findall(r"\w+", f"{child.full_name} {scene.parent.profile.full_name}")
        if len(word) > 2
    }
    assert not [word for word in told if word in text_of(asked)]
    # Another reason needs words, which a family may read.
    for refused in (
        {},
        {"reason": "looked_otherwise"},
        {"reason": "looked_otherwise", "words": "870 1777 9876 080"},
    ):
        assert "card" not in client.post(page_of(child), refused, follow=True).context
    assert not AuditEntry.objects.filter(action__in=[Action.LOOKED_ON_CALL, Action.LOOKED_OTHERWISE]).exists()
    assert client.post(page_of(child), CALL, follow=True).context["card"].children[0].child == child
    entry = AuditEntry.objects.get(action=Action.LOOKED_ON_CALL)
    assert (entry.actor, entry.subject, entry.child) == (centre, scene.parent, child.pk)
    # The family reads it; a colleague says why anew; and after half an hour so does the same employee.
    assert entry in audit.journal_of(scene.parent)
    assert "card" not in inside(employee(Role.CONTACT_CENTRE)).get(page_of(child)).context
    clock.shift(LASTS - timedelta(microseconds=1))
    assert "card" in client.get(page_of(child)).context
    clock.shift(timedelta(microseconds=1))
    assert "card" not in client.get(page_of(child)).context


def test_a_child_who_comes_meanwhile_is_looked_at_with_a_reason_of_its_own(scene):
    client, card = opened(employee(Role.CONTACT_CENTRE), scene.application.child)
    assert "card" in card.context
    sister = ChildFactory()
    GuardianshipFactory(user=scene.parent, child=sister)
    assert "card" not in client.get(page_of(scene.application.child)).context


def test_a_disputed_guardian_reads_of_no_look_at_what_is_withheld(scene):
    stranger = DisputeFactory(
        guardianship__child=scene.application.child, raised_by=scene.parent
    ).guardianship.user
    Profile.objects.filter(user=scene.parent).update(phone_tie="yes")
    Dispute.objects.update(is_mutual=False)
    opened(employee(Role.CONTACT_CENTRE), scene.application.child)
    assert audit.journal_of(scene.parent).filter(action=Action.LOOKED_ON_CALL).exists()
    assert not audit.journal_of(stranger).filter(action=Action.LOOKED_ON_CALL).exists()


def test_the_card_tells_what_the_family_reads(scene, client_of):
    """Where it stands, what to do, and why the number moved: the same words and sums as on the family's own pages."""
    ApplicationFactory(
        locality=scene.locality, child__birth_date=scene.application.child.birth_date, filed_at=scene.now
    )
    _client, answer = opened(
        employee(Role.CONTACT_CENTRE), scene.application.child, why=scene.application.number
    )
    own = client_of(scene.parent)
    page = own.get(reverse("applications:application", args=[scene.application.pk])).context["situation"]
    shown = answer.context["card"].children[0].situation
    assert (shown.position, shown.next_step, shown.suiting) == (page.position, page.next_step, page.suiting)
    assert page.next_step in text_of(answer)
    why = own.get(reverse("applications:why", args=[scene.application.pk])).context["explanation"]
    assert answer.context["explanation"].rows == why.rows
    assert why.rows == explain(scene.application, since=scene.application.filed_at, until=scene.now).rows


def test_whoever_was_looked_for_is_told_in_full(scene):
    """Of a large family in which others filed later; and the journal tells what others did, not one's own looks."""
    for _number in range(IN_FULL + 1):
        ApplicationFactory(
            locality=scene.locality,
            child__birth_date=scene.application.child.birth_date,
            filed_by=scene.parent,
            filed_at=scene.now,
        )
    audit.record(Action.BID_WITHDRAWN, actor=scene.parent, subject=scene.parent, now=scene.now)
    _client, answer = opened(employee(Role.CONTACT_CENTRE), scene.application.child)
    first, *others = answer.context["card"].children
    assert first.situation.application == scene.application
    assert sum(other.situation is not None for other in others) == IN_FULL - 1
    journal = answer.context["card"].sections["journal"].rows
    assert [row.entry.action for row in journal] == [Action.BID_WITHDRAWN]


def test_phones_are_masked_and_codes_hidden(scene):
    Profile.objects.filter(user=scene.parent).update(
        second_phone="+77052223344", second_phone_proven_at=scene.now
    )
    failed(scene.parent, kind="reset_code", text="777111", state="queued")
    failed(scene.parent, kind="registration_code", text="555222", recipient=None)
    _client, answer = opened(employee(Role.CONTACT_CENTRE), scene.application.child)
    text = text_of(answer)
    assert "+7 705 ••• 33 44" in text
    for secret in (str(scene.parent.phone), "+77052223344", "777111", "555222", scene.parent.profile.iin):
        assert secret not in text
    codes = [
        sent for sent in answer.context["card"].sections["messages"].rows if sent.row.kind.endswith("_code")
    ]
    assert len(codes) == 2
    assert not any(sent.may_go_again for sent in codes)


def test_a_failed_message_goes_out_again_and_the_family_reads_by_whom(scene):
    message = failed(scene.parent)
    centre = employee(Role.CONTACT_CENTRE)
    client, answer = opened(centre, scene.application.child)
    again = reverse("admin:family_of_child_again", args=[scene.application.child.pk, "sms", message.pk])
    assert again in text_of(answer)
    assert client.post(again).status_code == 302
    message.refresh_from_db()
    assert message.state == "queued"
    entry = AuditEntry.objects.get(action=Action.SENT_AGAIN)
    assert (entry.actor, entry.subject) == (centre, scene.parent)
    # On its way it is not sent twice.
    client.post(again)
    assert AuditEntry.objects.filter(action=Action.SENT_AGAIN).count() == 1


def test_what_went_to_telegram_and_to_the_second_phone_is_seen_and_goes_again(scene):
    User.objects.filter(pk=scene.parent.pk).update(telegram="42")
    Profile.objects.filter(user=scene.parent).update(
        second_phone="+77052223344", second_phone_proven_at=scene.now
    )
    common = {
        "recipient": scene.parent, "kind": "stop_lifted", "language": "kk", "text": "x", "state": "failed",
        "created_at": scene.now, "next_attempt_at": scene.now, "give_up_at": scene.now,
    }  # fmt: skip
    telegram = TelegramMessage.objects.create(chat="42", dedupe_key="t", **common)
    copy = Message.objects.create(phone="+77052223344", is_copy=True, dedupe_key="t:copy", **common)
    client, answer = opened(employee(Role.CONTACT_CENTRE), scene.application.child)
    text = text_of(answer)
    assert "SMS: қосымша телефонға" in text
    for way, row in (("telegram", telegram), ("sms", copy)):
        again = reverse("admin:family_of_child_again", args=[scene.application.child.pk, way, row.pk])
        assert again in text
        assert client.post(again).status_code == 302
        row.refresh_from_db()
        assert row.state == "queued"


def test_what_may_not_be_sent_again(scene):
    """The attack: a code, somebody else's message, a number that is another's by now, no reason, no right."""
    child = scene.application.child
    code = failed(scene.parent, kind="reset_code", text="777111")
    foreign = failed(UserFactory())
    moved = failed(scene.parent, phone="+77019998877")
    own = failed(scene.parent)
    client, _card = opened(employee(Role.CONTACT_CENTRE), child)
    official, _card = opened(official_of(scene.locality), child)

    def ask(client, message, way="sms"):
        address = reverse("admin:family_of_child_again", args=[child.pk, way, message.pk])
        return client.post(address).status_code

    assert ask(client, code) == ask(client, moved) == 302
    assert ask(client, foreign) == ask(client, own, "email") == ask(client, own, "fax") == 404
    assert ask(official, own) == 403
    assert ask(inside(employee(Role.CONTACT_CENTRE)), own) == 302
    assert not Message.objects.exclude(state="failed").exists()


def test_a_worker_reads_what_is_between_the_family_and_their_kindergarten(scene):
    elsewhere = VacancyFactory(
        group__kindergarten=KindergartenFactory(locality=scene.locality, name_kk="Бөтен"), birth_years=[2017]
    )
    BidFactory(
        application=scene.application,
        vacancy=elsewhere,
        state=BidState.REJECTED,
        reason="құпия",
        placed_at=scene.now - timedelta(days=1),
    )
    activate_bid(
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now),
        actor=scene.staff,
        now=scene.now,
    )
    _client, answer = opened(worker_of(scene.group.kindergarten), scene.application.child)
    sections = answer.context["card"].sections
    assert set(sections) == {"bids", "referrals"}
    assert [bid.vacancy for bid in sections["bids"].rows] == [scene.vacancy]
    assert "құпия" not in text_of(answer)
    assert answer.context["card"].children[0].may_see_place
    _client, other = opened(worker_of(elsewhere.group.kindergarten), scene.application.child)
    assert scene.group.kindergarten.name not in text_of(other)
    assert not other.context["card"].sections["referrals"].rows
    assert not other.context["card"].children[0].may_see_place


def test_the_sections_of_an_official_and_of_a_call(scene):
    BenefitFactory(application=scene.application)
    _client, centre = opened(employee(Role.CONTACT_CENTRE), scene.application.child)
    _client, official = opened(official_of(scene.locality), scene.application.child)
    wanted = {"bids", "referrals", "stops", "benefits", "messages", "journal"}
    assert set(centre.context["card"].sections) == set(official.context["card"].sections) == wanted
    # Who answers calls reads that there is a benefit, and has no way to its document.
    benefit = reverse("admin:applications_benefit_change", args=[scene.application.benefits.get().pk])
    assert benefit in text_of(official)
    assert benefit not in text_of(centre)


def test_names_are_masked_for_who_reads_none(scene):
    user = employee(Role.CONTACT_CENTRE)
    group = user.groups.get()
    user.groups.clear()
    user.user_permissions.set(group.permissions.exclude(codename="read_names_of_family"))
    child = scene.application.child
    client, answer = opened(user, child)
    for page in (answer, client.post("/admin/family/", {"text": child.last_name}, follow=True)):
        assert child.last_name not in text_of(page)
        assert scene.parent.profile.last_name not in text_of(page)
    assert "card" in client.get(page_of(child)).context


def test_a_guardian_without_children_has_a_card(db):
    lonely = UserFactory()
    client = inside(employee(Role.CONTACT_CENTRE))
    page = reverse("admin:family_of_guardian", args=[lonely.pk])
    assert "card" not in client.get(page).context
    assert client.post(page, CALL, follow=True).context["card"].children == []
    assert audit.journal_of(lonely).get(action=Action.LOOKED_ON_CALL)


def test_a_card_costs_the_same_for_one_child_and_for_three(scene, settings):
    settings.REMEMBER_FOR_A_SECOND = True
    child = scene.application.child
    client = inside(employee(Role.CONTACT_CENTRE))

    def cost(*, children):
        client.post(page_of(child), CALL)
        # The places of a birth year are read once a second for everybody.
        client.get(page_of(child))
        with CaptureQueriesContext(connection) as asked:
            card = client.get(page_of(child)).context["card"]
        assert [row.situation.position is not None for row in card.children] == [True] * children
        return [row["sql"] for row in asked.captured_queries]

    one = cost(children=1)
    for year in (2016, 2018):
        ApplicationFactory(locality=scene.locality, child__birth_date=date(year, 3, 1), filed_by=scene.parent)
    three = cost(children=IN_FULL)
    assert len(three) == len(one), "\n".join(three)


def test_a_card_costs_the_same_however_much_has_happened(scene):
    client, _card = opened(employee(Role.CONTACT_CENTRE), scene.application.child)

    def cost():
        with CaptureQueriesContext(connection) as asked:
            client.get(page_of(scene.application.child))
        return [row["sql"] for row in asked.captured_queries]

    few = cost()
    for number in range(SHOWN + 2):
        BidFactory(application=scene.application, state=BidState.WITHDRAWN)
        failed(scene.parent)
        BenefitFactory(application=scene.application)
        audit.record(
            Action.BID_WITHDRAWN, actor=scene.parent, subject=scene.parent, target=str(number), now=scene.now
        )
    GuardianshipFactory(child=scene.application.child)
    many = cost()
    assert len(many) <= len(few) + 1, "\n".join(many)
    # Two of them ask for what went to Telegram and to screens.
    assert len(many) <= 30, "\n".join(many)
    # Who works in one locality is not asked again for the bids that stand on the card.
    official, _card = opened(official_of(scene.locality), scene.application.child)
    with CaptureQueriesContext(connection) as asked:
        official.get(page_of(scene.application.child))
    own = [row["sql"] for row in asked.captured_queries]
    # And once which accounts count as one's own, instead of in each list.
    assert len(own) <= 31, "\n".join(own)
    card = client.get(page_of(scene.application.child)).context["card"]
    assert all(len(card.sections[name].rows) == SHOWN for name in ("bids", "benefits", "messages", "journal"))
    whole = client.get(page_of(scene.application.child), {"all": "bids"}).context["card"]
    assert len(whole.sections["bids"].rows) == SHOWN + 2
