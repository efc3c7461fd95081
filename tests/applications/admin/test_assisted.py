"""A lost number with the contact centre: what one employee sees, what a second one decides, and who may not."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.urls import reverse
from django.utils.translation import gettext

from accounts import second_factor
from accounts.contacts import Way, proven_contact
from accounts.identity import iin_hash
from accounts.journal_actions import Action
from accounts.limits import LOOK_UP_PER_EMPLOYEE
from accounts.models import AssistedMove, AuditEntry, NumberMove, RecoveryCode, User
from accounts.numbers import assisted, moves, rules
from accounts.numbers.moves import Fault, NotMoved
from accounts.roles import Role
from notifications.models import Mail, Message, Notice
from tests.accounts.walk import newest_code
from tests.factories import ChildFactory, DisputeFactory, GuardianshipFactory, UserFactory
from tests.staff import employee, give_app, inside, press

NEW = "+77023334455"
NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
FIND, SEEN, CODE = (f"/admin/accounts/assistedmove/{page}/" for page in ("find", "seen", "code"))
FIELDS = {"document": "card", "why": "Телефоны жоғалды, жеке куәлігін көрсетті", "phone": "8 702 333 44 55"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def first():
    return employee(Role.CONTACT_CENTRE)


@pytest.fixture
def second():
    return employee(Role.CONTACT_CENTRE)


@pytest.fixture
def owner():
    return UserFactory()


def opened(account, by) -> AssistedMove:
    return assisted.open_move(
        account,
        new_phone=NEW,
        document=AssistedMove.Document.CARD,
        why="Көрді",
        actor=by,
        address=None,
        now=NOW,
    )


def begun(desk, account) -> str:
    """The page after the search for the account."""
    page = desk.post(FIND, {"term": account.profile.iin}).url
    assert page.startswith(SEEN)
    return page


def page_of(one, name="change", *more):
    return reverse(f"admin:accounts_assistedmove_{name}", args=[one.pk, *more])


def test_the_whole_way(owner, first, second):
    former = owner.phone
    other = GuardianshipFactory(child=GuardianshipFactory(user=owner).child, user=UserFactory()).user
    desk, colleague = inside(first), inside(second)
    assert desk.get("/admin/").status_code == 200
    assert "find/" in desk.get("/admin/accounts/assistedmove/").content.decode()
    seen = begun(desk, owner)
    assert AuditEntry.objects.filter(subject=owner, actor=first, action=Action.ACCOUNT_FOUND).count() == 1
    shown = desk.get(seen).content.decode()
    assert owner.profile.full_name in shown
    assert owner.profile.iin not in shown
    code = desk.post(seen, FIELDS).url
    assert code.startswith(CODE)
    assert Message.objects.get().phone == NEW
    assert desk.post(code, {"code": "000000" if newest_code(NEW) != "000000" else "1" * 6}).status_code == 200
    one_page = desk.post(code, {"code": newest_code(NEW)}).url
    one = AssistedMove.objects.get()
    assert (one.move.account, one.move.asked_by, one.move.due_at) == (owner, first, None)
    assert {str(sent.phone.as_e164) for sent in Message.objects.filter(kind="number_move_asked")} == {
        former.as_e164
    }
    # Who asked for it does not approve it, by page or by service.
    asker_reads = NotMoved(Fault.SAME_EMPLOYEE).at_work
    page = desk.get(one_page)
    assert page.context["why_not"] == [asker_reads]
    assert [work["label"] for work in page.context["works"]] == [gettext("Decline the move")]
    assert press(desk, page_of(one, "work", "approve")).status_code == 302
    assert NumberMove.objects.get().is_live
    with pytest.raises(NotMoved) as refused:
        assisted.approve(one, actor=first, address=None, now=NOW)
    assert refused.value.fault is Fault.SAME_EMPLOYEE
    assert owner.profile.full_name in colleague.get(one_page).content.decode()
    assert press(colleague, page_of(one, "work", "approve")).status_code == 302
    owner.refresh_from_db()
    assert (owner.phone, owner.has_usable_password()) == (NEW, False)
    move = NumberMove.objects.get()
    assert (move.done_by, move.done_at) == (second, NOW)
    assert Notice.objects.filter(recipient=other, kind="guardian_moved").count() == 1
    assert AuditEntry.objects.filter(subject=owner, actor=second, action=Action.NUMBER_MOVED).count() == 1


def test_who_had_the_account_before_has_no_way_back(owner, first, second):
    """Somebody registered with another's IIN: app, codes for paper and contacts were theirs."""
    User.objects.filter(pk=owner.pk).update(email="stranger@mail.kz", mails_notices=True)
    owner.profile.second_phone, owner.profile.second_phone_proven_at = "+77051112233", NOW
    owner.profile.save()
    give_app(owner)
    RecoveryCode.objects.create(user=owner, code_hash="x", made_at=NOW)
    one = opened(owner, first)
    assisted.approve(one, actor=second, address=None, now=NOW)
    owner = User.objects.select_related("profile").get(pk=owner.pk)
    assert (owner.phone, owner.email, owner.mails_notices) == (NEW, "", False)
    assert [proven_contact(owner, way) for way in Way] == ["", ""]
    assert not second_factor.has_app(owner.pk)
    assert not RecoveryCode.objects.exists()
    assert set(owner.journal.values_list("action", flat=True)) >= {
        "email_removed",
        "second_phone_removed",
        "second_way_off",
    }
    # They hear of it once more; from now on nobody but the owner does.
    assert Message.objects.filter(phone="+77051112233", kind="number_left").count() == 1
    assert Mail.objects.get(kind="number_moved").address == "stranger@mail.kz"


