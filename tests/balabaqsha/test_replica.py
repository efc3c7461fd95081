"""Pages that read from the replica, and who never does."""

import time
from copy import deepcopy
from threading import Event, Thread

import pytest
from django.db import OperationalError, connections
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse

from balabaqsha import replica as looking
from balabaqsha.health.line import Silent
from bulletin.models import Locality
from bulletin.moment import Moment
from notifications.clock import estimate_clock
from notifications.replica import ALIAS, Router, fitness, is_reading, reads_replica
from tests.factories import LocalityFactory
from tests.patience import PATIENCE

# What a page of these names shows is the same for every visitor, and it decides, settles and writes nothing.
FROM_REPLICA = {
    "home",
    "statistics",
    "api_rows",
    "api_csv",
    "applications:bulletin",
    "applications:vacancy",
    "applications:queue",
    "applications:former_queue",
    "applications:statistics_table",
    "bulletin:kindergartens",
    "bulletin:kindergarten",
    "bulletin:map",
}


def named(text: str) -> set[str]:
    return {f"applications:{name}" for name in text.split()}


OWN_PAGES = named(
    """
    accept_offer alert alerts application apply archive calendar calendar_file cabinet choose_child claim_benefit
    claim_former complain complain_code complain_write complaint complaint_of_visitor complaints decline_offer delete
    extend guardian_claim guardian_claim_paper interest join_iin languages list make_calendar move new new_complaint
    new_guardian_claim objection objections referral_pdf restore sent_document sent_proof subscribed_calendar
    switch_alert take_calendar_away why withdraw withdraw_benefit
    """
)
# A number of somebody's, or what is worked out for one child.
NUMBERS = named(
    """
    check_referral checked_referral corrections forecast order queue_check queue_check_former referrals what_if
    """
)
# Read after the view.
STREAMED = named(
    "bulletin_atom bulletin_csv corrections_csv order_csv queue_csv statistics_csv statistics_xlsx"
)
# Everything else: words, forms, people's own pages, checks of a number, files that are streamed, machines. By the
# beginnings of their names, or whole.
FROM_THE_DATABASE = {
    "accounts:",
    "admin:",
    "children:",
    "notifications:",
    "accessibility",
    "alive",
    "api",
    "clock",
    "contacts",
    "glossary",
    "health",
    "metrics",
    "help",
    "help_question",
    "kannel_report",
    "manifest",
    "map_tile",
    "mobizon_report",
    "offline",
    "open_data",
    "place",
    "privacy",
    "ready",
    "robots",
    "service_worker",
    "sitemap",
    "status",
    *OWN_PAGES,
    *NUMBERS,
    *STREAMED,
    *(f"bulletin:{name}" for name in ("change_shortlist", "compare", "favourites", "near", "reviews")),
    *(f"bulletin:{name}" for name in ("photo", "photo_small")),
}


@pytest.fixture
def mirror(db, settings):
    """A second connection under the replica's name, to the tests' own database; found fit."""
    connections.settings[ALIAS] = deepcopy(connections.settings["default"])
    settings.DATABASE_ROUTERS = ["notifications.replica.Router"]
    join()
    fresh()
    fitness.allow(until=time.monotonic() + 600)
    yield connections.settings[ALIAS]
    fresh()
    connections[ALIAS].close()
    del connections[ALIAS]
    del connections.settings[ALIAS]


def fresh() -> None:
    """Nothing is known of the replica."""
    fitness._until = fitness._left_until = float("-inf")


def join() -> None:
    """Connect this thread anew; the tests let nobody connect under another name than theirs."""
    connections[ALIAS] = connections.create_connection(ALIAS)
    connections[ALIAS].alias = "default"


def asked_of_the_replica(client, address, **request) -> tuple[int, int]:
    """How many queries the replica answered, and the status of the page."""
    with CaptureQueriesContext(connections[ALIAS]) as queries:
        status = client.get(address, **request).status_code
    return len(queries), status


def addresses(resolver=None, space=""):
    """Each name with its view; a name may have several addresses."""
    for one in (resolver or get_resolver()).url_patterns:
        if hasattr(one, "url_patterns"):
            yield from addresses(one, f"{space}{one.namespace}:" if one.namespace else space)
        elif one.name and not one.name.startswith(("demo", "styleguide")):
            yield f"{space}{one.name}", one.callback


def test_every_page_is_on_one_side():
    assert {name for name, view in addresses() if hasattr(view, "reads_replica")} == FROM_REPLICA
    others = {name for name, _view in addresses()} - FROM_REPLICA
    unnamed = {
        name
        for name in others
        if name not in FROM_THE_DATABASE and f"{name.partition(':')[0]}:" not in FROM_THE_DATABASE
    }
    assert unnamed == set(), "say on which side they are"
    gone = {name for name in FROM_THE_DATABASE if not name.endswith(":")} - others
    assert gone == set()


