"""The field of Django REST framework."""

from osis_document.contrib.serializers import FileField, FileFieldSerializer

__all__ = ["FileField", "FileFieldSerializer"]
