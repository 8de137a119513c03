"""The addresses of applications."""

from django.urls import path

from . import views

urlpatterns = [
    path("", views.Applications.as_view(), name="applications"),
    path("new/", views.NewApplication.as_view(), name="new-application"),
    path("<int:pk>/", views.ApplicationPage.as_view(), name="application"),
    path("<int:pk>/change/", views.ChangedApplication.as_view(), name="change-application"),
    path("<int:pk>/edit/<uuid:document>/", views.EditedDocument.as_view(), name="edit-document"),
    path("<int:pk>/delete/", views.GoneApplication.as_view(), name="delete-application"),
]
