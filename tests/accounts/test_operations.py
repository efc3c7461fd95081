"""What operators and the schedule do: employees, checks before deployment, clearing up, limits, addresses."""

import io
from datetime import UTC, datetime, timedelta
from unittest import mock
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import RequestFactory
from django.utils import timezone
from django_otp.oath import totp

from accounts import audit, checks, limits, services
from accounts.identity import iin_hash
from accounts.models import SmsCode, User
from accounts.roles import Role
from accounts.tasks import prune_sms_codes
from bulletin.employment import localities_of
from tests.factories import LocalityFactory, StaffFactory, nth_iin

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LIMIT = limits.Limit("test", 2, timedelta(minutes=1))


def run(*arguments: str) -> str:
    output = io.StringIO()
    call_command("create_staff", *arguments, stdout=output)
    return output.getvalue()


@pytest.mark.django_db
class TestCreateStaff:
    def test_with_a_role_and_a_second_factor(self):
        output = run("amina", "--role", "kindergarten")
        user = User.objects.get(username="amina")
        assert user.is_staff
        assert not user.is_superuser
        assert [group.name for group in user.groups.all()] == [Role.KINDERGARTEN]
        assert user.check_password(output.partition("Password: ")[2].split("\n")[0])
        device = user.totpdevice_set.get()
        assert device.config_url in output
        assert device.verify_token(totp(device.bin_key))

    def test_an_official_with_localities(self):
        places = [LocalityFactory(slug=slug) for slug in ("kentau", "turkistan")]
        LocalityFactory(slug="ikan")
        slugs = ("kentau", "turkistan", "kentau")
        run("amina", "--role", "official", *(word for slug in slugs for word in ("--locality", slug)))
        user = User.objects.get()
        assert set(localities_of(user, today=timezone.localdate())) == set(places)
        with pytest.raises(
            CommandError, match=r"no locality shymkent\. There are: kentau, turkistan, ikan\."
        ):
            run("saule", "--role", "official", "--locality", "kentau", "--locality", "shymkent")
        assert User.objects.get() == user

    def test_a_superuser(self):
        run("root", "--superuser")
        assert User.objects.get().is_superuser

    def test_a_password_that_was_given_is_not_printed(self, monkeypatch):
        monkeypatch.setattr("sys.stdin", io.StringIO("a long secret\n"))
        output = run("amina", "--role", "official", "--password-stdin")
        assert "a long secret" not in output
        assert User.objects.get().check_password("a long secret")

    def test_an_iin_is_kept_as_a_hash(self, monkeypatch):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"a long secret\n{nth_iin(3)}\n"))
        output = run("amina", "--role", "official", "--password-stdin", "--iin-stdin")
        user = User.objects.get()
        assert user.check_password("a long secret")
        assert user.staff_iin_hash == iin_hash(nth_iin(3))
        assert nth_iin(3) not in output

    @pytest.mark.parametrize("given", ["", "\n", "123\n", "\0\n"])
    def test_an_iin_that_is_none(self, monkeypatch, given):
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        with pytest.raises(CommandError):
            run("amina", "--role", "official", "--iin-stdin")
        assert not User.objects.exists()

    def test_an_iin_that_another_employee_has(self, monkeypatch):
        StaffFactory(staff_iin_hash=iin_hash(nth_iin(3)))
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{nth_iin(3)}\n"))
        with pytest.raises(CommandError, match="Another employee"):
            run("amina", "--role", "official", "--iin-stdin")
        assert User.objects.count() == 1

    @pytest.mark.parametrize(
        "given", ["password\n", "", "\n", "   \n", "short\n", "x" * 41, "a long\0secret\n", "balabaqsha1"]
    )
    def test_a_password_that_is_none(self, monkeypatch, given):
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        with pytest.raises(CommandError):
            run("amina", "--role", "official", "--password-stdin")
        assert not User.objects.exists()

    def test_a_password_that_is_no_text(self, monkeypatch):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe a long secret\n"), "utf-8"))
        with pytest.raises(CommandError, match="not UTF-8"):
            run("amina", "--role", "official", "--password-stdin")

    @pytest.mark.parametrize("again", ["amina", "Amina", "AMINA"])
    def test_a_name_that_is_taken(self, again):
        run("amina", "--role", "official")
        with pytest.raises(CommandError, match="already"):
            run(again, "--role", "official")
        assert User.objects.count() == 1

    @pytest.mark.parametrize(
        "name",
        ["", "   ", "+77017779876", "77017779876", "8 701 777 98 76", "7", "a b", "a\0b", "a\nb", "әмина", "аmina",
         "x" * 61, "x" * 5000, "\udcff", "-amina", "@amina"],
    )  # fmt: skip
    def test_a_name_that_can_be_no_employees(self, name):
        """A phone as a name would take the number from the parent to whom it belongs."""
        for arguments in (["--role", "official"], ["--superuser"]):
            with pytest.raises(CommandError, match="The name"):
                run(*arguments, "--", name)
        assert not User.objects.exists()

    @pytest.mark.parametrize("name", ["a", "x" * 60, "a.b-c_d@e1"])
    def test_a_name_that_can(self, name):
        run(name, "--role", "kindergarten")
        assert User.objects.get().username == name

    def test_without_a_role_nobody_is_made(self):
        with pytest.raises(
            CommandError,
            match=r"--role kindergarten or --role official or .*, or --superuser",
        ):
            run("amina")
        assert not User.objects.exists()

    def test_an_unknown_role(self):
        with pytest.raises(CommandError):
            run("amina", "--role", "king")

    def test_a_fixed_secret_for_the_demo(self):
        _user, device = services.create_staff(
            username="amina", password="staff-pass-1", totp_key="ab" * 20, now=timezone.now()
        )
        assert device.bin_key == bytes.fromhex("ab" * 20)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "clear_up", [prune_sms_codes, lambda: call_command("prune_sms_codes", stdout=io.StringIO())]
)
def test_prune(clear_up, time_machine):
    time_machine.move_to(NOW, tick=False)
    for hours in (23, 25):
        moment = NOW - timedelta(hours=hours)
        SmsCode.objects.create(
            phone="+77017779876",
            purpose="reset",
            code_hash="x",
            session_hash="x",
            created_at=moment,
            expires_at=moment,
        )
    clear_up()
    assert SmsCode.objects.get().expires_at == NOW - timedelta(hours=23)


