"""What the environment says, in whatever way an operator writes it."""

import os
from datetime import date

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from balabaqsha.environment import Environment, Given

DEFAULT = "postgres://balabaqsha@/balabaqsha?host=/run"


def environment(**values: str) -> Environment:
    class Reader(Environment):
        ENVIRON = Given(values, cache=False)

    return Reader()


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("0", False), ("True", True), ("FALSE", False), (" yes ", True), ("n", False), ("", True)],
)
def test_yes_and_no(text, value):
    assert environment(HTTPS=text).bool("HTTPS", default=True) is value


@pytest.mark.parametrize("text", ["ture", "2", "ja", "none", "0.0"])
def test_a_slip_of_the_pen_is_no_answer(text):
    with pytest.raises(ImproperlyConfigured, match="HTTPS must be 1 or 0"):
        environment(HTTPS=text).bool("HTTPS", default=True)


def test_keys():
    one, two = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    assert environment(KEYS=f"{one}, {two},").fernet_keys("KEYS") == [one, two]
    assert environment().fernet_keys("KEYS") == []


@pytest.mark.parametrize(
    "key", ["x", "құпия", "a password", Fernet.generate_key().decode()[:-4]], ids=range(4)
)
def test_what_is_no_key_is_named_and_not_shown(key):
    with pytest.raises(ImproperlyConfigured, match="KEYS: key 2 is no Fernet key") as refusal:
        environment(KEYS=f"{Fernet.generate_key().decode()},{key}").fernet_keys("KEYS")
    assert key not in str(refusal.value)


def test_numbers():
    assert environment(N=" 12 ").int("N", default=30) == 12
    assert environment(N="-1").int("N", default=30) == -1
    assert environment(N="").int("N", default=30) == 30
    for text in ("abc", "1.5", "٣", "1_000", "--1", "-"):
        with pytest.raises(ImproperlyConfigured, match="N must be a whole number"):
            environment(N=text).int("N", default=30)


def test_days():
    assert environment(D=" 2027-03-01 ").day("D") == date(2027, 3, 1)
    assert environment(D=" ").day("D") is None
    for text in ("01.03.2027", "2027-02-30", "20270301", "2027-W09-1", "tomorrow"):
        with pytest.raises(ImproperlyConfigured, match="D must be a day such as 2027-03-01"):
            environment(D=text).day("D")


def test_lists_hold_no_spaces_and_no_gaps():
    assert environment(H=" a.kz , b.kz,, ").list("H", default=["x"]) == ["a.kz", "b.kz"]
    assert environment(H=" ").list("H", default=["x"]) == ["x"]


def test_a_secret_is_taken_as_it_stands():
    for secret in ("$HOME", "a$b", r"\$x", " spaces ", "пароль", "p/w#?@:%"):
        assert environment(S=secret).secret("S") == secret
    assert environment().secret("S") == ""


def test_a_file_holds_it_without_the_line_break_at_its_end(tmp_path):
    file = tmp_path / "key"
    file.write_text("secret\n")
    assert environment(S_FILE=str(file)).secret("S") == "secret"
    assert environment(S_FILE=str(file), S="other").secret("S") == "secret"
    file.write_bytes(b"1\r\n")
    assert environment(S_FILE=str(file)).bool("S") is True


def test_a_file_that_is_not_there_is_named(tmp_path):
    for read in (Environment.secret, Environment.bool, Environment.str):
        with pytest.raises(ImproperlyConfigured, match="S_FILE names a file that can't be read"):
            read(environment(S_FILE=str(tmp_path / "none")), "S")


def test_a_file_that_is_no_text_is_named(tmp_path):
    file = tmp_path / "key"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ImproperlyConfigured, match="S_FILE"):
        environment(S_FILE=str(file)).secret("S")


def database(**values: str) -> dict:
    return environment(**values).database("DATABASE_URL", beside="DATABASE_PASSWORD", default=DEFAULT)


def test_the_address_of_a_database():
    found = database(DATABASE_URL="postgresql://web:p%2Fw@db.example:5433/city")
    assert [found[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "NAME")] == [
        "web", "p/w", "db.example", 5433, "city",
    ]  # fmt: skip
    assert database()["OPTIONS"] == {"host": "/run"}


@pytest.mark.parametrize("password", ["p/w", "a#b", "a?b", "a@b", "a:b", "100%", "$a", "a b", "қ'\"\\"])
def test_a_password_of_its_own_needs_no_encoding(password):
    found = database(DATABASE_URL="postgres://web@db/city", DATABASE_PASSWORD=password)
    assert (found["USER"], found["PASSWORD"], found["HOST"]) == ("web", password, "db")


@pytest.mark.parametrize(
    "address", ["postgres://u:s3cr/et@db/city", "postgres://u:s3cr#et@db/city", "s3cr", "mysql://u:s3cr@db/city",
                "postgres://u:s3cr@db", "postgres://u:s3cr@db/", "postgres://[s3cr/city"]
)  # fmt: skip
def test_an_address_that_can_not_be_read_is_refused_without_being_repeated(address):
    with pytest.raises(
        ImproperlyConfigured, match=r"DATABASE_URL can't be read.*DATABASE_PASSWORD"
    ) as refusal:
        database(DATABASE_URL=address)
    assert "s3cr" not in str(refusal.value)


@pytest.mark.parametrize(
    "address",
    [
        "postgres://web@db/ci%00ty", "postgres://web@db/city\r\n.example", "postgres://web@db:0/city",
        "postgres://web:s3%0Acr@db/city", "postgres://web@db/city?s3cr=1", "postgres://web@db/city?sslmode=s3cr",
        "postgres://web@db/city?connect_timeout=s3cr", "postgres://web@db/city?options=a%00b",
        "postgres://web@db/city?atomic_requests=1",
    ],
)  # fmt: skip
def test_an_address_that_no_driver_could_use_is_refused(address):
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL can't be read") as refusal:
        database(DATABASE_URL=address)
    assert "s3cr" not in str(refusal.value)


