"""Between the contract's messages and the domain's values. The only package that knows both."""

from osis_document_server.rpc.convert.documents import (
    from_confirm_upload,
    from_document_ref,
    from_duplicate_document,
    from_hold,
    from_list_documents,
    from_update_metadata,
    to_document,
    to_document_result,
    to_download_header,
    to_get_document_result,
    to_item_error,
)
from osis_document_server.rpc.convert.imported_jobs import from_imported_job
from osis_document_server.rpc.convert.jobs import from_action, from_failure, from_list_post_processings, to_post_processing
from osis_document_server.rpc.convert.tasks import to_task
from osis_document_server.rpc.convert.tokens import from_create_token, to_inspect_token, token_outcome
from osis_document_server.rpc.convert.uploads import from_upload_spec, from_write_upload, to_upload_result
from osis_document_server.rpc.convert.values import duration, ids, request_id, searched, sha256, timestamp

__all__ = [
    "duration",
    "from_action",
    "from_confirm_upload",
    "from_create_token",
    "from_document_ref",
    "from_duplicate_document",
    "from_failure",
    "from_hold",
    "from_imported_job",
    "from_list_documents",
    "from_list_post_processings",
    "from_update_metadata",
    "from_upload_spec",
    "from_write_upload",
    "ids",
    "request_id",
    "searched",
    "sha256",
    "timestamp",
    "to_document",
    "to_document_result",
    "to_download_header",
    "to_get_document_result",
    "to_inspect_token",
    "to_item_error",
    "to_post_processing",
    "to_task",
    "to_upload_result",
    "token_outcome",
]
