"""What the environment says, in whatever way an operator writes it."""

import pytest
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


def test_numbers():
    assert environment(N=" 12 ").int("N", default=30) == 12
    assert environment(N="-1").int("N", default=30) == -1
    assert environment(N="").int("N", default=30) == 30
    for text in ("abc", "1.5", "٣", "1_000", "--1", "-"):
        with pytest.raises(ImproperlyConfigured, match="N must be a whole number"):
            environment(N=text).int("N", default=30)


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
