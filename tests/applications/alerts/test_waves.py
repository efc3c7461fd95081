"""Telling everybody at once who asked for a place: whom, of what, when, and nobody twice."""

from datetime import date, timedelta
from itertools import product

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from applications.alerts import waves
from applications.alerts.choosing import Circle, choose, near_of, switch, wish_of
from applications.alerts.suiting import Places, Suiting
from applications.alerts.waves import LONGEST, QUIET, SOON, WRITTEN_IN, begin_wave, is_ripe, tell_of_places
from applications.bidding.eligibility import refusal_at_opening
from applications.models import Alert, Application, PriorityCutoff, ToldPlace, Wave
from applications.states import ApplicationState
from bulletin.models import Kindergarten, Vacancy
from children.models import Guardianship
from notifications.kinds import KINDS
from notifications.models import Mail, Message, Notice, TelegramMessage
from notifications.selectors import inbox_of
from notifications.services import enqueue
from tests.applications.conftest import NOW
from tests.factories import (
    ApplicationFactory,
    DisputeFactory,
    GroupFactory,
    GuardianshipFactory,
    KindergartenFactory,
    LocalityFactory,
    VacancyFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]

MICROSECOND = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def asked(scene):
    """The family asked to be told, and the place of the scene was published a while ago and opens tomorrow."""
    switch(scene.application, user=scene.parent, is_on=True, now=scene.now)
    publish(scene.vacancy, scene)
    return scene


def publish(vacancy, scene, *, opens_in=timedelta(days=1)):
    Vacancy.objects.filter(pk=vacancy.pk).update(
        published_at=scene.now - QUIET + min(opens_in, timedelta(0)),
        opens_at=scene.now + opens_in,
        vacant_from=scene.now,
    )
    vacancy.refresh_from_db()
    return vacancy


def another_place(scene, **fields):
    kindergarten = fields.pop("kindergarten", None) or KindergartenFactory(locality=scene.locality)
    group = GroupFactory(kindergarten=kindergarten, language=fields.pop("language", "ru"))
    return publish(VacancyFactory(group=group, **fields), scene)


def told(user):
    return list(Notice.objects.filter(recipient=user, kind="place_appeared"))


class TestWhat:
    def test_an_sms_and_a_notice_that_leads_to_the_place_and_to_the_switch(self, asked):
        assert tell_of_places(now=asked.now) == 1
        [notice], [sms] = told(asked.parent), Message.objects.filter(kind="place_appeared")
        assert sms.recipient == asked.parent
        assert sms.phone == asked.parent.phone
        assert sms.text.startswith(f"№{asked.application.number[-4:]}: ")
        assert "27.06.2019 16:20" in sms.text
        for text in (notice.text_kk, notice.text_ru):
            assert asked.application.number in text
            assert asked.application.child.full_name in text
            assert "Солнце" in text
            assert "27.06.2019 16:20" in text
        assert notice.about == sms.about == asked.application.child_id
        assert notice.link == reverse("applications:alert", args=[asked.application.pk])
        assert list(inbox_of(asked.parent)) == [notice]

    def test_several_places_are_one_message_with_the_first_to_open(self, asked):
        for days in range(2, 8):
            publish(another_place(asked), asked, opens_in=timedelta(days=days))
        assert tell_of_places(now=asked.now) == 1
        [notice], [sms] = told(asked.parent), Message.objects.filter(kind="place_appeared")
        # Two places of the scene and five of each of the others.
        assert "новых мест: 32" in sms.text or "бос орын: 32" in sms.text
        assert "27.06.2019 16:20" in sms.text
        assert notice.text_ru.count("группа:") == waves.NAMED
        assert "Других объявлений: 2" in notice.text_ru

    def test_two_children_of_a_family_are_two_messages(self, asked):
        other = ApplicationFactory(
            locality=asked.locality, child__birth_date=date(2017, 1, 2), filed_by=asked.parent
        )
        switch(other, user=asked.parent, is_on=True, now=asked.now)
        assert tell_of_places(now=asked.now) == 2
        texts = set(Message.objects.filter(kind="place_appeared").values_list("id", flat=True))
        assert len(texts) == 2
        assert {one.text[1:5] for one in Message.objects.filter(kind="place_appeared")} == {
            asked.application.number[-4:],
            other.number[-4:],
        }

    def test_by_mail_where_the_family_wants_it(self, asked, settings):
        settings.SENDS_MAIL = True
        asked.parent.email, asked.parent.mails_notices = "ana@example.kz", True
        asked.parent.save()
        tell_of_places(now=asked.now)
        mail = Mail.objects.get()
        assert (mail.address, mail.recipient, mail.kind) == (
            "ana@example.kz",
            asked.parent,
            "place_appeared",
        )

    def test_without_a_phone_the_notice_is_all(self, asked):
        asked.parent.phone = None
        asked.parent.save()
        assert tell_of_places(now=asked.now) == 1
        assert told(asked.parent)
        assert not Message.objects.filter(kind="place_appeared").exists()


