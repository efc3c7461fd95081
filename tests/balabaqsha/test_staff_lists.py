"""Whatever an employee writes into the address of a list, it tells nothing that the page does not offer.

The walk asks every list of the workplace, ours and the libraries', about every column of its table and of the tables
one step away, once with a value that fits a row and once with one that fits none: both answers have to be the same,
unless the page itself offers that filter. The administrator, who sees every list, asks for every column, in `make
thorough` by every lookup; the others, whose lists hold fewer rows and are guarded alike, ask by one lookup, in turn,
in a quick run each for a share of the columns. What was refused for one value is asked with the other one for one
lookup of each column, in turn: names are refused, not values.
"""

import html
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from functools import reduce
from types import SimpleNamespace

import pytest
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.exceptions import DisallowedModelAdminLookup, DisallowedModelAdminToField
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group as UserGroup
from django.core.exceptions import FieldError
from django.db import connection, models, transaction
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticDevice

from accounts import audit
from accounts.journal_actions import Action
from accounts.models import AssistedMove, Employee, FirstSignIn, PolicyConsent, SmsCode, User
from accounts.numbers import assisted
from accounts.roles import Role
from applications.models import (
    CityExport,
    Correction,
    FormerProtocol,
    GroupProposal,
    Headcount,
    ProfileProposal,
    Referral,
    Rules,
    RulesProposal,
)
from balabaqsha.admin_site import StaffAdminSite
from balabaqsha.staff_lists import GuardedAdmin
from bulletin.models import Closing, Employment, Group, Pause
from notifications.models import Mail
from tests.city import build_city
from tests.factories import (
    DisputeFactory,
    EmploymentFactory,
    PhotoFactory,
    ReportedIncidentFactory,
    StaffFactory,
    UndoRequestFactory,
    left_out,
)
from tests.shared import built_once
from tests.staff import employee, give_app, inside
from tests.thorough import THOROUGH

pytestmark = pytest.mark.django_db

ROLES = ["superuser", *Role.values]
REFUSALS = (DisallowedModelAdminLookup, DisallowedModelAdminToField, IncorrectLookupParameters)
TEXT_LOOKUPS = ("regex", "iregex", "startswith", "contains")


def city_with_a_row_in_every_list() -> SimpleNamespace:
    city, now = build_city(), timezone.now()
    city.staff = StaffFactory()
    Employee.objects.create(user=city.staff, last_name="Ахметова", first_name="Айдана", position="әдіскер")
    waiting = city.applications["waiting"]
    Correction.objects.create(
        application=waiting, new_birth_year=2016, previous_birth_year=2017, previous_filed_at=now, reason="x",
        document_number="1", document_date=now.date(), proposed_at=now, proposed_by=city.staff,
    )  # fmt: skip
    CityExport.objects.create(keys="age1", reason="x", proposed_at=now, proposed_by=city.staff)
    line = left_out(waiting.locality)
    FormerProtocol.objects.create(batch=line.batch, proposed_at=now, proposed_by=city.staff)
    Rules.objects.create(locality=waiting.locality, valid_from=date(2019, 1, 1))
    RulesProposal.objects.create(
        locality=waiting.locality, reason="x", proposed_at=now, proposed_by=city.staff
    )
    group = Group.objects.all()[0]
    GroupProposal.objects.create(
        kindergarten=group.kindergarten, name="Алма", age_group="2-3", language="kk", capacity=20,
        proposed_at=now, proposed_by=city.staff,
    )  # fmt: skip
    ProfileProposal.objects.create(
        kindergarten=group.kindergarten, licence="№ 1", proposed_at=now, proposed_by=city.staff
    )
    PhotoFactory(kindergarten=group.kindergarten)
    Headcount.objects.create(
        group=group, school_year=2018, children=1, counted_at=now, proposed_at=now, proposed_by=city.staff
    )
    UndoRequestFactory(bid=city.applications["bid_placed"].bids.get(), proposed_by=city.staff)
    Closing.objects.create(
        kindergarten=group.kindergarten, group=group, cause="repair", reason="x", starts_on=now.date(), decided_at=now,
        decided_by=city.staff,
    )  # fmt: skip
    Pause.objects.create(
        locality=waiting.locality, started_at=now, started_by=city.staff, notice_kk="x", notice_ru="x"
    )
    ReportedIncidentFactory(locality=waiting.locality, started_at=now)
    DisputeFactory(guardianship__child=waiting.child)
    PolicyConsent.objects.create(user=city.parent, version="1", given_at=now)
    FirstSignIn.objects.create(user=city.parent, registered_by=city.staff, registered_at=now)
    assisted.open_move(
        city.parent,
        new_phone="+77023334455",
        document=AssistedMove.Document.CARD,
        why="x",
        actor=city.staff,
        address=None,
        now=now,
    )
    Mail.objects.create(
        address="a@mail.kz",
        kind="bid_placed",
        language="kk",
        text="x",
        dedupe_key="mail",
        created_at=now,
        next_attempt_at=now,
        give_up_at=now,
    )
    SmsCode.objects.create(
        phone=city.parent.phone,
        purpose="reset",
        code_hash="x",
        session_hash="x",
        created_at=now,
        expires_at=now,
    )
    audit.record(Action.REGISTERED, now=now, actor=city.parent, subject=city.parent, target="x")
    StaticDevice.objects.create(user=city.staff, name="codes").token_set.create(token="abcd")
    return city


