"""The public register of referrals."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from applications.queue.small_groups import FEW
from applications.referrals.register import register_rows, registered
from notifications.clock import estimate_clock

PAGE_SIZE = 20


@require_safe
def referral_register(request: HttpRequest) -> HttpResponse:
    """The referrals of the months that are over, without names."""
    page = Paginator(registered(now=estimate_clock()), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": register_rows(page.object_list), "few": FEW}
    return render(request, "applications/register.html", context)
