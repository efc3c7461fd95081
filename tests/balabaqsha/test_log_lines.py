"""A stranger's text makes no lines of its own in the log, and hides none."""

import json
import logging
import logging.config
import re
from io import StringIO

import pytest
from celery.signals import before_task_publish, task_prerun
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import path
from django_guid import clear_guid, get_guid, set_guid

from accounts.models import User
from balabaqsha.celery import app
from balabaqsha.environment import reader_of
from balabaqsha.log_lines import AccessJson, JsonLine, WithoutProbes, WithUser, chosen_format
from balabaqsha.serving import server
from balabaqsha.urls import handler400, handler403, handler404, handler500
from balabaqsha.urls import urlpatterns as portal_addresses
from tests.factories import UserFactory

__all__ = ["handler400", "handler403", "handler404", "handler500"]

HOSTILE = "/x\r\n2026-01-01 00:00:00+0500 ERROR forged\0\x1b[31m\x85\u2028\u2029\u202e\u2066\udcff"


@pytest.fixture
def written(monkeypatch):
    """What a logger with the portal's own settings writes."""
    output = StringIO()
    monkeypatch.setattr("sys.stderr", output)
    logger = logging.Logger("portal")
    handler = settings.LOGGING["handlers"]["console"]
    made = logging.config.DictConfigurator(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": settings.LOGGING["formatters"],
            "filters": settings.LOGGING["filters"],
            "handlers": {"console": handler},
        }
    )
    made.configure()
    logger.addHandler(made.config["handlers"]["console"])
    return logger, output


def test_a_message_is_one_line_of_signs_that_are_seen(written):
    logger, output = written
    logger.warning("Not Found: %s", HOSTILE)
    (line,) = output.getvalue().splitlines()
    assert line.isprintable()
    assert line.endswith(
        r"/x\r\n2026-01-01 00:00:00+0500 ERROR forged\x00\x1b[31m\x85\u2028\u2029\u202e\u2066\udcff"
    )


def test_words_of_the_city_stay_as_they_are(written):
    logger, output = written
    logger.warning("%s", "Әсел Қызғалдақ, №5 «Балапан»")
    assert output.getvalue().endswith("Әсел Қызғалдақ, №5 «Балапан»\n")


def test_no_line_of_a_trace_is_taken_for_an_event(written):
    logger, output = written
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        logger.exception("It failed", stack_info=True)
    first, *trace = output.getvalue().splitlines()
    assert first.endswith("It failed")
    assert any("ValueError: /x" in line for line in trace)
    assert [line for line in trace if not (line.startswith("    ") and line.isprintable())] == []


def test_every_handler_writes_such_lines():
    """Django's own, which would write beside the portal's, are taken away."""
    assert (
        {one["formatter"] for one in settings.LOGGING["handlers"].values()}
        == {settings.LOG_FORMAT}
        == {"line"}
    )
    assert logging.getLogger("django").handlers == []


class TestForPrograms:
    """`LOG_FORMAT=json`."""

    @pytest.mark.parametrize(
        ("environ", "chosen"),
        [({}, "json"), ({"BALABAQSHA_DEMO": "1"}, "line"), ({"DEBUG": "1", "LOG_FORMAT": "json"}, "json")],
    )
    def test_it_is_the_format_where_no_person_looks_on(self, environ, chosen):
        assert chosen_format(reader_of(environ)) == chosen
        assert server.plan(environ).log_format == chosen

    def test_another_format_is_refused(self):
        with pytest.raises(ImproperlyConfigured, match="line or json"):
            chosen_format(reader_of({"LOG_FORMAT": "xml"}))

    def test_an_event_is_an_object_of_what_is_named_and_of_nothing_else(self):
        record = logging.makeLogRecord(
            {"msg": "Not Found: %s", "args": (HOSTILE,), "levelname": "WARNING", "name": "portal"}
        )
        record.correlation_id, record.request, record.phone = "7" * 32, "GET /?iin=", "+77017779876"
        line = JsonLine().format(record)
        assert line.isprintable()
        assert line.isascii()
        told = json.loads(line)
        assert told.pop("time").endswith("+00:00")
        assert told == {
            "level": "WARNING",
            "logger": "portal",
            "request": "7" * 32,
            "message": f"Not Found: {HOSTILE}",
        }

    def test_a_trace_belongs_to_its_event(self):
        try:
            raise ValueError(HOSTILE)
        except ValueError as error:
            record = logging.makeLogRecord(
                {"msg": "It failed", "exc_info": (ValueError, error, error.__traceback__)}
            )
        told = json.loads(JsonLine().format(record))
        assert (told["message"], "Traceback" in told["trace"]) == ("It failed", True)

    def test_a_request_is_an_object_without_what_stands_after_the_question_mark(self):
        told = json.loads(AccessJson().format(access(path='/x"\n', status=404)))
        assert told.pop("time")
        assert told == {
            "logger": "access",
            "request": "7" * 32,
            "address": "127.0.0.1",
            "method": "GET",
            "path": "/x%22%0A",
            "status": 404,
            "milliseconds": 1.3,
        }

    @pytest.mark.parametrize("log_format", ["line", "json"])
    def test_both_are_what_the_web_server_writes(self, log_format):
        made = logging.config.DictConfigurator(
            {"version": 1, "disable_existing_loggers": False} | server.logs(log_format)
        )
        made.configure()
        assert made.config["handlers"]["access"].format(access(path="/", status=200))