@pytest.fixture(scope="module")
def built_city(django_db_setup, django_db_blocker):
    with built_once(django_db_blocker, city_with_a_row_in_every_list) as scene:
        yield scene


@pytest.fixture
def city(built_city, db):
    return built_city()


def person(role: str) -> User:
    if role != "superuser":
        return employee(Role(role))
    chief = StaffFactory(is_superuser=True)
    give_app(chief)
    return chief


def asks(model_admin, user, query):
    """Which rows the list answers with, in their order, or "refused"."""
    request = RequestFactory().get("/", query)
    request.user = user
    try:
        with transaction.atomic():
            found = model_admin.get_changelist_instance(request)
            return [row.pk for row in found.result_list]
    except REFUSALS:
        return "refused"


def columns(model: type[models.Model]) -> Iterator[tuple[str, models.Field]]:
    """Every column of a table and of the tables one step away, with the name by which it is looked up."""
    for field in model._meta.get_fields():
        if field.concrete and not field.many_to_many:
            yield field.name, field
        if field.related_model:
            for other in field.related_model._meta.concrete_fields:
                yield f"{field.name}__{other.name}", other


def ends(field: models.Field) -> tuple[str, str]:
    """A value below every value of the column, and one above."""
    match field:
        case models.DateTimeField():
            return "1970-01-02 00:00:00", "2999-01-01 00:00:00"
        case models.DateField():
            return "1900-01-01", "2999-01-01"
        case models.UUIDField():
            return "0" * 32, "f" * 32
        case models.BooleanField():
            return "0", "1"
        case models.IntegerField() | models.ForeignKey():
            return "-1", "30000"
    return "!", "\U0001f600"


def questions(name: str, field: models.Field, known: object) -> Iterator[tuple[str, str, str]]:
    """Lookups of a column, each with a value that fits a row where the column holds `known`, and one that does not."""
    low, high = ends(field)
    here = str(known)
    yield name, here, high
    yield f"{name}__exact", here, high
    yield f"{name}__in", f"{here},{low}", high
    yield f"{name}__gt", low, high
    yield f"{name}__lt", high, low
    # Django takes the two ends from the two letters of the value.
    yield f"{name}__range", "!\U0001f600", "\U0001f600\U0001f600"
    yield f"{name}__isnull", "0", "1"
    for lookup in TEXT_LOOKUPS:
        yield f"{name}__{lookup}", "." if "regex" in lookup else here[:1], "\U0001f600"
    if isinstance(field, models.DateField):
        yield f"{name}__year", here[:4], "2999"


