"""Documents, and what is asked of them."""

from datetime import timedelta
from uuid import UUID

from osis.document.v1 import document_pb2, document_service_pb2, download_service_pb2, error_reason_pb2
from osis_document_server.domain.documents import Document, ExpirationPolicy, Status
from osis_document_server.domain.listing import DocumentFilter, Order
from osis_document_server.domain.names import parse_id
from osis_document_server.errors import ArgumentInvalid, ServiceError
from osis_document_server.rpc.convert.values import (
    duration,
    enum_name,
    filtered,
    optional_moment,
    optional_timestamp,
    own_keys,
    searched,
    searched_name,
    struct,
    timestamp,
)
from osis_document_server.usecases.confirmation import DEFAULT_HOLD, Confirmation
from osis_document_server.usecases.documents import Description
from osis_document_server.usecases.downloads import Content
from osis_document_server.usecases.duplication import Duplication
from osis_document_server.usecases.metadata import MetadataChange

_ORDERS = {
    document_service_pb2.DOCUMENT_ORDER_UNSPECIFIED: Order.NEWEST_FIRST,
    document_service_pb2.DOCUMENT_ORDER_UPLOAD_TIME_DESC: Order.NEWEST_FIRST,
    document_service_pb2.DOCUMENT_ORDER_UPLOAD_TIME_ASC: Order.OLDEST_FIRST,
    document_service_pb2.DOCUMENT_ORDER_PATH_ASC: Order.BY_PATH,
}
#: Longer than anybody waits; and its end can be written.
_LONGEST_HOLD = timedelta(days=36_525)


def to_document(document: Document) -> document_pb2.Document:
    """A document."""
    message = document_pb2.Document(
        id=str(document.id),
        name=document.name,
        mime_type=document.mime_type,
        size_bytes=document.blob.size_bytes,
        sha256=document.blob.sha256,
        status=document_pb2.DocumentStatus.Value(f"DOCUMENT_STATUS_{document.status}"),
        revision=document.revision,
        corrupt=document.blob.corrupt,
        path=document.path,
        metadata=struct(document.metadata),
        upload_time=timestamp(document.uploaded_at),
        update_time=timestamp(document.updated_at),
        expire_time=optional_timestamp(document.expires_at),
        hold_expire_time=optional_timestamp(document.hold_expires_at),
        expiration_policy=document_pb2.ExpirationPolicy.Value(f"EXPIRATION_POLICY_{document.expiration_policy}"),
        client=document.client,
    )
    if document.modified is not None:
        modified = document.modified
        message.modified.CopyFrom(
            document_pb2.ModifiedCopy(
                size_bytes=modified.blob.size_bytes,
                sha256=modified.blob.sha256,
                mime_type=modified.mime_type,
                create_time=timestamp(modified.created_at),
                update_time=timestamp(modified.updated_at),
                corrupt=modified.blob.corrupt,
            )
        )
    return message


def to_item_error(error: ServiceError) -> document_pb2.ItemError:
    """Why one item of a batch was refused: what a lone call would have carried in its ``ErrorInfo``."""
    return document_pb2.ItemError(
        reason=error_reason_pb2.ErrorReason.Value(f"ERROR_REASON_{error.reason}"),
        message=error.message,
        metadata=({"field": error.field} if error.field else {}) | error.metadata,
    )


def to_document_result(result: Document | ServiceError) -> document_pb2.DocumentResult:
    """What became of one document of a batch."""
    if isinstance(result, ServiceError):
        return document_pb2.DocumentResult(error=to_item_error(result))
    return document_pb2.DocumentResult(document=to_document(result))


def from_expiration_policy(value: int) -> ExpirationPolicy:
    """How long a document is kept."""
    return ExpirationPolicy(
        enum_name(document_pb2.ExpirationPolicy, value, "EXPIRATION_POLICY_", field="expiration_policy") or ExpirationPolicy.NONE
    )


