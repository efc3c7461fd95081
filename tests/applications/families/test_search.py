"""One search: whom each employee finds, by what, and what is kept of it."""

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts import limits
from accounts.journal_actions import Action
from accounts.models import AuditEntry, Profile
from accounts.name_search import NAME, FoldedName, named
from accounts.roles import Role
from applications.families import asked
from applications.families.search import SHOWN, find
from children.models import Child
from tests.factories import (
    ApplicationFactory,
    BidFactory,
    ChildFactory,
    GuardianshipFactory,
    LocalityFactory,
    ReferralFactory,
    UserFactory,
    VacancyFactory,
)
from tests.staff import employee, inside, official_of, worker_of

pytestmark = pytest.mark.django_db

SEARCH = "/admin/family/"


@pytest.fixture
def family():
    """A child with two guardians, and an application that has had business with one kindergarten."""
    mother = UserFactory(
        phone="+77017779876",
        profile__last_name="МАХМҰТОВА",
        profile__first_name="СӘУЛЕ",
        profile__second_phone="+998901234567",
    )
    child = ChildFactory(last_name="МАХМҰТОВ", first_name="ӘДІЛ", middle_name="")
    application = ApplicationFactory(child=child, filed_by=mother, number="25-004006")
    father = UserFactory(profile__last_name="АХМЕТОВ", profile__first_name="ҰЛАН")
    GuardianshipFactory(child=child, user=father)
    bid = BidFactory(
        application=application, vacancy=VacancyFactory(group__kindergarten__locality=application.locality)
    )
    referral = ReferralFactory(bid=bid, application=application, number="25-1234-5678")
    return {
        "application": application,
        "child": child,
        "mother": mother,
        "father": father,
        "kindergarten": bid.vacancy.group.kindergarten,
        "referral": referral,
    }


def finds(user, text):
    found = find(asked.read(text), employee=user, now=timezone.now())
    return found.children, found.guardians


def test_whoever_calls_is_found_by_what_they_read_out(family):
    centre = employee(Role.CONTACT_CENTRE)
    child, mother, father = ([family[name].pk] for name in ("child", "mother", "father"))
    for text in (
        "25004006",
        "25-004006",
        "25-1234-5678",
        family["child"].iin,
        "махмутов",
        "Махмұтов Әділ",
        "әділ махм",
    ):
        assert finds(centre, text) == (child, []), text
    for text in ("8 701 777 98 76", "+998 90 123 45 67", "998901234567", family["mother"].profile.iin):
        assert finds(centre, text) == ([], mother), text
    assert finds(centre, "Axmetob") == ([], father)
    # A family is found once, by the child, though the mother is called alike.
    assert finds(centre, "MAXMУТОВ") == (child, [])
    for text in ("25-004007", "махмутова аружан", "87017779877", "тов", "ма"):
        assert finds(centre, text) == ([], []), text


def test_a_list_is_searched_in_the_same_spellings(family):
    client = inside(employee(Role.OFFICIAL))
    rows = {
        text: client.get("/admin/applications/application/", {"q": text}).context["cl"].result_count
        for text in ("25004006", "махмутов", "Әділ Махмұт", "махмутова")
    }
    assert rows == {"25004006": 1, "махмутов": 1, "Әділ Махмұт": 1, "махмутова": 0}


