"""What concerns every room from time to time; the schedule is in `balabaqsha.celery`."""

from celery import shared_task
from django.utils import timezone

from balabaqsha import retention


@shared_task
def purge_personal_data() -> None:
    retention.purge_personal_data(now=timezone.now())
