"""Who gets which page of the workplace: every address as every kind of visitor, as docs/roles.md promises."""

import re
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.first_sign_in import to_print
from accounts.journal_actions import Action
from accounts.models import (
    AssistedMove,
    AuditEntry,
    Employee,
    FirstSignIn,
    NumberMove,
    PolicyConsent,
    Profile,
    SmsCode,
    StaffLink,
    User,
)
from accounts.numbers import assisted, moves
from accounts.roles import Role
from applications.admin.work import page_of
from applications.bidding import ending as bid_ending
from applications.guardians.claims import claims_to_decide
from applications.models import (
    CityExport,
    Contract,
    Correction,
    Event,
    FormerDecision,
    FormerLine,
    FormerProtocol,
    GroupProposal,
    Headcount,
    MadeFile,
    ProfileProposal,
    Rules,
    RulesProposal,
    StopListEntry,
    Transfer,
    UndoRequest,
)
from applications.own_rows import TABLE as TABLE_OF_ROWS
from applications.own_rows import concerns_all
from applications.queue.corrections import corrections_to_decide
from applications.referrals import coming, ending, extending, issuing
from applications.referrals.leaving import end_contract
from applications.referrals.transferring import transfer
from applications.undoing.requests import undo_to_decide
from applications.workplace import rules_to_decide
from balabaqsha.admin_site import staff_site
from bulletin.models import Closing, Holiday, Locality, Pause, Vacancy
from children.models import Child
from notifications.models import Mail, Message, Notice
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import NOW, build_calendar, build_scene
from tests.factories import (
    ApplicationFactory,
    BenefitFactory,
    ComplaintFactory,
    DisputeFactory,
    EmploymentFactory,
    GroupFactory,
    GuardianClaimFactory,
    GuardianshipFactory,
    KindergartenFactory,
    LocalityFactory,
    ObjectionFactory,
    PhotoFactory,
    ReportedIncidentFactory,
    ReviewFactory,
    StaffFactory,
    UndoRequestFactory,
    UserFactory,
    VacancyFactory,
    left_out,
    nth_iin,
    unclaimed,
)
from tests.shared import built_once
from tests.staff import employee, give_app, inside, official_of, press, worker_of
from tests.thorough import THOROUGH
from tests.unseen import pages_unseen

pytestmark = pytest.mark.django_db

# One column of docs/roles.md each. `other_…` work somewhere else; families and visitors are led to the sign-in page.
VISITORS = (
    "worker",
    "other_worker",
    "official",
    "other_official",
    "contact_centre",
    "auditor",
    "administrator",
    "superuser",
)
OUTSIDE = ("anonymous", "parent")
# Stands in everything that the families of these tests wrote, and in nothing else.
FAMILYS_OWN = "әжеміз"
# What is no page leads to one.
MARKS = {"✓": 200, "→": 302, "—": 403, "·": 404}
ROLES = Path(__file__).resolve().parents[3] / "docs/roles.md"


def read_table() -> dict[str, tuple[int, ...]]:
    """What docs/roles.md promises: for each address, what each visitor gets."""
    rows = re.findall(r"^\| `([^`]+)` \|(.+)\|$", ROLES.read_text(), re.MULTILINE)
    return {row: tuple(MARKS[cell.strip()] for cell in cells.split("|")) for row, cells in rows}


TABLE = read_table()


@pytest.fixture(scope="module")
def city_once(django_db_setup, django_db_blocker):
    """All of it takes half a second to build, and no test of this module has transactions of its own."""

    def build() -> SimpleNamespace:
        with time_machine.travel(NOW.astimezone(UTC), tick=False):
            build_calendar()
            scene = build_scene()
            return SimpleNamespace(scene=scene, objects=build_objects(scene))

    with built_once(django_db_blocker, build) as city:
        yield city


@pytest.fixture
def city(city_once, db, clock) -> SimpleNamespace:
    return city_once()


@pytest.fixture
def scene(city):
    return city.scene


@pytest.fixture
def objects(city):
    return city.objects


