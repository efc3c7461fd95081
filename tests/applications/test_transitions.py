"""Each transition from each state that forbids it: refused, and every row is as it was.

A transition is made ready until nothing stands in its way but the state of one row. Then that row is put into each
state from which it may not be made. At last it is made, so that nothing else can have refused it.
"""

import ast
from collections.abc import Callable, Collection
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.db.models import F, Model

from accounts.identity import phone_hash
from accounts.models import User
from accounts.roles import Role
from applications.benefits import claims
from applications.bidding import award, ending, offers, publication, resuming, rush
from applications.closings import deciding
from applications.closings import ending as closing_ending
from applications.closings import moving as closing_moving
from applications.models import Application, Bid, FormerRow, Offer, StopListEntry, UndoRequest
from applications.models.application import UNCLAIMED_STATES
from applications.moves import Refused
from applications.queue import birth_years, corrections
from applications.referrals import (
    coming,
    days_off,
    extending,
    issuing,
    leaving,
    numbering,
    returning,
    stops,
    transferring,
)
from applications.referrals import ending as referral_ending
from applications.refusals import Refusal
from applications.states import (
    LIVE_OFFERS,
    LIVE_STATES,
    MOVES,
    ApplicationState,
    BenefitState,
    BidState,
    CorrectionState,
    Move,
    OfferState,
    ProposalState,
    ReferralState,
    UndoKind,
)
from applications.undoing import noted, requests
from applications.undoing.leaving import take_back_leaving
from applications.waiting import aging, changes, claiming, confirming, filing
from bulletin.models import Closing, ImportBatch, Vacancy
from bulletin.services import pause_bidding
from children.models import Child
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import NOW, ZONE
from tests.factories import (
    ApplicationFactory,
    BenefitCategoryFactory,
    GroupFactory,
    HolidayFactory,
    LocalityFactory,
    VacancyFactory,
)
from tests.staff import employee, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]

PACKAGES = ("queue", "benefits", "waiting", "bidding", "referrals", "undoing", "closings")
# By the rules of a place that has none of its own: the campaign of 2019, the end of its grace, the turn of the year.
CAMPAIGN = datetime(2019, 9, 1, tzinfo=ZONE)
CAMPAIGN_OVER = datetime(2019, 10, 2, tzinfo=ZONE)
GRACE_OVER = datetime(2019, 12, 31, tzinfo=ZONE)
NEW_YEAR = datetime(2020, 1, 1, tzinfo=ZONE)
IN_BULLETIN = (Vacancy.State.PUBLISHED, Vacancy.State.CLOSED)


class Ready(NamedTuple):
    """A transition that would be made now.

    `needs` are the rows whose state it depends on, each with the states that allow it. One that is `quiet` is called by
    jobs: it does nothing where it may not be made.
    """

    call: Callable[[], Any]
    needs: list[tuple[Model, Collection[str]]]
    quiet: bool = False


Preparation = Callable[[Any], Ready]
TRANSITIONS: dict[Callable[..., Any], Preparation] = {}


def of(transition: Callable[..., Any]) -> Callable[[Preparation], Preparation]:
    def enter(preparation: Preparation) -> Preparation:
        TRANSITIONS[transition] = preparation
        return preparation

    return enter


def by(move: Move) -> tuple[ApplicationState, ...]:
    return MOVES[move][0]


def bid_of(scene, vacancy=None):
    return place_bid(scene.application, vacancy or scene.vacancy, actor=scene.parent, now=scene.now)


def referral_of(scene):
    return issuing.activate_bid(bid_of(scene), actor=scene.staff, now=scene.now)


def claim_of(scene, **category):
    return claims.claim_benefit(
        scene.application, BenefitCategoryFactory(**category), now=scene.now, **proof(scene)
    )


def proof(scene):
    document = ContentFile(b"%PDF-1.4", name="abc.pdf")
    return {"document": document, "original_name": "анықтама.pdf", "actor": scene.parent}


def unconfirmed(scene):
    """The family has given no sign since it filed."""
    rows = Application.objects.filter(pk=scene.application.pk)
    rows.update(interest_confirmed_at=F("filed_at"))
    return scene.application


def closing_vacancy(scene):
    return VacancyFactory(
        group=scene.group,
        seats_total=1,
        mode=Vacancy.Mode.QUEUE_ORDER,
        opens_at=scene.now - timedelta(hours=1),
        closes_at=scene.now + timedelta(hours=1),
    )


# --- waiting ------------------------------------------------------------------------------------------------------