@pytest.mark.parametrize(
    "query",
    ["sslmode=verify-full&sslrootcert=/etc/ca.pem", "connect_timeout=5", "disable_server_side_cursors=True"],
)
def test_parameters_of_the_driver_are_its_own(query):
    assert database(DATABASE_URL=f"postgres://web@db/city?{query}")["NAME"] == "city"


@pytest.mark.parametrize(
    "address",
    [
        "garbage", "http://h", "redis://", "redis:///0", "redis://h:abc/0", "redis://h:0/0", "redis://h:99999/0",
        "redis://[::1/0", "redis://h/abc", "redis://h/-1", "redis://h/0?nothing=1", "redis://h/0?socket_timeout=x",
        "redis://h/0#x", "redis://h /0", "redis://h\r\n/0", "unix://", "unix:///", "redis://u:s3cr/et@h/0",
        "redis+socket:///run/redis.sock",
    ],
)  # fmt: skip
def test_a_redis_that_can_not_be_read_is_refused(address):
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL can't be read") as refusal:
        environment(REDIS_URL=address).redis("REDIS_URL", default="redis://d/0")
    assert "s3cr" not in str(refusal.value)


@pytest.mark.parametrize(
    "address",
    ["redis://h", "redis://h:6380/3", "rediss://u:p%2Fw@h/0", "redis://[::1]:6379/0", "unix:///run/redis.sock",
     "unix:///run/redis.sock?db=2"]
)  # fmt: skip
def test_the_address_of_a_redis(address):
    assert environment(REDIS_URL=f" {address}\n").redis("REDIS_URL", default="redis://d/0") == address


@pytest.mark.parametrize(
    "address",
    ["https://", "https://[::1", "https://h:abc/", "https://h:0/", "https://h:99999/", "https://a b/", "https://h/a b",
     "https://h/\r\nX: y", "ftp://h/", "h.example", "https://u:p@h/", "https://h/?x=1", "https://h/#x",
     "https://тіркелім.kz/", "https://h/\udcff"]
)  # fmt: skip
def test_the_address_of_a_peer_that_can_not_be_read_is_refused(address):
    with pytest.raises(ImproperlyConfigured, match="PERSON_REGISTRY_URL can't be read"):
        environment(PERSON_REGISTRY_URL=address).http_address("PERSON_REGISTRY_URL")


def test_the_address_of_a_peer():
    for address in ("https://h.example/", "http://127.0.0.1:8080/api", "https://[::1]/"):
        assert environment(A=address).http_address("A") == address
    assert environment().http_address("A") == ""


@pytest.mark.parametrize("token", ["a\nb", "a\r", "a b", "құпия", "a\tb", "a\x7f", "\udcff"])
def test_a_token_that_no_head_of_a_request_holds_is_refused(token):
    with pytest.raises(ImproperlyConfigured, match="T may hold") as refusal:
        environment(T=token + "x").token("T")
    assert f"{token}x" not in str(refusal.value)


def test_credentials_are_texts_of_one_line():
    for credential in ("құпия", "p w", "$a", "p@ss:/?#"):
        assert environment(C=credential).credential("C") == credential
    for credential in ("a\nb", "a\rb", "\udcff", "\x1b[0m"):
        with pytest.raises(ImproperlyConfigured, match="C holds control signs"):
            environment(C=credential).credential("C")


@pytest.mark.parametrize("origin", ["https://*", "https://", "bala.example.kz", "https://a.kz/x", "https://a.kz:abc",
                                    "https://a.kz:99999", "https://u@a.kz", "*", "https://a.*.kz"])  # fmt: skip
def test_an_origin_that_is_none_is_refused(origin):
    with pytest.raises(ImproperlyConfigured, match="O can't be read"):
        environment(O=f"https://a.kz, {origin}").origins("O")


def test_origins():
    given = ["https://bala.example.kz", "http://localhost:8000", "https://*.example.kz"]
    assert environment(O=", ".join(given)).origins("O") == given


@pytest.mark.parametrize("text", ["1" + "0" * 20, "-" + "9" * 11, "2147483648", "9" * 5000])
def test_a_number_that_nothing_could_hold_is_refused(text):
    with pytest.raises(ImproperlyConfigured, match="N must be a whole number from"):
        environment(N=text).int("N", default=1)


@pytest.mark.parametrize(("text", "is_read"), [("0", False), ("1", True), ("64", True), ("65", False)])
def test_a_number_has_bounds(text, is_read):
    if is_read:
        assert environment(N=text).int("N", default=2, least=1, most=64) == int(text)
        return
    with pytest.raises(ImproperlyConfigured, match="from 1 to 64"):
        environment(N=text).int("N", default=2, least=1, most=64)


def test_a_value_with_a_nul_is_none(tmp_path):
    file = tmp_path / "key"
    file.write_bytes(b"a\0b")
    for read in (Environment.secret, Environment.bool, Environment.token):
        with pytest.raises(ImproperlyConfigured, match="S holds a NUL"):
            read(environment(S_FILE=str(file)), "S")


def test_what_is_no_file_is_not_waited_for(tmp_path):
    """Neither a pipe that nobody fills nor a device without an end."""
    pipe, large = tmp_path / "pipe", tmp_path / "large"
    os.mkfifo(pipe)
    large.write_bytes(b"x" * (64 * 1024 + 1))
    for path in (pipe, "/dev/zero", tmp_path, large):
        with pytest.raises(ImproperlyConfigured, match="S_FILE names a file that can't be read"):
            environment(S_FILE=str(path)).secret("S")