def build_objects(scene) -> SimpleNamespace:
    """One of everything, all of it in one kindergarten and in the families of its locality."""

    def parent():
        return ApplicationFactory(locality=scene.locality).filed_by

    def guardianship():
        return ApplicationFactory(locality=scene.locality).child.guardianships.get()

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

    stubborn = parent()
    moves.stop(assisted_move(stubborn, "+77023334456").move, by=stubborn, address=None, now=scene.now)

    def referral():
        return issuing.activate_bid(bid(), actor=scene.staff, now=scene.now)

    extended = referral()
    extending.extend_referral(
        extended,
        actor=extended.application.filed_by,
        until=extending.longest_extension(extended),
        reason="illness",
        explanation=written_by(extended.application.filed_by),
        documents=[
            (
                f"{written_by(extended.application.filed_by)}.pdf",
                ContentFile(b"%PDF-1.4", name="anyktama.pdf"),
            )
        ],
        now=scene.now,
    )
    extended.refresh_from_db()
    extended.pdf.save("paper.pdf", ContentFile(b"%PDF-1.4"))
    expired = referral()
    ending.expire_referral(expired, now=expired.valid_until)
    refused, revoked = bid(), referral()
    bid_ending.reject_bid(refused, actor=scene.staff, reason=typed_of(refused.application), now=scene.now)
    ending.revoke_referral(revoked, actor=scene.staff, reason="x", now=scene.now)
    gone = ending.sign_contract(referral(), actor=scene.staff, now=scene.now)
    end_contract(gone, left_on=scene.now.date(), reason="x", actor=scene.staff, now=scene.now)
    moved = ending.sign_contract(referral(), actor=scene.staff, now=scene.now)
    groups = [GroupFactory(kindergarten=scene.group.kindergarten) for _number in range(2)]
    transfer(moved, target=groups[0], reason="x", actor=scene.staff, now=scene.now)
    in_closed = ending.sign_contract(referral(), actor=scene.staff, now=scene.now)
    transfer(in_closed, target=groups[1], reason="x", actor=scene.staff, now=scene.now)
    lost = referral()
    ending.expire_referral(lost, now=lost.valid_until)
    served = bid()
    visited = coming.note_coming(referral(), came_on=scene.now.date(), actor=scene.staff, now=scene.now)
    return SimpleNamespace(
        bid=served,
        served_child=served.application.child,
        served_guardian=served.application.filed_by,
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
        dispute=DisputeFactory(guardianship=guardianship()),
        complaint=ComplaintFactory(user=parent(), locality=scene.locality, sent_at=scene.now),
        objection=ObjectionFactory(user=parent()),
        paper_claim=GuardianClaimFactory(user=parent()),
        checked_claim=GuardianClaimFactory(
            user=parent(), state="checked", checked_by=scene.staff, checked_at=scene.now, note="x"
        ),
        claim=NumberMove.objects.create(
            account=parent(), kind="recycling", proof="claim", asked_at=scene.now, claimant_tie="unasked"
        ),
        assisted=assisted_move(parent(), "+77023334455"),
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
        closing=Closing.objects.create(
            kindergarten=scene.group.kindergarten,
            group=groups[1],
            cause="repair",
            reason="x",
            starts_on=scene.now.date(),
            decided_at=scene.now,
            decided_by=scene.staff,
        ),
        pause=Pause.objects.create(locality=scene.locality, started_at=scene.now, started_by=scene.staff),
        pause_of_all=Pause.objects.create(started_at=scene.now, started_by=scene.staff),
        incident=ReportedIncidentFactory(locality=scene.locality, started_at=scene.now),
        incident_of_all=ReportedIncidentFactory(started_at=scene.now),
        application=scene.application,
        unclaimed=GuardianshipFactory(
            child=unclaimed(locality=scene.locality).child
        ).child.applications.get(),
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
        visited=visited,
        gone=gone,
        moved=moved,
        in_closed=in_closed,
        refused=refused,
        revoked=revoked,
        undo=UndoRequestFactory(bid=lost.bid, proposed_at=scene.now, proposed_by=scene.staff),
        benefit=(
            benefit := BenefitFactory(
                application=scene.application, original_name=f"{written_by(scene.parent)}.pdf"
            )
        ),
        dated_benefit=BenefitFactory(
            application=ApplicationFactory(locality=scene.locality), category__valid_days=30
        ),
        category=benefit.category,
        rules=Rules.objects.create(valid_from="2019-01-01", locality=scene.locality),
        rules_of_all=Rules.objects.create(valid_from="2019-01-01"),
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
        profile_proposal=ProfileProposal.objects.create(
            kindergarten=scene.group.kindergarten,
            licence="№ 1",
            proposed_at=scene.now,
            proposed_by=scene.staff,
        ),
        photo=PhotoFactory(kindergarten=scene.group.kindergarten),
        published_photo=PhotoFactory(kindergarten=scene.group.kindergarten, state="published"),
        headcount=Headcount.objects.create(
            group=scene.group,
            school_year=2018,
            children=1,
            counted_at=scene.now,
            proposed_at=scene.now,
            proposed_by=scene.staff,
        ),
        proposal=RulesProposal.objects.create(
            locality=scene.locality, reason="x", proposed_at=scene.now, proposed_by=scene.staff
        ),
        proposal_of_all=RulesProposal.objects.create(
            reason="x", proposed_at=scene.now, proposed_by=scene.staff
        ),
        city_export=CityExport.objects.create(
            keys="age1", reason="x", proposed_at=scene.now, proposed_by=scene.staff
        ),
        former_line=(line := left_out(scene.locality)),
        decided_line=decided_line(scene),
        former_batch=line.batch,
        signed_protocol=FormerProtocol.objects.create(
            batch=line.batch,
            proposed_at=scene.now - timedelta(days=1),
            proposed_by=scene.staff,
            state="approved",
            decided_at=scene.now - timedelta(days=1),
            decided_by=StaffFactory(),
            sums={"parts": [], "moved_by": []},
        ),
        former_protocol=FormerProtocol.objects.create(
            batch=line.batch, proposed_at=scene.now, proposed_by=scene.staff
        ),
        child=scene.application.child,
        parent=scene.parent,
        profile=scene.parent.profile,
        colleague=(colleague := worker_of(scene.group.kindergarten)),
        employment=colleague.employments.get(),
        person=Employee.objects.create(
            user=colleague, last_name="Ахметова", first_name="Айдана", position="әдіскер"
        ),
        locality=scene.locality,
        kindergarten=scene.group.kindergarten,
        holiday=Holiday.objects.first(),
        review=ReviewFactory(
            kindergarten=scene.group.kindergarten, state="pending", text=written_by(scene.parent)
        ),
        opinion=ReviewFactory(kindergarten=scene.group.kindergarten, answer="Рақмет", answer_language="kk"),
        hidden_opinion=ReviewFactory(
            kindergarten=scene.group.kindergarten, answer="Жоқ", answer_hidden_at=scene.now
        ),
        consent=PolicyConsent.objects.create(user=scene.parent, version="1", given_at=scene.now),
        code=SmsCode.objects.create(
            phone=scene.parent.phone,
            purpose="reset",
            code_hash="x",
            session_hash="x",
            created_at=scene.now,
            expires_at=scene.now,
        ),
        entry=AuditEntry.objects.create(
            at=scene.now, action=Action.SIGNED_IN, actor=scene.parent, subject=scene.parent
        ),
        message=outgoing(Message, scene, phone=scene.parent.phone),
        mail=outgoing(Mail, scene, address="a@mail.kz"),
        # As nearly all notices do, it names the child.
        notice=Notice.objects.create(
            recipient=scene.parent,
            kind="bid_placed",
            text_kk=f"{scene.application.child.full_name}: өтінім берілді",
            text_ru=f"{scene.application.child.full_name}: заявка подана",
            dedupe_key="x",
            created_at=scene.now,
        ),
        role=Group.objects.get(name=Role.OFFICIAL),
        file=MadeFile.objects.create(
            user=scene.staff, what="report:queue", language="kk", asked_at=scene.now
        ),
    )


