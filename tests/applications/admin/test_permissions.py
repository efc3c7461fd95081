"""Who gets which page of the workplace: every address as every kind of visitor."""

from contextlib import nullcontext
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse

from accounts.models import AssistedMove, FirstSignIn, NumberMove, User
from accounts.numbers import assisted, moves
from accounts.roles import Role
from applications.bidding import ending as bid_ending
from applications.models import (
    Correction,
    Event,
    GroupProposal,
    Headcount,
    Rules,
    RulesProposal,
    StopListEntry,
)
from applications.referrals import ending, extending, issuing
from balabaqsha.admin_site import staff_site
from bulletin.models import Pause, Vacancy
from tests.applications.bidding.reference import place_bid
from tests.factories import (
    ApplicationFactory,
    BenefitFactory,
    DisputeFactory,
    GuardianClaimFactory,
    KindergartenFactory,
    LocalityFactory,
    ObjectionFactory,
    UndoRequestFactory,
    UserFactory,
    VacancyFactory,
)
from tests.staff import employee, give_app, inside, worker_of
from tests.unseen import pages_unseen

pytestmark = pytest.mark.django_db

VISITORS = ("anonymous", "parent", "stranger", "worker", "official", "superuser")

# One row for each address: what the six visitors get, in the order of VISITORS.
FOR_ALL_STAFF = (302, 302, 200, 200, 200, 200)
OWN_OR_OFFICIAL = (302, 302, 404, 200, 200, 200)
OWN_WORK = (302, 302, 404, 200, 403, 200)
OFFICIALS = (302, 302, 403, 403, 200, 200)
WORKERS = (302, 302, 200, 200, 403, 200)
NOBODY = (302, 302, 404, 404, 404, 404)
NEVER = (302, 302, 403, 403, 403, 403)

