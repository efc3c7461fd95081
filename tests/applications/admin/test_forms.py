"""Whatever is sent to a form of the workplace, it is answered: what can't be is said at its field, never an error."""

import re
from itertools import cycle

import pytest
from django.db import transaction

from tests.applications.admin.test_permissions import (
    TABLE,
    VISITORS,
    address,
    city,
    city_once,
    objects,
    scene,
    visitor,
)
from tests.thorough import THOROUGH

__all__ = ["city", "city_once", "objects", "scene"]

pytestmark = pytest.mark.django_db

# Of a key: letters, no row's, a NUL, out of range of every column, longer than Python reads; of a text as well.
HOSTILE = ("abc", "\0", "9" * 20, "9" * 4301)
FIELD = re.compile(r'<(?:input|select|textarea)\b[^>]*?\bname="([^"]+)"')
OUTSIDE_OF_FORMS = {
    "csrfmiddlewaretoken",
    "_save",
    "_continue",
    "_addanother",
    "text",
    "q",
    "language",
    "next",
}


def forms_of(kind, objects):
    """Every form that the table promises to such an employee: its address, by the row of the table."""
    for row, cells in TABLE.items():
        what = row.split()[0].rpartition("_")[2]
        if what in {"add", "change", "work"} and cells[VISITORS.index(kind)] == 200:
            yield row, address(row, objects)


def send(client, page, data):
    """What it answers; nothing of it stays."""
    with transaction.atomic():
        try:
            return client.post(page, data).status_code
        finally:
            transaction.set_rollback(True)


@pytest.mark.parametrize("kind", ["superuser", "worker"] if THOROUGH else ["superuser"])
def test_every_form_answers_whatever_is_sent(kind, objects, scene, clock):
    """A quick run sends each form one of the values, a step further each time, to the one who gets every form."""
    client = visitor(kind, scene)
    client.raise_request_exception = False
    found: set[str] = set()
    faults: dict[str, list[tuple[str, int]]] = {}
    turns = cycle(HOSTILE)
    for row, page in forms_of(kind, objects):
        fields = set(FIELD.findall(client.get(page).content.decode())) - OUTSIDE_OF_FORMS
        if not fields:
            continue
        found.add(row.split()[0])
        # A button's form is one of a few; those of rows are all different.
        every = (None, *HOSTILE) if "_work " not in row else (None, HOSTILE[-1])
        for value in every if THOROUGH else [next(turns)]:
            data = {} if value is None else dict.fromkeys(fields, value)
            if (status := send(client, page, data)) >= 500:
                faults.setdefault(row, []).append((str(value)[:30], status))
    assert faults == {}
    if kind == "superuser":
        assert found >= {"bulletin_employment_add", "bulletin_employment_change", "accounts_employee_add"}
