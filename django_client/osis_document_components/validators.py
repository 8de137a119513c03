"""The validators."""

from osis_document.validators import TokenValidator

__all__ = ["TokenValidator"]