@of(filing.file_application)
def _(scene):
    filing.archive(scene.application, actor=scene.parent, now=scene.now)

    def call():
        return filing.file_application(
            child=scene.application.child,
            locality=scene.locality,
            languages=["kk"],
            actor=scene.parent,
            now=scene.now,
        )

    return Ready(call, [(scene.application, set(ApplicationState) - set(LIVE_STATES))])


def unclaimed(scene):
    """The application of the scene, as if it had come from the former queue."""
    Application.objects.filter(pk=scene.application.pk).update(filed_by=None)
    FormerRow.objects.create(
        application=scene.application,
        batch=ImportBatch.objects.create(kind="queue", loaded_at=scene.now),
        line=1,
        locality=scene.locality,
        phone_hash=phone_hash(scene.parent.phone.as_e164),
    )
    scene.application.refresh_from_db()
    return [(scene.application, by(Move.CLAIM))]


@of(claiming.claim)
def _(scene):
    needs = unclaimed(scene)
    return Ready(lambda: claiming.claim(scene.application, actor=scene.parent, now=scene.now), needs)


@of(claiming.claim_for)
def _(scene):
    needs, official = unclaimed(scene), employee(Role.OFFICIAL)

    def call():
        return claiming.claim_for(
            scene.application, scene.parent, actor=official, reason="Куәлік", now=scene.now
        )

    return Ready(call, needs)


@of(filing.archive)
def _(scene):
    return Ready(
        lambda: filing.archive(scene.application, actor=scene.parent, now=scene.now),
        [(scene.application, by(Move.ARCHIVE))],
    )


@of(filing.restore)
def _(scene):
    filing.archive(scene.application, actor=scene.parent, now=scene.now)
    return Ready(
        lambda: filing.restore(scene.application, actor=scene.parent, now=scene.now),
        [(scene.application, by(Move.RESTORE))],
    )


@of(changes.change_languages)
def _(scene):
    return Ready(
        lambda: changes.change_languages(
            scene.application, languages=["ru"], actor=scene.parent, now=scene.now
        ),
        [(scene.application, by(Move.CHANGE_LANGUAGES))],
    )


@of(changes.change_locality)
def _(scene):
    there = LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау")
    keeps = changes.keeps_date(there, now=scene.now)

    def call():
        return changes.change_locality(
            scene.application, locality=there, keeps=keeps, actor=scene.parent, now=scene.now
        )

    return Ready(call, [(scene.application, by(Move.CHANGE_LOCALITY))])


@of(confirming.confirm_interest)
def _(scene):
    application = unconfirmed(scene)
    return Ready(
        lambda: confirming.confirm_interest(application, actor=scene.parent, now=CAMPAIGN),
        [(application, by(Move.CONFIRM_INTEREST))],
    )


@of(confirming.lapse)
def _(scene):
    application = unconfirmed(scene)
    return Ready(
        lambda: confirming.lapse(application, now=CAMPAIGN_OVER), [(application, by(Move.LAPSE))], quiet=True
    )


@of(confirming.end_lapsed)
def _(scene):
    application = confirming.lapse(unconfirmed(scene), now=CAMPAIGN_OVER)
    return Ready(
        lambda: confirming.end_lapsed(application, now=GRACE_OVER),
        [(application, by(Move.END_LAPSED))],
        quiet=True,
    )


@of(aging.age_out)
def _(scene):
    oldest = ApplicationFactory(locality=scene.locality, child__birth_date=date(2012, 12, 31))
    return Ready(lambda: aging.age_out(oldest, now=NEW_YEAR), [(oldest, by(Move.AGE_OUT))], quiet=True)


# --- benefits -----------------------------------------------------------------------------------------------------


@of(claims.claim_benefit)
def _(scene):
    category = BenefitCategoryFactory()
    return Ready(
        lambda: claims.claim_benefit(scene.application, category, now=scene.now, **proof(scene)),
        [(scene.application, LIVE_STATES)],
    )


@of(claims.withdraw_benefit)
def _(scene):
    benefit = claim_of(scene)
    return Ready(
        lambda: claims.withdraw_benefit(benefit, actor=scene.parent, now=scene.now),
        [
            (scene.application, by(Move.END_BENEFIT)),
            (benefit, (BenefitState.CLAIMED, BenefitState.VERIFIED)),
        ],
    )