class TestChecks:
    def real(self, settings):
        settings.DEMO = settings.DEBUG = False
        settings.PERSON_REGISTRY = "accounts.registry.http.HttpRegistry"
        settings.PERSON_REGISTRY_URL = "https://registry.example/"
        settings.PERSON_REGISTRY_TOKEN = "token"

    def found(self) -> set[str | None]:
        every = (checks.no_demo, checks.no_simulated_registry, checks.registry_has_address)
        return {problem.id for check in every for problem in check(None)}

    def test_a_real_deployment_passes(self, settings):
        self.real(settings)
        assert self.found() == set()

    def test_demo_mode(self, settings):
        self.real(settings)
        settings.DEMO = True
        assert self.found() == {"accounts.E001"}

    def test_a_simulated_registry_outside_the_demo(self, settings):
        self.real(settings)
        settings.PERSON_REGISTRY = "accounts.registry.simulator.SimulatedRegistry"
        assert self.found() == {"accounts.E002"}

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("PERSON_REGISTRY_URL", ""),
            ("PERSON_REGISTRY_URL", "http://registry/"),
            ("PERSON_REGISTRY_TOKEN", ""),
        ],
    )
    def test_a_registry_without_address_or_token(self, settings, name, value):
        self.real(settings)
        setattr(settings, name, value)
        assert self.found() == {"accounts.E003"}

    def test_they_are_registered(self):
        with pytest.raises(CommandError, match=r"accounts\.E001"):
            call_command("check", deploy=True)


