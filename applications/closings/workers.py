"""What the workers of a kindergarten read of a closing of it, and of its end."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.urls import reverse

from accounts.employees import address_of
from applications.closings.deciding import since
from applications.closings.entries import last_move
from bulletin.employment import able, employees_of
from bulletin.models import Closing
from notifications.services import enqueue, enqueue_to_mail

VIEW: Final = "bulletin.view_closing"


def tell_workers(closing: Closing, *, now: datetime) -> None:
    """Tell whoever works in the kindergarten that it, or a group of it, closes, opens again, or was closed by mistake.

    In the inbox of the workplace, and by e-mail where there is an address. May be repeated: each is told of each state
    once. Of a state that it has left meanwhile nobody is told. Locks its row.
    """
    with transaction.atomic():
        # Its end takes this row, too: nobody is told of a state that is over.
        locked = Closing.objects.select_for_update(no_key=True).filter(
            pk=closing.pk, state=closing.state, days_moved_at=closing.days_moved_at
        )
        if not locked.exists():
            return
        is_running = closing.state == Closing.State.RUNNING
        kind = "staff_closing" if is_running else "staff_closing_over"
        context = {
            "kindergarten": closing.kindergarten,
            "closing": closing,
            "reason": closing.reason if is_running else closing.end_reason,
            "is_moved": closing.days_moved_at is not None,
            "moved_days": last_move(closing),
        }
        key = f"{closing.pk}:{closing.state}{since(closing.days_moved_at if is_running else None)}"
        link = reverse("admin:bulletin_closing_change", args=[closing.pk])
        for worker in able(employees_of(closing.kindergarten, today=closing.locality.day(now)), VIEW):
            enqueue(worker, kind, context=context, dedupe_key=key, now=now, link=link)
            if address := address_of(worker):
                enqueue_to_mail(
                    address,
                    kind,
                    context=context,
                    language=worker.language,
                    dedupe_key=f"{key}:{worker.pk}",
                    now=now,
                )