def test_each_employee_finds_their_own(family):
    """The attack: whoever has nothing to do with the family finds nobody by any of its numbers."""
    place = family["application"].locality
    elsewhere = LocalityFactory(slug="elsewhere")
    theirs = (official_of(place), worker_of(family["kindergarten"]), employee(Role.OFFICIAL))
    strangers = (
        official_of(elsewhere),
        official_of(),
        worker_of(VacancyFactory(group__kindergarten__locality=place).group.kindergarten),
        employee(Role.KINDERGARTEN),
    )
    texts = [
        "25004006",
        "25-1234-5678",
        "махмутов",
        "87017779876",
        family["child"].iin,
        family["father"].profile.iin,
    ]
    for user in theirs:
        assert all(any(finds(user, text)) for text in texts), user
    for user in strangers:
        assert not any(any(finds(user, text)) for text in texts), user
        pages = (("child", "child"), ("guardian", "mother"))
        answers = [
            inside(user).get(reverse(f"admin:family_of_{kind}", args=[family[name].pk]))
            for kind, name in pages
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert family["child"].last_name not in "".join(answer.content.decode() for answer in answers)


def test_a_guardian_no_more_is_not_the_childs_any_more(family):
    family["child"].guardianships.filter(user=family["father"]).update(ended_at=timezone.now())
    official = official_of(family["application"].locality)
    assert finds(official, family["father"].profile.iin) == ([], [])
    assert finds(employee(Role.CONTACT_CENTRE), "87017779876") == ([], [family["mother"].pk])


def test_one_leads_to_the_card_and_many_to_a_list(family):
    client = inside(employee(Role.CONTACT_CENTRE))
    one = client.post(SEARCH, {"text": "25004006"})
    assert one.headers["location"] == reverse("admin:family_of_child", args=[family["child"].pk])
    for number in range(SHOWN):
        ApplicationFactory(child=ChildFactory(last_name="МАХМҰТҚЫЗЫ", first_name=f"А{number}"))
    many = client.post(SEARCH, {"text": "махмұт"}, follow=True)
    address = many.redirect_chain[-1][0]
    assert "махм" not in address
    assert len(many.context["children"]) == SHOWN
    assert many.context["found"].more
    nobody = client.post(SEARCH, {"text": "Жоқадамов"}, follow=True)
    assert not nobody.context["children"]
    assert "Ешкім табылмады" in nobody.content.decode()
    # Somebody else's list is no list.
    other = inside(employee(Role.CONTACT_CENTRE)).get(address)
    assert "children" not in other.context


def test_what_is_kept_says_the_kind_and_no_number(family):
    centre = employee(Role.CONTACT_CENTRE)
    inside(centre).post(SEARCH, {"text": family["child"].iin})
    entry = AuditEntry.objects.get(action=Action.SEARCHED)
    assert entry.actor == centre
    assert "identity" in entry.target
    assert family["child"].iin not in entry.target
    told = AuditEntry.objects.filter(action=Action.LOOKED_UP).values_list("subject", flat=True)
    assert set(told) == {family["mother"].pk, family["father"].pk}


def test_whoever_tries_numbers_is_stopped(family, clock):
    centre = employee(Role.CONTACT_CENTRE)
    client = inside(centre)
    for number in range(limits.LOOK_UP_PER_EMPLOYEE.times):
        assert client.post(SEARCH, {"text": f"8701000{number:04d}"}).status_code == 302
    stopped = client.post(SEARCH, {"text": "87017779876"})
    assert stopped.status_code == 429
    assert (
        AuditEntry.objects.filter(action=Action.SEARCHED, actor=centre).count()
        == limits.LOOK_UP_PER_EMPLOYEE.times
    )
    # A number of a paper finds no person by guessing: it goes on.
    assert client.post(SEARCH, {"text": "25-004006"}).status_code == 302


@pytest.mark.parametrize("text", ["", "№", "%", "'; --", "\0", "х" * 101])
def test_nonsense_is_answered(text):
    answer = inside(employee(Role.CONTACT_CENTRE)).post(SEARCH, {"text": text})
    assert answer.status_code in (200, 302)


def test_who_may_not_look_gets_no_search():
    user = employee(Role.KINDERGARTEN)
    user.groups.clear()
    client = inside(user)
    assert client.get(SEARCH).status_code == 403
    assert client.post(SEARCH, {"text": "25004006"}).status_code == 403
    assert SEARCH not in client.get("/admin/").content.decode()


def test_names_and_phones_are_found_by_an_index(family):
    """Without one, each search reads a hundred thousand rows."""
    closely, loosely, turned = named(["махмутов", "адил"])
    # In no order, as the search asks for them: another index has the order of lists.
    children = Child.objects.alias(folded=FoldedName(*NAME)).order_by()
    questions = [
        ("child_folded_name", children.filter(closely)),
        ("child_folded_name", children.filter(loosely)),
        ("child_folded_name", children.filter(named(["адил", "махмутов"])[0])),
        (
            "profile_folded_name",
            Profile.objects.alias(folded=FoldedName(*NAME)).filter(*named(["махмутова"])),
        ),
        ("profile_second_phone", Profile.objects.filter(second_phone="+998901234567")),
    ]
    with connection.cursor() as cursor:
        # A table of five rows is read whole, unless that is forbidden.
        cursor.execute("SET LOCAL enable_seqscan = off")
        for index, question in questions:
            assert index in question.explain(), index
            assert question.count() == 1
        assert "child_folded_name" in children.filter(turned).explain()


def test_a_search_costs_few_statements(family, django_assert_max_num_queries):
    official = official_of(family["application"].locality)
    for text in ("25004006", "87017779876", "махмутов", family["child"].iin, "701 2345 678"):
        with django_assert_max_num_queries(6):
            finds(official, text)
