"""«Stop»: what is halted, for whom, until when; what happens to each deadline; who may stop whom, and who decides."""

from datetime import date, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.crypto import keyed_hash
from accounts.models import Profile
from accounts.registry import PersonNotFound, PhoneTie, RegistryUnavailable, simulated_people
from accounts.registry.simulator import SimulatedRegistry
from applications import moves
from applications.access.handing_in import note_handing_in
from applications.benefits import claims
from applications.bidding import ending as bid_ending
from applications.bidding import offers
from applications.bidding.rush import Outcome, press
from applications.disputes import guardianships
from applications.disputes.halts import dispute_of
from applications.disputes.unknown_guardian import UnknownGuardian
from applications.jobs import deadlines, telling
from applications.journal_actions import Action
from applications.models import Application, Bid, Event, Extension, Offer, Referral
from applications.moves import Refused
from applications.referrals import due, extending, issuing
from applications.referrals import ending as referral_ending
from applications.refusals import Refusal
from applications.states import (
    BY_GUARDIANS,
    COSTLY,
    HELD,
    MOVES,
    ApplicationState,
    BenefitState,
    Move,
    OfferState,
    ReferralState,
)
from applications.waiting import changes, filing
from bulletin.calendar import working_calendar
from bulletin.models import Holiday
from children.disputes import STOPPABLE_FOR, is_halted, stoppable
from children.journal_actions import Action as ChildAction
from children.models import Dispute, Guardianship
from children.services import ChildRefused, GuardianshipBarred, add_child, find_child
from notifications.kinds import BOTH, KINDS
from notifications.models import Message, Notice
from tests.applications.bidding.given_back import offered_to
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import ZONE
from tests.factories import (
    ApplicationFactory,
    BenefitCategoryFactory,
    BenefitFactory,
    ChildFactory,
    GuardianshipFactory,
    LocalityFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]

MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1)
STANDS, ENDS = Dispute.Outcome.STANDS, Dispute.Outcome.ENDS


def refused(reason):
    return pytest.raises(Refused, check=lambda error: error.reason == reason)


def know(user, tie=PhoneTie.YES):
    """What the state says of the phone of `user`."""
    user.profile.phone_tie = tie
    user.profile.save()


@pytest.fixture
def newcomer(scene):
    """Somebody who was added to the manual's child an hour ago, and whose phone the state does not know.

    That of the child's first guardian it knows.
    """
    know(scene.parent)
    return GuardianshipFactory(
        child=scene.application.child,
        verified_at=scene.now - timedelta(hours=1),
        user__profile__last_name="ОМАРОВ",
        user__profile__first_name="ТІМУР",
    ).user


@pytest.fixture
def stop(scene, newcomer):
    """Presses «Stop»: by the child's first guardian, about the newcomer."""

    def pressed(*, by=scene.parent, about=newcomer, is_tied=False, at=scene.now):
        return guardianships.stop_guardian(about, by=by, is_tied=is_tied, now=at)

    return pressed


@pytest.fixture
def decide(scene):
    def decided(outcome=STANDS, *, at=scene.now, by=scene.staff, reason="Туу туралы куәлік көрсетілді"):
        dispute = Dispute.objects.get()
        return guardianships.decide_guardianship(
            dispute, outcome=outcome, actor=by, reason=reason, overrules=dispute.decided_at, now=at
        )

    return decided


def journal(user):
    return list(user.journal.order_by("id").values_list("action", flat=True))


class TestTheStop:
    def test_everybody_concerned_is_told_and_has_it_in_the_journal(self, scene, newcomer, stop):
        grandmother = GuardianshipFactory(child=scene.application.child).user
        (dispute,) = stop()
        assert (dispute.raised_by, dispute.guardianship.user, dispute.is_halting) == (
            scene.parent,
            newcomer,
            True,
        )
        for person in (scene.parent, newcomer, grandmother):
            notice = Notice.objects.get(recipient=person, kind="guardian_stopped")
            assert ("О••••• Т." in notice.text_kk) == (person != newcomer)
            assert ("Бұл сізге қатысты" in notice.text_kk) == (person == newcomer)
            assert ("Что делать" in notice.text_ru) == (person == newcomer)
            assert "28.06.2019" in notice.text_ru
            for hidden in ("ОМАРОВ", "ТІМУР"):
                assert hidden not in notice.text_kk + notice.text_ru
            assert Message.objects.filter(recipient=person, kind="guardian_stopped").count() == 1
            entry = person.journal.get(action=ChildAction.GUARDIAN_STOPPED)
            assert (entry.actor, entry.target) == (scene.parent, scene.application.child.full_name)

    def test_where_it_was_pressed_stands_only_in_the_journal_of_who_pressed(self, scene, newcomer):
        guardianships.stop_guardian(
            newcomer, by=scene.parent, is_tied=False, address="10.1.2.3", now=scene.now
        )
        assert scene.parent.journal.get(action=ChildAction.GUARDIAN_STOPPED).address == "10.1.2.3"
        assert newcomer.journal.get(action=ChildAction.GUARDIAN_STOPPED).address is None

    @pytest.mark.parametrize(
        ("pressed", "last_day"),
        [
            (datetime(2019, 6, 26, 0, 0, tzinfo=ZONE), date(2019, 6, 28)),
            (datetime(2019, 6, 26, 23, 59, 59, 999999, tzinfo=ZONE), date(2019, 6, 28)),
            # A Friday; the Monday after the next weekend, 8 July, is a transferred day off.
            (datetime(2019, 7, 5, 18, 0, tzinfo=ZONE), date(2019, 7, 10)),
            (datetime(2019, 7, 6, 12, 0, tzinfo=ZONE), date(2019, 7, 10)),
        ],
    )
    def test_an_official_has_two_working_days(self, scene, newcomer, stop, pressed, last_day):
        Guardianship.objects.update(added_at=pressed - DAY)
        (dispute,) = stop(at=pressed)
        assert dispute.due_at == datetime.combine(last_day + DAY, datetime.min.time(), tzinfo=ZONE)
        for at, is_late in ((dispute.due_at - MICROSECOND, False), (dispute.due_at, True)):
            halt = dispute_of(scene.application, now=at)
            assert (halt.last_day, halt.is_late) == (last_day, is_late)

    def test_a_calendar_that_was_not_loaded_stops_no_stop(self, scene, stop):
        Holiday.objects.all().delete()
        (dispute,) = stop()
        assert dispute.due_at == datetime(2019, 6, 29, tzinfo=ZONE)

    def test_the_phones_owner_is_never_frozen(self, scene, newcomer, stop):
        (dispute,) = stop(is_tied=True)
        assert not dispute.is_halting
        assert not is_halted(scene.application.child)
        assert place_bid(scene.application, scene.vacancy, actor=newcomer, now=scene.now)
        bid_ending.withdraw_bid(Bid.objects.get(), actor=newcomer, now=scene.now)
        filing.archive(scene.application, actor=newcomer, now=scene.now)
        assert Notice.objects.filter(kind="guardian_reported").count() == 2
        assert newcomer.journal.filter(action=ChildAction.GUARDIAN_STOPPED).exists()

    def test_one_press_is_for_all_children_of_both(self, scene, newcomer, stop):
        other = ChildFactory()
        for user in (scene.parent, newcomer):
            GuardianshipFactory(child=other, user=user, verified_at=scene.now - DAY)
        strangers = GuardianshipFactory(user=newcomer).child
        assert {dispute.guardianship.child for dispute in stop()} == {scene.application.child, other}
        assert not is_halted(strangers)


class TestOnePressForTwoChildren:
    @pytest.fixture
    def other(self, scene, newcomer):
        child = ChildFactory(last_name="СЕРІКОВ")
        for user in (scene.parent, newcomer):
            GuardianshipFactory(child=child, user=user, verified_at=scene.now - DAY)
        return child

    def test_everybody_gets_one_sms_and_one_notice_with_both_names(self, scene, newcomer, stop, other):
        """Two identical SMS came within 15 milliseconds."""
        stop()
        for person in (scene.parent, newcomer):
            assert Message.objects.filter(recipient=person, kind="guardian_stopped").count() == 1
            notice = Notice.objects.get(recipient=person, kind="guardian_stopped")
            for child in (scene.application.child, other):
                assert child.full_name in notice.text_kk
                assert person.journal.filter(
                    action=ChildAction.GUARDIAN_STOPPED, target=child.full_name
                ).exists()

    def test_who_knows_one_of_the_children_reads_of_that_one(self, scene, stop, other):
        aunt = GuardianshipFactory(child=other, verified_at=scene.now - DAY).user
        stop()
        text = Notice.objects.get(recipient=aunt, kind="guardian_stopped").text_kk
        assert other.full_name in text
        assert scene.application.child.full_name not in text

    def test_a_child_that_both_have_only_since_the_lock_is_left_to_the_next_press(
        self, scene, newcomer, monkeypatch
    ):
        """It is not locked: two who stop at once would both raise a dispute of it, and one press be an error."""
        lock = guardianships._lock_children
        child = ChildFactory()

        def lock_and_add(pks):
            lock(pks)
            if child.pk not in pks:
                for user in (scene.parent, newcomer):
                    GuardianshipFactory(child=child, user=user, verified_at=scene.now)

        monkeypatch.setattr(guardianships, "_lock_children", lock_and_add)
        (dispute,) = guardianships.stop_guardian(newcomer, by=scene.parent, is_tied=False, now=scene.now)
        assert dispute.guardianship.child == scene.application.child
        assert not is_halted(child)