class TestLimits:
    def test_until_the_window_has_passed(self):
        assert limits.allow(LIMIT, "a", now=NOW).ok
        assert limits.allow(LIMIT, "a", now=NOW + timedelta(seconds=10)).ok
        refused = limits.allow(LIMIT, "a", now=NOW + timedelta(seconds=60) - MICROSECOND)
        assert refused == limits.Allowed(False, NOW + timedelta(seconds=60))
        assert limits.allow(LIMIT, "a", now=NOW + timedelta(seconds=60)).ok
        assert not limits.allow(LIMIT, "a", now=NOW + timedelta(seconds=60)).ok

    def test_a_refused_attempt_is_not_counted(self):
        for _ in range(5):
            limits.allow(LIMIT, "a", now=NOW)
        assert limits.allow(LIMIT, "a", now=NOW + timedelta(seconds=60)).ok

    def test_keys_and_limits_are_apart(self):
        other = limits.Limit("other", 2, timedelta(minutes=1))
        for _ in range(2):
            limits.allow(LIMIT, "a", now=NOW)
        assert limits.allow(LIMIT, "b", now=NOW).ok
        assert limits.allow(other, "a", now=NOW).ok

    def test_all_or_none_are_counted(self):
        tight = limits.Limit("tight", 1, timedelta(minutes=5))
        assert limits.allow(tight, "a", now=NOW).ok
        refused = limits.allow_all([(LIMIT, "a"), (tight, "a")], now=NOW)
        assert refused.retry_at == NOW + timedelta(minutes=5)
        assert limits.allow(LIMIT, "a", now=NOW).ok
        assert limits.allow(LIMIT, "a", now=NOW).ok

    def test_forget(self):
        for _ in range(5):
            assert limits.allow_all([(LIMIT, "a")], now=NOW).ok
            limits.forget([(LIMIT, "a")], now=NOW)

    def test_addresses_share_their_network(self):
        assert limits.address_key("10.1.2.3") == limits.address_key("10.1.2.200")
        assert limits.address_key("10.1.2.3") != limits.address_key("10.1.3.3")
        assert limits.address_key("2001:db8::1") == limits.address_key("2001:db8::ffff")
        assert limits.address_key(None) == "unknown"

    def test_what_is_watched_must_have_room_and_is_not_counted(self):
        for _ in range(2):
            assert limits.allow_all([(LIMIT, "a")], watched=[(LIMIT, "b")], now=NOW).ok
        assert limits.allow(LIMIT, "b", now=NOW).ok
        assert limits.allow(LIMIT, "b", now=NOW).ok
        refused = limits.allow_all([(LIMIT, "c")], watched=[(LIMIT, "b")], now=NOW)
        assert refused.retry_at == NOW + timedelta(seconds=60)
        assert limits.allow(LIMIT, "c", now=NOW).ok
        assert limits.allow(LIMIT, "c", now=NOW).ok

    def test_pauses_begin_with_the_last_attempt_and_grow(self):
        growing = limits.Limit(
            "growing", 2, timedelta(days=1), pauses=(timedelta(minutes=1), timedelta(minutes=5))
        )
        now = NOW
        assert limits.allow(growing, "a", now=now).ok
        for minutes in (1, 5, 5):
            assert limits.allow(growing, "a", now=now).ok
            ends = now + timedelta(minutes=minutes)
            assert limits.allow(growing, "a", now=ends - MICROSECOND) == limits.Allowed(False, ends)
            now = ends
        assert limits.allow(growing, "a", now=now).ok

    def test_clear(self):
        for _ in range(3):
            limits.allow(LIMIT, "a", now=NOW)
        limits.clear(LIMIT, "a", now=NOW)
        assert limits.allow(LIMIT, "a", now=NOW).ok

    def test_lifting_all_of_them_forgets_everybody_here_and_nobody_elsewhere(self, settings):
        here = settings.CACHES
        settings.CACHES = {"default": here["default"] | {"KEY_PREFIX": uuid4().hex}}
        for _ in range(LIMIT.times):
            assert limits.allow(LIMIT, "a", now=NOW).ok
        elsewhere, settings.CACHES = settings.CACHES, here
        for limit, key in ((LIMIT, "a"), (LIMIT, "b"), (limits.IIN_PER_ACCOUNT, "a")):
            for _ in range(limit.times):
                assert limits.allow(limit, key, now=NOW).ok
            assert not limits.allow(limit, key, now=NOW).ok
        for _again in range(2):
            limits.lift_all(now=NOW)
        assert limits.allow(LIMIT, "a", now=NOW).ok
        assert limits.allow(LIMIT, "b", now=NOW).ok
        assert limits.allow(limits.IIN_PER_ACCOUNT, "a", now=NOW).ok
        settings.CACHES = elsewhere
        assert not limits.allow(LIMIT, "a", now=NOW).ok

    def test_a_demo_has_the_real_limits(self, settings):
        assert settings.DEMO
        allowed = [limits.allow(limits.IIN_PER_NETWORK, "10.0.0.0/24", now=NOW).ok for _ in range(51)]
        assert allowed == [True] * 50 + [False]


