from django.urls import path

from reports import views

urlpatterns = [
    path("", views.order, name="order"),
    path("reports/<str:id>/", views.show, name="show"),
    path("reports/<str:id>/events", views.events, name="events"),
    path("reports/<str:id>/cancel", views.cancel, name="cancel"),
    path("reports/<str:id>/result", views.result, name="result"),
]
