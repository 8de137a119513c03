"""The words that callers use."""

from osis_document.enums import (
    DocumentError,
    DocumentExpirationPolicy,
    FileStatus,
    PageFormatEnums,
    PostProcessingStatus,
    PostProcessingType,
    PostProcessingWanted,
    TokenAccess,
)

__all__ = [
    "DocumentError",
    "DocumentExpirationPolicy",
    "FileStatus",
    "PageFormatEnums",
    "PostProcessingStatus",
    "PostProcessingType",
    "PostProcessingWanted",
    "TokenAccess",
]