TABLE = {
    "index": FOR_ALL_STAFF,
    "family_search": FOR_ALL_STAFF,
    "family_of_child served_child": OWN_OR_OFFICIAL,
    "family_of_guardian served_guardian": OWN_OR_OFFICIAL,
    # Who opens the address of the button is led to the card.
    "family_of_child_again served_child sms message": (302, 302, 403, 403, 403, 302),
    "family_of_guardian_again served_guardian sms message": (302, 302, 403, 403, 403, 302),
    "children_dispute_work dispute stand": OFFICIALS,
    "children_dispute_work dispute end": OFFICIALS,
    "accounts_assistedmove_changelist": OFFICIALS,
    "accounts_firstsignin_changelist": (302, 302, 403, 403, 403, 200),
    "accounts_firstsignin_register": (302, 302, 403, 403, 403, 200),
    "accounts_firstsignin_work printed_paper ask": (302, 302, 403, 403, 403, 200),
    "accounts_firstsignin_work asked_paper decline": (302, 302, 403, 403, 403, 200),
    "accounts_firstsignin_work typed_paper correct": (302, 302, 403, 403, 403, 200),
    "accounts_assistedmove_find": (302, 302, 403, 403, 403, 200),
    "accounts_assistedmove_work assisted approve": OFFICIALS,
    "accounts_assistedmove_work stopped_before approve-despite": OFFICIALS,
    "accounts_assistedmove_work assisted withdraw": OFFICIALS,
    "children_guardianclaim_work paper_claim check": OFFICIALS,
    "children_guardianclaim_work checked_claim approve": OFFICIALS,
    "children_guardianclaim_work paper_claim refuse": OFFICIALS,
    "accounts_objection_changelist": OFFICIALS,
    "accounts_objection_add": NEVER,
    "accounts_objection_change objection": OFFICIALS,
    "accounts_objection_work objection mended": OFFICIALS,
    "accounts_objection_work objection stands": OFFICIALS,
    "accounts_objection_work objection not-ours": OFFICIALS,
    "bulletin_pause_work pause resume": OFFICIALS,
    "applications_bid_changelist": FOR_ALL_STAFF,
    "applications_bid_add": NEVER,
    "applications_bid_change bid": OWN_OR_OFFICIAL,
    "applications_bid_history bid": OWN_OR_OFFICIAL,
    "applications_bid_delete bid": NEVER,
    "applications_bid_work bid activate": OWN_WORK,
    "applications_bid_work bid reject": OWN_WORK,
    "applications_bid_work bid nonsense": NOBODY,
    "applications_referral_changelist": FOR_ALL_STAFF,
    "applications_referral_add": NEVER,
    "applications_referral_change referral": OWN_OR_OFFICIAL,
    "applications_referral_history referral": OWN_OR_OFFICIAL,
    "applications_referral_pdf referral": OWN_OR_OFFICIAL,
    "applications_referral_document referral document": OWN_OR_OFFICIAL,
    "applications_referral_document other_referral document": NOBODY,
    "applications_referral_work referral sign": OWN_WORK,
    "applications_referral_work referral revoke": OWN_WORK,
    "applications_referral_work referral came": OWN_WORK,
    "applications_referral_work expired came-in-time": OWN_OR_OFFICIAL,
    "applications_referral_work revoked undo-revocation": OWN_OR_OFFICIAL,
    "applications_bid_work refused undo-refusal": OWN_OR_OFFICIAL,
    "applications_contract_work contract undo-contract": OWN_OR_OFFICIAL,
    "applications_undorequest_changelist": FOR_ALL_STAFF,
    "applications_undorequest_add": NEVER,
    "applications_undorequest_change undo": OWN_OR_OFFICIAL,
    "applications_undorequest_delete undo": NEVER,
    "applications_undorequest_work undo approve": (302, 302, 404, 403, 200, 200),
    "applications_undorequest_work undo decline": (302, 302, 404, 403, 200, 200),
    "applications_contract_changelist": FOR_ALL_STAFF,
    "applications_contract_add": NEVER,
    "applications_contract_change contract": OWN_OR_OFFICIAL,
    "bulletin_vacancy_changelist": FOR_ALL_STAFF,
    "bulletin_vacancy_add": WORKERS,
    "bulletin_vacancy_change vacancy": OWN_OR_OFFICIAL,
    "bulletin_vacancy_change draft": OWN_OR_OFFICIAL,
    "bulletin_vacancy_delete draft": (302, 302, 403, 200, 403, 200),
    "bulletin_vacancy_delete vacancy": NEVER,
    "bulletin_vacancy_work draft publish": OWN_OR_OFFICIAL,
    "bulletin_vacancy_work soon publish-soon": (302, 302, 404, 403, 200, 200),
    "bulletin_vacancy_work vacancy recall": OWN_OR_OFFICIAL,
    "bulletin_vacancy_work vacancy close": OWN_OR_OFFICIAL,
    "applications_application_changelist": OFFICIALS,
    "applications_application_add": NEVER,
    "applications_application_change application": OFFICIALS,
    "applications_application_work application correct": OFFICIALS,
    "applications_correction_changelist": OFFICIALS,
    "applications_correction_add": NEVER,
    "applications_correction_change correction": OFFICIALS,
    "applications_correction_delete correction": NEVER,
    "applications_correction_work correction approve": OFFICIALS,
    "applications_correction_work correction decline": OFFICIALS,
    "accounts_numbermove_changelist": OFFICIALS,
    "accounts_numbermove_add": NEVER,
    "accounts_numbermove_change claim": OFFICIALS,
    "accounts_numbermove_work claim give": OFFICIALS,
    "accounts_numbermove_work claim keep": OFFICIALS,
    "applications_event_changelist": OFFICIALS,
    "applications_event_change event": OFFICIALS,
    "applications_stoplistentry_changelist": OFFICIALS,
    "applications_stoplistentry_change stop": OFFICIALS,
    "applications_stoplistentry_work stop lift": OFFICIALS,
    "applications_benefit_changelist": OFFICIALS,
    "applications_benefit_add": NEVER,
    "applications_benefit_change benefit": OFFICIALS,
    "applications_benefit_delete benefit": NEVER,
    "applications_benefit_document benefit": OFFICIALS,
    "applications_benefit_work benefit verify": OFFICIALS,
    "applications_benefit_work benefit reject": OFFICIALS,
    "applications_benefitcategory_changelist": OFFICIALS,
    "applications_benefitcategory_add": OFFICIALS,
    "applications_benefitcategory_change category": OFFICIALS,
    "applications_benefitcategory_delete category": NEVER,
    "bulletin_group_changelist": FOR_ALL_STAFF,
    "bulletin_group_add": NEVER,
    "bulletin_group_change group": OWN_OR_OFFICIAL,
    "bulletin_group_history group": OWN_OR_OFFICIAL,
    "bulletin_group_work group change": OWN_OR_OFFICIAL,
    "bulletin_group_work group count": OWN_OR_OFFICIAL,
    "applications_groupproposal_changelist": FOR_ALL_STAFF,
    "applications_groupproposal_add": FOR_ALL_STAFF,
    "applications_groupproposal_change group_proposal": OWN_OR_OFFICIAL,
    "applications_groupproposal_delete group_proposal": NEVER,
    "applications_groupproposal_work group_proposal approve": (302, 302, 404, 403, 200, 200),
    "applications_groupproposal_work group_proposal decline": (302, 302, 404, 403, 200, 200),
    "applications_headcount_changelist": FOR_ALL_STAFF,
    "applications_headcount_add": NEVER,
    "applications_headcount_change headcount": OWN_OR_OFFICIAL,
    "applications_headcount_delete headcount": NEVER,
    "applications_headcount_work headcount approve": (302, 302, 404, 403, 200, 200),
    "applications_headcount_work headcount decline": (302, 302, 404, 403, 200, 200),
    "applications_rules_changelist": OFFICIALS,
    "applications_rules_add": OFFICIALS,
    "applications_rules_change rules": OFFICIALS,
    "applications_rules_delete rules": NEVER,
    "applications_rulesproposal_changelist": OFFICIALS,
    "applications_rulesproposal_add": NEVER,
    "applications_rulesproposal_change proposal": OFFICIALS,
    "applications_rulesproposal_delete proposal": NEVER,
    "applications_rulesproposal_work proposal approve": OFFICIALS,
    "applications_rulesproposal_work proposal decline": OFFICIALS,
}


