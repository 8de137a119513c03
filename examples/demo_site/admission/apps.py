"""How Django knows the app."""

from django.apps import AppConfig


class AdmissionConfig(AppConfig):
    """Applications for admission."""

    name = "admission"
    default_auto_field = "django.db.models.BigAutoField"
