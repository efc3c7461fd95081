"""What was changed in a form is told in the language of the page, with the names of the fields."""

import json
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.core.exceptions import FieldError
from django.test import RequestFactory
from django.utils.translation import gettext, override

from tests.factories import StaffFactory

pytestmark = pytest.mark.django_db


def forms_with_all_fields_changed() -> list[tuple[str, list[Any], Any]]:
    """Each form of the workplace as if everything in it had been changed: its model, the message, its labels."""
    request = RequestFactory().get("/")
    request.user = StaffFactory(is_superuser=True)
    found = []
    for model, page in site._registry.items():
        if not (page.has_add_permission(request) or page.has_change_permission(request)):
            continue
        try:
            form: Any = page.get_form(request)()
        except FieldError:
            # A page to read, whose columns are in no form.
            continue
        vars(form)["changed_data"] = [name for name in form.fields if not form[name].is_hidden]
        found.append((model._meta.label, page.construct_change_message(request, form, [], add=False), form))
    return found


@pytest.mark.parametrize("language", ["kk", "ru"])
def test_every_field_has_a_name_in_the_language_of_the_page(language: str) -> None:
    forms = forms_with_all_fields_changed()
    assert {"bulletin.Vacancy", "bulletin.Kindergarten", "applications.Rules"} <= {
        name for name, *_rest in forms
    }
    with override(language):
        untold = {
            f"{model}: {name}"
            for model, messages, _form in forms
            for message in messages
            for name in message["changed"]["fields"]
            if gettext(name) == name
        }
    assert untold == set()


def test_the_sentence_holds_them() -> None:
    message = next(
        message for model, message, _form in forms_with_all_fields_changed() if model == "bulletin.Vacancy"
    )
    entry = LogEntry(change_message=json.dumps(message))
    with override("kk"):
        assert gettext("bids are accepted until") in entry.get_change_message()
    with override("ru"):
        assert gettext("bids are accepted until") in entry.get_change_message()
    assert "Bids are" not in entry.get_change_message()
