from django.http import HttpRequest, HttpResponse
from django.urls import path


def placeholder(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


app_name = "notifications"
urlpatterns = [
    path("cabinet/notifications/", placeholder, name="inbox"),
    path("cabinet/notifications/<uuid:pk>/", placeholder, name="open"),
]
