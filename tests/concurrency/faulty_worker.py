"""The worker of deliveries, in a hurry: `python -m tests.concurrency.faulty_worker`.

Arguments: the database, the broker, and the address of the gateway. What takes half a minute elsewhere takes a second.
"""

import sys
from datetime import timedelta

import django
from django.conf import settings


def main(database: str, broker: str, gateway: str) -> None:
    settings.DATABASE_CLOCK = True
    settings.DATABASES["default"]["NAME"] = database
    settings.CELERY_BROKER_URL = broker
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {}
    settings.SMS_BACKEND, settings.SMSC_URL = "tests.concurrency.faulty_worker.Backend", gateway
    settings.SMS_GATEWAY_SECONDS, settings.SMS_BUDGET_PER_DAY = 1.0, 1_000_000
    django.setup()
    from balabaqsha.celery import app
    from notifications import delivery, outbox
    from notifications.peers import calls

    calls.REST_SECONDS = 1.5  # type: ignore[misc]
    delivery.SHORTEST_PAUSE = timedelta(seconds=0.2)
    delivery.WAITS_SECONDS = 1.0
    outbox.LEASE = timedelta(seconds=4)  # type: ignore[misc]
    app.start(argv=["worker", "-n", "faulty@here", "--queues", "deliveries", "--concurrency", "1",
                    "--without-gossip", "--without-mingle", "--loglevel", "error"])  # fmt: skip


class Backend:
    """Hands over the key alone."""

    name = "faulty"

    def send(self, phone, text, *, idempotency_key, **terms):
        from notifications.sms.base import Outcome, SendResult
        from notifications.sms.http import GatewayError, post_form

        try:
            answer = post_form(settings.SMSC_URL, {"key": idempotency_key}, gateway="faulty")
        except GatewayError as error:
            return error.result("faulty")
        return SendResult(Outcome.ACCEPTED, provider_id=f"faulty:{answer['id']}")


if __name__ == "__main__":
    main(*sys.argv[1:4])
