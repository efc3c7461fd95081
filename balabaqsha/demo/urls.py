"""The desk's addresses: there in demo mode only, and in no language (`balabaqsha.urls`)."""

from django.urls import path

from balabaqsha.demo import views

urlpatterns = [
    path("", views.desk_page, name="demo"),
    path("desk.json", views.desk_json, name="demo_json"),
    path("identity/", views.identity_page, name="demo_identity"),
    path("enter/", views.enter_family, name="demo_enter"),
    path("limits/", views.lift_limits, name="demo_limits"),
]
