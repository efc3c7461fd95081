"""Addresses of a family's children."""

from django.urls import path

from children import views

app_name = "children"
urlpatterns = [
    path("cabinet/children/", views.children_list, name="list"),
    path("cabinet/children/add/", views.add, name="add"),
    path("cabinet/children/add/check/", views.confirm, name="confirm"),
    path("cabinet/children/<uuid:pk>/", views.child_page, name="child"),
]