@pytest.fixture
def objects(scene, clock):
    """One of everything, all of it in one kindergarten."""
    # Officials answer where nobody else is employed.
    worker_of(scene.group.kindergarten)

    def bid():
        application = ApplicationFactory(
            locality=scene.locality, child__birth_date=scene.application.child.birth_date
        )
        return place_bid(application, vacancy, actor=application.filed_by, now=scene.now)

    # Where nobody is employed, an official would stand in.
    worker_of(scene.group.kindergarten)
    vacancy = VacancyFactory(
        group=scene.group, birth_years=[2017], seats_total=9, opens_at=scene.vacancy.opens_at
    )

    def assisted_move(account, phone):
        return assisted.open_move(
            account,
            new_phone=phone,
            document=AssistedMove.Document.CARD,
            why="x",
            actor=scene.staff,
            address=None,
            now=scene.now,
        )

    stubborn = UserFactory()
    moves.stop(assisted_move(stubborn, "+77023334456").move, by=stubborn, address=None, now=scene.now)

    def referral():
        return issuing.activate_bid(bid(), actor=scene.staff, now=scene.now)

    extended = referral()
    extending.extend_referral(
        extended,
        actor=extended.application.filed_by,
        until=extending.longest_extension(extended),
        reason="illness",
        documents=[("anyktama.pdf", ContentFile(b"%PDF-1.4", name="anyktama.pdf"))],
        now=scene.now,
    )
    extended.refresh_from_db()
    extended.pdf.save("paper.pdf", ContentFile(b"%PDF-1.4"))
    expired = referral()
    ending.expire_referral(expired, now=expired.valid_until)
    refused, revoked = bid(), referral()
    bid_ending.reject_bid(refused, actor=scene.staff, reason="x", now=scene.now)
    ending.revoke_referral(revoked, actor=scene.staff, reason="x", now=scene.now)
    lost = referral()
    ending.expire_referral(lost, now=lost.valid_until)
    served = bid()
    return SimpleNamespace(
        bid=served,
        served_child=served.application.child,
        served_guardian=served.application.filed_by,
        message=SimpleNamespace(pk="00000000-0000-4000-8000-000000000000"),
        referral=extended,
        other_referral=referral(),
        document=extended.extension.documents.get(),
        contract=ending.sign_contract(referral(), actor=scene.staff, now=scene.now),
        vacancy=vacancy,
        draft=VacancyFactory(group=scene.group, state=Vacancy.State.DRAFT, published_at=None),
        soon=VacancyFactory(
            group=scene.group,
            state=Vacancy.State.DRAFT,
            published_at=None,
            opens_at=scene.now + timedelta(minutes=1),
        ),
        dispute=DisputeFactory(),
        objection=ObjectionFactory(),
        paper_claim=GuardianClaimFactory(),
        checked_claim=GuardianClaimFactory(
            state="checked", checked_by=scene.staff, checked_at=scene.now, note="x"
        ),
        claim=NumberMove.objects.create(
            account=UserFactory(), kind="recycling", proof="claim", asked_at=scene.now, claimant_tie="unasked"
        ),
        assisted=assisted_move(UserFactory(), "+77023334455"),
        stopped_before=assisted_move(stubborn, "+77023334457"),
        printed_paper=FirstSignIn.objects.create(
            user=UserFactory(phone=None, username="912345678"), registered_at=scene.now
        ),
        typed_paper=FirstSignIn.objects.create(
            user=UserFactory(phone=None, username="934567890", profile__is_typed=True),
            registered_at=scene.now,
        ),
        asked_paper=FirstSignIn.objects.create(
            user=UserFactory(phone=None, username="923456789"),
            registered_at=scene.now,
            asked_at=scene.now,
        ),
        pause=Pause.objects.create(
            locality=LocalityFactory(slug="kentau"), started_at=scene.now, started_by=scene.staff
        ),
        application=scene.application,
        correction=Correction.objects.create(
            application=ApplicationFactory(locality=scene.locality),
            new_birth_year=2016,
            previous_birth_year=2017,
            previous_filed_at=scene.now,
            reason="x",
            document_number="1",
            document_date=scene.now.date(),
            proposed_at=scene.now,
            proposed_by=scene.staff,
        ),
        event=Event.objects.first(),
        stop=StopListEntry.objects.get(referral=expired),
        expired=expired,
        refused=refused,
        revoked=revoked,
        undo=UndoRequestFactory(bid=lost.bid, proposed_at=scene.now, proposed_by=scene.staff),
        benefit=(benefit := BenefitFactory(application=scene.application)),
        category=benefit.category,
        rules=Rules.objects.create(valid_from="2019-01-01"),
        group=scene.group,
        group_proposal=GroupProposal.objects.create(
            kindergarten=scene.group.kindergarten,
            name="Алма",
            age_group="2-3",
            language="kk",
            capacity=20,
            proposed_at=scene.now,
            proposed_by=scene.staff,
        ),
        headcount=Headcount.objects.create(
            group=scene.group,
            school_year=2018,
            children=1,
            counted_at=scene.now,
            proposed_at=scene.now,
            proposed_by=scene.staff,
        ),
        proposal=RulesProposal.objects.create(reason="x", proposed_at=scene.now, proposed_by=scene.staff),
    )