ROWS = {Notice: "recipient", Message: "phone", Mail: "address", TelegramMessage: "chat"}


def everything_told():
    """Every row of every way, without what no two rows have in common."""
    unlike = {"id", "dedupe_key"}
    return sorted(
        [
            {name: value for name, value in vars(one).items() if name not in unlike and name[0] != "_"}
            for model in ROWS
            for one in model.objects.filter(kind="place_appeared")
        ],
        key=repr,
    )


def test_what_a_wave_writes_is_what_one_message_would_be(asked, settings):
    """By COPY and with shared texts: the same rows, by every way that the family has chosen."""
    settings.SENDS_MAIL, settings.TELEGRAM_TOKEN = True, "1:x"
    parent, application = asked.parent, asked.application
    parent.email, parent.mails_notices, parent.telegram, parent.language = "ana@example.kz", True, "77", "ru"
    parent.chosen_ways = {"alerts": {"second": True}}
    parent.save()
    parent.profile.second_phone, parent.profile.second_phone_proven_at = "+77172123456", asked.now
    parent.profile.save()
    tell_of_places(now=asked.now)
    written = everything_told()
    # The notice, and what goes by four ways.
    assert len(written) == 5
    for model in ROWS:
        model.objects.filter(kind="place_appeared").delete()
    appeared = [Suiting(asked.vacancy, asked.vacancy.opens_at)]
    enqueue(
        User.objects.get(pk=parent.pk),
        "place_appeared",
        context={
            "application": application,
            "places": 2,
            "appeared": appeared,
            "others": 0,
            "first": appeared[0],
        },
        dedupe_key="x",
        now=asked.now,
        link=reverse("applications:alert", args=[application.pk]),
        about=application.child_id,
        zone=application.locality.zone,
        known_by=asked.vacancy.opens_at,
    )
    for model in (Message, Mail, TelegramMessage):
        model.objects.filter(kind="place_appeared").update(next_attempt_at=F("next_attempt_at") + WRITTEN_IN)
    assert everything_told() == written


