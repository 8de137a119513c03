"""Which converter takes which type."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .errors import EngineError, Reason
from .options import ConvertOptions

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
DOC = "application/msword"
ODT = "application/vnd.oasis.opendocument.text"
TEXT = "text/plain"
JPEG = "image/jpeg"
PNG = "image/png"


class Convert(Protocol):
    """Converts `source` to the PDF `target`, in this process; `work` is a folder for temporary files.

    `program` is the external program to use, for converters that have one.
    """

    def __call__(
        self, source: Path, target: Path, *, mime_type: str, options: ConvertOptions, work: Path, program: str
    ) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Converter:
    """One way to make PDFs, and the MIME types that it takes."""

    name: str
    mime_types: frozenset[str]
    convert: Convert


# The modules are imported when used: the caller's process looks types up, and has no need of Pillow.
def _libreoffice(source: Path, target: Path, *, mime_type: str, options: ConvertOptions, work: Path, program: str) -> None:
    from . import libreoffice

    libreoffice.convert(source, target, mime_type=mime_type, options=options, work=work, soffice=program)


def _images(source: Path, target: Path, *, mime_type: str, options: ConvertOptions, work: Path, program: str) -> None:  # noqa: ARG001 -- the protocol's
    from . import images

    images.convert(source, target, mime_type=mime_type, options=options)


LIBREOFFICE = Converter(name="libreoffice", mime_types=frozenset({DOCX, DOC, ODT, TEXT}), convert=_libreoffice)
IMAGES = Converter(name="images", mime_types=frozenset({JPEG, PNG}), convert=_images)

CONVERTERS: dict[str, Converter] = {
    mime_type: converter for converter in (LIBREOFFICE, IMAGES) for mime_type in sorted(converter.mime_types)
}


def find(mime_type: str) -> Converter:
    """The converter for a MIME type.

    Raises:
        EngineError: TYPE_NOT_CONVERTIBLE, naming the supported types.
    """
    try:
        return CONVERTERS[mime_type]
    except KeyError:
        supported = ", ".join(sorted(CONVERTERS))
        raise EngineError(
            Reason.TYPE_NOT_CONVERTIBLE,
            f"Files of type {mime_type or 'unknown'} cannot be converted to PDF. Supported types: {supported}.",
        ) from None
