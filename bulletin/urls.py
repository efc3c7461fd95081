from django.urls import path

from bulletin import views

app_name = "bulletin"
urlpatterns = [
    path("kindergartens/", views.kindergartens, name="kindergartens"),
    path("kindergartens/<slug:slug>/", views.kindergarten, name="kindergarten"),
    path("map/", views.kindergarten_map, name="map"),
    path("kindergarten-photos/<uuid:pk>/", views.photo, name="photo"),
    path("kindergarten-photos/<uuid:pk>/small/", views.photo_small, name="photo_small"),
    path("favourites/", views.favourites, name="favourites"),
    path("compare/", views.compare, name="compare"),
    path("near/", views.near, name="near"),
    path("shortlist/", views.change_shortlist, name="change_shortlist"),
    path("feedback/", views.reviews, name="reviews"),
]
