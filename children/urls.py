from django.http import HttpRequest, HttpResponse
from django.urls import path


def placeholder(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


app_name = "children"
urlpatterns = [
    path("cabinet/children/", placeholder, name="list"),
    path("cabinet/children/add/", placeholder, name="add"),
    path("cabinet/children/<uuid:pk>/", placeholder, name="child"),
]