@of(claims.verify_benefit)
def _(scene):
    benefit = claim_of(scene)
    return Ready(
        lambda: claims.verify_benefit(benefit, actor=scene.staff, now=scene.now),
        [(scene.application, by(Move.VERIFY_BENEFIT)), (benefit, (BenefitState.CLAIMED,))],
    )


@of(claims.reject_benefit)
def _(scene):
    benefit = claim_of(scene)
    return Ready(
        lambda: claims.reject_benefit(benefit, actor=scene.staff, reason="Мерзімі өткен", now=scene.now),
        [
            (scene.application, by(Move.END_BENEFIT)),
            (benefit, (BenefitState.CLAIMED, BenefitState.VERIFIED)),
        ],
    )


@of(claims.expire_benefit)
def _(scene):
    benefit = claims.verify_benefit(claim_of(scene, valid_days=30), actor=scene.staff, now=scene.now)
    assert benefit.valid_until is not None
    over = benefit.valid_until
    return Ready(
        lambda: claims.expire_benefit(benefit, now=over),
        [(scene.application, by(Move.END_BENEFIT)), (benefit, (BenefitState.VERIFIED,))],
        quiet=True,
    )


# --- bidding ------------------------------------------------------------------------------------------------------


@of(rush.press)
def _(scene):
    def call():
        answer = rush.press(
            user_id=str(scene.parent.pk),
            password_stamp=scene.parent.get_session_auth_hash(),
            application_id=scene.application.pk,
            vacancy_id=scene.vacancy.pk,
        )
        if isinstance(answer, Refusal):
            raise Refused(answer)

    return Ready(call, [(scene.application, by(Move.PLACE_BID)), (scene.vacancy, (Vacancy.State.PUBLISHED,))])


@of(ending.withdraw_bid)
def _(scene):
    bid = bid_of(scene)
    return Ready(
        lambda: ending.withdraw_bid(bid, actor=scene.parent, now=scene.now),
        [(scene.application, by(Move.WITHDRAW_BID)), (bid, (BidState.PENDING,))],
    )


@of(ending.reject_bid)
def _(scene):
    bid = bid_of(scene)
    return Ready(
        lambda: ending.reject_bid(bid, actor=scene.staff, reason="Құжат толық емес", now=scene.now),
        [(scene.application, by(Move.REJECT_BID)), (bid, (BidState.PENDING,))],
    )


@of(ending.void_bid)
def _(scene):
    bid = bid_of(scene)
    Vacancy.objects.update(state=Vacancy.State.RECALLED)
    return Ready(
        lambda: ending.void_bid(bid, actor=scene.staff, reason="Жөндеу", now=scene.now),
        [(scene.application, by(Move.VOID_BID)), (bid, (BidState.PENDING,))],
    )


@of(ending.lose_bid)
def _(scene):
    vacancy = closing_vacancy(scene)
    bid = bid_of(scene, vacancy)
    Vacancy.objects.filter(pk=vacancy.pk).update(seats_taken=1)
    return Ready(
        lambda: ending.lose_bid(bid, now=vacancy.closes_at),
        [
            (scene.application, by(Move.LOSE_BID)),
            (bid, (BidState.PENDING,)),
            (vacancy, set(Vacancy.State) - {Vacancy.State.RECALLED}),
        ],
    )


@of(award.award_collected)
def _(scene):
    vacancy = closing_vacancy(scene)
    bid = bid_of(scene, vacancy)
    return Ready(
        lambda: award.award_collected(vacancy, now=vacancy.closes_at),
        [(bid, (BidState.PENDING,)), (vacancy, IN_BULLETIN)],
        quiet=True,
    )


def seeking(scene):
    """A place that was given back after the award, and the one bidder who is left."""
    vacancy = closing_vacancy(scene)
    bid_of(scene, vacancy)
    winner = ApplicationFactory(
        locality=scene.locality,
        child__birth_date=scene.application.child.birth_date,
        languages=["ru"],
        filed_at=scene.application.filed_at - timedelta(days=1),
    )
    won = place_bid(winner, vacancy, actor=winner.filed_by, now=scene.now)
    award.award_collected(vacancy, now=vacancy.closes_at)
    ending.withdraw_bid(won, actor=winner.filed_by, now=vacancy.closes_at)
    return Offer.objects.get()


def offered(scene):
    offer = seeking(scene)
    offers.offer_to_the_next(offer, now=offer.freed_at)
    return Offer.objects.get()


@of(offers.offer_to_the_next)
def _(scene):
    offer = seeking(scene)
    return Ready(
        lambda: offers.offer_to_the_next(offer, now=offer.freed_at),
        [(offer, (OfferState.SEEKING,))],
        quiet=True,
    )


