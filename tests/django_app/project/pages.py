"""Pages of a host: a form over a model with files, without any script."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

from tests.django_app.project.dossiers.models import Dossier

_PAGE = """{% load i18n %}<form method="post" enctype="multipart/form-data">{{ form }}</form>"""


class DossierForm(forms.ModelForm):
    """A title, which has to be given, and files."""

    title = forms.CharField()

    class Meta:
        model = Dossier
        fields = ("title", "files")


def dossier(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Makes or changes a dossier: 302 when it is saved, else the page again."""
    instance = Dossier.objects.get(pk=pk) if pk else None
    form = DossierForm(request.POST or None, request.FILES or None, instance=instance)
    if request.method == "POST" and form.is_valid():
        form.save()
        return HttpResponse(status=302, headers={"Location": "/"})
    return HttpResponse(engines["django"].from_string(_PAGE).render({"form": form}, request))


urlpatterns = [
    path("dossiers/", dossier),
    path("dossiers/<int:pk>/", dossier),
    path("osis_document/", include("osis_document.urls")),
]