def test_the_app_of_an_employee_who_is_a_parent_stays(owner, first, second):
    User.objects.filter(pk=owner.pk).update(is_staff=True)
    give_app(owner)
    assisted.approve(opened(owner, first), actor=second, address=None, now=NOW)
    assert second_factor.has_app(owner.pk)


def test_a_move_is_declined_or_taken_back_and_then_over(owner, first, second):
    one = opened(owner, first)
    desk, page = inside(first), page_of(one, "work", "withdraw")
    assert press(desk, page).context["form"].has_error("reason")
    assert press(desk, page, {"reason": "Қате нөмір айтыпты"}).status_code == 302
    owner.refresh_from_db()
    assert owner.phone != NEW
    assert NumberMove.objects.get().stopped_by == first
    # Why stands where whoever asked looks, and the owner reads it.
    assert "Қате нөмір айтыпты" in desk.get(page_of(one)).content.decode()
    assert "Қате нөмір айтыпты" in Notice.objects.get(recipient=owner, kind="number_stays").text_kk
    with pytest.raises(NotMoved) as refused:
        assisted.approve(one, actor=second, address=None, now=NOW)
    assert refused.value.fault is Fault.OVER


def test_nobody_for_themselves_or_for_their_family(owner, first, second):
    """As the owner, and as the other guardian of a child of the account; to open as well as to decide."""
    child = GuardianshipFactory(user=owner).child
    partner = UserFactory()
    GuardianshipFactory(child=child, user=partner)
    for person in (owner, partner):
        second.staff_iin_hash = iin_hash(person.profile.iin)
        second.save()
        assert inside(second).post(FIND, {"term": owner.profile.iin}).context["form"].has_error("term")
        with pytest.raises(NotMoved) as refused:
            opened(owner, second)
        assert refused.value.fault is Fault.RELATED
    one = opened(owner, first)
    desk = inside(second)
    assert desk.post(page_of(one, "work", "approve")).status_code == 302
    for decide in (assisted.approve, partial(assisted.withdraw, reason="Жоқ")):
        with pytest.raises(NotMoved):
            decide(one, actor=second, address=None, now=NOW)
    assert NumberMove.objects.get().is_live


def test_none_is_approved_while_a_dispute_is_open(owner, first, second):
    child = ChildFactory()
    GuardianshipFactory(child=child, user=owner)
    dispute = DisputeFactory(
        guardianship=GuardianshipFactory(child=child, user=UserFactory()), raised_by=owner
    )
    one = opened(owner, first)
    desk = inside(second)
    page = desk.get(page_of(one))
    # Neither counted nor offered, and told to an employee, not to the owner.
    assert not assisted.to_approve(second).exists()
    assert len(page.context["works"]) == 1
    with pytest.raises(NotMoved) as refused:
        assisted.approve(one, actor=second, address=None, now=NOW)
    assert page.context["why_not"] == [refused.value.at_work]
    assert refused.value.at_work != str(refused.value)
    assert press(desk, page_of(one, "work", "approve")).status_code == 302
    assert NumberMove.objects.get().is_live
    owner.refresh_from_db()
    assert owner.phone != NEW
    dispute.outcome, dispute.decided_at, dispute.freed_at = "stands", NOW, NOW
    dispute.save()
    assisted.approve(one, actor=second, address=None, now=NOW)
    owner.refresh_from_db()
    assert owner.phone == NEW


