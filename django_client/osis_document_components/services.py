"""What is asked of the service."""

from osis_document.api.utils import (
    change_remote_metadata,
    confirm_remote_upload,
    declare_remote_files_as_deleted,
    documents_remote_duplicate,
    get_progress_async_post_processing,
    get_raw_content_remotely,
    get_remote_metadata,
    get_remote_token,
    get_remote_tokens,
    get_several_remote_metadata,
    launch_post_processing,
)

__all__ = [
    "change_remote_metadata",
    "confirm_remote_upload",
    "declare_remote_files_as_deleted",
    "documents_remote_duplicate",
    "get_progress_async_post_processing",
    "get_raw_content_remotely",
    "get_remote_metadata",
    "get_remote_token",
    "get_remote_tokens",
    "get_several_remote_metadata",
    "launch_post_processing",
]