def visitor(kind: str, scene) -> Client:
    if kind == "anonymous":
        return Client()
    if kind == "parent":
        client = Client()
        client.force_login(UserFactory.create(), backend="django.contrib.auth.backends.ModelBackend")
        return client
    if kind == "stranger":
        return inside(worker_of(KindergartenFactory.create(locality=scene.locality)))
    if kind == "worker":
        return inside(worker_of(scene.group.kindergarten))
    if kind == "official":
        return inside(employee(Role.OFFICIAL))
    user = User.objects.create_superuser("root", "root-pass-1")
    give_app(user)
    return inside(user)


def address(row: str, objects: SimpleNamespace) -> str:
    name, *parts = row.split()
    return reverse(
        f"admin:{name}",
        args=[getattr(objects, part).pk if hasattr(objects, part) else part for part in parts],
    )


def status(client: Client, url: str) -> int:
    return client.get(url).status_code


def test_every_address_as_every_visitor(objects, scene):
    """Each page is drawn for the first and the last who get it: the one with the fewest rights and the one with all."""
    clients, got = [visitor(kind, scene) for kind in VISITORS], {}
    for row, expected in TABLE.items():
        shown = [place for place, code in enumerate(expected) if code == 200]
        answers = []
        for place, client in enumerate(clients):
            with nullcontext() if place in (*shown[:1], *shown[-1:]) else pages_unseen():
                answers.append(status(client, address(row, objects)))
        got[row] = tuple(answers)
    assert got == TABLE