def decided_line(scene) -> FormerLine:
    line = left_out(scene.locality, old_number="125/17")
    FormerDecision.objects.create(
        line=line, kind="left_out", reason="x", decided_at=scene.now, decided_by=scene.staff
    )
    return line


def written_by(parent) -> str:
    """Words of a family, which name whom it will."""
    return f"{parent.profile.full_name} {FAMILYS_OWN}"


def outgoing(model, scene, **fields):
    return model.objects.create(
        recipient=scene.parent,
        kind="bid_placed",
        language="kk",
        text=f"{scene.application.child.full_name}: өтінім берілді",
        dedupe_key=f"{model.__name__}:x",
        created_at=scene.now,
        next_attempt_at=scene.now,
        give_up_at=scene.now,
        **fields,
    )


def visitor(kind: str, scene) -> Client:
    """A browser of each kind of visitor, signed in where one can be."""
    if kind == "anonymous":
        return Client()
    if kind == "parent":
        client = Client()
        client.force_login(UserFactory.create(), backend="django.contrib.auth.backends.ModelBackend")
        return client
    made: dict[str, Callable[[], User]] = {
        "worker": lambda: worker_of(scene.group.kindergarten),
        "other_worker": lambda: worker_of(KindergartenFactory.create(locality=scene.locality)),
        "official": lambda: official_of(scene.locality),
        "other_official": lambda: official_of(LocalityFactory(slug="kentau")),
        "contact_centre": lambda: employee(Role.CONTACT_CENTRE),
        "auditor": lambda: employee(Role.AUDITOR),
        "administrator": lambda: employee(Role.ADMINISTRATOR),
        "superuser": superuser,
    }
    return inside(made[kind]())


