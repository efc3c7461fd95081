from django.http import HttpRequest, HttpResponse
from django.urls import path


def placeholder(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


app_name = "accounts"
urlpatterns = [
    path("register/", placeholder, name="register"),
    path("register/code/", placeholder, name="register_code"),
    path("register/password/", placeholder, name="register_password"),
    path("register/account/", placeholder, name="register_account"),
    path("login/", placeholder, name="login"),
    path("logout/", placeholder, name="logout"),
    path("password/reset/", placeholder, name="reset"),
    path("password/reset/code/", placeholder, name="reset_code"),
    path("password/reset/new/", placeholder, name="reset_new"),
    path("cabinet/profile/", placeholder, name="profile"),
    path("cabinet/profile/photo/", placeholder, name="photo"),
    path("cabinet/profile/password/", placeholder, name="password"),
    path("cabinet/notifications/log/", placeholder, name="journal"),
]
