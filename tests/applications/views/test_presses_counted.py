"""Presses are counted where they are answered, and nobody waits for that."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications.views.cabinet.press import PRESSES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]


def counted(answer):
    return PRESSES.labels(answer)._value.get()


def test_each_by_what_it_was_answered(scene, client_of):
    before = counted("placed"), counted("again")
    address = reverse("applications:apply", args=[scene.application.pk, scene.vacancy.pk])
    for _press in range(3):
        client_of(scene.parent).post(address)
    assert (counted("placed"), counted("again")) == (before[0] + 1, before[1] + 2)


def test_watching_costs_a_press_no_statement(scene, client_of, settings):
    address = reverse("applications:apply", args=[scene.application.pk, scene.vacancy.pk])
    client_of(scene.parent).post(address)
    asked = []
    for token in ("", "a-token-of-monitoring"):
        settings.METRICS_TOKEN = token
        client = client_of(scene.parent)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.post(address)
        asked.append([query["sql"].split(" ")[0] for query in queries])
    assert asked[0] == asked[1]
