"""The portal's addresses and an empty view."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from balabaqsha.urls import handler400, handler403, handler404, handler500
from balabaqsha.urls import urlpatterns as portal_addresses

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [path("empty/", empty), *portal_addresses]
