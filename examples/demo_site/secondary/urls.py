"""The one address of the secondary site."""

from django.urls import path

from .views import Attachments

urlpatterns = [path("", Attachments.as_view(), name="attachments")]