def to_download_header(content: Content) -> download_service_pb2.DownloadHeader:
    """What is about to be sent."""
    return download_service_pb2.DownloadHeader(
        document=to_document(content.document),
        range=download_service_pb2.ContentRange(start=content.start, end=content.end, complete_size=content.blob.size_bytes),
        sha256=content.blob.sha256,
        mime_type=content.mime_type,
        for_modified=content.modified,
    )


def from_confirm_upload(message: document_service_pb2.ConfirmUpload) -> Confirmation:
    """One upload to confirm."""
    return Confirmation(
        token=message.token,
        path=message.path,
        metadata=own_keys(message.metadata, field="metadata"),
        expiration_policy=from_expiration_policy(message.expiration_policy),
    )


def from_document_ref(message: document_pb2.DocumentRef, *, field: str) -> UUID | str:
    """Which document: by id, or (text) by token.

    Raises:
        ArgumentInvalid: neither is set, or the id is none.
    """
    match message.WhichOneof("ref"):
        case "token":
            return message.token
        case "document_id":
            return parse_id(message.document_id, field=f"{field}.document_id")
        case _:
            raise ArgumentInvalid(f"{field} says which document: set token or document_id.", field=field)


def to_get_document_result(result: Description | ServiceError) -> document_service_pb2.GetDocumentResult:
    """What was found for one item of a batch."""
    if isinstance(result, ServiceError):
        return document_service_pb2.GetDocumentResult(error=to_item_error(result))
    return document_service_pb2.GetDocumentResult(document=to_document(result.document), for_modified=result.for_modified)


def from_list_documents(message: document_service_pb2.ListDocumentsRequest) -> DocumentFilter:
    """Which documents are listed.

    Raises:
        ArgumentInvalid: a value that this version does not know, or that nothing can have; too many values.
    """
    if message.order not in _ORDERS:
        raise ArgumentInvalid(f"order {message.order} is not known to this version of the service.", field="order")
    statuses = [
        enum_name(document_pb2.DocumentStatus, status, "DOCUMENT_STATUS_", field="statuses")
        for status in filtered(message.statuses, field="statuses")
    ]
    return DocumentFilter(
        # One that is not specified means any.
        statuses=frozenset(Status(status) for status in statuses) if all(statuses) else frozenset(),
        mime_types=frozenset(filtered(message.mime_types, field="mime_types")),
        name_contains=searched_name(message.name_contains, field="name_contains"),
        path_prefix=searched(message.path_prefix, field="path_prefix"),
        uploaded_from=optional_moment(message, "uploaded_from"),
        uploaded_before=optional_moment(message, "uploaded_before"),
        held=message.held if message.HasField("held") else None,
        corrupt=message.corrupt if message.HasField("corrupt") else None,
        order=_ORDERS[message.order],
    )


def from_update_metadata(message: document_service_pb2.UpdateMetadataRequest) -> MetadataChange:
    """What is to change of a document.

    Raises:
        MetadataInvalid: a number is not finite.
    """
    return MetadataChange(
        name=message.name if message.HasField("name") else None,
        keys=own_keys(message.metadata, field="metadata"),
        removed_keys=tuple(message.remove_keys),
    )


def from_duplicate_document(message: document_service_pb2.DuplicateDocument, *, index: int) -> Duplication:
    """One document to duplicate.

    Raises:
        ArgumentInvalid: an id is none.
    """
    return Duplication(
        document_id=parse_id(message.document_id, field=f"documents[{index}].document_id"),
        new_document_id=(
            parse_id(message.new_document_id, field=f"documents[{index}].new_document_id") if message.new_document_id else None
        ),
        path=message.path,
    )


def from_hold(message: document_service_pb2.Hold) -> timedelta:
    """How long documents are held.

    Raises:
        ArgumentInvalid: no time at all, or more than 100 years.
    """
    hold = duration(message.duration, field="hold.duration") if message.HasField("duration") else DEFAULT_HOLD
    if not timedelta(0) < hold <= _LONGEST_HOLD:
        raise ArgumentInvalid(
            f"hold.duration must be above 0, and at most {_LONGEST_HOLD.total_seconds():.0f} s, which are 100 years.",
            field="hold.duration",
            value=f"{hold.total_seconds():g}s",
        )
    return hold