def test_every_button_is_in_the_table():
    buttons = {
        f"{model._meta.app_label}_{model._meta.model_name}_work {work.name}"
        for model, page in staff_site._registry.items()
        for work in getattr(page, "works", ())
    }
    rows = [row.split() for row in TABLE]
    walked = {f"{row[0]} {row[-1]}" for row in rows if row[0].endswith("_work")}
    assert walked - {"applications_bid_work nonsense"} == buttons


POSTS = [row for row in TABLE if "_work " in row or "_delete " in row]


def test_no_button_can_be_pressed_from_outside(objects, scene):
    def history():
        vacancies = Vacancy.objects.filter(pk__in=[objects.vacancy.pk, objects.draft.pk])
        return Event.objects.count(), list(vacancies.order_by("pk").values_list("state", flat=True))

    before = history()
    for kind in ("anonymous", "parent", "stranger"):
        client = visitor(kind, scene)
        for row in POSTS:
            answer = client.post(address(row, objects), {"reason": "x", "post": "yes"})
            if kind == "stranger":
                assert answer.status_code in {403, 404}, row
            else:
                assert answer.url.partition("?")[0] == reverse("admin:login"), row
        assert history() == before, kind


def test_lists_and_popups_show_a_stranger_nothing(objects, scene):
    client = visitor("stranger", scene)
    for name in ("applications_bid", "applications_referral", "applications_contract", "bulletin_vacancy"):
        for query in ("", "?_popup=1", "?all=1", "?_to_field=id&_popup=1", "?q=a"):
            page = client.get(reverse(f"admin:{name}_changelist") + query)
            assert page.context["cl"].result_count == 0, (name, query)
            assert scene.group.name not in page.content.decode(), (name, query)


def test_filters_offer_only_own_kindergartens(objects, scene):
    other = VacancyFactory(group__kindergarten__name_kk="Бөтен балабақша")
    page = visitor("worker", scene).get(reverse("admin:bulletin_vacancy_changelist")).content.decode()
    assert "Бөтен балабақша" not in page
    assert str(other.pk) not in page


def test_a_vacancys_form_offers_only_own_groups(objects, scene):
    other = VacancyFactory().group
    form = visitor("worker", scene).get(reverse("admin:bulletin_vacancy_add")).context["adminform"].form
    assert set(form.fields["group"].queryset) == {scene.group}
    assert other not in form.fields["group"].queryset


def test_an_employment_that_ended_yesterday_opens_nothing(objects, scene):
    worker = worker_of(scene.group.kindergarten)
    worker.employments.update(until="2019-06-26")
    assert inside(worker).get(address("applications_bid_change bid", objects)).status_code == 200
    worker.employments.update(until="2019-06-25")
    assert inside(worker).get(address("applications_bid_change bid", objects)).status_code == 404


def test_an_unknown_id_is_not_found(objects, scene):
    client = visitor("worker", scene)
    for pk in ("00000000-0000-4000-8000-000000000000", "nonsense", "1' OR 1=1"):
        for name in ("applications_bid_change", "applications_referral_change", "bulletin_vacancy_change"):
            assert client.get(reverse(f"admin:{name}", args=[pk])).status_code == 404, (name, pk)