def known_values(model_admin, user, some=slice(None)) -> dict[str, tuple[models.Field, object]]:
    """For each of `some` columns the value that it has in one of the rows that the employee sees."""
    request = RequestFactory().get("/")
    request.user = user
    tables: defaultdict[str, dict[str, models.Field]] = defaultdict(dict)
    for name, field in list(columns(model_admin.model))[some]:
        tables[name.rpartition("__")[0]][name] = field
    found = {}
    for names in tables.values():
        try:
            rows = list(model_admin.get_queryset(request).order_by("pk").values(*names))
        except FieldError:
            continue
        for name, field in names.items():
            known = [row[name] for row in rows if row[name] is not None]
            found[name] = field, known[0] if known else "1"
    return found


def offered_by(model_admin, user) -> set[str]:
    """The names in an address that the filters of the page understand."""
    request = RequestFactory().get("/")
    request.user = user
    page = model_admin.get_changelist_instance(request)
    day = (
        [f"{page.date_hierarchy}__{part}" for part in ("year", "month", "day")] if page.date_hierarchy else []
    )
    shown = {name for spec in page.filter_specs for name in spec.expected_parameters()}
    # One of ours may be there only after it was chosen elsewhere.
    simple = [one for one in page.list_filter if isinstance(one, type) and issubclass(one, SimpleListFilter)]
    return shown | set(day) | {str(one.parameter_name) for one in simple}


def leaks(model_admin, user, *, one_lookup_each=False, some=slice(None)) -> list[str]:
    """The questions whose answer depends on the value though the page does not offer them; of `some` columns."""
    offered, found = offered_by(model_admin, user), []
    for place, (name, (field, known)) in enumerate(known_values(model_admin, user, some).items()):
        about = [one for one in questions(name, field, known) if one[0] not in offered]
        turn = about[place % len(about)] if about else None
        for one in [turn] if one_lookup_each and turn else about:
            question, fits, fits_not = one
            answer = asks(model_admin, user, {question: fits})
            if answer == "refused" and one is not turn:
                continue
            if asks(model_admin, user, {question: fits_not}) != answer:
                found.append(question)
    return found


def bare(model_admin) -> admin.ModelAdmin:
    """The same admin as Django alone would have it."""
    site = admin.AdminSite()
    site.register(model_admin.model, type(model_admin).__bases__[1])
    return site.get_model_admin(model_admin.model)


def visible_lists(user: User) -> list[admin.ModelAdmin]:
    request = RequestFactory().get("/")
    request.user = user
    return [one for one in admin.site._registry.values() if one.has_view_or_change_permission(request)]


def test_every_admin_is_guarded():
    assert len(admin.site._registry) > 25
    assert UserGroup in admin.site._registry
    assert [one for one in admin.site._registry.values() if not isinstance(one, GuardedAdmin)] == []


def test_a_new_admin_is_guarded_without_doing_anything():
    site = StaffAdminSite()
    site.register(User)
    site.register([Referral], admin.ModelAdmin, list_filter=["state"])
    assert all(isinstance(one, GuardedAdmin) for one in site._registry.values())
    assert site.get_model_admin(Referral).list_filter == ["state"]


def test_control_the_walk_sees_what_django_alone_tells(city):
    chief = person("superuser")
    lists = {model._meta.label: one for model, one in admin.site._registry.items()}
    for label, told in (
        ("accounts.User", ("password__regex", "phone__startswith", "username__gt")),
        ("notifications.Message", ("text__regex", "phone__startswith")),
    ):
        names = [name for name, _field in columns(lists[label].model)]
        for question in told:
            at = names.index(question.partition("__")[0])
            assert question in leaks(bare(lists[label]), chief, some=slice(at, at + 1))


# Of the columns each employee asks for, in a quick run: together for all.
SOME = {role: slice(None) for role in ROLES} | (
    {} if THOROUGH else {role: slice(at, None, len(Role.values)) for at, role in enumerate(Role.values)}
)