def superuser() -> User:
    user = User.objects.create_superuser("root", "root-pass-1")
    give_app(user)
    return user


def address(row: str, objects: SimpleNamespace) -> str:
    name, *parts = row.split()
    return reverse(
        f"admin:{name}",
        args=[getattr(objects, part).pk if hasattr(objects, part) else part for part in parts],
    )


def status(client: Client, url: str) -> int:
    return client.get(url).status_code


def test_every_address_as_every_visitor(objects, scene):
    """Each page is drawn for the first and the last who get it: the one with the fewest rights and the one with all.

    In a quick run it is asked for by the first or the last of each answer in turns, and by each of the others in turns;
    it is drawn for the first or the last who get it. What shows a page enters the look, by whatever method it is asked;
    other methods show nothing. A quick run asks that of every fourth.
    """
    outside = [visitor(kind, scene) for kind in OUTSIDE]
    clients, got = [visitor(kind, scene) for kind in VISITORS], {}
    boss = clients[-1]
    looks = AuditEntry.objects.filter(action=Action.PERSONAL_DATA_VIEWED, actor__is_superuser=True)
    unlike, untold = [], []
    for number, (row, expected) in enumerate(TABLE.items()):
        places = {code: [at for at, one in enumerate(expected) if one == code] for code in (*expected, 200)}
        ends = {code: {same[0], same[-1]} for code, same in places.items() if same}
        if not THOROUGH:
            ends = {code: {sorted(both)[-(number % 2)]} for code, both in ends.items()}
        url = address(row, objects)
        is_looked_at_before = THOROUGH or number % 4 == 0
        with pages_unseen():
            strangers = outside if THOROUGH else [outside[number % len(outside)]]
            assert {status(client, url) for client in strangers} == {302}, row
            if is_looked_at_before:
                if boss.options(url).status_code != 405:
                    unlike.append(row)
                boss.head(url)
        entered = looks.count()
        some = {number % len(VISITORS), *chain.from_iterable(ends.values())}
        if is_looked_at_before:
            some.add(VISITORS.index("superuser"))
        answers = list(expected)
        for place in range(len(VISITORS)) if THOROUGH else sorted(some):
            with nullcontext() if place in ends.get(200, ()) else pages_unseen():
                answers[place] = status(clients[place], url)
        got[row] = tuple(answers)
        # The same look for ten minutes, unless it was none.
        if is_looked_at_before and looks.count() != entered:
            untold.append(row)
    assert [f"{row}: {got[row]}" for row in TABLE if got[row] != TABLE[row]] == []
    assert (unlike, untold) == ([], [])
    assert looks.exists()


def test_every_list_is_in_the_table():
    """With its pages, where it has any."""
    lists = {f"{model._meta.app_label}_{model._meta.model_name}" for model in staff_site._registry}
    rows = [row.partition(" ")[0] for row in TABLE]
    assert {row.removesuffix("_changelist") for row in rows if row.endswith("_changelist")} == lists
    assert {row.removesuffix("_change") for row in rows if row.endswith("_change")} == lists


def test_it_is_known_of_every_list_whose_rows_are_whose():
    assert set(staff_site._registry) <= set(TABLE_OF_ROWS)


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
    for kind in (*OUTSIDE, "other_worker"):
        client = visitor(kind, scene)
        for row in POSTS:
            answer = client.post(address(row, objects), {"reason": "x", "post": "yes"})
            if kind == "other_worker":
                assert answer.status_code in {403, 404}, row
            elif kind == "parent":
                assert answer.url.partition("?")[0] == reverse("admin:login"), row
            else:
                # Who is signed in nowhere reads that nothing was done, and where to sign in.
                assert answer.status_code == 403, row
                assert answer.context["sign_in"].partition("?")[0] == reverse("admin:login"), row
        assert history() == before, kind


