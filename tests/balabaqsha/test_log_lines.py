"""A stranger's text makes no lines of its own in the log, and hides none."""

import logging
import logging.config
from io import StringIO

import pytest
from django.conf import settings

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
    assert {one["formatter"] for one in settings.LOGGING["handlers"].values()} == {"line"}
    assert logging.getLogger("django").handlers == []