@pytest.mark.no_cover
@pytest.mark.parametrize("role", ROLES)
def test_no_address_tells_what_the_page_hides(role, city):
    user = person(role)
    if role == Role.KINDERGARTEN:
        EmploymentFactory(user=user, kindergarten=city.kindergarten)
    lists = visible_lists(user)
    empty = [one.model._meta.label for one in lists if not one.model.objects.exists()]
    assert empty == [], "give each of them a row in `city`, or the walk finds nothing in it"
    few = role != "superuser" or not THOROUGH
    found = {
        one.model._meta.label: told
        for one in lists
        if (told := leaks(one, user, one_lookup_each=few, some=SOME[role]))
    }
    assert found == {}


# A name is sorted by a key made of it, an application's number by the number in it, a category by its place in the law.
MADE_OF_IT = ("sort_key", "sequence", "order")
# What is shown goes by the clock: of a bid that was answered its former deadline is left out, and a referral that ran
# out is shown as such before the job writes it. Both are on the row's own page.
BY_THE_CLOCK = {"applications.Bid": ["due by answer_due"], "applications.Referral": ["shown_state by state"]}


def others(field: models.Field, value):
    """Values next to `value`: where a column shows all of it, each of them looks different."""
    if field.choices:
        return [choice for choice, _label in field.flatchoices if choice != value]
    match value:
        case str():
            letters = list(value)
            swapped = ["8" if letter == "7" else "7" if letter.isdigit() else "Ю" for letter in letters]
            return ["".join([*letters[:i], new, *letters[i + 1 :]]) for i, new in enumerate(swapped)]
        case date():
            return [value - timedelta(days=1), value + timedelta(days=1)]
    return [value + 1]


def columns_sorted_by_what_they_hide(model_admin, user) -> list[str]:
    """Columns whose order tells more than their cells."""
    request = RequestFactory().get("/")
    request.user = user
    page, found = model_admin.get_changelist_instance(request), []
    for column in page.list_display:
        order = page.get_ordering_field(column)
        if isinstance(order, models.Func):
            order = next(one.name for one in order.flatten() if isinstance(one, models.F))
        elif isinstance(order, models.F):
            order = order.name
        if order is None or order == column or order.endswith(MADE_OF_IT):
            continue
        *way, last = order.lstrip("-").split("__")
        for row in model_admin.get_queryset(request):
            owner = reduce(getattr, way, row)
            field = owner._meta.get_field(last)
            if field.is_relation or getattr(owner, last) is None:
                continue
            cell = column if callable(column) else getattr(model_admin, column)
            known = getattr(owner, last)
            before = cell(row)
            for other in others(field, known):
                setattr(owner, last, other)
                if cell(row) == before:
                    found.append(f"{column} by {order}")
            setattr(owner, last, known)
    return sorted(set(found))


class Masked(admin.ModelAdmin):
    list_display = ["login"]

    @admin.display(ordering="username")
    def login(self, user):
        return str(user)


def test_control_an_order_tells_what_a_mask_hides(city):
    assert columns_sorted_by_what_they_hide(Masked(User, admin.site), person("superuser")) == [
        "login by username"
    ]


def test_no_column_is_sorted_by_what_it_hides(city):
    chief = person("superuser")
    found = {
        one.model._meta.label: told
        for one in visible_lists(chief)
        if (told := columns_sorted_by_what_they_hide(one, chief))
    }
    assert found == BY_THE_CLOCK


class Unsortable(admin.ModelAdmin):
    list_display = ["username", "date_joined"]
    sortable_by = ["date_joined"]
    ordering = ["date_joined"]