def shown(client: Client, model, query: str = "") -> set[object]:
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    with pages_unseen():
        page = client.get(address + query)
    return {row.pk for row in page.context["cl"].result_list}


def test_no_list_shows_what_is_of_others(objects, scene):
    """Every list that somebody reads, with every way to ask for all of it; the official who works there sees it."""
    found = {one for one in vars(objects).values() if isinstance(one, Model)}
    placed = {one for one in found if not concerns_all(one) and not isinstance(one, Group)}
    desks = {kind: visitor(kind, scene) for kind in ("official", "other_official", "other_worker")}
    for model in staff_site._registry:
        rows = {one.pk for one in placed if isinstance(one, model)}
        name = f"{model._meta.app_label}_{model._meta.model_name}_changelist"
        may_read = dict(zip(VISITORS, TABLE[name], strict=True))
        for kind, desk in desks.items():
            if may_read[kind] == 200 and kind == "official":
                assert rows <= shown(desk, model, "?all=1"), name
            elif may_read[kind] == 200:
                for query in ("", "?_popup=1", "?all=1", "?_to_field=id&_popup=1"):
                    assert not rows & shown(desk, model, query), (kind, name, query)


def test_filters_and_suggestions_offer_only_own_rows(objects, scene):
    """A worker's, and those of an official of a locality."""
    other = VacancyFactory(group__kindergarten__name_kk="Бөтен балабақша").group.kindergarten
    page = visitor("worker", scene).get(reverse("admin:bulletin_vacancy_changelist")).content.decode()
    assert other.name_kk not in page
    far = KindergartenFactory(name_kk="Алыс балабақша", locality=LocalityFactory(slug="far", name_kk="Алыс"))
    official, far_official = (inside(official_of(place)) for place in (scene.locality, far.locality))
    for name in (
        "applications_application",
        "applications_benefit",
        "applications_event",
        "applications_rules",
        "bulletin_kindergarten",
        "bulletin_employment",
        "bulletin_pause",
        "bulletin_reportedincident",
    ):
        address = reverse(f"admin:{name}_changelist")
        assert "Алыс" not in official.get(address).content.decode(), name
    assert "Алыс" in far_official.get(reverse("admin:bulletin_kindergarten_changelist")).content.decode()
    asked = {
        "app_label": "bulletin",
        "model_name": "employment",
        "field_name": "kindergarten",
        "term": "Алыс",
    }
    suggestions = reverse("admin:autocomplete")
    assert official.get(suggestions, asked).status_code == 403
    found = visitor("administrator", scene).get(suggestions, asked).json()["results"]
    assert [one["text"] for one in found] == ["Алыс балабақша"]


def test_the_start_page_counts_only_own_rows(objects, scene):
    """Of a page where everything waits, an official of another locality finds nothing."""
    counts = {}
    for kind, user in {
        "own": official_of(scene.locality),
        "other": official_of(LocalityFactory(slug="far")),
    }.items():
        page = inside(user).get(reverse("admin:index")).context
        waits = {name: value for name, value in vars(page["today"]).items() if value is not None}
        waits |= {name: value for name, value in vars(page["numbers"]).items() if value is not None}
        counts[kind] = {name: getattr(value, "total", value) for name, value in waits.items()}
    assert {name for name, count in counts["other"].items() if count} == set()
    shared = (
        "rules",
        "groups",
        "headcounts",
        "reviews",
        "claims",
        "disputes",
        "guardian_claims",
        "objections",
    )
    assert [counts["own"][name] > 0 for name in (*shared, "corrections", "assisted", "vacancies")] == [
        True
    ] * 11