@of(offers.accept_offer)
def _(scene):
    offer = offered(scene)
    return Ready(
        lambda: offers.accept_offer(offer, actor=scene.parent, now=offer.freed_at),
        [
            (scene.application, by(Move.ACCEPT_OFFER)),
            (offer, (OfferState.OFFERED,)),
            (offer.vacancy, set(Vacancy.State) - {Vacancy.State.RECALLED}),
        ],
    )


@of(offers.decline_offer)
def _(scene):
    offer = offered(scene)
    return Ready(
        lambda: offers.decline_offer(offer, actor=scene.parent, now=offer.freed_at),
        [(scene.application, by(Move.DECLINE_OFFER)), (offer, (OfferState.OFFERED,))],
    )


@of(offers.end_if_over)
def _(scene):
    offer = offered(scene)
    return Ready(
        lambda: offers.end_if_over(offer, now=offer.until), [(offer, (OfferState.OFFERED,))], quiet=True
    )


@of(offers.end_recalled_offers)
def _(scene):
    offer = offered(scene)
    Vacancy.objects.update(state=Vacancy.State.RECALLED)
    return Ready(
        lambda: offers.end_recalled_offers(offer.vacancy, now=offer.freed_at),
        [(offer, LIVE_OFFERS)],
        quiet=True,
    )


@of(publication.publish_vacancy)
def _(scene):
    vacancy = VacancyFactory(
        group=scene.group,
        seats_total=1,
        state=Vacancy.State.DRAFT,
        published_at=None,
        opens_at=scene.now + timedelta(days=1),
    )
    return Ready(
        lambda: publication.publish_vacancy(vacancy, actor=scene.staff, now=scene.now),
        [(vacancy, (Vacancy.State.DRAFT,))],
    )


@of(publication.recall_vacancy)
def _(scene):
    return Ready(
        lambda: publication.recall_vacancy(scene.vacancy, actor=scene.staff, reason="Жөндеу", now=scene.now),
        [(scene.vacancy, (Vacancy.State.PUBLISHED,))],
    )


@of(publication.close_vacancy)
def _(scene):
    return Ready(
        lambda: publication.close_vacancy(scene.vacancy, actor=scene.staff, now=scene.now),
        [(scene.vacancy, (Vacancy.State.PUBLISHED,))],
    )


@of(resuming.resume)
def _(scene):
    """It depends on no state: what is not in the bulletin has no opening to move."""
    notices = {"notice_kk": "Жөндеу", "notice_ru": "Ремонт"}
    pause = pause_bidding(locality=None, **notices, actor=scene.staff, now=scene.now)
    return Ready(lambda: resuming.resume(pause, actor=scene.staff, now=scene.now + timedelta(minutes=1)), [])


# --- referrals ----------------------------------------------------------------------------------------------------


@of(issuing.activate_bid)
def _(scene):
    bid = bid_of(scene)
    return Ready(
        lambda: issuing.activate_bid(bid, actor=scene.staff, now=scene.now),
        [(scene.application, by(Move.ISSUE_REFERRAL)), (bid, (BidState.PENDING,))],
    )


@of(extending.extend_referral)
def _(scene):
    referral = referral_of(scene)

    def call():
        return extending.extend_referral(
            referral,
            actor=scene.parent,
            until=date(2019, 7, 20),
            reason="illness",
            documents=[("anyqtama.pdf", ContentFile(b"%PDF-1.4", name="anyqtama.pdf"))],
            now=scene.now,
        )

    return Ready(call, [(scene.application, by(Move.EXTEND_REFERRAL)), (referral, (ReferralState.ISSUED,))])


@of(days_off.lengthen_referral)
def _(scene):
    referral = referral_of(scene)
    HolidayFactory(date=date(2019, 6, 28))
    return Ready(
        lambda: days_off.lengthen_referral(referral, now=scene.now),
        [(scene.application, by(Move.LENGTHEN_REFERRAL)), (referral, (ReferralState.ISSUED,))],
        quiet=True,
    )


@of(coming.note_coming)
def _(scene):
    referral = referral_of(scene)
    return Ready(
        lambda: coming.note_coming(referral, came_on=NOW.date(), actor=scene.staff, now=scene.now),
        [(scene.application, by(Move.NOTE_COMING)), (referral, (ReferralState.ISSUED,))],
    )


