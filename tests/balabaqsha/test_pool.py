"""The portal behind a pool that gives a connection to each transaction."""

import re
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test import Client

from accounts import uploads
from applications.models import Bid, Contract, Referral
from balabaqsha.health.line import Line
from balabaqsha.roles import set_up_roles
from notifications.alone import alone, alone_in_transaction
from tests.accounts import walk
from tests.browser.summer import one_place
from tests.pool import needs_pgbouncer, pooled
from tests.staff import inside, worker_of

ROOT = Path(__file__).resolve().parents[2]
APPS = ("accounts", "applications", "balabaqsha", "bulletin", "children", "notifications")
DAUGHTER = "170720600007"

# Words that leave something on a connection, and who may say them: none of these is on the way of a page.
OF_A_SESSION = re.compile(
    r"pg_(try_)?advisory_(lock|unlock)|set_config\([^)]*, false\)|LISTEN |PREPARE |CREATE TEMP|DECLARE \w+ CURSOR"
    r"|\bSET (SESSION|ROLE|TIME ZONE|\w+_timeout|search_path|timezone|synchronous_commit)\b"
)
DIRECT = {
    "notifications/alone.py": "refuses a pool",
    "balabaqsha/turns.py": "set_up and migrate, as the owner",
}
# Work of workers and commands, which name the database itself.
ALONE = {
    "accounts/telegram.py",
    "applications/alerts/waves.py",
    "applications/bidding/award.py",
    "applications/city/bringing.py",
    "applications/closings/finishing.py",
    "balabaqsha/periodic.py",
    "notifications/delivery.py",
    "notifications/reports.py",
}


def sources():
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(ROOT)), path.read_text()


def statements(text: str) -> str:
    """The code without its comments; strings stay."""
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def test_only_direct_connections_keep_anything():
    found = {name for name, text in sources() if OF_A_SESSION.search(statements(text))}
    assert found == set(DIRECT)


def test_only_workers_are_alone_for_longer_than_a_transaction():
    found = {
        name for name, text in sources() if re.search(r"from notifications\.alone import .*\balone\b", text)
    }
    assert found == ALONE


@pytest.mark.django_db
def test_a_worker_behind_a_pool_is_told(settings):
    settings.DATABASE_POOLED = True
    with pytest.raises(RuntimeError, match="DATABASE_POOLED"), alone("anything"):
        pass


@needs_pgbouncer
@pytest.mark.django_db(transaction=True)
class TestBehindIt:
    @pytest.fixture
    def behind(self, transactional_db):
        with pooled():
            yield

    def on_both(self, statement: str) -> set[str]:
        """What each of the two connections says."""
        with connection.cursor() as cursor:
            found = set()
            for _turn in range(4):
                cursor.execute(statement)
                found.add(str(cursor.fetchone()[0]))
        return found

    def test_each_transaction_has_another_connection(self, behind):
        """The control."""
        assert len(self.on_both("SELECT pg_backend_pid()")) == 2

    def test_the_question_for_health_leaves_nothing_behind(self, behind):
        with Line(seconds=5) as line:
            assert line.rows("SELECT 1") == [(1,)]
            assert line.rows("SHOW statement_timeout")[0][0] != "0"
        assert self.on_both("SHOW statement_timeout") == {"0"}
        assert self.on_both("SHOW timezone") == {"UTC"}

    def test_two_presses_with_files_are_kept_apart(self, behind):
        with alone_in_transaction("upload x") as first, Line(seconds=5) as other:
            asked = "SELECT pg_try_advisory_xact_lock(hashtextextended('upload x', 0))"
            assert (first, other.rows(asked)) == (True, [(False,)])
        with alone_in_transaction("upload x") as again:
            assert again

    def test_a_family_gets_from_the_registration_to_a_contract(self, behind, clock):
        set_up_roles()
        vacancy, client = one_place(), Client()
        assert walk.to_end(client).status_code == 302
        client.post("/cabinet/children/add/", {"iin": DAUGHTER, "check": "1"})
        check = "/cabinet/children/add/check/"
        token = re.search(r'name="token" value="([^"]+)"', client.get(check).content.decode())[1]
        child = client.post(check, {"save": "1", "token": token, "nationality": ""}).url.partition("=")[2]
        wish = {"locality": vacancy.locality.slug, "languages": ["ru"], "child": child, "confirm": "1"}
        application = client.post("/cabinet/applications/new/", wish).url.partition("?")[0]
        assert client.get("/bulletin/").status_code == 200
        assert client.post(f"{application}apply/{vacancy.pk}/").status_code == 302
        desk = inside(worker_of(vacancy.group.kindergarten))
        bid = Bid.objects.get()
        assert desk.post(f"/admin/applications/bid/{bid.pk}/do/activate/").status_code == 302
        referral = Referral.objects.get()
        desk.post(f"/admin/applications/referral/{referral.pk}/do/sign/")
        assert Contract.objects.get().referral.application.get_absolute_url() == application
        # A long list comes without a cursor of the server.
        assert b"".join(client.get("/bulletin.csv").streaming_content)
        assert client.get("/queue/").status_code == 200
        call_command("check_invariants", verbosity=0)

    def test_a_file_is_checked(self, behind, parent):
        png = (ROOT / "static" / "img" / "share.kk.png").read_bytes()
        [checked] = uploads.check_documents([SimpleUploadedFile("p.png", png, "image/png")], sender=parent)
        assert checked.copy
