"""What projects use: fields, widgets, and post-processing.

Names are imported when they are first used: fields need the apps to be loaded, serializers need Django REST framework.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .fields import FileField as FileField
    from .forms import FileUploadField as FileUploadField
    from .post_processing.converter import Converter as Converter
    from .post_processing.converter import ConverterImageToPdf as ConverterImageToPdf
    from .post_processing.converter import ConverterTextDocumentToPdf as ConverterTextDocumentToPdf
    from .post_processing.converter_registry import ConverterRegistry as ConverterRegistry
    from .post_processing.merger import merger as merger
    from .serializers import FileField as FileFieldSerializer
    from .widgets import FileUploadWidget as FileUploadWidget

#: Where each name is defined, and by which name there.
_PLACES = {
    "FileField": ("fields", "FileField"),
    "FileUploadField": ("forms", "FileUploadField"),
    "FileFieldSerializer": ("serializers", "FileField"),
    "FileUploadWidget": ("widgets", "FileUploadWidget"),
    "Converter": ("post_processing.converter", "Converter"),
    "ConverterImageToPdf": ("post_processing.converter", "ConverterImageToPdf"),
    "ConverterTextDocumentToPdf": ("post_processing.converter", "ConverterTextDocumentToPdf"),
    "ConverterRegistry": ("post_processing.converter_registry", "ConverterRegistry"),
    "merger": ("post_processing.merger", "merger"),
}

__all__ = [
    "Converter",
    "ConverterImageToPdf",
    "ConverterRegistry",
    "ConverterTextDocumentToPdf",
    "FileField",
    "FileFieldSerializer",
    "FileUploadField",
    "FileUploadWidget",
    "merger",
]


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, there = _PLACES[name]
    found: object = getattr(import_module(f".{module}", __name__), there)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
