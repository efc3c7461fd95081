from django.http import HttpRequest, HttpResponse
from django.urls import path


def placeholder(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


app_name = "bulletin"
urlpatterns = [
    path("kindergartens/", placeholder, name="kindergartens"),
    path("kindergartens/<slug:slug>/", placeholder, name="kindergarten"),
    path("feedback/", placeholder, name="reviews"),
]
