"""Converters: what can be made a PDF. The service's workers convert; a converter here says which types it stands for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from ...enums import PostProcessingType
from ...services import post_processing


class Converter:
    """Turns files into PDFs, in their order; PDFs among them pass through with a record of their own."""

    #: The media types that it stands for; empty: all that the service converts.
    mimetypes: ClassVar[tuple[str, ...]] = ()

    def get_supported_formats(self) -> list[str]:
        """The media types that it stands for."""
        return list(self.mimetypes)

    def convert(self, upload_objects_uuids: Iterable[object], output_filename: str | None = None) -> dict[str, list[str]]:
        """Converts files, and waits for that.

        Args:
            upload_objects_uuids: the documents.
            output_filename: the name of the outputs, numbered where there are several; by default the inputs' own.

        Returns:
            `{"upload_objects": [uuid of each output], "post_processing_objects": [uuid of each record]}`, in the order given.

        Raises:
            MissingFileException: there is no document, or one of them does not exist.
            ConversionError: one of them cannot be converted.
        """
        name = PostProcessingType.CONVERT.name
        result = post_processing.launch(upload_objects_uuids, [name], params={name: {"output_filename": output_filename}})
        output: dict[str, list[Any]] = result[name]["output"]
        return output


class ConverterImageToPdf(Converter):
    """Images, each on a page of its own size."""

    mimetypes = ("image/jpeg", "image/jpg", "image/png")


class ConverterTextDocumentToPdf(Converter):
    """Office documents and plain text."""

    mimetypes = (
        "application/msword",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "text/plain",
    )