def test_what_holds_for_all_is_decided_by_who_works_in_every_locality(objects, scene):
    """An official of one locality gives it rules, and can't leave the locality out, by whatever they send."""
    one, every = official_of(scene.locality), official_of(*Locality.objects.all())
    far = LocalityFactory(slug="far")
    for name in ("applications_rules_add", "bulletin_pause_add"):
        field = form_of(inside(one).get(reverse(f"admin:{name}"))).fields["locality"]
        assert (list(field.queryset), field.required) == ([scene.locality], True)
    for chosen in ("", far.pk):
        sent = {
            "locality": chosen,
            "notice_kk": "Жүйе жаңартылуда",
            "notice_ru": "Обновление",
            "confirmed": "1",
        }
        page = inside(one).post(reverse("admin:bulletin_pause_add"), sent)
        assert [*form_of(page).errors] == ["locality"]
    # A locality came meanwhile: now nobody has all of them but who is employed in it, too.
    address_of_proposal = address("applications_rulesproposal_work proposal_of_all approve", objects)
    for kind, expected in (("missing one", 403), ("all", 200)):
        if kind == "all":
            EmploymentFactory(user=every, kindergarten=None, locality=far)
        assert status(inside(every), address_of_proposal) == expected, kind
        assert status(inside(every), reverse("admin:bulletin_holiday_add")) == expected, kind
        assert status(inside(every), reverse("admin:applications_benefitcategory_add")) == expected, kind
    assert not form_of(inside(every).get(reverse("admin:applications_rules_add"))).fields["locality"].required


def form_of(page):
    return page.context["adminform"].form if "adminform" in page.context else page.context["form"]


AUDITOR = VISITORS.index("auditor")
NAMED_TO_OFFICIALS = {
    "index",
    "applications_bid_change bid",
    "applications_application_changelist",
    "applications_benefit_change benefit",
    "applications_referral_change referral",
    "bulletin_review_changelist",
    "bulletin_review_change review",
    "notifications_mail_change mail",
    "notifications_message_change message",
}


def some_children(of_a_list):
    """All whom a list is about; in a quick run the first of them, as each of its rows is found alike."""
    children = Child.objects.filter(pk__in=of_a_list).order_by("pk")
    return children if THOROUGH else children[:1]


@pytest.mark.no_cover
def test_an_auditor_reads_no_names(objects, scene):
    """On no page and in no list that they may open; an official reads them there."""
    people = [*Child.objects.all(), *Profile.objects.all()]
    names = {name for one in people for name in (one.last_name, one.first_name, one.middle_name) if name}
    names.add(FAMILYS_OWN)
    told = {}
    for kind, some in (("auditor", TABLE), ("official", NAMED_TO_OFFICIALS)):
        desk = visitor(kind, scene)
        pages = [row for row in some if dict(zip(VISITORS, TABLE[row], strict=True))[kind] == 200]
        told[kind] = {row for row in pages if names & words_of(desk.get(address(row, objects)))}
    assert told == {"auditor": set(), "official": NAMED_TO_OFFICIALS}
    # What can't be read can't be searched for either.
    found = visitor("auditor", scene).get(reverse("admin:bulletin_review_changelist"), {"q": FAMILYS_OWN})
    assert found.context["cl"].search_fields == []
    auditor, official, asked = visitor("auditor", scene), visitor("official", scene), set()
    for model, page in staff_site._registry.items():
        if not getattr(page, "child_path", ""):
            continue
        may_read = TABLE[f"{model._meta.app_label}_{model._meta.model_name}_changelist"][AUDITOR] == 200
        for child in some_children(model.objects.values(page.child_path)):
            query = f"?q={child.last_name[:4]}"
            assert not may_read or not shown(auditor, model, query)
            if shown(official, model, query):
                asked.add(model._meta.label)
    assert {"applications.Application", "applications.Bid", "applications.Benefit"} <= asked
    for words in (scene.application.child.last_name, scene.parent.profile.last_name[:5]):
        answer = auditor.post(reverse("admin:family_search"), {"text": words})
        assert answer.context["errors"]["text"]
        papers = auditor.get(reverse("admin:accounts_firstsignin_changelist"), {"q": words})
        assert not papers.context["cl"].result_list


def typed_of(application) -> str:
    """What an employee may have written of a family."""
    return f"{application.child.last_name} келмеді"


@pytest.mark.no_cover
def test_an_auditor_reads_no_names_in_reasons(objects, scene):
    """On each page that shows why something was done to a family; an official reads all that was typed."""
    ended, moved = objects.gone, objects.moved
    Contract.objects.filter(pk=ended.pk).update(end_reason=typed_of(ended.referral.application))
    Transfer.objects.filter(contract=moved).update(reason=typed_of(moved.referral.application))
    for one in (objects.revoked, objects.benefit, objects.stop):
        type(one).objects.filter(pk=one.pk).update(reason=typed_of(one.application))
    asked = UndoRequest.objects.filter(pk=objects.undo.pk)
    asked.update(
        reason=typed_of(objects.undo.application), decision_reason=typed_of(objects.undo.application)
    )
    of_refusal = objects.refused.application.events.get(reason=typed_of(objects.refused.application))
    auditor, official = visitor("auditor", scene), visitor("official", scene)
    for one, application in [
        (objects.refused, objects.refused.application),
        (objects.revoked, objects.revoked.application),
        (objects.benefit, objects.benefit.application),
        (objects.stop, objects.stop.application),
        (ended, ended.referral.application),
        (moved, moved.referral.application),
        (objects.undo, objects.undo.application),
        (of_refusal, of_refusal.application),
        (of_refusal.application, of_refusal.application),
    ]:
        page, typed = page_of(one), typed_of(application)
        assert typed in official.get(page).content.decode(), page
        read = auditor.get(page).content.decode()
        assert "••••• келмеді" in read, page
        assert typed not in read, page


