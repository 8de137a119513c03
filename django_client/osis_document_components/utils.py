"""Helpers."""

from osis_document.utils import (
    calculate_hash,
    confirm_upload,
    generate_filename,
    get_file_url,
    get_metadata,
    get_token,
    is_uuid,
    post_process,
    save_raw_content_remotely,
    save_raw_upload,
)

__all__ = [
    "calculate_hash",
    "confirm_upload",
    "generate_filename",
    "get_file_url",
    "get_metadata",
    "get_token",
    "is_uuid",
    "post_process",
    "save_raw_content_remotely",
    "save_raw_upload",
]
