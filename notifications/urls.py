"""Addresses of the inbox."""

from django.urls import path

from notifications import views

app_name = "notifications"
urlpatterns = [
    path("cabinet/notifications/", views.inbox, name="inbox"),
    path("cabinet/notifications/read/", views.read_all, name="read_all"),
    path("cabinet/notifications/archive/", views.archive, name="archive"),
    path("cabinet/notifications/archive/add/", views.put_away, name="put_away"),
    path("cabinet/notifications/archive/undo/", views.put_back, name="put_back"),
    path("cabinet/notifications/<uuid:pk>/", views.open_notice, name="open"),
]
