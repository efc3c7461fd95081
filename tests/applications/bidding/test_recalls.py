"""A place that was taken back is told by whoever did it: the kindergarten, the department, or a closing."""

from datetime import timedelta

import pytest
from django.utils import translation

from applications.bidding.publication import recall_vacancy
from applications.closings import deciding, finishing
from applications.families.situation import situation_of
from applications.models import Application
from bulletin.models import Closing, Employment, Vacancy
from notifications.models import Notice
from tests.applications.bidding.reference import place_bid
from tests.applications.conftest import NOW
from tests.staff import official_of, worker_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]

WORDS = {
    "worker": ("Детский сад отозвал это место", "Балабақша бұл бос орынды"),
    "former worker": ("Детский сад отозвал это место", "Балабақша бұл бос орынды"),
    "official": ("Отдел образования отозвал это место", "Білім бөлімі бұл бос орынды"),
    "nobody": ("Это место отозвано", ""),
    "group": ("Группа закрывается: отдел образования отозвал это место", ""),
    "kindergarten": ("Детский сад закрывается: отдел образования отозвал это место", ""),
}


@pytest.mark.parametrize("by", WORDS)
def test_it_says_who_took_the_place_away(scene, client, by):
    page, notice = WORDS[by]
    place_bid(scene.application, scene.vacancy, actor=scene.parent, now=NOW)
    if by in ("group", "kindergarten"):
        closing = Closing(
            kindergarten=scene.group.kindergarten,
            group=scene.group if by == "group" else None,
            cause="repair",
            reason="Су құбыры жарылды",
            starts_on=NOW.date(),
        )
        finishing.finish(deciding.close(closing, actor=official_of(scene.locality), now=NOW), now=NOW)
    elif by == "nobody":
        Vacancy.objects.update(state=Vacancy.State.RECALLED, ended_at=NOW, end_reason="x")
    else:
        worker = official_of(scene.locality) if by == "official" else worker_of(scene.group.kindergarten)
        recall_vacancy(scene.vacancy, actor=worker, reason="Топ біріктірілді", now=NOW)
        if by == "former worker":
            Employment.objects.filter(user=worker).update(until=NOW.date() + timedelta(days=1))
    html = client.get(f"/ru{scene.vacancy.get_absolute_url()}").content.decode()
    shown = [words for words, _ in dict.fromkeys(WORDS.values()) if words in html]
    assert shown[-1:] == [page]
    assert ("Детский сад отозвал" in html) == (by in ("worker", "former worker"))
    if notice:
        assert Notice.objects.get(kind="bid_void").text_kk.startswith(notice)
        application = Application.objects.get(pk=scene.application.pk)
        with translation.override("ru"):
            assert situation_of(application, now=NOW).setback_title == f"{page}."
