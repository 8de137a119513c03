"""The template library `osis_document_components`: the tags of `osis_document`."""

from osis_document.templatetags.osis_document import register

__all__ = ["register"]