class TestLookUps:
    """Misses of a whole network stop only who has missed twice, and no device that is known."""

    def miss(self, account, *, address="10.0.0.7", now=NOW):
        assert limits.allow_lookup(account, address=address, now=now).ok
        limits.lookup_failed(account, address=address, now=now)

    def neighbours(self, count=50):
        for number in range(count):
            self.miss(f"neighbour {number}")

    def test_who_has_not_missed_goes_on(self):
        self.neighbours()
        for _ in range(5):
            assert limits.allow_lookup("mine", address="10.0.0.1", now=NOW).ok
        # Their own limit holds as ever.
        assert not limits.allow_lookup("mine", address="10.0.0.1", now=NOW).ok

    def test_who_has_mistyped_once_goes_on(self):
        self.miss("mine")
        self.neighbours(49)
        assert limits.allow_lookup("mine", address="10.0.0.99", now=NOW).ok

    def test_who_has_missed_twice_waits_for_minutes(self):
        self.miss("mine")
        self.miss("mine", now=NOW + MICROSECOND)
        self.neighbours(48)
        refused = limits.allow_lookup("mine", address="10.0.0.99", now=NOW + MICROSECOND)
        assert refused == limits.Allowed(False, NOW + timedelta(minutes=10))
        assert limits.allow_lookup("mine", address="10.0.1.1", now=NOW).ok
        assert limits.allow_lookup("mine", address="10.0.0.99", device="known", now=NOW).ok
        assert limits.allow_lookup("mine", address="10.0.0.99", now=NOW + timedelta(minutes=10)).ok

    def test_a_miss_is_forgotten_after_an_hour(self):
        self.miss("mine")
        self.miss("mine", now=NOW + MICROSECOND)
        later = NOW + timedelta(hours=1)
        for number in range(50):
            self.miss(f"neighbour {number}", now=later - MICROSECOND)
        assert not limits.allow_lookup("mine", address="10.0.0.99", now=later - MICROSECOND).ok
        assert limits.allow_lookup("mine", address="10.0.0.99", now=later).ok


class TestWithoutRedis:
    """Codes stop at once, look-ups after a minute, signing in never."""

    CODE, LOOK_UP, SIGN_IN = limits.SIGN_IN_CODE[0], limits.IIN_PER_ACCOUNT, limits.SIGN_IN_PER_ACCOUNT

    @pytest.fixture(autouse=True)
    def _nobody_answers(self, redis_away):
        """A port on which nobody listens."""

    def test_at_first_only_codes_stop(self):
        allowed = [limits.allow(limit, "a", now=NOW) for limit in (self.CODE, self.LOOK_UP, self.SIGN_IN)]
        assert allowed == [limits.Allowed(False), limits.Allowed(True), limits.Allowed(True)]

    def test_look_ups_go_on_for_a_minute_to_the_microsecond(self):
        assert limits.allow(self.LOOK_UP, "a", now=NOW).ok
        assert limits.allow(self.LOOK_UP, "a", now=NOW + timedelta(minutes=1) - MICROSECOND).ok
        assert limits.allow(self.LOOK_UP, "a", now=NOW + timedelta(minutes=1)) == limits.Allowed(False)
        assert limits.allow(self.SIGN_IN, "a", now=NOW + timedelta(days=1)).ok

    def test_nothing_that_is_asked_besides_fails(self):
        limits.forget([(LIMIT, "a")], now=NOW)
        limits.clear(LIMIT, "a", now=NOW)

    def test_it_is_logged_once(self, caplog):
        for second in range(5):
            limits.allow(self.LOOK_UP, "a", now=NOW + timedelta(seconds=second))
        assert [record.levelname for record in caplog.records] == ["ERROR"]


