"""The addresses of the primary site."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("admission.urls")),
    path("admin/", admin.site.urls),
    path("language/", include("django.conf.urls.i18n")),
    path("osis_document/", include("osis_document.urls")),
]