class TestOf:
    """The one rule of who may bid decides which places, beside what was chosen."""

    def test_as_the_rule_of_bids_has_it(self, asked):
        """Every combination of what may differ, against the explanation that a page gives for the opening."""
        elsewhere = LocalityFactory(slug="kentau", name_kk="Кентау қ.", name_ru="г. Кентау")
        vacancies = [
            publish(
                VacancyFactory(
                    group=GroupFactory(
                        kindergarten=KindergartenFactory(locality=locality), language=language
                    ),
                    birth_years=years,
                ),
                asked,
            )
            for locality, language, years in product(
                (asked.locality, elsewhere), ("kk", "ru"), ([2016], [2016, 2017])
            )
        ]
        places = Places(Vacancy.objects.filter(pk__in=[one.pk for one in vacancies]))
        for locality, languages, born in product(
            (asked.locality, elsewhere), (["kk"], ["kk", "ru"]), (2016, 2017)
        ):
            application = ApplicationFactory(
                locality=locality, languages=languages, child__birth_date=date(born, 5, 5)
            )
            suiting = {one.vacancy for one in places.suiting(wish_of(application, None))}
            assert suiting == {one for one in vacancies if refusal_at_opening(application, one) is None}

    def test_only_chosen_languages(self, asked):
        choose(asked.application, user=asked.parent, languages=["kk"], kindergartens=[], now=asked.now)
        assert tell_of_places(now=asked.now) == 0
        another_place(asked, language="kk")
        assert tell_of_places(now=asked.now) == 1

    def test_only_chosen_kindergartens(self, asked):
        mine = KindergartenFactory(locality=asked.locality)
        choose(
            asked.application, user=asked.parent, languages=["kk", "ru"], kindergartens=[mine], now=asked.now
        )
        assert tell_of_places(now=asked.now) == 0
        another_place(asked, kindergarten=mine)
        assert tell_of_places(now=asked.now) == 1

    @pytest.mark.parametrize("is_point", [True, False], ids=["point", "kindergarten"])
    def test_within_a_distance_and_what_is_not_on_the_map(self, asked, is_point):
        middle = KindergartenFactory(locality=asked.locality, latitude="43.300000", longitude="68.250000")
        Kindergarten.objects.filter(pk=asked.vacancy.group.kindergarten_id).update(
            latitude="43.400000", longitude="68.250000"
        )
        choose(
            asked.application,
            user=asked.parent,
            languages=["kk", "ru"],
            kindergartens=[],
            circle=Circle(2, point=(43.3, 68.25)) if is_point else Circle(2, around=middle),
            now=asked.now,
        )
        assert tell_of_places(now=asked.now) == 0
        for name, latitude in (("Жақын", "43.310000"), ("Алыс", "43.320000"), ("Картада жоқ", None)):
            kindergarten = KindergartenFactory(
                locality=asked.locality,
                name_kk=name,
                name_ru=name,
                latitude=latitude,
                longitude=latitude and "68.250000",
            )
            another_place(asked, kindergarten=kindergarten)
        assert tell_of_places(now=asked.now) == 1
        [notice] = told(asked.parent)
        assert "Жақын, топ:" in notice.text_kk
        assert "түзу сызықпен 1,1 км" in notice.text_kk
        assert "по прямой 1,1 км" in notice.text_ru
        assert "Картада жоқ, топ:" in notice.text_kk
        assert notice.text_kk.count("түзу сызықпен") == 1
        assert "Алыс" not in notice.text_kk

    def test_what_was_chosen_elsewhere_is_no_limit_after_a_move(self, asked):
        there = KindergartenFactory(
            locality=LocalityFactory(slug="kentau", name_kk="Кентау", name_ru="Кентау"),
            latitude="43.520000",
            longitude="68.510000",
        )
        choose(
            asked.application,
            user=asked.parent,
            languages=["kk", "ru"],
            kindergartens=[there],
            circle=Circle(1, around=there),
            now=asked.now,
        )
        assert near_of(Alert.objects.get(), asked.application) is None
        assert tell_of_places(now=asked.now) == 1

    def test_languages_that_the_application_has_no_more_are_no_limit(self, asked):
        choose(asked.application, user=asked.parent, languages=["kk"], kindergartens=[], now=asked.now)
        Application.objects.filter(pk=asked.application.pk).update(languages=["ru"])
        assert tell_of_places(now=asked.now) == 1

    def test_behind_the_head_of_the_queue_the_time_is_that_from_which_this_family_may_bid(self, asked):
        window = asked.vacancy.opens_at + timedelta(days=3)
        Vacancy.objects.update(priority_until=window)
        assert tell_of_places(now=asked.now) == 1
        behind = Message.objects.get(kind="place_appeared")
        assert "30.06.2019 16:20" in behind.text
        assert behind.next_attempt_at + KINDS["place_appeared"].worth_for <= behind.give_up_at < window
        assert (behind.known_by, behind.zone_name) == (window, asked.locality.timezone)

    def test_the_head_of_the_queue_reads_the_opening(self, asked):
        application = asked.application
        Vacancy.objects.update(priority_until=asked.vacancy.opens_at + timedelta(days=3))
        PriorityCutoff.objects.create(
            vacancy=asked.vacancy,
            birth_year=2017,
            tier=application.tier,
            filed_at=application.filed_at,
            sequence=application.sequence,
        )
        tell_of_places(now=asked.now)
        inside = Message.objects.get(kind="place_appeared")
        assert "27.06.2019 16:20" in inside.text
        assert inside.give_up_at == asked.vacancy.opens_at

    @pytest.mark.parametrize("state", [Vacancy.State.RECALLED, Vacancy.State.CLOSED, Vacancy.State.DRAFT])
    def test_nothing_that_is_over_or_not_begun(self, asked, state):
        Vacancy.objects.update(state=state)
        assert tell_of_places(now=asked.now) == 0

    def test_a_place_that_is_recalled_before_its_wave_is_written_is_not_told_of(self, asked):
        begin_wave(now=asked.now)
        Vacancy.objects.update(state=Vacancy.State.RECALLED)
        assert tell_of_places(now=asked.now) == 0
        assert Wave.objects.get().done_at is not None


