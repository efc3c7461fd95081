"""A city with everything that the portal's pages show: one family with an application in every state."""

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

from django.utils import timezone

from accounts.roles import Role
from applications.models import Application, Referral
from applications.referrals.ending import expire_referral, sign_contract
from applications.referrals.issuing import activate_bid
from applications.states import ApplicationState
from applications.waiting.filing import archive
from tests.applications.bidding.given_back import offered_to
from tests.applications.bidding.reference import place_bid
from tests.factories import (
    ApplicationFactory,
    BenefitCategoryFactory,
    BenefitFactory,
    ChildFactory,
    ClaimPaperFactory,
    ComplaintFactory,
    GroupFactory,
    GuardianClaimFactory,
    GuardianshipFactory,
    HolidayFactory,
    KindergartenFactory,
    LocalityFactory,
    ObjectionFactory,
    ReviewFactory,
    StaffFactory,
    UserFactory,
    VacancyFactory,
)
from tests.staff import employee, worker_of


def build_city() -> SimpleNamespace:
    """A city with everything that pages show, in letters that Kazakh and Russian share."""
    now = timezone.now()
    for year in (now.year - 1, now.year, now.year + 1):
        HolidayFactory(date=date(year, 1, 1))
    parent = UserFactory.create(profile__last_name="ОМАРОВ", profile__middle_name="")
    locality = LocalityFactory(slug="1", name_kk="Талас", name_ru="Талас")
    kindergarten = KindergartenFactory(
        locality=locality,
        slug="1",
        name_kk="Айша",
        name_ru="Айша",
        address_kk="Абай, 1",
        address_ru="Абая, 1",
        head="Серикова Алма",
        latitude=Decimal("43.300000"),
        longitude=Decimal("68.250000"),
    )
    vacancy = VacancyFactory(
        group=GroupFactory(kindergarten=kindergarten, name="Алма"),
        responsible="Серикова Алма",
        birth_years=[now.year - 3],
        opens_at=now - timedelta(days=60),
        seats_total=9,
    )

    def family(**fields):
        child = ChildFactory(
            last_name="ОМАРОВА", first_name="АЛМА", middle_name="", birth_date=date(now.year - 3, 7, 20)
        )
        return ApplicationFactory(
            child=child, locality=locality, filed_by=parent, filed_at=now - timedelta(days=90), **fields
        )

    staff = StaffFactory(username="омар")
    applications = {
        state: family() for state in ("waiting", "bid_placed", "referred", "enrolled", "archived")
    }
    applications["lapsed"] = family(state=ApplicationState.LAPSED)
    applications["stop_listed"] = family()
    bids = {
        state: place_bid(applications[state], vacancy, actor=parent, now=now)
        for state in ("bid_placed", "referred", "enrolled")
    }
    came = activate_bid(bids["referred"], actor=staff, now=now)
    Referral.objects.filter(pk=came.pk).update(came_on=locality.day(now))
    sign_contract(activate_bid(bids["enrolled"], actor=staff, now=now), actor=staff, now=now)
    archive(applications["archived"], actor=parent, now=now)
    early = now - timedelta(days=12)
    missed = activate_bid(
        place_bid(applications["stop_listed"], vacancy, actor=parent, now=early), actor=staff, now=early
    )
    expire_referral(missed, now=now)
    GuardianshipFactory(
        user=parent,
        child=ChildFactory(
            last_name="ОМАРОВА", first_name="САРА", middle_name="", birth_date=date(now.year - 3, 2, 1)
        ),
    )
    benefit = BenefitFactory(
        application=applications["waiting"],
        category=BenefitCategoryFactory(
            slug="1", name_kk="Мерген", name_ru="Мерген", proof_kk="Мерген", proof_ru="Мерген"
        ),
        original_name="1",
    )
    ReviewFactory(
        author=parent,
        kindergarten=kindergarten,
        text="Рахмет",
        answer="Рахмет",
        created_at=now,
        moderated_at=now,
    )
    claim_paper = ClaimPaperFactory.create(
        claim=GuardianClaimFactory.create(
            user=parent,
            last_name="ОМАРОВ",
            first_name="АЛМА",
            birth_date=date(now.year - 3, 3, 1),
            paper_number="1234567",
        ),
        original_name="1",
    )
    return SimpleNamespace(
        complaint=ComplaintFactory.create(user=parent, locality=kindergarten.locality, text="Алма"),
        objection=ObjectionFactory.create(user=parent, wrong="Алма", right="Алма"),
        claim=claim_paper.claim,
        claim_paper=claim_paper,
        parent=parent,
        kindergarten=kindergarten,
        vacancy=vacancy,
        applications=applications,
        child=applications["waiting"].child,
        worker=worker_of(kindergarten, username="асан"),
        official=employee(Role.OFFICIAL, username="сара"),
        benefit=benefit,
    )


def with_offer(city: SimpleNamespace) -> Application:
    """One more application of the family, to which a place is offered that somebody gave back."""
    application = ApplicationFactory(
        child=ChildFactory(
            last_name="ОМАРОВА", first_name="АЛМА", middle_name="", birth_date=city.child.birth_date
        ),
        locality=city.kindergarten.locality,
        filed_by=city.parent,
    )
    vacancy = VacancyFactory(
        group=city.vacancy.group, responsible=city.vacancy.responsible, birth_years=city.vacancy.birth_years
    )
    offered_to(
        SimpleNamespace(application=application, vacancy=vacancy, parent=city.parent, now=timezone.now())
    )
    return application
