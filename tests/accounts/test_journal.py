"""What the journal can say: every app's actions, each registered once."""

from datetime import UTC, datetime

import pytest
from django.db.models import TextChoices

from accounts import audit, journal
from accounts.models import AuditEntry
from applications.journal_actions import Action

NOW = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)


class Stranger(TextChoices):
    UNHEARD = "unheard", "Unheard of"


class Impostor(TextChoices):
    BID_PLACED = "bid_placed", "Something else"


@pytest.mark.django_db
def test_an_entry_is_read_by_the_name_that_its_app_gave():
    audit.record(Action.BID_PLACED, actor=None, now=NOW)
    assert AuditEntry.objects.get().get_action_display() == str(Action.BID_PLACED.label)


@pytest.mark.django_db
@pytest.mark.parametrize("action", [Stranger.UNHEARD, Impostor.BID_PLACED])
def test_what_no_app_has_registered_is_not_written(action):
    with pytest.raises(ValueError, match="No app has registered"):
        audit.record(action, actor=None, now=NOW)
    assert not AuditEntry.objects.exists()


def test_two_apps_do_not_share_a_word():
    with pytest.raises(ValueError, match="already"):
        journal.register(Impostor, about=journal.Subject.LOOKS)
    assert journal.is_known(Action.BID_PLACED)