@pytest.mark.parametrize(
    ("order", "same_as"),
    [
        ("1", "0"),
        ("-1", "0"),
        ("--1", "0"),
        ("99", "0"),
        ("1.x", "0"),
        ("1.2", "2"),
        ("-1.-2", "-2"),
        ("2.1", "2"),
    ],
)
def test_an_address_sorts_only_by_columns_with_an_arrow(city, order, same_as):
    """The columns begin with the box to select a row, which has no order: only the date has an arrow here."""
    site = StaffAdminSite()
    site.register(User, Unsortable)
    lists, chief = site.get_model_admin(User), person("superuser")
    assert asks(lists, chief, {"o": order}) == asks(lists, chief, {"o": same_as})
    assert asks(lists, chief, {"o": "2"}) == asks(lists, chief, {"o": "-2"})[::-1]


LISTS = {
    "user": "admin:accounts_user_changelist",
    "message": "admin:notifications_message_changelist",
    "employment": "admin:bulletin_employment_changelist",
    "child": "admin:children_child_changelist",
    "holiday": "admin:bulletin_holiday_changelist",
}


@pytest.fixture
def desk(city):
    return inside(person("superuser"))


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("user", "password__regex=^argon2"),
        ("user", "phone__startswith=%2B7701"),
        ("user", "profile__iin_hash__startswith=a"),
        ("user", "groups__name__startswith=o"),
        ("user", "is_staff__exact=1&password__gt=a"),
        ("user", "_facets=True&password__regex=^argon2"),
        ("user", "_popup=1&password__regex=^argon2"),
        ("user", "q=x&all=&o=1&p=1&password__regex=^argon2"),
        ("user", "_to_field=password"),
        ("user", "_popup=1&_to_field=username"),
        ("message", "text__regex=[0-9]{6}"),
        ("message", "created_at__month=5"),
        ("message", "sent_at__gte=2000-01-01"),
        ("message", "created_at__year=2019"),
        ("holiday", "date__year=2019&date__month=5&date__hour=5"),
        ("employment", "user__password__startswith=argon2"),
        ("employment", "user__totpdevice__key__regex=^a"),
        ("child", "iin_hash__startswith=a"),
        ("child", "guardianships__user__phone__startswith=%2B7701"),
        ("child", "_changelist_filters=sex%3Dm"),
    ],
)
def test_an_address_that_asks_for_more_is_refused(desk, name, query):
    for method, prefix, sentence in ((desk.get, "", "түсініксіз"), (desk.post, "/ru", "непонятен")):
        answer = method(f"{prefix}{reverse(LISTS[name])}?{query}")
        assert answer.status_code == 400
        assert sentence in answer.content.decode()


DAYS_THAT_ARE_NONE = (
    "date__year=x", "date__year=99999999999999999999", "date__year=9999", "date__year=9999&date__month=12",
    "date__year=1", "date__year=0", "date__year=2019&date__month=13", "date__year=2019&date__day=31&date__month=2",
)  # fmt: skip
VALUES_THAT_ARE_NONE = (
    "created_at__gte=x", "created_at__gte=2019-02-31", "created_at__lt=99999-01-01", "state__exact=%00",
    "kind__exact=%00x", "state__isnull=x", "p=99999999999999999999", "p=-1", "p=x",
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "query"),
    [
        *(("holiday", query) for query in DAYS_THAT_ARE_NONE),
        *(("message", query) for query in VALUES_THAT_ARE_NONE),
    ],
)
def test_values_that_make_no_sense_lead_back_to_the_whole_list(desk, name, query):
    address = reverse(LISTS[name])
    answer = desk.get(f"{address}?{query}")
    if answer.status_code != 200:
        assert (answer.status_code, answer.url) == (302, f"{address}?e=1")


def test_what_the_page_offers_still_works(desk, city):
    now = timezone.now()
    for query in (
        "q=", "o=1", "o=-2.1", "all=", "p=1", "_popup=1", "_to_field=id&_popup=1", "_facets=True", "e=1",
        "state__exact=queued", "kind__exact=bid_placed&language__exact=kk",
    ):  # fmt: skip
        assert desk.get(f"{reverse(LISTS['message'])}?{query}").status_code == 200, query
    offered = re.findall(
        r'href="\?(created_at__gte=[^"]*)"', desk.get(reverse(LISTS["message"])).content.decode()
    )
    assert len(offered) == 4
    for query in offered:
        assert desk.get(f"{reverse(LISTS['message'])}?{html.unescape(query)}").status_code == 200, query
    month = f"{reverse(LISTS['holiday'])}?date__year={now.year}&date__month={now.month}"
    assert desk.get(month).status_code == 200


