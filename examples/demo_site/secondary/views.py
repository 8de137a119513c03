"""A form without a model: what is saved are the documents' ids, here in the session."""

from django import forms
from django.http import HttpResponse
from django.urls import reverse_lazy
from django.views.generic import FormView

from osis_document.contrib import FileUploadField


class AttachmentsForm(forms.Form):
    """Documents of an application; where they belong says the primary site's model field."""

    files = FileUploadField(
        related_model={"app": "admission", "model": "application", "field": "documents"}, max_files=5, required=False
    )


class Attachments(FormView):
    """Shows what is kept, and takes more."""

    form_class = AttachmentsForm
    template_name = "secondary/attachments.html"
    success_url = reverse_lazy("attachments")

    def get_initial(self) -> dict[str, list[str]]:
        return {"files": self.request.session.get("documents", [])}

    def form_valid(self, form: AttachmentsForm) -> HttpResponse:
        kept = form.fields["files"].persist(form.cleaned_data["files"])
        self.request.session["documents"] = [str(document) for document in kept]
        return super().form_valid(form)
