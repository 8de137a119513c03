"""What people call media types: by the extensions of their files."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable

#: What Python's own table has not, or only on machines with a table of their own.
_EXTENSIONS = {
    "application/vnd.oasis.opendocument.presentation": ".odp",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/x-zip-compressed": ".zip",
    "image/jpg": ".jpg",
}
_PYTHONS_OWN = mimetypes.MimeTypes()  # the same on every machine


def type_name(mimetype: str) -> str:
    """The extension in capital letters: `PDF`; the media type itself where there is none."""
    extension = _EXTENSIONS.get(mimetype) or _PYTHONS_OWN.guess_extension(mimetype)
    return extension.removeprefix(".").upper() if extension else mimetype


def type_names(media_types: Iterable[str]) -> str:
    """The names of several, each once, with commas between them: `PDF, DOCX`."""
    return ", ".join(dict.fromkeys(map(type_name, media_types)))
