"""Pages of applications: generic views, as without documents."""

from typing import Any

from django.http import Http404
from django.urls import reverse_lazy
from django.views.generic import CreateView, DeleteView, DetailView, ListView, UpdateView

from .forms import ApplicationForm
from .models import Application


class Applications(ListView):
    """All of them."""

    model = Application


class ApplicationPage(DetailView):
    """One, with its documents."""

    model = Application


class NewApplication(CreateView):
    """A form for a new one."""

    model = Application
    form_class = ApplicationForm


class ChangedApplication(UpdateView):
    """A form for one that exists; documents that are taken out are deleted."""

    model = Application
    form_class = ApplicationForm


class EditedDocument(DetailView):
    """The editor, with one of an application's documents."""

    model = Application
    template_name = "admission/document_edit.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if self.kwargs["document"] not in self.object.documents:
            raise Http404
        return super().get_context_data(document=self.kwargs["document"], **kwargs)


class GoneApplication(DeleteView):
    """Deletes one, and its documents with it."""

    model = Application
    success_url = reverse_lazy("applications")