class TestWhom:
    @pytest.mark.parametrize("state", [one for one in ApplicationState if one != ApplicationState.WAITING])
    def test_only_who_waits(self, asked, state):
        archived_at = asked.now if state == ApplicationState.ARCHIVED else None
        Application.objects.update(state=state, archived_at=archived_at)
        assert tell_of_places(now=asked.now) == 0

    def test_not_who_switched_it_off(self, asked):
        switch(asked.application, user=asked.parent, is_on=False, now=asked.now)
        assert tell_of_places(now=asked.now) == 0

    def test_not_who_never_asked(self, asked):
        Alert.objects.all().delete()
        assert tell_of_places(now=asked.now) == 0

    def test_each_guardian_decides_alone(self, asked):
        father = GuardianshipFactory(child=asked.application.child).user
        assert tell_of_places(now=asked.now) == 1
        assert not told(father)
        another_place(asked)
        switch(asked.application, user=father, is_on=True, now=asked.now)
        switch(asked.application, user=asked.parent, is_on=False, now=asked.now)
        assert tell_of_places(now=asked.now) == 1
        assert told(father)

    def test_nobody_who_is_no_guardian_any_more(self, asked):
        Guardianship.objects.update(ended_at=asked.now)
        assert tell_of_places(now=asked.now) == 0

    def test_nobody_whom_a_proven_guardian_disputes(self, asked):
        DisputeFactory(guardianship=asked.application.child.guardianships.get(), is_mutual=False)
        assert tell_of_places(now=asked.now) == 0

    @pytest.mark.parametrize(
        "change", [{"is_active": False}, {"leaving_since": NOW}], ids=["blocked", "closed"]
    )
    def test_nobody_who_closed_the_account(self, asked, change):
        type(asked.parent).objects.filter(pk=asked.parent.pk).update(**change)
        assert tell_of_places(now=asked.now) == 0


class TestWhen:
    @pytest.mark.parametrize(
        ("first", "last", "opens_in", "ripe"),
        [
            (QUIET, QUIET, HOUR, True),
            (QUIET, QUIET - MICROSECOND, HOUR, False),
            (LONGEST, timedelta(0), HOUR, True),
            (LONGEST - MICROSECOND, timedelta(0), HOUR, False),
            (timedelta(0), timedelta(0), SOON, True),
            (timedelta(0), timedelta(0), SOON + MICROSECOND, False),
        ],
        ids=["quiet", "not quiet", "long", "not long", "soon", "not soon"],
    )
    def test_once_no_more_are_being_published(self, scene, first, last, opens_in, ripe):
        now = scene.now
        assert is_ripe(first=now - first, last=now - last, opens_at=now + opens_in, now=now) is ripe

    def test_the_sms_go_out_when_all_are_written_and_are_worth_nothing_after_the_opening(self, asked):
        tell_of_places(now=asked.now)
        sms = Message.objects.get(kind="place_appeared")
        assert sms.next_attempt_at == asked.now + WRITTEN_IN
        assert sms.give_up_at == asked.vacancy.opens_at
        assert told(asked.parent)[0].created_at == asked.now

    @pytest.mark.parametrize(
        ("opens_in", "sent_in"),
        [
            # From 23:20 to 08:00: the morning would be too late.
            (timedelta(hours=8, minutes=40), WRITTEN_IN),
            # To 12:00: at 09:00.
            (timedelta(hours=12, minutes=40), timedelta(hours=9, minutes=40)),
        ],
        ids=["opens before the morning", "opens by day"],
    )
    def test_at_night_it_waits_for_the_morning_unless_that_is_too_late(self, asked, opens_in, sent_in):
        night = asked.now + timedelta(hours=7)
        Vacancy.objects.update(opens_at=night + opens_in, published_at=night - LONGEST)
        tell_of_places(now=night)
        sms = Message.objects.get(kind="place_appeared")
        assert sms.next_attempt_at == night + sent_in
        assert told(asked.parent)[0].created_at == night

    def test_a_place_that_is_open_already_is_told_of_all_the_same(self, asked):
        """The worker stood still: late is better than never."""
        publish(asked.vacancy, asked, opens_in=-HOUR)
        assert tell_of_places(now=asked.now) == 1
        sms = Message.objects.get(kind="place_appeared")
        assert sms.give_up_at >= sms.next_attempt_at + KINDS["place_appeared"].worth_for
        assert sms.known_by is None