@of(noted.take_back_coming)
def _(scene):
    referral = referral_of(scene)
    referral = coming.note_coming(referral, came_on=NOW.date(), actor=scene.staff, now=scene.now)
    return Ready(
        lambda: noted.take_back_coming(referral, actor=scene.staff, now=scene.now),
        [(scene.application, by(Move.TAKE_COMING_BACK)), (referral, (ReferralState.ISSUED,))],
    )


@of(numbering.correct_number)
def _(scene):
    referral = referral_of(scene)
    contract = referral_ending.sign_contract(referral, actor=scene.staff, now=scene.now)
    return Ready(
        lambda: numbering.correct_number(
            contract, number="7-2019", reason="Қате терілген", actor=scene.staff, now=scene.now
        ),
        [(referral, (ReferralState.SIGNED,))],
    )


@of(referral_ending.sign_contract)
def _(scene):
    referral = referral_of(scene)
    return Ready(
        lambda: referral_ending.sign_contract(referral, actor=scene.staff, now=scene.now),
        [(scene.application, by(Move.SIGN_CONTRACT)), (referral, (ReferralState.ISSUED,))],
    )


@of(referral_ending.revoke_referral)
def _(scene):
    referral = referral_of(scene)
    return Ready(
        lambda: referral_ending.revoke_referral(referral, actor=scene.staff, reason="Қателік", now=scene.now),
        [(scene.application, by(Move.REVOKE_REFERRAL)), (referral, (ReferralState.ISSUED,))],
    )


@of(referral_ending.expire_referral)
def _(scene):
    referral = referral_of(scene)
    return Ready(
        lambda: referral_ending.expire_referral(referral, now=referral.valid_until),
        [(scene.application, by(Move.EXPIRE_REFERRAL)), (referral, (ReferralState.ISSUED,))],
        quiet=True,
    )


@of(stops.lift_stop)
def _(scene):
    referral = referral_of(scene)
    referral_ending.expire_referral(referral, now=referral.valid_until)
    stop = StopListEntry.objects.get()
    return Ready(
        lambda: stops.lift_stop(stop, now=stop.until), [(scene.application, by(Move.LIFT_STOP))], quiet=True
    )


def contract_of(scene):
    return referral_ending.sign_contract(referral_of(scene), actor=scene.staff, now=scene.now)


@of(leaving.end_contract)
def _(scene):
    contract = contract_of(scene)

    def call():
        return leaving.end_contract(
            contract, left_on=NOW.date(), reason="Көшті", actor=scene.staff, now=scene.now
        )

    return Ready(
        call, [(scene.application, by(Move.END_CONTRACT)), (contract.referral, (ReferralState.SIGNED,))]
    )


@of(take_back_leaving)
def _(scene):
    contract = leaving.end_contract(
        contract_of(scene), left_on=NOW.date(), reason="Көшті", actor=scene.staff, now=scene.now
    )
    return Ready(
        lambda: take_back_leaving(contract, actor=scene.staff, now=scene.now),
        [(scene.application, by(Move.UNDO_LEAVING)), (contract.referral, (ReferralState.ENDED,))],
    )


# --- what is undone -----------------------------------------------------------------------------------------------


def came_in_time(scene):
    """The family had come, but its referral ran out; the worker asks to undo that."""
    referral = referral_of(scene)
    referral_ending.expire_referral(referral, now=referral.valid_until)
    return requests.ask_to_undo(
        referral.bid,
        kind=UndoKind.COMING,
        came_on=NOW.date(),
        reason="Құжаттарымен келген",
        actor=worker_of(scene.group.kindergarten),
        now=referral.valid_until,
    )


@of(requests.ask_to_undo)
def _(scene):
    referral = referral_of(scene)
    referral_ending.expire_referral(referral, now=referral.valid_until)
    worker = worker_of(scene.group.kindergarten)

    def call():
        return requests.ask_to_undo(
            referral.bid,
            kind=UndoKind.COMING,
            came_on=NOW.date(),
            reason="Құжаттарымен келген",
            actor=worker,
            now=referral.valid_until,
        )

    return Ready(call, [(scene.application, by(Move.CONFIRM_COMING))])


@of(requests.approve_undo)
def _(scene):
    request, official = came_in_time(scene), employee(Role.OFFICIAL)
    return Ready(
        lambda: requests.approve_undo(request, actor=official, now=request.proposed_at),
        [(scene.application, by(Move.CONFIRM_COMING)), (request, (ProposalState.PROPOSED,))],
    )


