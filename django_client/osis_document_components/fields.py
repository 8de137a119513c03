"""The model field."""

from osis_document.contrib.fields import FileField

__all__ = ["FileField"]
