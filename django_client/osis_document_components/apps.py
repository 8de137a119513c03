"""How Django knows the app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.core import checks


class OsisDocumentComponentsConfig(AppConfig):
    """The app `osis_document_components`; it needs `osis_document` next to it in INSTALLED_APPS."""

    name = "osis_document_components"

    def ready(self) -> None:
        """Registers the check."""
        checks.register(_check_apps)


def _check_apps(**kwargs: Any) -> list[checks.CheckMessage]:
    if apps.is_installed("osis_document"):
        return []
    return [
        checks.Error(
            "osis_document_components is installed without osis_document, whose templates and files it uses.",
            hint="Add 'osis_document' to INSTALLED_APPS.",
            id="osis_document.E110",
        )
    ]
