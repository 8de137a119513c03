"""The OpenAPI schema of the gateway."""

from __future__ import annotations

from typing import Any

from drf_spectacular.generators import SchemaGenerator

_DESCRIPTION = """\
Uploads, hands out, changes and post-processes documents.

A token in a path is the capability; what has the security scheme `ApiKey` needs the header `X-Api-Key` with the secret that the
servers share. No path uses cookies."""


class OsisDocumentSchemaGenerator(SchemaGenerator):
    """Describes the gateway alone, whatever else the host serves."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As Django REST framework makes generators; by default of the gateway's addresses."""
        if not kwargs.get("urlconf"):
            kwargs["urlconf"] = "osis_document.urls"
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]

    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        """The schema, with a name and a version of its own."""
        schema: dict[str, Any] = super().get_schema(request, public)  # type: ignore[no-untyped-call]
        schema["info"] = {"title": self.title or "OSIS Document", "version": "1.0.0", "description": _DESCRIPTION}
        return schema
