"""Errors are told to operators, once a kind, and nobody's data with them."""

import logging

import pytest
from django.core import mail
from django.db import IntegrityError

from accounts.iin import parse_iin
from balabaqsha import error_mails
from balabaqsha.error_mails import ErrorMails
from tests.test_no_leaks import leaks

PHONE, IIN, NAME = "+77017779876", "170720600007", "Дания"


@pytest.fixture
def handler(settings):
    settings.ERRORS_TO = ["it@city.example.kz"]
    return ErrorMails()


@pytest.fixture
def log(handler):
    """A logger of ours that tells by e-mail."""
    found = logging.getLogger("accounts.of_a_test")
    found.addHandler(handler)
    yield found
    found.removeHandler(handler)


def sent(handler):
    handler._waiting.join()
    return mail.outbox


def broken(phone):
    parse_iin(phone)


def fail(log, message="The page of %s is broken", phone=PHONE):
    try:
        try:
            broken(phone)
        except Exception as error:
            raise IntegrityError(f"Key (phone)=({phone}) of {NAME} with {IIN}") from error
    except IntegrityError:
        log.exception(message, phone)


def test_it_says_what_broke_where_and_names_nobody(log, handler):
    fail(log)
    [told] = sent(handler)
    assert told.to == ["it@city.example.kz"]
    assert "IntegrityError" in told.subject
    assert "message: The page of %s is broken" in told.body
    assert "tests/balabaqsha/test_error_mails.py" in told.body
    assert "accounts/iin.py" in told.body
    assert not leaks(told.subject + told.body, known=frozenset({NAME, PHONE, IIN}))


def test_what_a_library_has_put_together_is_left_out(handler):
    found = logging.getLogger("urllib3.of_a_test")
    found.addHandler(handler)
    found.error(f"https://gateway/?phone={PHONE}")
    found.removeHandler(handler)
    [told] = sent(handler)
    assert not leaks(told.subject + told.body, known=frozenset({PHONE}))


def test_the_request_and_a_hash_of_the_account_are_told(handler):
    record = logging.LogRecord("accounts", logging.ERROR, "", 1, "Broken", (), None)
    record.correlation_id, record.user = "0123abcd", "f00"
    handler.emit(record)
    [told] = sent(handler)
    assert "request: 0123abcd\nuser: f00\n" in told.body


def test_a_kind_is_told_once_in_ten_minutes_by_all_processes(log, handler):
    for _error in range(3):
        fail(log)
    assert len(sent(handler)) == 1
    another = ErrorMails()
    log.addHandler(another)
    fail(log)
    log.removeHandler(another)
    assert len(sent(another)) == 1


def test_another_kind_is_told(log, handler):
    fail(log)
    log.error("The queue is broken")
    assert len(sent(handler)) == 2


def test_after_ten_minutes_it_is_told_again(log, handler, monkeypatch):
    monkeypatch.setattr(error_mails, "EVERY_SECONDS", 0)
    monkeypatch.setattr(error_mails.cache, "add", lambda *_key: True)
    fail(log)
    sent(handler)
    fail(log)
    assert len(sent(handler)) == 2


@pytest.mark.usefixtures("redis_away")
def test_while_redis_is_away_it_is_told_all_the_same(log, handler):
    fail(log)
    fail(log)
    assert len(sent(handler)) == 1


def test_a_mail_server_that_is_away_breaks_nothing(log, handler, settings):
    settings.EMAIL_BACKEND = "no.such.Backend"
    fail(log)
    assert sent(handler) == []
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    log.error("Another kind")
    assert len(sent(handler)) == 1


def test_a_warning_is_none(log, handler):
    log.warning("Slow")
    assert sent(handler) == []
