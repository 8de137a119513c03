"""The widgets."""

from osis_document.contrib.widgets import FileUploadWidget, HiddenFileWidget

__all__ = ["FileUploadWidget", "HiddenFileWidget"]
