"""The addresses of a host that is a primary server."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("osis_document/", include("osis_document.urls")),
]