class TestOnce:
    def test_a_place_is_told_of_once(self, asked):
        assert tell_of_places(now=asked.now) == 1
        assert tell_of_places(now=asked.now + HOUR) == 0
        assert ToldPlace.objects.count() == 1

    def test_who_asks_later_is_not_told_of_what_was_there(self, asked):
        tell_of_places(now=asked.now)
        later = ApplicationFactory(locality=asked.locality, child__birth_date=date(2017, 1, 2))
        switch(later, user=later.filed_by, is_on=True, now=asked.now)
        assert tell_of_places(now=asked.now + HOUR) == 0

    def test_a_wave_that_broke_off_goes_on_behind_what_is_written(self, asked, monkeypatch):
        """Killed between any two portions, or in the middle of one: every family is told exactly once."""
        monkeypatch.setattr(waves, "PORTION", 2)
        families = [asked.application] + [
            ApplicationFactory(locality=asked.locality, child__birth_date=date(2017, 1, 2)) for _ in range(6)
        ]
        for one in families[1:]:
            switch(one, user=one.filed_by, is_on=True, now=asked.now)
        enqueue, calls = waves.enqueue_many, []

        def dies(*args, **kwargs):
            enqueue(*args, **kwargs)
            calls.append(args)
            if len(calls) % 2:
                raise KeyboardInterrupt

        monkeypatch.setattr(waves, "enqueue_many", dies)
        for _ in range(20):
            try:
                tell_of_places(now=asked.now)
            except KeyboardInterrupt:
                continue
            break
        assert sorted(one.recipient_id for one in Notice.objects.filter(kind="place_appeared")) == sorted(
            one.filed_by_id for one in families
        )
        assert Message.objects.filter(kind="place_appeared").count() == len(families)
        assert Wave.objects.get().told == len(families)
        assert len(calls) > 4

    def test_a_wave_that_can_not_be_told_holds_up_no_other(self, asked, monkeypatch):
        broken = begin_wave(now=asked.now)
        another_place(asked)
        go_on = waves._go_on

        def fails(wave, **options):
            if wave == broken:
                raise RuntimeError
            return go_on(wave, **options)

        with monkeypatch.context() as changed:
            changed.setattr(waves, "_go_on", fails)
            assert tell_of_places(now=asked.now) == 1
        assert Wave.objects.get(done_at=None) == broken
        assert tell_of_places(now=asked.now) == 1

    def test_the_statements_do_not_grow_with_the_families(self, asked):
        def statements():
            another_place(asked)
            with CaptureQueriesContext(
                connection,
            ) as captured:
                tell_of_places(now=asked.now)
            return len(captured)

        first = statements()
        for _ in range(5):
            one = ApplicationFactory(locality=asked.locality, child__birth_date=date(2017, 1, 2))
            switch(one, user=one.filed_by, is_on=True, now=asked.now)
        assert statements() == first


class TestWhatIsGone:
    """A place that was recalled before the SMS of its wave went."""

    def recall(self, vacancy):
        Vacancy.objects.filter(pk=vacancy.pk).update(state=Vacancy.State.RECALLED)

    def test_what_waits_is_withheld_and_the_inbox_keeps_it(self, asked):
        tell_of_places(now=asked.now)
        self.recall(asked.vacancy)
        tell_of_places(now=asked.now + HOUR)
        sms = Message.objects.get(kind="place_appeared")
        assert (sms.state, sms.error) == ("withheld", "what it tells of is gone")
        assert len(told(asked.parent)) == 1

    @pytest.mark.parametrize("state", ["sending", "sent"])
    def test_what_is_under_way_or_gone_out_stays(self, asked, state):
        tell_of_places(now=asked.now)
        Message.objects.update(state=state)
        self.recall(asked.vacancy)
        tell_of_places(now=asked.now + HOUR)
        assert Message.objects.get().state == state

    def test_while_one_of_its_places_can_be_had_all_are_told(self, asked):
        another_place(asked, birth_years=[2017])
        tell_of_places(now=asked.now)
        self.recall(asked.vacancy)
        tell_of_places(now=asked.now + HOUR)
        assert Message.objects.get().state == "queued"

    def test_another_wave_is_told_as_it_was(self, asked):
        tell_of_places(now=asked.now)
        self.recall(asked.vacancy)
        later = asked.now + HOUR
        place = another_place(asked, birth_years=[2017])
        Vacancy.objects.filter(pk=place.pk).update(published_at=later - QUIET)
        tell_of_places(now=later)
        assert sorted(Message.objects.values_list("state", flat=True)) == ["queued", "withheld"]
