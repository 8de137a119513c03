"""The form of an application: an ordinary model form."""

from django import forms

from .models import Application


class ApplicationForm(forms.ModelForm):
    """Name and documents."""

    class Meta:
        model = Application
        fields = ("name", "identity_card", "portrait", "documents")