class TestStoppedRedis:
    """A real one, that hangs, dies and comes back."""

    @pytest.fixture
    def server(self, own_redis, monkeypatch):
        monkeypatch.setattr(limits, "REST_SECONDS", 0.0)
        return own_redis

    def test_it_comes_back_and_counts_go_on(self, server):
        assert limits.allow(LIMIT, "a", now=NOW).ok
        server.stop()
        assert limits.allow(limits.QUEUE_CHECK_PER_NETWORK, "a", now=NOW).ok
        assert not limits.allow(limits.QUEUE_CHECK_PER_NETWORK, "a", now=NOW + timedelta(minutes=1)).ok
        server.start()
        assert limits.allow(limits.QUEUE_CHECK_PER_NETWORK, "a", now=NOW + timedelta(minutes=1)).ok
        # The minute begins anew.
        server.stop()
        assert limits.allow(limits.QUEUE_CHECK_PER_NETWORK, "a", now=NOW + timedelta(minutes=5)).ok

    def test_one_that_hangs_is_asked_once_and_not_by_everyone(self, server, monkeypatch):
        monkeypatch.setattr(limits, "REST_SECONDS", 60.0)
        assert limits.allow(LIMIT, "a", now=NOW).ok
        server.pause()
        pool = limits._counter(server.url).client.connection_pool
        asked = mock.Mock(side_effect=pool.get_connection)
        monkeypatch.setattr(pool, "get_connection", asked)
        for _ in range(20):
            assert limits.allow(limits.SIGN_IN_PER_ACCOUNT, "a", now=NOW).ok
        assert asked.call_count == 1


class TestClientAddress:
    def request(self, **headers):
        return RequestFactory().get("/", **headers)

    def test_direct(self, settings):
        assert (
            audit.client_address(self.request(REMOTE_ADDR="10.0.0.5", HTTP_X_FORWARDED_FOR="6.6.6.6"))
            == "10.0.0.5"
        )

    @pytest.mark.parametrize(
        ("proxies", "forwarded", "address"),
        [
            (1, "6.6.6.6, 10.0.0.5", "10.0.0.5"),
            (2, "6.6.6.6, 10.0.0.5, 172.16.0.1", "10.0.0.5"),
            (3, "10.0.0.5, 172.16.0.1, 172.16.0.2", "10.0.0.5"),
            # One of them was passed by: what is left was written by the other.
            (2, "10.0.0.5", "10.0.0.5"),
            (2, "", "127.0.0.1"),
            (1, "10.0.0.5:51812", "10.0.0.5"),
            (1, "[2001:db8::5]:51812", "2001:db8::5"),
            (1, "fe80::1%eth0", "fe80::1"),
            (1, "::ffff:10.0.0.5", "10.0.0.5"),
            (1, "6.6.6.6, unknown", None),
        ],
    )
    def test_behind_proxies_what_the_visitor_claims_does_not_count(
        self, settings, proxies, forwarded, address
    ):
        settings.BEHIND_PROXY, settings.TRUSTED_PROXIES = True, proxies
        request = self.request(REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)
        assert audit.client_address(request) == address

    @pytest.mark.parametrize("text", ["", "unix:", "<script>"])
    def test_none(self, text):
        assert audit.client_address(self.request(REMOTE_ADDR=text)) is None