def test_the_role_sees_nothing_else(owner, first):
    desk = inside(first)
    for page in ("accounts/user/", "accounts/profile/", "applications/application/", "children/dispute/",
                 "notifications/message/", "accounts/auditentry/", "applications/bid/"):  # fmt: skip
        assert desk.get(f"/admin/{page}").status_code == 403, page


def test_searches_are_counted_and_no_step_is_skipped(owner, first):
    desk = inside(first)
    assert desk.get(SEEN).url == FIND
    assert desk.get(CODE).url == FIND
    for _ in range(30):
        assert desk.post(FIND, {"term": "+77019998877"}).context["form"].has_error("term")
    assert desk.post(FIND, {"term": owner.profile.iin}).status_code == 200
    assert not AuditEntry.objects.filter(subject=owner).exists()


def test_new_numbers_are_counted_as_searches_are(owner, first):
    """The answer tells which of them are registered, and every other gets an SMS."""
    desk = inside(first)
    seen = begun(desk, owner)
    for number in range(LOOK_UP_PER_EMPLOYEE.times - 2):
        desk.post(seen, FIELDS | {"phone": f"8 702 333 {number:04d}"})
    sent = Message.objects.count()
    assert sent == LOOK_UP_PER_EMPLOYEE.times - 2
    taken = UserFactory().phone.as_e164
    assert "аккаунт" in str(desk.post(seen, FIELDS | {"phone": taken}).context["form"].errors["phone"])
    refused = [
        desk.post(seen, FIELDS | {"phone": phone}).context["form"].errors["phone"]
        for phone in (taken, "8 702 334 00 00")
    ]
    assert refused[0] == refused[1]
    assert Message.objects.count() == sent


def test_a_number_of_an_account_is_no_new_one(owner, first):
    """Of its own account least of all: then an SMS to it is enough for a new password."""
    desk = inside(first)
    seen = begun(desk, owner)
    said = {}
    for phone in (UserFactory().phone.as_e164, owner.phone.as_e164, "+44 20 7946 0018"):
        said[phone] = str(desk.post(seen, FIELDS | {"phone": phone}).context["form"].errors["phone"])
    own = said[owner.phone.as_e164]
    assert "Құпия сөзді ұмыттым" in own
    assert len(set(said.values())) == 3
    # The contact centre is not sent to the contact centre.
    assert not [words for words in said.values() if "айланыс орталығы" in words]
    assert not Message.objects.exists()


def test_two_people_side_by_side_in_one_session(owner, first):
    """Each tab goes on about whom it shows, in whatever order they are used."""
    other, desk = UserFactory(), inside(first)
    of_owner = begun(desk, owner)
    of_other = begun(desk, other)
    code = desk.post(of_owner, FIELDS).url
    last = begun(desk, UserFactory())
    assert other.profile.full_name in desk.get(of_other).content.decode()
    assert owner.profile.full_name in desk.get(code).content.decode()
    assert "/change/" in desk.post(code, {"code": newest_code(NEW)}).url
    assert AssistedMove.objects.get().move.account == owner
    assert "/code/" in desk.post(of_other, FIELDS | {"phone": "8 702 333 44 66"}).url
    # Of one that is done, of another session and of one too old nothing is known: nothing is sent, and that is said.
    sent = Message.objects.count()
    for _ in range(8):
        begun(desk, UserFactory())
    for browser, page in ((desk, code), (desk, last), (inside(employee(Role.CONTACT_CENTRE)), of_other)):
        answer = browser.post(page, FIELDS | {"code": "123456"}, follow=True)
        assert answer.redirect_chain[-1][0] == FIND
        said = [str(one) for one in answer.context["messages"]]
        assert said[-1].startswith("Ештеңе жіберілген жоқ")
    assert Message.objects.count() == sent