@of(requests.decline_undo)
def _(scene):
    request, official = came_in_time(scene), employee(Role.OFFICIAL)
    return Ready(
        lambda: requests.decline_undo(request, actor=official, reason="Дәлел жоқ", now=request.proposed_at),
        [(request, (ProposalState.PROPOSED,))],
    )


@of(transferring.transfer)
def _(scene):
    contract, target = contract_of(scene), GroupFactory(kindergarten=scene.group.kindergarten)
    return Ready(
        lambda: transferring.transfer(contract, target=target, reason="x", actor=scene.staff, now=NOW),
        [(scene.application, by(Move.TRANSFER)), (contract.referral, (ReferralState.SIGNED,))],
    )


@of(transferring.undo_transfer)
def _(scene):
    contract, target = contract_of(scene), GroupFactory(kindergarten=scene.group.kindergarten)
    transferring.transfer(contract, target=target, reason="x", actor=scene.staff, now=NOW)
    return Ready(
        lambda: transferring.undo_transfer(contract, reason="x", actor=scene.staff, now=NOW),
        [(scene.application, by(Move.UNDO_TRANSFER)), (contract.referral, (ReferralState.SIGNED,))],
    )


@of(returning.return_to_queue)
def _(scene):
    contract = contract_of(scene)
    closed(scene)
    return Ready(
        lambda: returning.return_to_queue(contract, reason="x", actor=scene.staff, now=NOW),
        [(scene.application, by(Move.RETURN_TO_QUEUE)), (contract.referral, (ReferralState.SIGNED,))],
    )


# --- closings ---------------------------------------------------------------------------------------------------


def to_close(scene, **fields):
    return Closing(
        kindergarten=scene.group.kindergarten,
        group=scene.group,
        **{"cause": "repair", "reason": "Су құбыры жарылды", "starts_on": NOW.date()} | fields,
    )


def closed(scene):
    return deciding.close(to_close(scene), actor=employee(Role.OFFICIAL), now=NOW)


@of(deciding.close)
def _(scene):
    official = employee(Role.OFFICIAL)
    before = closing_ending.reopen(closed(scene), actor=official, now=NOW)
    return Ready(
        lambda: deciding.close(to_close(scene), actor=official, now=NOW),
        [(before, (Closing.State.REOPENED, Closing.State.UNDONE))],
    )


@of(deciding.end_what_is_under_way)
def _(scene):
    contract_of(scene)
    closing = closed(scene)
    return Ready(lambda: deciding.end_what_is_under_way(closing, now=NOW), [])


@of(referral_ending.close_referral)
def _(scene):
    referral = referral_of(scene)
    closing = closed(scene)
    return Ready(
        lambda: referral_ending.close_referral(referral, closing, now=NOW),
        [(scene.application, by(Move.REVOKE_REFERRAL)), (referral, (ReferralState.ISSUED,))],
        quiet=True,
    )


@of(closing_ending.reopen)
def _(scene):
    closing, official = closed(scene), employee(Role.OFFICIAL)
    return Ready(
        lambda: closing_ending.reopen(closing, actor=official, now=NOW), [(closing, (Closing.State.RUNNING,))]
    )


@of(closing_moving.move_days)
def _(scene):
    closing, official = closed(scene), employee(Role.OFFICIAL)
    days = {"starts_on": closing.starts_on, "reopens_on": NOW.date() + timedelta(days=20)}
    return Ready(
        lambda: closing_moving.move_days(closing, **days, actor=official, now=NOW),
        [(closing, (Closing.State.RUNNING,))],
    )


@of(closing_ending.undo)
def _(scene):
    closing, official = closed(scene), employee(Role.OFFICIAL)
    return Ready(
        lambda: closing_ending.undo(closing, actor=official, reason="Қате", now=NOW),
        [(closing, (Closing.State.RUNNING,))],
    )


@of(closing_ending.give_back_what_it_ended)
def _(scene):
    bid_of(scene)
    closing = closed(scene)
    deciding.end_what_is_under_way(closing, now=NOW)
    undone = closing_ending.undo(closing, actor=employee(Role.OFFICIAL), reason="Қате", now=NOW)
    return Ready(lambda: closing_ending.give_back_what_it_ended(undone, now=NOW), [])


@of(closing_ending.tell_that_it_is_over)
def _(scene):
    contract_of(scene)
    closing = closed(scene)
    deciding.end_what_is_under_way(closing, now=NOW)
    undone = closing_ending.undo(closing, actor=employee(Role.OFFICIAL), reason="Қате", now=NOW)
    return Ready(lambda: closing_ending.tell_that_it_is_over(undone, now=NOW), [])


