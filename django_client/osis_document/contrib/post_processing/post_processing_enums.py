"""The page sizes that merged files can be fitted to."""

from osis_document.enums import PageFormatEnums

__all__ = ["PageFormatEnums"]