def test_no_code_is_sent_for_what_can_not_be_asked_for(owner, first, second):
    """The move of a colleague is named before anybody has to read a code."""
    code = inside(first)
    at_code = code.post(begun(code, owner), FIELDS).url
    one = opened(owner, second)
    sent = Message.objects.count()
    desk = inside(second)
    seen = begun(desk, owner)
    for page in (desk.get(seen), desk.post(seen, FIELDS | {"phone": "8 702 333 44 77"})):
        assert page_of(one) in page.content.decode()
    assert "seen" in code.post(at_code, {"code": newest_code(NEW)}).url
    assert Message.objects.count() == sent


def test_the_page_of_the_code_is_no_dead_end(owner, first, time_machine):
    desk = inside(first)
    code = desk.post(begun(desk, owner), FIELDS).url
    wrong = "000000" if newest_code(NEW) != "000000" else "111111"
    for _ in range(5):
        page = desk.post(code, {"code": wrong})
    seen = code.replace("/code/", "/seen/")
    assert 'name="resend"' in page.content.decode()
    assert seen in page.content.decode()
    # What was entered is there still, for another number.
    assert FIELDS["why"] in desk.get(seen).content.decode()
    time_machine.move_to(NOW + timedelta(minutes=2), tick=False)
    assert desk.post(code, {"resend": "1"}).url == code
    assert "/change/" in desk.post(code, {"code": newest_code(NEW)}).url


def test_who_is_served_counts_as_no_guess(first, time_machine):
    """An employee serves as many as come; only what led to nothing is counted."""
    desk = inside(first)
    for number in range(LOOK_UP_PER_EMPLOYEE.times // 2 + 1):
        phone = f"+7702333{number:04d}"
        time_machine.move_to(NOW + timedelta(minutes=number), tick=False)
        code = desk.post(begun(desk, UserFactory()), FIELDS | {"phone": phone}).url
        assert "/change/" in desk.post(code, {"code": newest_code(phone)}).url
    for _ in range(LOOK_UP_PER_EMPLOYEE.times):
        assert desk.post(FIND, {"term": "+77019998877"}).context["form"].has_error("term")
    assert desk.post(FIND, {"term": UserFactory().profile.iin}).status_code == 200


def test_after_the_owner_stopped_one_the_next_needs_a_reason_that_says_so(owner, first, second):
    """Whoever searches, asks and approves reads of it; 90 days later nobody does."""
    earlier = opened(owner, first)
    moves.stop(earlier.move, by=owner, address=None, now=NOW)
    declined = assisted.open_move(
        owner,
        new_phone=NEW,
        document=AssistedMove.Document.CARD,
        why="Көрді",
        actor=first,
        address=None,
        now=NOW,
    )
    assisted.withdraw(declined, reason="Суреті ұқсамайды", actor=second, address=None, now=NOW)
    desk, colleague = inside(first), inside(second)
    seen = begun(desk, owner)
    code = desk.post(seen, FIELDS).url
    one_page = desk.post(code, {"code": newest_code(NEW)}).url
    one = AssistedMove.objects.all()[0]
    approve, despite = (page_of(one, "work", name) for name in ("approve", "approve-despite"))
    for page in (desk.get(begun(desk, owner)), colleague.get(one_page), colleague.get(despite)):
        assert "Суреті ұқсамайды" in page.content.decode()
        assert str(NumberMove.Stopped.BY_OWNER.label) in page.content.decode()
    assert approve not in colleague.get(one_page).content.decode()
    assert press(colleague, approve).status_code == 302
    with pytest.raises(NotMoved) as refused:
        assisted.approve(one, actor=second, address=None, now=NOW)
    assert refused.value.fault is Fault.STOPPED_BEFORE
    assert press(colleague, despite).context["form"].has_error("reason")
    assert NumberMove.objects.get(pk=one.move_id).is_live
    assert press(colleague, despite, {"reason": "Некелік куәлігін де көрсетті"}).status_code == 302
    owner.refresh_from_db()
    assert owner.phone == NEW
    assert AuditEntry.objects.get(action=Action.NUMBER_MOVED).reason == "Некелік куәлігін де көрсетті"
    for age, counts in ((rules.REFUSED_FOR, False), (rules.REFUSED_FOR - timedelta(microseconds=1), True)):
        assert bool(assisted.refused_before(owner, now=NOW + age)) == counts