# --- corrections of the queue -------------------------------------------------------------------------------------


def proposed(scene, official):
    return corrections.propose_correction(
        scene.application,
        new_filed_at=datetime(2019, 4, 1, 9, 30, tzinfo=ZONE),
        reason="Өтініш қағаз түрінде берілген",
        document_number="114-Н",
        document_date=date(2019, 6, 20),
        actor=official,
        now=scene.now,
    )


@of(corrections.propose_correction)
def _(scene):
    official = employee(Role.OFFICIAL)
    return Ready(lambda: proposed(scene, official), [(scene.application, by(Move.CORRECT))])


@of(birth_years.propose_registry_year)
def _(scene):
    Child.objects.update(birth_date=date(2016, 12, 31))
    return Ready(
        lambda: birth_years.propose_registry_year(scene.application, now=scene.now),
        [(scene.application, by(Move.CORRECT))],
        quiet=True,
    )


@of(corrections.approve_correction)
def _(scene):
    correction = proposed(scene, employee(Role.OFFICIAL))
    other = employee(Role.OFFICIAL)
    return Ready(
        lambda: corrections.approve_correction(correction, actor=other, now=scene.now),
        [(scene.application, by(Move.CORRECT)), (correction, (CorrectionState.PROPOSED,))],
    )


@of(corrections.decline_correction)
def _(scene):
    correction = proposed(scene, employee(Role.OFFICIAL))
    other = employee(Role.OFFICIAL)
    return Ready(
        lambda: corrections.decline_correction(correction, actor=other, reason="Дәлел жоқ", now=scene.now),
        [(correction, (CorrectionState.PROPOSED,))],
    )


# --- the walk -----------------------------------------------------------------------------------------------------


def rows() -> dict[str, str]:
    """A mark of the rows of each table of our apps, as they are stored: it changes with any of them."""
    ours = ("notifications", "accounts", "children", "bulletin", "applications")
    models = [model for name in ours for model in apps.get_app_config(name).get_models()]
    marks = " UNION ALL ".join(
        f"SELECT '{model._meta.label}', md5(string_agg(row::text, ' ' ORDER BY row::text)) "
        f"FROM {connection.ops.quote_name(model._meta.db_table)} AS row"
        for model in models
    )
    with connection.cursor() as cursor:
        # To plan it takes most of its time, and it is asked for a thousand times.
        cursor.execute("SELECT FROM pg_prepared_statements WHERE name = 'marks'")
        if not cursor.rowcount:
            cursor.execute(f"PREPARE marks AS {marks}")
        cursor.execute("EXECUTE marks")
        return dict(cursor.fetchall())


def put(row: Model, state: str) -> None:
    """Put a row into a state without any transition."""
    fields: dict[str, Any] = {"state": state}
    if isinstance(row, Application):
        fields["archived_at"] = F("filed_at") if state == ApplicationState.ARCHIVED else None
        if row.filed_by is None and state not in UNCLAIMED_STATES:
            fields["filed_by"] = User.objects.order_by("pk").first()
    if isinstance(row, UndoRequest):
        fields["decided_by"] = None if state == ProposalState.PROPOSED else row.bid.referral.issued_by
    if isinstance(row, Closing):
        is_running = state == Closing.State.RUNNING
        fields["ended_at"] = None if is_running else F("decided_at")
        fields["ended_by"] = None if is_running else F("decided_by")
    if isinstance(row, Offer):
        fields |= of_an_offer(row, state)
    type(row)._base_manager.filter(pk=row.pk).update(**fields)


def of_an_offer(offer: Offer, state: str) -> dict[str, Any]:
    """What the constraints of an offer ask for in a state."""
    ended_at = None if state in LIVE_OFFERS else F("freed_at")
    if state in (OfferState.SEEKING, OfferState.NOBODY):
        return {"application": None, "made_at": None, "until": None, "ended_at": ended_at}
    family = (
        offer.application or Bid.objects.filter(vacancy=offer.vacancy, state=BidState.LOST)[0].application
    )
    until = offer.until or offer.freed_at + timedelta(days=2)
    return {"application": family, "made_at": F("freed_at"), "until": until, "ended_at": ended_at}


