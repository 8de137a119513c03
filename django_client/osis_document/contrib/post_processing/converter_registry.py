"""The converters that there are."""

from __future__ import annotations

from collections.abc import Iterable

from .converter import Converter, ConverterImageToPdf, ConverterTextDocumentToPdf


class ConverterRegistry:
    """Converts files of all types that the service converts."""

    def __init__(self, converters: Iterable[Converter] = ()) -> None:
        self.converters: list[Converter] = list(converters)

    def add_converter(self, converter: Converter) -> None:
        """Adds one that stands for further types; the service must know how to convert them."""
        self.converters.append(converter)

    def get_supported_formats(self) -> list[str]:
        """The media types of all converters."""
        return list(dict.fromkeys(each for converter in self.converters for each in converter.get_supported_formats()))

    def process(
        self,
        upload_objects_uuids: Iterable[object] | None = None,
        output_filename: str | None = None,
        *,
        upload_objects_uuid: Iterable[object] | None = None,
    ) -> dict[str, list[str]]:
        """Converts files to PDF, and waits for that; see `Converter.convert`.

        Args:
            upload_objects_uuids: the documents.
            output_filename: the name of the outputs, numbered where there are several; by default the inputs' own.
            upload_objects_uuid: another name of the first argument.
        """
        uuids = upload_objects_uuids if upload_objects_uuids is not None else upload_objects_uuid
        return Converter().convert(uuids or (), output_filename)


converter_registry = ConverterRegistry([ConverterImageToPdf(), ConverterTextDocumentToPdf()])