class TestAWeapon:
    """Who registered first with the father's IIN does not shut out the mother who comes later."""

    @pytest.fixture
    def mother(self, scene, newcomer):
        """She came an hour ago. `scene.parent` is the stranger: first, and unknown to the state."""
        know(scene.parent, PhoneTie.UNKNOWN)
        return newcomer

    def test_between_two_whom_nobody_knows_both_have_the_same_restrictions(self, scene, mother, stop):
        """He stopped her, sent bids for her child, and she could do nothing."""
        (dispute,) = stop(by=scene.parent, about=mother)
        assert dispute.is_mutual
        for user in (scene.parent, mother):
            with refused(Refusal.UNPROVEN):
                place_bid(scene.application, scene.vacancy, actor=user, now=scene.now)
            assert _press(scene, user) == Refusal.UNPROVEN
            with refused(Refusal.UNPROVEN):
                changes.change_languages(scene.application, languages=["ru"], actor=user, now=scene.now)
            with refused(Refusal.HALTED):
                filing.archive(scene.application, actor=user, now=scene.now)

    def test_who_can_stop_nobody_reads_what_else_can_be_done(self, scene, newcomer, client_of):
        """The button «I don't know this person» of a notice leads there."""
        page = client_of(newcomer).get(reverse("accounts:stop_choose"))
        assert not any(group["choices"] for group in page.context["shown"])
        assert f'href="{reverse("applications:objections")}"' in page.content.decode()
        assert 'href="tel:' in page.content.decode().partition("<main")[2].partition("</main>")[0]

    def test_a_third_guardian_bids_meanwhile(self, scene, mother, stop):
        aunt = GuardianshipFactory(child=scene.application.child, verified_at=scene.now).user
        stop(by=scene.parent, about=mother)
        assert _press(scene, aunt) == Outcome.PLACED

    def test_another_child_is_not_concerned(self, scene, mother, stop):
        own = ApplicationFactory(
            child__birth_date=scene.application.child.birth_date,
            locality=scene.locality,
            languages=["kk", "ru"],
        )
        GuardianshipFactory(child=own.child, user=scene.parent)
        stop(by=scene.parent, about=mother)
        own.refresh_from_db()
        assert place_bid(own, scene.vacancy, actor=scene.parent, now=scene.now)

    def test_it_does_not_bite_whom_the_state_knows_and_she_answers(self, scene, mother, stop):
        know(mother)
        (against_her,) = stop(by=scene.parent, about=mother, is_tied=True)
        assert not against_her.is_halting
        (against_him,) = stop(by=mother, about=scene.parent)
        assert (against_him.guardianship.user, against_him.is_mutual) == (scene.parent, False)
        assert _press(scene, scene.parent) == Refusal.DISPUTED
        assert _press(scene, mother) == Outcome.PLACED
        with refused(Refusal.HALTED):
            bid_ending.withdraw_bid(Bid.objects.get(), actor=scene.parent, now=scene.now)

    def test_she_answers_too_where_she_was_halted_before_the_state_knew_her(self, scene, mother, stop):
        stop(by=scene.parent, about=mother)
        know(mother)
        assert stop(by=mother, about=scene.parent)
        deadlines.settle_disputes(now=scene.now)
        assert _press(scene, scene.parent) == Refusal.DISPUTED
        assert _press(scene, mother) == Outcome.PLACED

    @pytest.mark.parametrize(
        ("hers", "his", "may"),
        [
            (PhoneTie.YES, PhoneTie.UNKNOWN, True),
            (PhoneTie.YES, PhoneTie.NO, True),
            (PhoneTie.YES, PhoneTie.YES, False),
            (PhoneTie.UNKNOWN, PhoneTie.UNKNOWN, False),
            (PhoneTie.NO, PhoneTie.UNKNOWN, False),
        ],
    )
    def test_who_came_later_stops_who_was_there_by_the_phones(self, scene, mother, stop, hers, his, may):
        know(mother, hers)
        know(scene.parent, his)
        if may:
            assert stop(by=mother, about=scene.parent)
        else:
            with refused(Refusal.NOT_STOPPABLE):
                stop(by=mother, about=scene.parent)

    @pytest.mark.parametrize(("age", "may"), [(STOPPABLE_FOR - MICROSECOND, True), (STOPPABLE_FOR, False)])
    def test_for_thirty_days_after_she_came(self, scene, mother, age, may):
        know(mother)
        Guardianship.objects.filter(user=mother).update(added_at=scene.now - age)
        Guardianship.objects.filter(user=scene.parent).update(added_at=scene.now - 400 * DAY)
        assert stoppable(mother, now=scene.now).exists() == may

    def test_nor_whom_an_official_confirmed(self, scene, mother):
        know(mother)
        Guardianship.objects.filter(user=scene.parent).update(source=Guardianship.Source.OFFICIAL)
        assert not stoppable(mother, now=scene.now).exists()

    def test_an_officials_word_is_as_good_as_the_states(self, scene, mother, stop, decide):
        """He stopped her, the official found her papers right: now she may ask about him."""
        stop(by=scene.parent, about=mother)
        decide(STANDS)
        (against_him,) = stop(by=mother, about=scene.parent)
        assert (against_him.guardianship.user, against_him.is_mutual) == (scene.parent, False)
        assert _press(scene, mother) == Outcome.PLACED

    def test_whoever_pressed_is_free_once_the_state_knows_them(self, scene, mother, stop):
        stop(by=scene.parent, about=mother)
        deadlines.settle_disputes(now=scene.now)
        assert _press(scene, scene.parent) == Refusal.UNPROVEN
        know(scene.parent)
        deadlines.settle_disputes(now=scene.now)
        assert _press(scene, mother) == Refusal.DISPUTED
        assert _press(scene, scene.parent) == Outcome.PLACED
        assert is_halted(scene.application.child)
        for person in (scene.parent, mother):
            assert journal(person).count(ChildAction.PRESSER_PROVEN) == 1

    def test_the_other_guardians_read_what_holds(self, scene, mother, stop):
        stop(by=scene.parent, about=mother)
        for person in (scene.parent, mother):
            assert (
                "обе стороны не могут"
                in Notice.objects.get(recipient=person, kind="guardian_stopped").text_ru
            )

    def test_the_page_of_stop_offers_her_who_was_there_before(self, scene, mother, client_of, settings):
        settings.PERSON_REGISTRY = f"{__name__}.Knows"
        page = client_of(mother).get(reverse("accounts:stop_choose")).content.decode()
        assert scene.parent.profile.masked_name in page
        answer = client_of(mother).post(
            reverse("accounts:stop_choose"),
            {"kind": "guardian", "key": str(scene.parent.pk), "confirm": "1"},
            follow=True,
        )
        assert "Тоқтатылды" in answer.content.decode()
        assert Dispute.objects.get().guardianship.user == scene.parent

    @pytest.mark.parametrize("reader", ["stranger", "mother"])
    def test_the_pages_say_that_neither_can(self, scene, mother, stop, client_of, reader):
        stop(by=scene.parent, about=mother)
        browser = client_of(scene.parent if reader == "stranger" else mother)
        for address in (
            scene.application.get_absolute_url(),
            reverse("children:child", args=[scene.application.child.pk]),
        ):
            assert "екеуіңіз де өтінім жібере алмайсыз" in browser.get(address).content.decode()
        apply = reverse("applications:apply", args=[scene.application.pk, scene.vacancy.pk])
        assert browser.post(apply).status_code == 409
        mine = reverse("applications:bulletin") + "?status=me"
        assert scene.vacancy.get_absolute_url() not in browser.get(mine).content.decode()


class Knows(SimulatedRegistry):
    """A base of mobile citizens that knows the newcomer's phone as theirs, and no other."""

    def phone_tie(self, *, phone, iin):
        newcomer = Guardianship.objects.latest("pk").user
        return PhoneTie.YES if phone == newcomer.phone.as_e164 else PhoneTie.UNKNOWN