def words_of(page) -> set[str]:
    return set(re.findall(r"\w+", re.sub(r"<[^>]*>", " ", page.content.decode())))


def test_two_officials_of_a_locality_are_enough(objects, scene):
    """One proposes, the other approves; neither has to work elsewhere."""
    first, second = official_of(scene.locality), official_of(scene.locality)
    objects.proposal.proposed_by = first
    objects.proposal.save()
    approve = address("applications_rulesproposal_work proposal approve", objects)
    press(inside(first), approve)
    objects.proposal.refresh_from_db()
    assert objects.proposal.state == "proposed"
    press(inside(second), approve)
    objects.proposal.refresh_from_db()
    assert (objects.proposal.state, objects.proposal.decided_by) == ("approved", second)


def test_nobody_changes_their_own_roles_nor_a_superuser(objects, scene):
    administrator = employee(Role.ADMINISTRATOR)
    desk, chief = inside(administrator), superuser()
    for user, may in ((objects.colleague, True), (administrator, False), (chief, False)):
        page = desk.get(reverse("admin:accounts_user_change", args=[user.pk]))
        assert page.context["has_change_permission"] is may
        answer = desk.post(
            page.request["PATH_INFO"],
            {"groups": [objects.role.pk], "is_active": "on", "staff_iin": nth_iin(90_000)},
        )
        assert answer.status_code == (302 if may else 403)
        assert (objects.role in user.groups.all()) is may
        reset = reverse("admin:accounts_user_second_factor", args=[user.pk])
        assert status(desk, reset) == (200 if may else 403)


def test_a_vacancys_form_offers_only_own_groups(objects, scene):
    other = VacancyFactory().group
    form = visitor("worker", scene).get(reverse("admin:bulletin_vacancy_add")).context["adminform"].form
    assert set(form.fields["group"].queryset) == set(scene.group.kindergarten.groups.all())
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


def test_nothing_waits_for_who_counts_as_whoever_asked_for_it(objects, scene):
    """Lists, counters and buttons say what the decision would: who made an account is one with it."""
    FirstSignIn.objects.filter(pk=objects.asked_paper.pk).update(asked_by=scene.staff)
    made, other = (official_of(scene.locality) for _time in range(2))
    StaffLink.objects.create(
        user=made,
        made_by=scene.staff,
        link_hash="x",
        made_at=scene.now,
        expires_at=scene.now + timedelta(days=1),
        used_at=scene.now,
    )
    rows = {
        "asked_paper": to_print,
        "assisted": assisted.to_approve,
        "checked_claim": claims_to_decide,
        "correction": corrections_to_decide,
        "undo": undo_to_decide,
        "proposal": partial(rules_to_decide, now=scene.now),
    }
    for user, waits in ((made, False), (other, True)):
        desk = inside(user)
        for name, of in rows.items():
            one = getattr(objects, name)
            assert of(user).filter(pk=one.pk).exists() == waits, name
            model = f"{one._meta.app_label}_{one._meta.model_name}"
            page = desk.get(reverse(f"admin:{model}_change", args=[one.pk]))
            if name == "asked_paper":
                # Printed by another role.
                assert page.status_code == 403
                continue
            buttons = {work["url"].rsplit("/", 2)[1] for work in page.context["works"]}
            assert bool(buttons & {"approve"}) == waits, (name, buttons)
        for name in ("undo", "proposal", "correction"):
            one = getattr(objects, name)
            model = f"{one._meta.app_label}_{one._meta.model_name}"
            answer = desk.get(reverse(f"admin:{model}_changelist"), {"waits": "you"})
            assert (one in answer.context["cl"].result_list) == waits, name
