"""What a model field, a form field and a widget agree on about the files that they take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from .. import conf


@dataclass(frozen=True, kw_only=True)
class UploadOptions:
    """Which files are taken, and how the uploader presents itself."""

    automatic_upload: bool = True
    """Files are sent as soon as they are chosen."""

    can_edit_filename: bool = True
    """The user may rename a file."""

    max_size: bool | int | None = None
    """The largest size of one file in bytes; True: OSIS_DOCUMENT_MAX_UPLOAD_SIZE; None: no limit of this field."""

    mimetypes: Sequence[str] | None = None
    """The media types that are taken; None or empty: whatever the service takes."""

    upload_button_text: str | None = None
    """The text of the button; None or empty: the default."""

    upload_text: str | None = None
    """The text of the drop zone; None or empty: the default."""

    max_files: int | None = None
    """The largest number of files."""

    min_files: int | None = None
    """The smallest number of files, if there are any or the field is required."""

    with_cropping: bool = False
    """Images can be cropped before they are sent."""

    cropping_options: Mapping[str, Any] | None = None
    """Options of the cropper."""

    @property
    def max_size_bytes(self) -> int | None:
        """The largest size of one file, as the settings are now."""
        if self.max_size is True:
            return conf.max_upload_size()
        return self.max_size or None

    def problems(self) -> Iterator[str]:
        """What cannot be meant, for developers."""
        if isinstance(self.mimetypes, str):
            yield f"mimetypes is {self.mimetypes!r}; it must be a list of media types"
        for name in ("max_files", "min_files"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
                yield f"{name} is {value!r}; it must be a number of files"
        if self.max_size is not None and (not isinstance(self.max_size, int | float) or self.max_size < 0):
            yield f"max_size is {self.max_size!r}; it must be a number of bytes, or True for OSIS_DOCUMENT_MAX_UPLOAD_SIZE"

    def as_keywords(self) -> dict[str, Any]:
        """The options as keyword arguments of the other classes that take them."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


OPTION_NAMES = tuple(each.name for each in fields(UploadOptions))


def split_options(keywords: dict[str, Any]) -> UploadOptions:
    """Takes the options out of `keywords`, which keeps the rest."""
    return UploadOptions(**{name: keywords.pop(name) for name in OPTION_NAMES if name in keywords})
