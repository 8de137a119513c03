"""Pages of applications: generic views, as without documents."""

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


class GoneApplication(DeleteView):
    """Deletes one, and its documents with it."""

    model = Application
    success_url = reverse_lazy("applications")
