"""How Django knows the app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OsisDocumentConfig(AppConfig):
    """The app `osis_document`; add it to INSTALLED_APPS."""

    name = "osis_document"
    verbose_name = _("Documents")