class TestWhatIsHaltedForWhom:
    """Every act that a family has, by who does it: what can cost the child a place or its matches is halted."""

    def act(self, scene, name, actor):
        application = Application.objects.get(pk=scene.application.pk)
        if name == "languages":
            return changes.change_languages(application, languages=["ru"], actor=actor, now=scene.now)
        if name == "bid":
            return place_bid(application, scene.vacancy, actor=actor, now=scene.now)
        if name == "benefit":
            return claims.claim_benefit(
                application,
                BenefitCategoryFactory(),
                document=ContentFile(b"x", name="a.jpg"),
                original_name="a.jpg",
                actor=actor,
                now=scene.now,
            )
        if name == "restore":
            Application.objects.update(state=ApplicationState.ARCHIVED, archived_at=scene.now)
            Event.objects.create(
                application=application, at=scene.now, move="archive", from_state="waiting", to_state="archived",
                actor=actor, locality=scene.locality, birth_year=2017, tier=2, filed_at=scene.now,
            )  # fmt: skip
            return filing.restore(application, actor=actor, now=scene.now)
        Application.objects.update(state=ApplicationState.ARCHIVED, archived_at=scene.now - 9 * DAY)
        return filing.file_application(
            child=application.child, locality=scene.locality, languages=["kk"], actor=actor, now=scene.now
        )

    @pytest.mark.parametrize("name", ["languages", "bid", "benefit", "restore", "file"])
    def test_of_a_proven_guardian_all_are_free_and_of_the_disputed_none(self, scene, newcomer, stop, name):
        stop()
        with refused(Refusal.DISPUTED), transaction.atomic():
            self.act(scene, name, newcomer)
        assert Application.objects.get().languages == scene.application.languages
        assert not scene.application.benefits.exists()
        assert not Bid.objects.exists()
        assert self.act(scene, name, scene.parent)

    @pytest.mark.parametrize("name", ["benefit", "restore", "file"])
    @pytest.mark.parametrize("side", ["who pressed", "who is disputed"])
    def test_where_nobody_is_proven_either_may_begin(self, scene, newcomer, stop, name, side):
        """To halt these for both would cost the child its date."""
        know(scene.parent, PhoneTie.UNKNOWN)
        stop()
        assert self.act(scene, name, scene.parent if side == "who pressed" else newcomer)

    @pytest.mark.parametrize(
        ("name", "words"), [("languages", "сізді танымайды"), ("claim_benefit", "сізді танымайды")]
    )
    def test_pages_do_not_offer_it_and_their_addresses_say_why(
        self, scene, newcomer, stop, client_of, name, words
    ):
        BenefitCategoryFactory()
        stop()
        browser, address = client_of(newcomer), reverse(f"applications:{name}", args=[scene.application.pk])
        assert address not in browser.get(scene.application.get_absolute_url()).content.decode()
        for method in ("get", "post"):
            answer = getattr(browser, method)(address, {"languages": "ru", "confirm": "1"})
            assert answer.status_code == 403
            assert words in answer.content.decode()
        assert Application.objects.get().languages == scene.application.languages
        assert client_of(scene.parent).get(address).status_code == 200

    def test_filing_is_refused_in_words(self, scene, newcomer, stop, client_of):
        Application.objects.update(state=ApplicationState.ARCHIVED, archived_at=scene.now - 9 * DAY)
        stop()
        fields = {
            "child": str(scene.application.child.pk),
            "locality": scene.locality.slug,
            "languages": "kk",
            "confirm": "1",
        }
        answer = client_of(newcomer).post(reverse("applications:new"), fields)
        assert "сізді танымайды" in answer.content.decode()
        assert Application.objects.count() == 1


class TestNothingIsHalted:
    """The newcomer's phone is theirs: every page says what is true."""

    @pytest.fixture
    def reported(self, scene, newcomer, stop):
        know(newcomer)
        stop(is_tied=True)

    def test_the_card_of_stop(self, scene, reported, client_of, clock):
        browser = client_of(scene.parent)
        page = browser.get(reverse("accounts:stop_choose")).content.decode()
        assert "ештеңе тоқтатылмайды" in page
        assert "Тоқтатылды." not in page
        clock.move_to(datetime(2019, 6, 29, tzinfo=ZONE))
        page = client_of(scene.parent).get(reverse("accounts:stop_choose")).content.decode()
        assert "Шешім кешігіп жатыр" in page
        assert "Тоқтатылды." not in page

    @pytest.mark.parametrize("reader", ["parent", "newcomer"])
    def test_the_pages_of_the_child_and_of_the_application(
        self, scene, newcomer, reported, client_of, reader
    ):
        browser = client_of(scene.parent if reader == "parent" else newcomer)
        for address in (
            scene.application.get_absolute_url(),
            reverse("children:child", args=[scene.application.child.pk]),
        ):
            page = browser.get(address).content.decode()
            assert "ештеңе тоқтатылмайды" in page
            assert 'datetime="2019-06-28"' in page
            assert ("сізді танымайды" in page) == (reader == "newcomer")
        assert "ештеңе тоқтатылған жоқ" in browser.get(reverse("applications:cabinet")).content.decode()

    def test_it_goes_with_the_decision(self, scene, reported, decide, client_of):
        decide(STANDS)
        page = client_of(scene.parent).get(scene.application.get_absolute_url()).content.decode()
        assert "ештеңе тоқтатылмайды" not in page


class TestTheStartOfTheCabinet:
    """Who was added and may be stopped stands there first, for as long as that is so."""

    question = "Оны танисыз ба?"

    def start(self, client_of, user):
        return client_of(user).get(reverse("applications:cabinet")).content.decode()

    def test_it_tells_of_a_newcomer_with_the_way_to_stop_them(self, scene, newcomer, client_of):
        page = self.start(client_of, scene.parent)
        told = page[page.index("<section") : page.index("<article")]
        assert self.question in told
        for part in (
            scene.application.child.full_name,
            newcomer.profile.masked_name,
            reverse("accounts:stop"),
        ):
            assert part in told
        assert newcomer.profile.last_name not in page

    def test_nobody_who_can_not_be_stopped(self, scene, newcomer, stop, client_of, clock):
        assert self.question not in self.start(client_of, newcomer)
        stop()
        assert self.question not in self.start(client_of, scene.parent)

    def test_nor_later_than_that(self, scene, newcomer, client_of, clock):
        added = Guardianship.objects.get(user=newcomer).added_at
        clock.move_to(added + STOPPABLE_FOR - MICROSECOND)
        assert self.question in self.start(client_of, scene.parent)
        clock.move_to(added + STOPPABLE_FOR)
        assert self.question not in self.start(client_of, scene.parent)

    def test_however_many_it_takes_one_query(self, scene, newcomer, client_of, django_assert_num_queries):
        browser = client_of(scene.parent)
        with CaptureQueriesContext(connection) as one:
            browser.get(reverse("applications:cabinet"))
        for _each in range(3):
            GuardianshipFactory(child=scene.application.child, verified_at=scene.now)
        with django_assert_num_queries(len(one)):
            page = browser.get(reverse("applications:cabinet")).content.decode()
        assert page.count(self.question) == 4


class TestWhoMayStopWhom:
    def test_nobody_stops_who_was_there_before(self, scene, newcomer, stop):
        with refused(Refusal.NOT_STOPPABLE):
            stop(by=newcomer, about=scene.parent)
        assert not Dispute.objects.exists()

    def test_nor_somebody_elses_childs_guardian_nor_themselves(self, scene, newcomer, stop):
        for by in (UserFactory(), GuardianshipFactory().user, newcomer):
            with refused(Refusal.NOT_STOPPABLE):
                stop(by=by)

    def test_a_former_guardian_does_not_count(self, scene, newcomer, stop):
        Guardianship.objects.filter(user=scene.parent).update(ended_at=scene.now)
        with refused(Refusal.NOT_STOPPABLE):
            stop()

    @pytest.mark.parametrize(("age", "may"), [(STOPPABLE_FOR - MICROSECOND, True), (STOPPABLE_FOR, False)])
    def test_thirty_days(self, scene, newcomer, age, may):
        Guardianship.objects.filter(user=newcomer).update(added_at=scene.now - age)
        assert stoppable(scene.parent, now=scene.now).exists() == may

    def test_whom_an_official_confirmed_is_not_stopped(self, scene, newcomer, stop):
        Guardianship.objects.filter(user=newcomer).update(source=Guardianship.Source.OFFICIAL)
        with refused(Refusal.NOT_STOPPABLE):
            stop()

    def test_who_is_disputed_stops_nobody_for_this_child(self, scene, newcomer, stop, decide):
        third = GuardianshipFactory(child=scene.application.child, verified_at=scene.now).user
        stop()
        with refused(Refusal.NOT_STOPPABLE):
            stop(by=newcomer, about=third)
        decide(STANDS)
        assert stop(by=newcomer, about=third)

    def test_a_second_press_changes_nothing_and_is_journalled(self, scene, newcomer, stop):
        (first,) = stop()
        (again,) = stop(at=scene.now + DAY)
        assert again == first
        assert again.raised_at == scene.now
        assert Dispute.objects.count() == 1
        assert Notice.objects.filter(kind="guardian_stopped").count() == 2
        for person in (scene.parent, newcomer):
            assert journal(person).count(ChildAction.STOP_REPEATED) == 1

    def test_another_guardian_adds_nothing_to_a_running_stop(self, scene, newcomer, stop):
        uncle = GuardianshipFactory(child=scene.application.child).user
        # Added before the newcomer.
        Guardianship.objects.filter(user=newcomer).delete()
        late = GuardianshipFactory(child=scene.application.child, verified_at=scene.now).user
        (first,) = stop(about=late)
        (second,) = stop(by=uncle, about=late)
        assert second == first
        assert journal(uncle)[-1] == ChildAction.STOP_REPEATED

    @pytest.mark.parametrize("outcome", [STANDS])
    def test_what_was_decided_is_not_reopened_by_anybody(self, scene, newcomer, stop, decide, outcome):
        stop()
        decide(outcome)
        with refused(Refusal.ALREADY_DECIDED):
            stop(at=scene.now + DAY)
        assert not is_halted(scene.application.child)
        # It is in the journal all the same.
        assert journal(scene.parent)[-1] == ChildAction.STOP_REPEATED


