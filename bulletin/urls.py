from django.urls import path

from bulletin import views

app_name = "bulletin"
urlpatterns = [
    path("kindergartens/", views.kindergartens, name="kindergartens"),
    path("kindergartens/<slug:slug>/", views.kindergarten, name="kindergarten"),
    path("feedback/", views.reviews, name="reviews"),
]
