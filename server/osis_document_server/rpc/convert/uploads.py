"""Uploads."""

from osis.document.v1 import document_pb2, upload_service_pb2
from osis_document_server.domain.documents import Status
from osis_document_server.domain.names import parse_id
from osis_document_server.domain.uploads import Chunk, Finished, Import, UploadSpec
from osis_document_server.rpc.convert.documents import from_expiration_policy, to_document
from osis_document_server.rpc.convert.values import enum_name, optional_moment, own_keys, sha256, timestamp


def from_upload_spec(message: upload_service_pb2.UploadSpec) -> UploadSpec:
    """What the caller says of a file.

    Raises:
        ArgumentInvalid, MetadataInvalid: a field cannot be read.
    """
    return UploadSpec(
        upload_id=parse_id(message.upload_id, field="upload_spec.upload_id"),
        name=message.name,
        size_bytes=message.size_bytes if message.HasField("size_bytes") else None,
        metadata=own_keys(message.metadata, field="upload_spec.metadata"),
        lease_id=parse_id(message.lease_id, field="upload_spec.lease_id") if message.lease_id else None,
        imported=_from_import(message.imported) if message.HasField("imported") else None,
    )


def _from_import(message: upload_service_pb2.ImportSpec) -> Import:
    status = enum_name(document_pb2.DocumentStatus, message.status, "DOCUMENT_STATUS_", field="upload_spec.imported.status")
    copy_of = message.modified_copy_of
    return Import(
        status=Status(status or Status.UPLOADED),
        path=message.path,
        uploaded_at=optional_moment(message, "upload_time"),
        updated_at=optional_moment(message, "update_time"),
        expires_at=optional_moment(message, "expire_time"),
        expiration_policy=from_expiration_policy(message.expiration_policy),
        modified_copy_of=parse_id(copy_of, field="upload_spec.imported.modified_copy_of") if copy_of else None,
    )


def from_write_upload(message: upload_service_pb2.WriteUploadRequest) -> Chunk:
    """One message of an upload's stream."""
    return Chunk(
        offset=message.write_offset, data=message.data, finish=message.finish_write, sha256=sha256(message.sha256, field="sha256")
    )


def to_upload_result(finished: Finished) -> upload_service_pb2.UploadResult:
    """A finished upload."""
    message = upload_service_pb2.UploadResult(document=to_document(finished.document))
    if finished.token is not None:
        message.write_token = finished.token.text
        message.write_token_expire_time.CopyFrom(timestamp(finished.token.claims.expires_at))
    return message