@pytest.mark.parametrize(
    ("path", "status", "is_written"),
    [("/healthz", 200, False), ("/health/", 200, False), ("/readyz", 503, True), ("/", 200, True)],
)
def test_a_balancer_that_hears_that_all_is_well_fills_no_log(path, status, is_written):
    assert WithoutProbes().filter(access(path=path, status=status)) is is_written


def access(*, path, status):
    args = {"addr": "127.0.0.1", "method": "GET", "path": path, "status": status, "dt_ms": 1.26}
    return logging.makeLogRecord(
        {
            "msg": "%(path)s",
            "args": args | {"query_string": "q=secret", "protocol": "HTTP/1.1", "time": "", "_h0": "7" * 32},
        }
    )


SETTLING = "applications.tasks.settle_what_ran_out"


def broken(request):
    raise RuntimeError("on purpose" if request.user.is_authenticated else "for nobody")


urlpatterns = [path("broken/", broken), *portal_addresses]


@pytest.mark.urls("tests.balabaqsha.test_log_lines")
class TestRequests:
    """What happens for one request bears its id, and names nobody."""

    def test_the_proxys_id_is_kept_and_sent_back(self, client):
        sent = "0123456789abcdef0123456789abcdef"
        assert client.get("/healthz", headers={"x-request-id": sent}).headers["X-Request-ID"] == sent

    @pytest.mark.parametrize("sent", [None, "", "x", "7701 777", HOSTILE.replace("\r\n", "")])
    def test_what_is_no_id_is_replaced_and_repeated_nowhere(self, client, sent, caplog):
        answer = client.get("/healthz", headers={"x-request-id": sent} if sent is not None else {})
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])
        assert "forged" not in caplog.text + str(answer.headers)

    @pytest.mark.django_db
    def test_an_error_says_for_which_request_and_for_whom_by_a_hash(self, client, caplog):
        user = UserFactory()
        client.force_login(user)
        client.raise_request_exception = False
        caplog.handler.addFilter(WithUser())
        client.get("/broken/")
        client.get("/broken/")
        first, second = [record for record in caplog.records if record.name == "django.request"]
        assert first.user == second.user
        assert re.fullmatch("[0-9a-f]{12}", first.user)
        assert User.objects.get(pk=user.pk).phone.as_e164 not in caplog.text

    def test_a_task_that_a_request_sends_goes_on_under_its_id(self):
        """A worker finds the heads of a message among what it knows of the request for a task."""
        app.loader.import_default_modules()
        task, sent = app.tasks[SETTLING], []

        def note(headers, **_kwargs):
            sent.append(dict(headers))

        before_task_publish.connect(note)
        set_guid("7" * 32)
        with app.connection_for_write("memory://") as line:
            task.apply_async(connection=line)
        clear_guid()
        assert [id_of_run(task, request) for request in sent] == ["7" * 32]
        assert re.fullmatch("[0-9a-f]{32}", id_of_run(task, {}))
        assert get_guid() is None


def id_of_run(task, request):
    task.push_request(**request)
    task_prerun.send(task, task=task)
    found = get_guid()
    clear_guid()
    task.pop_request()
    return found