class TestWhoReadsThere:
    @pytest.mark.parametrize(
        "name",
        ["home", "statistics", "applications:bulletin", "applications:queue", "bulletin:kindergartens"],
    )
    def test_a_visitor(self, name, mirror, client):
        read, status = asked_of_the_replica(client, reverse(name))
        assert status == 200
        assert read

    def test_nobody_with_a_session(self, mirror, parent_client):
        assert asked_of_the_replica(parent_client, "/kindergartens/") == (0, 200)

    def test_nobody_who_sends_something(self, mirror, client):
        with CaptureQueriesContext(connections[ALIAS]) as queries:
            assert client.post("/map/").status_code == 200
        assert len(queries) == 0

    def test_nobody_while_it_is_not_known_to_be_fit(self, mirror, client):
        fitness.allow(until=time.monotonic())
        assert asked_of_the_replica(client, "/kindergartens/") == (0, 200)

    def test_nobody_else_is_given_what_was_read_there(self, mirror, settings):
        settings.REMEMBER_FOR_A_SECOND = True
        kept: Moment[str] = Moment(room=10)
        now = estimate_clock()
        with fitness.reading():
            assert kept.get("place", now=now, make=lambda: "old") == "old"
        assert kept.get("place", now=now, make=lambda: "new") == "new"

    def test_a_row_that_outlives_the_page_belongs_to_the_database(self, mirror):
        with fitness.reading():
            place = Locality(pk=1)
            place._state.db = ALIAS
            assert Router().db_for_read(Locality) == ALIAS
        assert Router().db_for_read(Locality, instance=place) == "default"
        assert Router().db_for_write(Locality, instance=place) == "default"
        assert Router().allow_migrate(ALIAS, "bulletin") is False


class TestWhereItFails:
    def test_the_page_comes_from_the_database_and_the_replica_is_left(self, mirror, client):
        mirror |= {"HOST": "127.0.0.1", "PORT": "1", "OPTIONS": {"connect_timeout": 2}}
        join()
        assert client.get("/kindergartens/").status_code == 200
        assert not fitness.holds()
        fitness.allow(until=time.monotonic() + 2)
        assert not fitness.holds(), "ten seconds are not over"

    def test_a_page_that_writes_is_made_by_the_database(self, mirror, rf):
        @reads_replica
        def page(request):
            if Locality.objects.using("default").count() == 0:
                Locality.objects.create(
                    name_kk="А", name_ru="А", slug="a"
                ) if is_reading() else LocalityFactory()
            return HttpResponse("")

        assert page(rf.get("/")).status_code == 200
        assert Locality.objects.count() == 1

    def test_who_waits_for_a_frozen_one_is_woken(self, mirror):
        waits, woken = Event(), []

        def wait():
            join()
            try:
                with fitness.reading(), connections[ALIAS].cursor() as cursor:
                    waits.set()
                    cursor.execute("SELECT pg_sleep(20)")
            except OperationalError:
                woken.append(True)
            finally:
                connections[ALIAS].close()

        thread = Thread(target=wait)
        thread.start()
        waits.wait(PATIENCE)
        while thread.is_alive():
            # It may not have sent its question yet.
            fitness.lose()
            thread.join(0.05)
        assert woken == [True]


class TestLooking:
    @pytest.fixture
    def look(self, mirror, monkeypatch):
        monkeypatch.setattr(looking, "PATIENCE_SECONDS", PATIENCE)
        monkeypatch.setattr(looking, "ANSWER_SECONDS", PATIENCE)
        return looking.Look()

    def test_what_is_no_replica_is_not_read_from(self, look):
        assert not look.is_fit()

    def test_one_that_has_everything_is_fit(self, look, monkeypatch):
        monkeypatch.setattr(looking, "_REPLAYED", looking._WRITTEN)
        assert look.is_fit()

    def test_one_that_lacks_what_was_written_three_seconds_ago_is_not(self, look, monkeypatch):
        monkeypatch.setattr(looking, "_REPLAYED", "SELECT 1::numeric")
        assert not look.is_fit()
        monkeypatch.setattr(looking, "_REPLAYED", looking._WRITTEN)
        monkeypatch.setattr(looking, "BEHIND_SECONDS", -1)
        assert not look.is_fit(), "an old mark says nothing of now"

    def test_one_that_does_not_answer_is_left(self, look, mirror):
        mirror |= {"HOST": "127.0.0.1", "PORT": "1", "OPTIONS": {"connect_timeout": 2}}
        join()
        with pytest.raises(Silent):
            look.is_fit()