@pytest.fixture
def costly(scene):
    """Each costly act as a call, made from the state in which it could be made."""

    def state_for(name):
        if name in ("withdraw", "extend"):
            place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        if name == "extend":
            issuing.activate_bid(Bid.objects.get(), actor=scene.staff, now=scene.now)
        if name == "decline":
            offered_to(scene)
        if name == "withdraw_benefit":
            BenefitFactory(application=scene.application)

    def call(name, actor, *, at=scene.now):
        application = Application.objects.get(pk=scene.application.pk)
        at_once = {
            "archive": lambda: filing.archive(application, actor=actor, now=at),
            "withdraw": lambda: bid_ending.withdraw_bid(Bid.objects.get(), actor=actor, now=at),
            "decline": lambda: offers.decline_offer(
                Offer.objects.get(state=OfferState.OFFERED), actor=actor, now=at
            ),
            "withdraw_benefit": lambda: claims.withdraw_benefit(
                application.benefits.get(), actor=actor, now=at
            ),
        }
        if name in at_once:
            return at_once[name]()
        if name == "move":
            kentau = LocalityFactory(slug="kentau", name_kk="Кентау", name_ru="Кентау")
            return changes.change_locality(application, locality=kentau, keeps=True, actor=actor, now=at)
        return extending.extend_referral(
            Referral.objects.get(),
            actor=actor,
            until=due.last_day_of(Referral.objects.get()) + DAY,
            reason="illness",
            documents=[("a.jpg", ContentFile(b"x", name="a.jpg"))],
            now=at,
        )

    return state_for, call


COSTLY_ACTS = ["archive", "move", "withdraw", "decline", "withdraw_benefit", "extend"]

# Costly act -> what the one who did it finds in the inbox, and what every other guardian gets by inbox and SMS.
TOLD = {
    "archive": ("application_archived", "archived_by_other"),
    "move": ("application_changed", "moved_by_other"),
    "withdraw": ("bid_withdrawn", "bid_withdrawn_by_other"),
    "decline": ("offer_ended", "offer_declined_by_other"),
    "withdraw_benefit": (None, "benefit_withdrawn_by_other"),
    "extend": ("referral_extended", "referral_extended"),
}


class TestWhoIsTold:
    """Of what one guardian does, the others are told at once: by SMS, since an inbox is read when there is time."""

    @pytest.mark.parametrize("act", COSTLY_ACTS)
    def test_of_every_costly_act(self, scene, newcomer, costly, act):
        state_for, call = costly
        state_for(act)
        former = GuardianshipFactory(child=scene.application.child, ended_at=scene.now).user
        before = (set(Notice.objects.values_list("pk")), set(Message.objects.values_list("pk")))
        call(act, newcomer)
        notices = [one for one in Notice.objects.all() if (one.pk,) not in before[0]]
        messages = [one for one in Message.objects.all() if (one.pk,) not in before[1]]
        own, of_others = TOLD[act]
        told = {(one.recipient, one.kind) for one in notices}
        assert told == ({(newcomer, own)} if own else set()) | {(scene.parent, of_others)}
        by_sms = {(one.recipient, one.kind) for one in messages}
        assert by_sms - {(newcomer, of_others)} == {(scene.parent, of_others)}
        assert newcomer.profile.last_name not in "".join(one.text for one in messages)
        for guardian in (newcomer, scene.parent):
            assert guardian.journal.filter(actor=newcomer, at=scene.now).exists()
        assert not former.journal.exists()

    def test_other_languages_are_told_of_too_and_the_history_says_who(self, scene, newcomer, client_of):
        changes.change_languages(scene.application, languages=["ru"], actor=newcomer, now=scene.now)
        assert Notice.objects.get(recipient=newcomer, kind="application_changed")
        told = Message.objects.get(kind="languages_by_other")
        # The newcomer came after the parent, who may stop them; not so the other way round.
        assert told.recipient == scene.parent
        assert "«Тоқтату»" in told.text
        changes.change_languages(scene.application, languages=["kk"], actor=scene.parent, now=scene.now)
        back = Message.objects.get(kind="languages_by_other", recipient=newcomer)
        assert "«Тоқтату»" not in back.text
        for reader in (scene.parent, newcomer):
            page = client_of(reader).get(scene.application.get_absolute_url()).content.decode()
            history = page[page.index("timeline") :]
            assert history.count("Кім орындады: Мен") >= 1
            assert "Кім орындады: Баланың басқа заңды өкілі" in history

    def test_no_costly_move_is_left_out(self):
        moves_of_acts = {
            "archive": Move.ARCHIVE,
            "move": Move.CHANGE_LOCALITY,
            "withdraw": Move.WITHDRAW_BID,
            "decline": Move.DECLINE_OFFER,
            "extend": Move.EXTEND_REFERRAL,
        }
        assert set(moves_of_acts.values()) == COSTLY | HELD
        assert set(TOLD) == {*moves_of_acts, "withdraw_benefit"} == set(COSTLY_ACTS)
        for _own, of_others in TOLD.values():
            assert KINDS[of_others].channels == BOTH

    def test_a_second_benefit_taken_back_is_told_of_too(self, scene, newcomer):
        for _ in range(2):
            benefit = BenefitFactory(application=scene.application)
            claims.withdraw_benefit(benefit, actor=newcomer, now=scene.now)
        assert Message.objects.filter(kind="benefit_withdrawn_by_other").count() == 2


class TestWhatIsHalted:
    @pytest.mark.parametrize("act", [act for act in COSTLY_ACTS if act != "extend"])
    def test_a_proven_guardian_undoes_what_a_stranger_chose_and_the_stranger_nothing(
        self, scene, newcomer, stop, costly, act
    ):
        state_for, call = costly
        state_for(act)
        stop()
        with refused(Refusal.HALTED), transaction.atomic():
            call(act, newcomer)
        grandmother = GuardianshipFactory(child=scene.application.child).user
        with refused(Refusal.HALTED), transaction.atomic():
            call(act, grandmother)
        assert call(act, scene.parent)

    @pytest.mark.parametrize("act", COSTLY_ACTS)
    def test_between_two_unproven_costly_acts_are_halted_for_both_and_free_after_the_decision(
        self, scene, newcomer, stop, decide, costly, act, settings
    ):
        if act != "extend":
            know(scene.parent, PhoneTie.UNKNOWN)
        state_for, call = costly
        state_for(act)
        stop()
        before = list(Event.objects.values_list("pk", flat=True))
        files = sorted(settings.MEDIA_ROOT.rglob("*"))
        for actor in (newcomer, scene.parent):
            with refused(Refusal.HALTED):
                call(act, actor)
        assert list(Event.objects.values_list("pk", flat=True)) == before
        assert sorted(settings.MEDIA_ROOT.rglob("*")) == files
        decide(STANDS)
        assert call(act, scene.parent)

    @pytest.mark.parametrize("act", COSTLY_ACTS)
    def test_another_childs_stop_halts_nothing(self, scene, costly, act):
        elsewhere = ApplicationFactory().child
        late = GuardianshipFactory(child=elsewhere, verified_at=scene.now).user
        first = elsewhere.guardianships.order_by("pk").first().user
        guardianships.stop_guardian(late, by=first, is_tied=False, now=scene.now)
        state_for, call = costly
        state_for(act)
        assert call(act, scene.parent)

    def test_every_costly_move_is_refused_at_the_one_door(self, scene, stop):
        know(scene.parent, PhoneTie.UNKNOWN)
        stop()
        assert COSTLY
        for step in COSTLY | HELD:
            application = Application(
                pk=scene.application.pk,
                state=MOVES[step][0][0],
                child=scene.application.child,
                filed_by=scene.application.filed_by,
            )
            with refused(Refusal.HALTED):
                moves.move(application, step, actor=scene.parent, now=scene.now)

    def test_what_is_not_costly_goes_on(self, scene, newcomer, stop):
        """The kindergarten's work, the contract, and what the proven guardian chooses: nothing waits."""
        stop()
        changes.change_languages(scene.application, languages=["ru"], actor=scene.parent, now=scene.now)
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        referral = issuing.activate_bid(Bid.objects.get(), actor=scene.staff, now=scene.now)
        referral_ending.sign_contract(referral, actor=scene.staff, now=scene.now)
        assert Application.objects.get().state == ApplicationState.ENROLLED

    def test_an_offered_place_is_accepted_by_whoever_is_not_disputed(self, scene, newcomer, stop):
        offer = offered_to(scene)
        stop()
        with refused(Refusal.DISPUTED):
            offers.accept_offer(offer, actor=newcomer, now=scene.now)
        assert Offer.objects.get().state == OfferState.OFFERED
        assert offers.accept_offer(offer, actor=scene.parent, now=scene.now).holds_seat

    def test_the_newcomers_bids_only(self, scene, newcomer, stop, decide):
        stop()
        with refused(Refusal.DISPUTED):
            place_bid(scene.application, scene.vacancy, actor=newcomer, now=scene.now)
        assert _press(scene, newcomer) == Refusal.DISPUTED
        assert _press(scene, scene.parent) == Outcome.PLACED
        decide(STANDS)
        bid_ending.withdraw_bid(Bid.objects.get(), actor=scene.parent, now=scene.now)
        assert _press(scene, newcomer) == Outcome.PLACED

    def test_a_bid_sent_before_stays(self, scene, newcomer, stop):
        bid = place_bid(scene.application, scene.vacancy, actor=newcomer, now=scene.now)
        stop()
        assert _press(scene, newcomer) == Outcome.AGAIN
        assert issuing.activate_bid(bid, actor=scene.staff, now=scene.now)

    def test_whose_guardianship_was_ended_is_nobody(self, scene, newcomer, stop, decide):
        stop()
        decide(ENDS)
        assert _press(scene, newcomer) == Outcome.UNKNOWN
        assert not is_halted(scene.application.child)

    @pytest.mark.parametrize("act", COSTLY_ACTS)
    def test_who_is_no_guardian_any_more_does_nothing_costly(self, scene, newcomer, costly, act, settings):
        """A page asked before; the act asks under its locks."""
        state_for, call = costly
        state_for(act)
        Guardianship.objects.filter(user=newcomer).update(ended_at=scene.now)
        before = list(Event.objects.values_list("pk", flat=True))
        files = sorted(settings.MEDIA_ROOT.rglob("*"))
        with pytest.raises(PermissionDenied):
            call(act, newcomer)
        assert list(Event.objects.values_list("pk", flat=True)) == before
        assert sorted(settings.MEDIA_ROOT.rglob("*")) == files

    @pytest.mark.parametrize("step", sorted(BY_GUARDIANS - {Move.FILE}))
    def test_every_move_of_guardians_is_refused_to_others_at_the_one_door(self, scene, newcomer, step):
        Guardianship.objects.filter(user=newcomer).update(ended_at=scene.now)
        application = Application(
            pk=scene.application.pk, state=MOVES[step][0][0], child=scene.application.child
        )
        with pytest.raises(PermissionDenied):
            moves.move(application, step, actor=newcomer, now=scene.now)

    def test_nor_do_they_claim_a_benefit_or_accept_a_place(self, scene, newcomer):
        offer = offered_to(scene)
        Guardianship.objects.filter(user=newcomer).update(ended_at=scene.now)
        with pytest.raises(PermissionDenied):
            offers.accept_offer(offer, actor=newcomer, now=scene.now)
        with pytest.raises(PermissionDenied):
            claims.claim_benefit(
                scene.application,
                BenefitCategoryFactory(),
                document=ContentFile(b"x", name="a.jpg"),
                original_name="a.jpg",
                actor=newcomer,
                now=scene.now,
            )
        assert Offer.objects.get().state == OfferState.OFFERED
        assert scene.application.benefits.count() == 0

    def test_the_freeze_stays_while_the_official_is_late(self, scene, newcomer, stop, costly):
        know(scene.parent, PhoneTie.UNKNOWN)
        (dispute,) = stop()
        with refused(Refusal.HALTED):
            costly[1]("archive", scene.parent, at=dispute.due_at + 30 * DAY)