@pytest.mark.parametrize(("query", "back"), [("", ""), ("?o=-1&p=1", "?_changelist_filters=o%3D-1%26p%3D1")])
def test_a_row_leads_back_to_the_page_of_the_list_where_it_stood(desk, city, query, back):
    page = desk.get(reverse("admin:bulletin_group_changelist") + query).content.decode()
    group = Group.objects.first()
    assert f'href="{reverse("admin:bulletin_group_change", args=[group.pk])}{back}"' in page


def test_the_filters_that_stay_beside_an_object_ask_nothing(desk, city):
    page = reverse("admin:accounts_user_change", args=[city.parent.pk])
    with CaptureQueriesContext(connection) as queries:
        answer = desk.get(page, {"_changelist_filters": "password__regex=^argon2"})
    assert answer.status_code == 200
    assert not any("argon2" in query["sql"] for query in queries)


@pytest.mark.parametrize("page", ["change", "delete", "history"])
def test_no_page_of_an_object_is_found_by_what_is_hidden(desk, city, page):
    """Django opens an object by any field that another table may point to; here that is the key alone."""
    name = f"admin:accounts_user_{page}"
    for field in ("password", "username", "phone"):
        for value in (getattr(city.staff, field) or "x", "nothing"):
            answer = desk.get(reverse(name, args=[quote(str(value))]), {"_to_field": field})
            assert answer.status_code == (404 if page == "history" else 400)
            # The page leads to itself in the other language, by the address that was asked for.
            assert city.staff.username not in answer.content.decode().replace(quote(str(value)), "")


class TestTheWindowOfChoices:
    """A raw id field opens the list of its table, with the limits that the field itself has."""

    def test_the_limit_of_a_field_is_allowed_and_nothing_beside_it(self, city, monkeypatch):
        users = admin.site.get_model_admin(User)
        monkeypatch.setattr(
            User._meta, "related_fkey_lookups", [{"is_staff": True, "username__startswith": "a"}]
        )
        chief = person("superuser")
        assert asks(users, chief, {"is_staff": "1", "username__startswith": "a"}) == []
        for other in ({"username__startswith": "b"}, {"username__startswith": ["a", "b"]}, {"username": "a"}):
            assert asks(users, chief, other) == "refused"


class TestAutocomplete:
    ADDRESS = "admin:autocomplete"

    def ask(self, client, model, field, term=""):
        app_label, model_name = model.split(".")
        query = {"app_label": app_label, "model_name": model_name, "field_name": field, "term": term}
        return client.get(reverse(self.ADDRESS), query)

    @pytest.mark.parametrize(
        ("model", "field"),
        [
            ("otp_totp.totpdevice", "user"), ("children.guardianship", "user"), ("applications.application", "child"),
            ("notifications.message", "recipient"), ("accounts.user", "groups"), ("x.y", "z"),
        ],
    )  # fmt: skip
    def test_no_field_is_answered_that_no_form_offers(self, desk, model, field):
        assert self.ask(desk, model, field).status_code == 403

    def test_what_a_form_offers_is_answered_to_who_may_fill_it_in(self, desk, city, monkeypatch):
        employments = admin.site.get_model_admin(Employment)
        monkeypatch.setattr(employments, "autocomplete_fields", ["user"])
        answer = self.ask(desk, "bulletin.employment", "user", term=city.staff.username)
        assert [one["text"] for one in answer.json()["results"]] == [str(city.staff)]
        assert self.ask(inside(city.official), "bulletin.employment", "user").status_code == 403
        assert self.ask(desk, "bulletin.employment", "id").status_code == 403
