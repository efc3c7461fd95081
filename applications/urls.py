from django.urls import path
from django.http import HttpRequest, HttpResponse


def placeholder(request: HttpRequest, **kwargs: object) -> HttpResponse:
    return HttpResponse("")


app_name = "applications"
urlpatterns = [
    path("cabinet/", placeholder, name="cabinet"),
    path("cabinet/applications/", placeholder, name="list"),
    path("cabinet/applications/archive/", placeholder, name="archive"),
    path("cabinet/applications/new/", placeholder, name="new"),
    path("cabinet/applications/<uuid:pk>/", placeholder, name="application"),
    path("cabinet/applications/<uuid:pk>/delete/", placeholder, name="delete"),
    path("cabinet/applications/<uuid:pk>/restore/", placeholder, name="restore"),
    path("cabinet/applications/<uuid:pk>/apply/<uuid:vacancy_pk>/", placeholder, name="apply"),
    path("cabinet/applications/<uuid:pk>/withdraw/", placeholder, name="withdraw"),
    path("cabinet/applications/<uuid:pk>/referral.pdf", placeholder, name="referral_pdf"),
    path("cabinet/applications/<uuid:pk>/extend/", placeholder, name="extend"),
    path("bulletin/", placeholder, name="bulletin"),
    path("bulletin/<uuid:pk>/", placeholder, name="vacancy"),
    path("queue/", placeholder, name="queue"),
    path("referrals/", placeholder, name="referrals"),
]
