"""The desk's addresses: there in demo mode only, and in no language (`balabaqsha.urls`)."""

from django.urls import path

from balabaqsha.demo import views
from bulletin.importing.templates import CSV, XLSX

urlpatterns = [
    path("", views.desk_page, name="demo"),
    path("desk.json", views.desk_json, name="demo_json"),
    path("identity/", views.identity_page, name="demo_identity"),
    path("enter/", views.enter_family, name="demo_enter"),
    path("former-queue.csv", views.former_queue, {"ending": CSV}, name="demo_former_csv"),
    path("former-queue.xlsx", views.former_queue, {"ending": XLSX}, name="demo_former_xlsx"),
    path("limits/", views.lift_limits, name="demo_limits"),
]
