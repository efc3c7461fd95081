"""From "installed" to "ready to serve", again and again."""

from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import OperationalError

from accounts.models import User
from applications.models import BenefitCategory, QueueCount
from balabaqsha.management.commands.set_up import await_database, forget_everything
from bulletin.models import Holiday
from tests.factories import ApplicationFactory
from tests.real_portal import SETTINGS


@pytest.fixture
def own_files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.SMS_FILE = tmp_path / "sms.jsonl"
    settings.STATIC_ROOT = tmp_path / "static"
    # A fresh machine: nothing has been built yet.
    settings.VAR_DIR = tmp_path / "var"
    settings.STATICFILES_DIRS = [settings.BASE_DIR / "static", ("fonts", settings.VAR_DIR / "fonts")]


def set_up(**options) -> str:
    out = StringIO()
    call_command("set_up", stdout=out, **options)
    return out.getvalue()


def no_running_loop():
    raise RuntimeError


@pytest.fixture
def real(settings, monkeypatch):
    # The tests in the browser set it for the whole process, and leave Playwright's loop behind in this thread. The
    # loop stays where it is: without it the connection would be another one, outside the test's transaction.
    monkeypatch.delenv("DJANGO_ALLOW_ASYNC_UNSAFE", raising=False)
    monkeypatch.setattr("django.utils.asyncio.get_running_loop", no_running_loop)
    for name, value in SETTINGS.items():
        setattr(settings, name, value)
    return settings


@pytest.mark.django_db
def test_a_real_city_gets_what_it_needs_and_no_demo(real, own_files, monkeypatch):
    # The tests own the tables that they empty.
    monkeypatch.setattr("balabaqsha.checks.too_much", list)
    for _again in range(2):
        set_up()
        assert Group.objects.filter(name="kindergarten").exists()
        assert Holiday.objects.exists()
        assert BenefitCategory.objects.exists()
        assert not User.objects.exists()


@pytest.mark.django_db
def test_what_a_real_portal_may_not_be_run_with_stops_it_before_it_begins(real, own_files):
    real.STAFF_SECOND_FACTOR = False
    with pytest.raises(CommandError, match=r"balabaqsha\.E006(.|\n)*Unset STAFF_SECOND_FACTOR"):
        set_up()
    assert not Holiday.objects.exists()
    assert not real.STATIC_ROOT.exists()


@pytest.mark.django_db
def test_a_real_city_whose_portal_owns_the_tables_is_refused(real, own_files):
    with pytest.raises(CommandError, match=r"balabaqsha\.E011(.|\n)*MIGRATE_DATABASE_URL"):
        set_up()


class TestADatabaseThatIsLate:
    """After a power failure PostgreSQL may be busy for minutes, or be on a machine that starts later."""

    @pytest.fixture
    def answers(self, monkeypatch):
        """Lets the database be looked for as often as there are reasons why it does not answer, and once more."""

        def after(*reasons: str) -> list[str]:
            left = list(reasons)

            def look() -> None:
                if left:
                    raise OperationalError(left.pop(0))

            late = {"default": SimpleNamespace(ensure_connection=look)}
            monkeypatch.setattr("balabaqsha.management.commands.set_up.connections", late)
            monkeypatch.setattr("balabaqsha.management.commands.set_up.PAUSE_SECONDS", 0)
            return left

        return after

    def test_is_awaited_and_each_reason_is_said_once(self, answers):
        left = answers("refused\n\tIs it running?", "refused\n\tIs it running?", "starting up")
        said: list[str] = []
        await_database("default", seconds=60, say=said.append)
        assert left == []
        assert [line.rpartition(": ")[2] for line in said] == ["refused", "starting up"]

    def test_is_an_error_at_once_for_whoever_does_not_wait(self, answers):
        left = answers("refused", "refused")
        with pytest.raises(OperationalError, match="refused"):
            await_database("default", seconds=0, say=pytest.fail)
        assert left == ["refused"]


@pytest.mark.django_db
def test_only_a_demo_is_thrown_away(settings):
    settings.DEMO = False
    with pytest.raises(CommandError, match="no demo city"):
        set_up(reset_demo=True)


@pytest.mark.django_db(transaction=True)
def test_a_demo_is_forgotten_whole(settings, own_files):
    ApplicationFactory()
    Path(settings.SMS_FILE).write_text("{}\n")
    paper = default_storage.save("referrals/x.pdf", ContentFile(b"%PDF"))
    assert QueueCount.objects.exists()
    forget_everything()
    assert not User.objects.exists()
    assert not QueueCount.objects.exists()
    assert not Path(settings.SMS_FILE).exists()
    assert not default_storage.exists(paper)