def what_is_wrong(ready: Ready, before: dict[str, str]) -> str:
    try:
        ready.call()
    except Refused:
        is_refused = True
    else:
        is_refused = False
    changed = [name for name, now in rows().items() if now != before[name]]
    if changed:
        return f"changed {', '.join(changed)}"
    return "" if is_refused or ready.quiet else "not refused"


def wrong_in_other_states(ready: Ready) -> list[str]:
    """In which states of its rows it is not refused, or changes something."""
    wrong = []
    for row, allowed in ready.needs:
        for state in sorted(set(states_of(row)) - set(allowed)):
            with transaction.atomic():
                put(row, state)
                if problem := what_is_wrong(ready, rows()):
                    wrong.append(f"{type(row).__name__} {state}: {problem}")
                transaction.set_rollback(True)
    return wrong


# What waits for the opening: families' own acts, publication, and what the portal does to families who can't answer.
AFTER_THE_OPENING = {
    filing.file_application,
    filing.archive,
    filing.restore,
    changes.change_languages,
    changes.change_locality,
    confirming.confirm_interest,
    confirming.lapse,
    confirming.end_lapsed,
    claims.claim_benefit,
    claims.withdraw_benefit,
    rush.press,
    ending.withdraw_bid,
    award.award_collected,
    offers.offer_to_the_next,
    offers.accept_offer,
    offers.decline_offer,
    publication.publish_vacancy,
    extending.extend_referral,
}


def said_before_the_opening(ready: Ready) -> list[str]:
    """The reason why it is not made, or the fields of a draft that stand in the way."""
    try:
        ready.call()
    except Refused as refused:
        return [refused.reason]
    except ValidationError as refused:
        return list(refused.message_dict)
    return []


@pytest.mark.parametrize(
    "transition",
    TRANSITIONS,
    ids=lambda one: f"{one.__module__.removeprefix('applications.')}.{one.__name__}",
)
def test_a_state_that_forbids_it_refuses_it_and_leaves_every_row_as_it_was(scene, transition, settings):
    """And so does the time before the opening; at last it is made, by who need not wait even before."""
    ready = TRANSITIONS[transition](scene)
    assert wrong_in_other_states(ready) == []
    before = rows()
    settings.MODE = "preview"
    if transition in AFTER_THE_OPENING:
        assert said_before_the_opening(ready) in (
            [Refusal.NO_PUBLICATION_YET],
            [Refusal.PREVIEW],
            [] if ready.quiet else None,
        )
        assert rows() == before
        settings.MODE = "open"
    ready.call()
    assert rows() != before


def states_of(row: Model) -> list[str]:
    return [value for value, _label in type(row)._meta.get_field("state").flatchoices]


# --- none is missing ----------------------------------------------------------------------------------------------


def transitions_in(path: Path) -> set[str]:
    """The public functions of a module that lock an application or a vacancy, or write an event, by themselves."""
    functions = {
        node.name: node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)
    }

    def calls(name: str, seen: frozenset[str]) -> bool:
        called = {
            node.func.id
            for node in ast.walk(functions[name])
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        if called & {"locking", "move", "write_event"}:
            return True
        # One that is handed on, say to a sweep, is called as well.
        named = {node.id for node in ast.walk(functions[name]) if isinstance(node, ast.Name)}
        private = {one for one in named & set(functions) if one.startswith("_")} - seen
        return any(calls(one, seen | private) for one in private)

    return {name for name in functions if not name.startswith("_") and calls(name, frozenset())}


def test_every_public_transition_is_walked():
    found = {
        f"applications.{package}.{path.stem}.{name}"
        for package in PACKAGES
        for path in (Path(settings.BASE_DIR) / "applications" / package).glob("*.py")
        for name in transitions_in(path)
    }
    walked = {f"{one.__module__}.{one.__name__}" for one in TRANSITIONS}
    # Part of the two that are walked, inside their locks; and a look at what a move would make, which is taken back.
    found -= {
        "applications.referrals.coming.write_not_come",
        "applications.referrals.transferring.foretell",
    }
    # The one statement of the press is a function of the database.
    assert walked == found | {"applications.bidding.rush.press"}


def test_every_move_is_made_by_a_function_of_these_packages():
    source = "".join(
        path.read_text()
        for package in PACKAGES
        for path in (Path(settings.BASE_DIR) / "applications" / package).glob("*.py")
    )
    assert [move for move in Move if f"Move.{move.name}" not in source] == [Move.PLACE_BID]
    press = Path(settings.BASE_DIR) / "applications" / "bidding" / "press_for_a_place.sql"
    assert f"'{Move.PLACE_BID}'" in press.read_text()