def _press(scene, user):
    return press(
        user_id=str(user.pk),
        password_stamp=user.get_session_auth_hash(),
        application_id=scene.application.pk,
        vacancy_id=scene.vacancy.pk,
    )


@pytest.fixture
def referral(scene):
    """Issued on 26.06.2019: the last day is 03.07.2019."""
    place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
    return issuing.activate_bid(Bid.objects.get(), actor=scene.staff, now=scene.now)


def last_day():
    return due.last_day_of(Referral.objects.get())


class TestDeadlines:
    def test_a_referral_does_not_expire_because_of_the_freeze(self, scene, stop, referral, clock):
        late = referral.valid_until + 10 * DAY
        stop()
        deadlines.settle_what_ran_out(now=late)
        referral_ending.expire_referral(referral, now=late)
        held = Referral.objects.get()
        assert (held.state, held.valid_until, held.is_valid(now=late)) == (
            ReferralState.ISSUED,
            referral.valid_until,
            True,
        )
        assert referral_ending.sign_contract(held, actor=scene.staff, now=late)

    @pytest.mark.parametrize(
        ("stopped", "decided", "expected"),
        [
            # Three working days came after that Friday, 1 to 3 July: three come after the decision.
            (datetime(2019, 6, 28, 9, 0, tzinfo=ZONE), datetime(2019, 7, 2, 17, 0, tzinfo=ZONE), date(2019, 7, 5)),
            # Decided on the same day: nothing moves.
            (datetime(2019, 6, 28, 9, 0, tzinfo=ZONE), datetime(2019, 6, 28, 18, 0, tzinfo=ZONE), date(2019, 7, 3)),
            # Stopped on the last day: one whole working day is left.
            (datetime(2019, 7, 3, 23, 0, tzinfo=ZONE), datetime(2019, 7, 4, 9, 0, tzinfo=ZONE), date(2019, 7, 5)),
            # Decided weeks too late, over a day off.
            (datetime(2019, 7, 2, 9, 0, tzinfo=ZONE), datetime(2019, 7, 5, 9, 0, tzinfo=ZONE), date(2019, 7, 9)),
            # Decided on a Saturday.
            (datetime(2019, 6, 28, 9, 0, tzinfo=ZONE), datetime(2019, 6, 29, 9, 0, tzinfo=ZONE), date(2019, 7, 3)),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("outcome", [STANDS, ENDS])
    def test_as_many_working_days_are_left_as_there_were(
        self, scene, stop, decide, referral, stopped, decided, expected, outcome
    ):
        stop(at=stopped)
        decide(outcome, at=decided)
        assert last_day() == expected
        assert Referral.objects.get().held_since is None
        moved = Notice.objects.filter(kind="referral_moved", recipient=scene.parent)
        assert moved.exists() == (expected != date(2019, 7, 3))
        if moved:
            assert f"{expected:%d.%m.%Y}" in moved.get().text_kk
        assert journal(scene.parent).count(Action.REFERRAL_HELD) == 1
        assert journal(scene.parent).count(Action.REFERRAL_RESUMED) == 1
        assert extending.extend_referral(
            Referral.objects.get(),
            actor=scene.parent,
            # Over a weekend: an extension ends on a working day.
            until=expected + 4 * DAY,
            reason="illness",
            documents=[("a.jpg", ContentFile(b"x", name="a.jpg"))],
            now=datetime.combine(expected + DAY, datetime.min.time(), tzinfo=ZONE) - MICROSECOND,
        )

    def test_after_it_the_new_last_day_ends_the_referral(self, scene, stop, decide, referral):
        stop(at=datetime(2019, 7, 3, 9, 0, tzinfo=ZONE))
        decide(at=datetime(2019, 7, 4, 9, 0, tzinfo=ZONE))
        until = Referral.objects.get().valid_until
        assert until == datetime(2019, 7, 6, tzinfo=ZONE)
        assert deadlines.settle_what_ran_out(now=until - MICROSECOND) == 0
        assert deadlines.settle_what_ran_out(now=until) == 1

    def test_the_paper_is_made_anew_only_where_it_names_another_day(self, scene, stop, decide, referral):
        Referral.objects.update(pdf="referrals/old.pdf")
        stop()
        decide()
        assert Referral.objects.get().pdf.name == "referrals/old.pdf"
        decide(ENDS, at=scene.now + DAY)
        assert Referral.objects.get().pdf.name == "referrals/old.pdf"

    def test_a_new_paper_for_a_new_day(self, scene, stop, decide, referral):
        Referral.objects.update(pdf="referrals/old.pdf")
        stop(at=datetime(2019, 7, 3, 9, 0, tzinfo=ZONE))
        decide(at=datetime(2019, 7, 4, 9, 0, tzinfo=ZONE))
        assert not Referral.objects.get().pdf

    def test_a_referral_issued_during_the_freeze_is_held_from_the_start(self, scene, stop, decide):
        stop()
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        referral = issuing.activate_bid(Bid.objects.get(), actor=scene.staff, now=scene.now)
        assert referral.held_since == scene.now
        decide(at=datetime(2019, 7, 1, 9, 0, tzinfo=ZONE))
        # Five working days after the decision, as after an issue on that day.
        assert last_day() == date(2019, 7, 9)

    def test_one_that_was_extended_runs_on(self, scene, stop, referral):
        """It can't be extended again: nothing that it needs is halted, and the place is not kept from others."""
        extending.extend_referral(
            referral,
            actor=scene.parent,
            until=date(2019, 7, 10),
            reason="illness",
            documents=[("a.jpg", ContentFile(b"x", name="a.jpg"))],
            now=scene.now,
        )
        stop()
        assert Extension.objects.exists()
        assert Referral.objects.get().held_since is None
        assert deadlines.settle_what_ran_out(now=Referral.objects.get().valid_until) == 1

    def test_papers_that_were_on_their_way_when_the_stop_came_are_not_lost(
        self, scene, stop, decide, referral
    ):
        """They began to come in time; a minute after midnight somebody pressed «Stop», and they were refused."""
        in_time = referral.valid_until - timedelta(minutes=1)
        note_handing_in(scene.parent, scene.application.pk, now=in_time)
        stop(at=referral.valid_until + timedelta(minutes=1))
        deadlines.settle_what_ran_out(now=referral.valid_until + DAY)
        assert Referral.objects.get().state == ReferralState.ISSUED
        decide(at=datetime(2019, 7, 4, 12, 0, tzinfo=ZONE))
        assert last_day() == date(2019, 7, 5)

    def test_one_that_ran_out_before_the_stop_stays_expired(self, scene, stop, referral):
        stop(at=referral.valid_until)
        assert deadlines.settle_what_ran_out(now=referral.valid_until) == 1

    def test_one_that_ends_otherwise_is_no_longer_held(self, scene, stop, decide, referral):
        stop()
        referral_ending.revoke_referral(
            Referral.objects.get(), actor=scene.staff, reason="Жөндеу", now=scene.now
        )
        assert Referral.objects.get().held_since is None
        decide()

    def test_two_stops_of_one_child_hold_until_the_last_is_decided(self, scene, newcomer, stop, referral):
        second = GuardianshipFactory(child=scene.application.child, verified_at=scene.now).user
        stop()
        stop(about=second)
        first, last = Dispute.objects.order_by("guardianship__pk")
        for dispute, is_held in ((first, True), (last, False)):
            guardianships.decide_guardianship(
                dispute, outcome=ENDS, actor=scene.staff, reason="Бөтен адам", now=scene.now
            )
            assert (Referral.objects.get().held_since is not None) == is_held
            assert is_halted(scene.application.child) == is_held

    def test_nobody_is_reminded_of_a_day_that_stands_still(self, scene, stop, referral):
        stop()
        telling.remind_deadlines(now=referral.valid_until - timedelta(hours=3))
        assert not Notice.objects.filter(kind="referral_reminder").exists()

    def test_two_stops_at_once_hold_the_time_to_restore_once(self, scene, newcomer, stop):
        """Two newcomers stopped in the same instant gave ten hours after five."""
        second = GuardianshipFactory(child=scene.application.child, verified_at=scene.now).user
        filing.archive(scene.application, actor=newcomer, now=scene.now)
        stop()
        stop(about=second)
        hours = timedelta(hours=5)
        for dispute in Dispute.objects.all():
            guardianships.decide_guardianship(
                dispute, outcome=ENDS, actor=scene.staff, reason="Бөтен адам", now=scene.now + hours
            )
        archived = Application.objects.get()
        assert (
            filing.archive_undo_until(archived, by=newcomer, now=scene.now + DAY) == scene.now + DAY + hours
        )

    @pytest.mark.parametrize(("late_by", "may"), [(-MICROSECOND, True), (timedelta(0), False)])
    def test_the_time_to_restore_stands_still(self, scene, newcomer, stop, decide, late_by, may):
        """The newcomer archived and was stopped two hours before it was for good; the family had two hours left."""
        filing.archive(scene.application, actor=newcomer, now=scene.now)
        stop(at=scene.now + filing.OTHERS_UNDO_FOR - timedelta(hours=2))
        archived = Application.objects.get()
        much_later = scene.now + 20 * DAY
        assert filing.archive_undo_until(archived, by=scene.parent, now=much_later) > much_later
        decide(ENDS, at=much_later)
        until = much_later + timedelta(hours=2)
        assert filing.archive_undo_until(archived, by=scene.parent, now=until) == until
        if may:
            assert filing.restore(archived, actor=scene.parent, now=until + late_by)
        else:
            with refused(Refusal.UNDO_OVER):
                filing.restore(archived, actor=scene.parent, now=until + late_by)

    def test_a_stop_after_the_time_to_restore_brings_nothing_back(self, scene, newcomer, stop):
        filing.archive(scene.application, actor=newcomer, now=scene.now)
        over = scene.now + filing.OTHERS_UNDO_FOR
        stop(at=over)
        with refused(Refusal.UNDO_OVER):
            filing.restore(Application.objects.get(), actor=scene.parent, now=over)

    def test_it_also_stands_still_for_who_was_disputed_before_the_archiving(
        self, scene, newcomer, stop, decide
    ):
        """The proven guardian archives; the disputed one may not restore until the decision, however late it comes."""
        stop()
        archived = filing.archive(scene.application, actor=scene.parent, now=scene.now)
        late = scene.now + 30 * DAY
        with refused(Refusal.DISPUTED):
            filing.restore(archived, actor=newcomer, now=late)
        decide(STANDS, at=late)
        restored = filing.restore(archived, actor=newcomer, now=late + filing.OTHERS_UNDO_FOR - MICROSECOND)
        assert (restored.state, restored.filed_at) == (ApplicationState.WAITING, scene.application.filed_at)

    @pytest.mark.parametrize("outcome", [STANDS, ENDS])
    def test_an_offer_waits_for_the_decision_and_leaves_the_days_that_were_left(
        self, scene, newcomer, stop, decide, outcome
    ):
        """Neither may answer: the offer ran out meanwhile, and the next family had the place."""
        know(scene.parent, PhoneTie.UNKNOWN)
        offer = offered_to(scene)
        promised = offer.until
        stop()
        for actor in (newcomer, scene.parent):
            with refused(Refusal.UNPROVEN):
                offers.accept_offer(offer, actor=actor, now=scene.now)
        late = promised + 3 * DAY
        deadlines.pass_on_offers(now=late)
        offer.refresh_from_db()
        assert (offer.state, offer.until) == (OfferState.OFFERED, promised)
        assert Application.objects.get().runs_out_at > late
        decide(outcome, at=late)
        offer.refresh_from_db()
        assert offer.held_since is None
        # As many working days after the decision as were left when «Stop» was pressed.
        calendar = working_calendar()
        left = calendar.working_days_left(scene.locality.day(scene.now), scene.locality.last_day(promised))
        new = calendar.add(scene.locality.day(late), left)
        assert scene.locality.last_day(offer.until) == new
        assert Application.objects.get().runs_out_at == offer.until
        assert f"{new:%d.%m.%Y}" in Message.objects.get(recipient=scene.parent, kind="offer_moved").text
        with transaction.atomic():
            assert offers.accept_offer(offer, actor=scene.parent, now=offer.until - MICROSECOND)
            transaction.set_rollback(True)
        deadlines.pass_on_offers(now=offer.until)
        offer.refresh_from_db()
        assert offer.state == OfferState.UNANSWERED

    def test_an_offer_made_meanwhile_stands_still_and_is_free_for_who_is_proven(self, scene, stop):
        stop()
        offer = offered_to(scene)
        assert offer.held_since == scene.now
        assert offers.accept_offer(offer, actor=scene.parent, now=offer.until + DAY).holds_seat
        offer.refresh_from_db()
        assert (offer.state, offer.held_since) == (OfferState.ACCEPTED, None)

    def test_what_was_restored_can_not_be_archived_again_meanwhile(self, scene, newcomer, stop):
        filing.archive(scene.application, actor=newcomer, now=scene.now)
        stop()
        filing.restore(Application.objects.get(), actor=scene.parent, now=scene.now)
        with refused(Refusal.HALTED):
            filing.archive(Application.objects.get(), actor=newcomer, now=scene.now)


class TestTheDecision:
    def test_both_sides_are_told_with_the_reason(self, scene, newcomer, stop, decide):
        stop()
        decide(STANDS)
        for person in (scene.parent, newcomer):
            notice = Notice.objects.get(recipient=person, kind="guardianship_stands")
            assert "Туу туралы куәлік көрсетілді" in notice.text_kk
            entry = person.journal.get(action=ChildAction.GUARDIANSHIP_STANDS)
            assert (entry.actor, entry.reason) == (scene.staff, "Туу туралы куәлік көрсетілді")

    def test_who_was_ended_is_told_and_sees_the_child_no_more(self, scene, newcomer, stop, decide, client_of):
        stop()
        decide(ENDS)
        assert Notice.objects.filter(recipient=newcomer, kind="guardianship_ended").exists()
        assert newcomer.journal.filter(action=ChildAction.GUARDIANSHIP_ENDED).exists()
        address = reverse("children:child", args=[scene.application.child.pk])
        assert client_of(newcomer).get(address).status_code == 404
        assert client_of(scene.parent).get(address).status_code == 200

    @pytest.mark.parametrize("reason", ["", "   "])
    def test_a_reason_is_needed(self, stop, decide, reason):
        stop()
        with refused(Refusal.REASON_MISSING):
            decide(reason=reason)

    def test_nobody_decides_about_their_own_child(self, scene, newcomer, stop, decide):
        stop()
        for own in (scene.parent, newcomer):
            with refused(Refusal.OWN_CHILD):
                decide(by=own)
        assert is_halted(scene.application.child)

    def test_the_same_decision_twice(self, stop, decide):
        stop()
        decide(STANDS)
        with refused(Refusal.ALREADY_DECIDED):
            decide(STANDS)

    def test_a_wrong_decision_is_mended(self, scene, newcomer, stop, decide):
        stop()
        decide(ENDS)
        assert not newcomer.guardianships.filter(ended_at=None).exists()
        decide(STANDS, at=scene.now + DAY)
        assert newcomer.guardianships.get().ended_at is None
        assert journal(newcomer)[-1] == ChildAction.GUARDIANSHIP_STANDS
        decide(ENDS, at=scene.now + 2 * DAY)
        assert newcomer.guardianships.get().ended_at == scene.now + 2 * DAY
        assert not is_halted(scene.application.child)

    def test_what_the_registry_ended_no_official_revives(self, scene, newcomer, stop, decide):
        """Nobody is told that it stands: it is settled as ended, and the official reads why."""
        stop()
        Guardianship.objects.filter(user=newcomer).update(ended_at=scene.now)
        with refused(Refusal.ENDED_BY_REGISTRY):
            decide(STANDS, at=scene.now + DAY)
        assert newcomer.guardianships.get().ended_at == scene.now
        settled = Dispute.objects.get()
        assert (settled.outcome, settled.decided_by, settled.is_halting) == (ENDS, None, False)
        assert not Notice.objects.filter(kind="guardianship_stands").exists()
        assert Notice.objects.filter(recipient=newcomer, kind="guardianship_ended").count() == 1

    def test_nor_what_it_ended_in_the_instant_of_the_settlement(self, scene, newcomer, stop, decide):
        stop()
        Guardianship.objects.filter(user=newcomer).update(ended_at=scene.now)
        deadlines.settle_disputes(now=scene.now)
        with refused(Refusal.ENDED_BY_REGISTRY):
            decide(STANDS, at=scene.now + DAY)
        assert newcomer.guardianships.get().ended_at == scene.now

    def test_a_decision_that_was_not_seen_is_not_overruled(self, scene, newcomer, stop, decide):
        """Opened undecided in one window, decided in another, sent from the first."""
        (dispute,) = stop()
        decide(ENDS)
        with refused(Refusal.DECIDED_MEANWHILE):
            guardianships.decide_guardianship(
                dispute, outcome=STANDS, actor=scene.staff, reason="x", now=scene.now + DAY
            )
        assert Dispute.objects.get().outcome == ENDS
        assert not Notice.objects.filter(kind="guardianship_stands").exists()

    def test_what_is_overruled_is_kept(self, scene, stop, decide):
        stop()
        decide(ENDS, reason="Құжат жалған")
        decide(STANDS, at=scene.now + DAY, reason="Қате шешім")
        dispute = Dispute.objects.get()
        former = dispute.overruled.get()
        assert (former.outcome, former.decided_at, former.decided_by, former.reason) == (
            ENDS,
            scene.now,
            scene.staff,
            "Құжат жалған",
        )
        assert (dispute.outcome, dispute.reason) == (STANDS, "Қате шешім")


class TestComingBack:
    """A disputed or ended guardian can't start over by adding the child again."""

    @pytest.fixture
    def impostor(self, scene, clock):
        mother = simulated_people.everyone(today=date(2019, 6, 26))[1].person
        user = UserFactory(profile__iin=mother.iin)
        first = GuardianshipFactory(child__iin=simulated_people.MANUAL_CHILD_IIN).user
        add_child(user, iin=simulated_people.MANUAL_CHILD_IIN, now=scene.now)
        guardianships.stop_guardian(user, by=first, is_tied=False, now=scene.now)
        return user

    @pytest.mark.parametrize("ask", [find_child, add_child])
    def test_not_after_the_decision(self, scene, impostor, decide, ask):
        decide(ENDS)
        asked = {"now": scene.now} if ask is add_child else {}
        with pytest.raises(GuardianshipBarred):
            ask(impostor, iin=simulated_people.MANUAL_CHILD_IIN, **asked)

    def test_nor_while_it_is_awaited(self, scene, impostor):
        Guardianship.objects.filter(user=impostor).update(ended_at=scene.now)
        with pytest.raises(GuardianshipBarred):
            add_child(impostor, iin=simulated_people.MANUAL_CHILD_IIN, now=scene.now)

    def test_once_the_registry_alone_ended_it_they_may(self, scene, impostor):
        Guardianship.objects.filter(user=impostor).update(ended_at=scene.now)
        deadlines.settle_disputes(now=scene.now)
        assert add_child(impostor, iin=simulated_people.MANUAL_CHILD_IIN, now=scene.now)

    def test_a_decision_against_nobody_else(self, scene, impostor, decide):
        decide(ENDS)
        father = UserFactory(profile__iin=simulated_people.MANUAL_PARENT_IIN)
        assert add_child(father, iin=simulated_people.MANUAL_CHILD_IIN, now=scene.now)

    def test_the_sentence_is_for_them_alone(self, scene, impostor, decide):
        decide(ENDS)
        with pytest.raises(ChildRefused) as stranger:
            find_child(UserFactory(), iin=simulated_people.MANUAL_CHILD_IIN)
        assert type(stranger.value) is ChildRefused


class TestGoingOnWithTheSiblings:
    """A stranger who was stopped for one child, or ended by a decision, must not become a guardian of the next one."""

    @pytest.fixture
    def family(self, scene, clock):
        """A proven mother with three children by the registry, and a stranger with the father's IIN on the eldest."""
        father, mother = (entry.person for entry in simulated_people.everyone(today=date(2019, 6, 26))[:2])
        own = {ward.iin for ward in SimulatedRegistry().find_wards(guardian_iin=mother.iin)}
        shared = [w.iin for w in SimulatedRegistry().find_wards(guardian_iin=father.iin) if w.iin in own]
        assert len(shared) >= 2
        parent, stranger = UserFactory(profile__iin=mother.iin), UserFactory(profile__iin=father.iin)
        know(parent)
        for one in (parent, stranger):
            add_child(one, iin=shared[0], now=scene.now)
        return parent, stranger, shared

    @staticmethod
    def pressed(stranger, parent, *, now):
        (dispute,) = guardianships.stop_guardian(stranger, by=parent, is_tied=False, now=now)
        return dispute

    @pytest.fixture(params=["stopped", "ended"])
    def found_out(self, request, scene, family):
        parent, stranger, children = family
        dispute = self.pressed(stranger, parent, now=scene.now)
        if request.param == "ended":
            guardianships.decide_guardianship(
                dispute, outcome=ENDS, actor=scene.staff, reason="Құжаттар көрсетілмеді", now=scene.now
            )
        return parent, stranger, children

    @pytest.mark.parametrize("is_added", [True, False], ids=["added by the mother", "not added yet"])
    @pytest.mark.parametrize("ask", [find_child, add_child])
    def test_no_sibling_is_added(self, scene, found_out, ask, is_added):
        parent, stranger, children = found_out
        if is_added:
            add_child(parent, iin=children[1], now=scene.now)
        with pytest.raises(GuardianshipBarred):
            ask(stranger, iin=children[1], **({"now": scene.now} if ask is add_child else {}))
        assert list(stranger.guardianships.values_list("child__iin_hash", flat=True).distinct()) == [
            keyed_hash("iin", children[0])
        ]

    def test_the_page_says_whom_to_call(self, scene, found_out, client_of):
        _parent, stranger, children = found_out
        answer = client_of(stranger).post(reverse("children:add"), {"iin": children[1], "check": "1"})
        assert "Байланыс орталығына" in answer.content.decode()

    def test_the_one_who_pressed_adds_them(self, scene, found_out):
        parent, _stranger, children = found_out
        assert add_child(parent, iin=children[1], now=scene.now)

    def test_once_it_stands_they_may(self, scene, family):
        parent, stranger, children = family
        guardianships.decide_guardianship(
            self.pressed(stranger, parent, now=scene.now),
            outcome=STANDS, actor=scene.staff, reason="Туу туралы куәлік", now=scene.now,
        )  # fmt: skip
        assert add_child(stranger, iin=children[1], now=scene.now)

    def test_whose_phone_the_state_knows_is_no_stranger(self, scene, found_out):
        _parent, stranger, children = found_out
        know(stranger)
        assert add_child(stranger, iin=children[1], now=scene.now)

    def test_where_neither_is_proven_neither_goes_on(self, scene, family):
        parent, stranger, children = family
        know(parent, PhoneTie.UNKNOWN)
        self.pressed(stranger, parent, now=scene.now)
        for one in (stranger, parent):
            with pytest.raises(GuardianshipBarred):
                add_child(one, iin=children[1], now=scene.now)

    def test_a_child_of_nobody_in_the_dispute_is_free(self, scene, found_out, monkeypatch):
        parent, stranger, children = found_out
        is_theirs = SimulatedRegistry.find_ward

        def not_the_mothers(self, *, guardian_iin="", **asked):
            if guardian_iin == parent.profile.iin:
                raise PersonNotFound
            return is_theirs(self, guardian_iin=guardian_iin, **asked)

        monkeypatch.setattr(SimulatedRegistry, "find_ward", not_the_mothers)
        assert add_child(stranger, iin=children[1], now=scene.now)

    def test_while_the_registry_is_silent_nobody_is_let_in(self, scene, found_out, monkeypatch):
        parent, stranger, children = found_out
        answers = SimulatedRegistry.find_ward

        def silent_about_the_mother(self, *, guardian_iin="", **asked):
            if guardian_iin == parent.profile.iin:
                raise RegistryUnavailable
            return answers(self, guardian_iin=guardian_iin, **asked)

        monkeypatch.setattr(SimulatedRegistry, "find_ward", silent_about_the_mother)
        with pytest.raises(RegistryUnavailable):
            add_child(stranger, iin=children[1], now=scene.now)

    @pytest.mark.parametrize(("seconds", "asked_of"), [(0, 4), (4.9, 3), (5, 2)])
    def test_a_slow_registry_is_not_asked_about_one_after_another(
        self, scene, found_out, monkeypatch, settings, seconds, asked_of
    ):
        """The stranger's own question, then those about whoever stopped them: all within the time of one more."""
        _parent, stranger, children = found_out
        others = UserFactory.create_batch(3)
        monkeypatch.setattr("children.services.opponents_of", lambda user: others)
        settings.PERSON_REGISTRY_SECONDS = 5.0
        clock, asked, answers = [0.0], [], SimulatedRegistry.find_ward
        monkeypatch.setattr("children.services.monotonic", lambda: clock[0])

        def slow(self, *, guardian_iin="", **question):
            asked.append(guardian_iin)
            clock[0] += seconds
            if guardian_iin != stranger.profile.iin:
                raise PersonNotFound
            return answers(self, guardian_iin=guardian_iin, **question)

        monkeypatch.setattr(SimulatedRegistry, "find_ward", slow)
        if asked_of == 4:
            assert find_child(stranger, iin=children[1])
        else:
            with pytest.raises(RegistryUnavailable):
                find_child(stranger, iin=children[1])
        assert len(asked) == asked_of


class SlowlyKnown(SimulatedRegistry):
    """A base of mobile citizens that did not answer at first."""

    answer: PhoneTie | None = None

    def phone_tie(self, **asked):
        if self.answer is None:
            raise RegistryUnavailable
        return self.answer


class TestTheTie:
    @pytest.fixture(autouse=True)
    def _registry(self, settings, monkeypatch):
        settings.PERSON_REGISTRY = f"{__name__}.SlowlyKnown"
        monkeypatch.setattr(SlowlyKnown, "answer", None)

    def press_stop(self, scene, newcomer):
        return UnknownGuardian().stop(scene.parent, str(newcomer.pk), address=None, now=scene.now)

    @pytest.mark.parametrize(
        ("known", "answer", "halts"),
        [
            (PhoneTie.YES, None, False),
            (PhoneTie.YES, PhoneTie.NO, False),
            (PhoneTie.UNKNOWN, PhoneTie.YES, False),
            (PhoneTie.NO, PhoneTie.YES, False),
            (PhoneTie.UNKNOWN, None, True),
            (PhoneTie.UNKNOWN, PhoneTie.UNKNOWN, True),
            (PhoneTie.UNKNOWN, PhoneTie.NO, True),
            (PhoneTie.NO, None, True),
        ],
    )
    def test_it_is_asked_anew_when_much_depends_on_it(
        self, scene, newcomer, monkeypatch, known, answer, halts
    ):
        Profile.objects.filter(user=newcomer).update(phone_tie=known)
        monkeypatch.setattr(SlowlyKnown, "answer", answer)
        self.press_stop(scene, newcomer)
        assert is_halted(scene.application.child) == halts

    def test_a_freeze_ends_once_the_base_answers(self, scene, newcomer, monkeypatch, referral):
        self.press_stop(scene, newcomer)
        later = scene.now + timedelta(minutes=10)
        deadlines.settle_disputes(now=later)
        assert is_halted(scene.application.child)
        monkeypatch.setattr(SlowlyKnown, "answer", PhoneTie.YES)
        deadlines.settle_disputes(now=later)
        assert not is_halted(scene.application.child)
        assert Referral.objects.get().held_since is None
        dispute = Dispute.objects.get()
        assert (dispute.outcome, dispute.freed_at) == ("", later)
        assert journal(newcomer).count(ChildAction.STOP_FREED) == 1
        deadlines.settle_disputes(now=later)
        assert Notice.objects.filter(recipient=newcomer, kind="guardian_freed").count() == 1

    def test_a_guardianship_that_the_registry_ended_needs_no_official(self, scene, newcomer):
        self.press_stop(scene, newcomer)
        Guardianship.objects.filter(user=newcomer).update(ended_at=scene.now)
        deadlines.settle_disputes(now=scene.now)
        dispute = Dispute.objects.get()
        assert (dispute.outcome, dispute.decided_by) == (ENDS, None)
        assert not is_halted(scene.application.child)

    def test_a_document_without_an_iin_has_no_tie(self, scene, newcomer, monkeypatch):
        Profile.objects.filter(user=newcomer).update(iin="", document_number="AC1", document_hash="h")
        monkeypatch.setattr(SlowlyKnown, "answer", PhoneTie.YES)
        self.press_stop(scene, newcomer)
        assert is_halted(scene.application.child)


class TestFamiliesPages:
    """Why and until when stands on the page; what is halted is not offered, and its address leads back."""

    def page(self, client_of, user, scene, prefix=""):
        return client_of(user).get(prefix + scene.application.get_absolute_url()).content.decode()

    @pytest.mark.parametrize(("prefix", "words"), [("", "дау бар"), ("/ru", "Идёт спор")])
    @pytest.mark.parametrize("is_proven", [True, False])
    def test_the_application_says_why_and_until_when(self, scene, stop, client_of, prefix, words, is_proven):
        know(scene.parent, PhoneTie.YES if is_proven else PhoneTie.UNKNOWN)
        stop()
        page = self.page(client_of, scene.parent, scene, prefix)
        assert words in page
        assert 'datetime="2019-06-28"' in page
        for name in ("delete", "move", "languages"):
            assert (reverse(f"applications:{name}", args=[scene.application.pk]) in page) == is_proven

    def test_a_late_decision_is_called_late(self, scene, stop, client_of, clock):
        stop()
        clock.move_to(datetime(2019, 6, 29, tzinfo=ZONE))
        assert "Шешім кешігіп жатыр" in self.page(client_of, scene.parent, scene)

    def test_nothing_is_halted_nothing_is_said(self, scene, newcomer, client_of):
        page = self.page(client_of, scene.parent, scene)
        assert "дау бар" not in page
        assert reverse("applications:delete", args=[scene.application.pk]) in page

    @pytest.mark.parametrize("is_proven", [True, False])
    def test_lists_offer_the_bin_to_whoever_may_use_it(self, scene, stop, client_of, is_proven):
        know(scene.parent, PhoneTie.YES if is_proven else PhoneTie.UNKNOWN)
        stop()
        page = client_of(scene.parent).get(reverse("applications:list")).content.decode()
        assert (reverse("applications:delete", args=[scene.application.pk]) in page) == is_proven

    @pytest.mark.parametrize("name", ["delete", "move", "withdraw", "extend", "withdraw_benefit"])
    def test_an_address_of_a_halted_act_leads_back_with_the_reason(
        self, scene, newcomer, stop, client_of, name, costly
    ):
        costly[0]({"delete": "archive"}.get(name, name))
        know(scene.parent, PhoneTie.UNKNOWN)
        stop()
        parts = [scene.application.pk]
        if name == "withdraw_benefit":
            parts.append(scene.application.benefits.get().pk)
        address = reverse(f"applications:{name}", args=parts)
        for user in (scene.parent, newcomer):
            for method in ("get", "post"):
                answer = getattr(client_of(user), method)(address, {"confirm": "1"}, follow=True)
                assert answer.redirect_chain[-1][0] == scene.application.get_absolute_url()
                assert "дау бар: маман шешім қабылдағанша" in answer.content.decode()
        assert Application.objects.get().state != ApplicationState.ARCHIVED
        assert not scene.application.benefits.filter(state=BenefitState.WITHDRAWN).exists()

    def test_buttons_of_a_bid_and_a_referral(self, scene, stop, client_of, referral):
        stop()
        page = self.page(client_of, scene.parent, scene)
        assert reverse("applications:extend", args=[scene.application.pk]) not in page
        assert reverse("applications:referral_pdf", args=[scene.application.pk]) in page
        assert "бұл мерзім есептелмейді" in page

    def test_a_bid_is_not_withdrawn(self, scene, stop, client_of):
        place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
        know(scene.parent, PhoneTie.UNKNOWN)
        stop()
        page = self.page(client_of, scene.parent, scene)
        assert reverse("applications:withdraw", args=[scene.application.pk]) not in page

    def test_the_newcomer_is_not_offered_places_and_reads_why(self, scene, newcomer, stop, client_of):
        place = reverse("applications:vacancy", args=[scene.vacancy.pk])
        apply = reverse("applications:apply", args=[scene.application.pk, scene.vacancy.pk])
        mine = reverse("applications:bulletin") + "?status=me"
        assert apply in client_of(newcomer).get(place).content.decode()
        stop()
        browser = client_of(newcomer)
        assert apply not in browser.get(place).content.decode()
        assert "сізді танымайды" in browser.get(place).content.decode()
        assert scene.vacancy.get_absolute_url() not in browser.get(mine).content.decode()
        for method in ("get", "post"):
            answer = getattr(browser, method)(apply)
            assert answer.status_code == 403
            assert "сізді танымайды" in answer.content.decode()
            assert 'datetime="2019-06-28"' in answer.content.decode()
        assert not Bid.objects.exists()
        other = client_of(scene.parent)
        assert scene.vacancy.get_absolute_url() in other.get(mine).content.decode()
        assert apply in other.get(place).content.decode()

    def test_by_the_choice_of_a_child_neither(self, scene, newcomer, stop, client_of):
        stop()
        address = reverse("applications:choose_child", args=[scene.vacancy.pk])
        answer = client_of(newcomer).post(address, {"application": str(scene.application.pk)})
        assert answer["Location"] == scene.vacancy.get_absolute_url()
        assert not Bid.objects.exists()

    def test_waiting_for_an_opening_neither(self, scene, newcomer, stop, client_of):
        type(scene.vacancy).objects.update(opens_at=scene.now + DAY)
        stop()
        apply = reverse("applications:apply", args=[scene.application.pk, scene.vacancy.pk])
        assert client_of(newcomer).get(apply).status_code == 403
        assert client_of(scene.parent).get(apply).status_code == 200

    def test_a_won_bid_is_two_statements_as_before(self, scene, stop, client_of, django_assert_num_queries):
        stop()
        browser = client_of(scene.parent)
        apply = reverse("applications:apply", args=[scene.application.pk, scene.vacancy.pk])
        with django_assert_num_queries(2):
            assert browser.post(apply).status_code == 302
