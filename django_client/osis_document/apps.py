"""How Django knows the app."""

from importlib import import_module

from django.apps import AppConfig, apps
from django.utils.translation import gettext_lazy as _


class OsisDocumentConfig(AppConfig):
    """The app `osis_document`; add it to INSTALLED_APPS."""

    name = "osis_document"
    verbose_name = _("Documents")

    def ready(self) -> None:
        """Registers the checks, and the serializer field of the model field."""
        import_module(".checks", __package__)
        if apps.is_installed("rest_framework"):
            import_module(".contrib.serializers", __package__)
