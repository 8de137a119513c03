"""The form fields."""

from osis_document.contrib.forms import FileUploadField, TokenField

__all__ = ["FileUploadField", "TokenField"]
