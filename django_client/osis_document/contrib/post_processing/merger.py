"""Merging PDFs; the service's workers do it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...enums import PostProcessingType
from ...services import post_processing


class Merger:
    """Joins PDFs to one, in their order."""

    def process(
        self,
        upload_objects_uuids: Iterable[object] | None = None,
        output_filename: str | None = None,
        pages_dimension: object = None,
        *,
        input_uuid_files: Iterable[object] | None = None,
        filename: str | None = None,
    ) -> dict[str, list[str]]:
        """Merges files, and waits for that.

        Args:
            upload_objects_uuids: the documents, which must be PDFs.
            output_filename: the name of the output.
            pages_dimension: a `PageFormatEnums` or its name, that every page is fitted to; by default pages keep their sizes.
            input_uuid_files: another name of the first argument.
            filename: another name of the second one.

        Returns:
            `{"upload_objects": [uuid of the output], "post_processing_objects": [uuid of the record]}`.

        Raises:
            MissingFileException: there is no document, or one of them does not exist.
            InvalidMergeFileDimension: there is no such page size.
            ConversionError: one of them is no PDF, or cannot be read.
        """
        uuids = upload_objects_uuids if upload_objects_uuids is not None else input_uuid_files
        name = PostProcessingType.MERGE.name
        params = {"output_filename": output_filename or filename, "pages_dimension": pages_dimension}
        result = post_processing.launch(uuids or (), [name], params={name: params})
        output: dict[str, list[Any]] = result[name]["output"]
        return output


merger = Merger()
