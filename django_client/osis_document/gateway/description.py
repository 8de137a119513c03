"""How the gateway's views are described to the OpenAPI schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import extend_schema

from osis_document.gateway.keys import HEADER, ApiKeyRequired

_SCHEME = "ApiKey"

_Method = TypeVar("_Method", bound=Callable[..., Any])


class GatewaySchema(AutoSchema):
    """Says which paths need the API key."""

    def get_tags(self) -> list[str]:
        """All belong together, wherever they are mounted."""
        return ["osis_document"]

    def get_auth(self) -> list[dict[str, Any]]:
        """The key, or nothing; either where a signed link does as well."""
        permissions = self.view.permission_classes
        if not any(isinstance(kind, type) and issubclass(kind, ApiKeyRequired) for kind in permissions):
            return []
        definition = {"type": "apiKey", "in": "header", "name": HEADER}
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name=_SCHEME, type=ResolvedComponent.SECURITY_SCHEMA, object=ApiKeyRequired, schema=definition
        )
        self.registry.register_on_missing(component)
        return [{_SCHEME: []}] if ApiKeyRequired in permissions else [{_SCHEME: []}, {}]


def described(**description: Any) -> Callable[[_Method], _Method]:
    """As `extend_schema`, for any host, whatever schema class its own views use by default."""

    def decorate(method: _Method) -> _Method:
        method.schema = GatewaySchema()  # type: ignore[attr-defined]  # what extend_schema builds upon
        return extend_schema(**description)(method)

    return decorate
