"""Pages and answers that belong to no single app."""

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST


def home(request: HttpRequest) -> HttpResponse:
    return render(request, "home.html")


@require_POST
def choose_place(request: HttpRequest) -> HttpResponse:
    return redirect("home")


def statistics(request: HttpRequest) -> HttpResponse:
    return render(request, "statistics.html")


@never_cache
def clock(request: HttpRequest) -> JsonResponse:
    """The reference server clock: the present instant, ISO 8601 with microseconds, UTC."""
    return JsonResponse({"now": timezone.now().isoformat()})


@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """200 while the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"database": "ok"})


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form is stale or cookies are off: say how to go on."""
    return render(request, "403_csrf.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    return render(request, "500.html", status=500)
