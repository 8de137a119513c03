"""Between the contract's messages and the domain's values. The only module that knows both."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from google.protobuf import duration_pb2, struct_pb2, timestamp_pb2
from google.protobuf.json_format import MessageToDict, SerializeToJsonError

from osis.document.v1 import (
    document_pb2,
    document_service_pb2,
    download_service_pb2,
    error_reason_pb2,
    post_processing_pb2,
    post_processing_service_pb2,
    token_service_pb2,
    upload_service_pb2,
    worker_service_pb2,
)
from osis_document_server.domain.documents import Document, ExpirationPolicy, Status
from osis_document_server.domain.jobs import Action, ContentChange, Failure, Job, LeasedTask, Record, State, Step, TaskType
from osis_document_server.domain.listing import DocumentFilter, Order
from osis_document_server.domain.names import NAME_LIMIT, parse_id
from osis_document_server.domain.tokens import Purpose, SignedToken
from osis_document_server.domain.uploads import Chunk, Finished, Import, UploadSpec
from osis_document_server.errors import ArgumentInvalid, MetadataInvalid, ServiceError
from osis_document_server.usecases.confirmation import DEFAULT_HOLD, Confirmation
from osis_document_server.usecases.documents import Description
from osis_document_server.usecases.downloads import Content
from osis_document_server.usecases.duplication import Duplication
from osis_document_server.usecases.job_imports import ImportedJob
from osis_document_server.usecases.job_listing import JobFilter
from osis_document_server.usecases.metadata import MetadataChange
from osis_document_server.usecases.tokens import Inspection, TokenWish
from osis_document_server.usecases.wanted_results import Wanted

_T = TypeVar("_T")

#: Doubles are exact for whole numbers up to here (IEEE 754).
_EXACT_INTEGER = 2**53
_SHA256 = re.compile("[0-9a-f]{64}")
#: What a Duration can write, in either direction.
_DURATION_SECONDS = 315_576_000_000
_DURATION_NANOS = 999_999_999
#: Longer than anybody waits; and its end can be written.
_LONGEST_HOLD = timedelta(days=36_525)
#: Most values of one filter.
_FILTER_LIMIT = 100


def timestamp(moment: datetime) -> timestamp_pb2.Timestamp:
    """A moment."""
    message = timestamp_pb2.Timestamp()
    message.FromDatetime(moment.astimezone(UTC).replace(tzinfo=None))
    return message


def _optional_timestamp(moment: datetime | None) -> timestamp_pb2.Timestamp | None:
    return None if moment is None else timestamp(moment)


def duration(message: duration_pb2.Duration, *, field: str) -> timedelta:
    """A length of time.

    Raises:
        ArgumentInvalid: it is none that a Duration can write.
    """
    if abs(message.seconds) > _DURATION_SECONDS or abs(message.nanos) > _DURATION_NANOS or (message.seconds * message.nanos < 0):
        raise ArgumentInvalid(
            f"{field} is no length of time: a Duration has at most {_DURATION_SECONDS:,} seconds, and up to {_DURATION_NANOS:,} "
            "nanoseconds of the same sign.",
            field=field,
        )
    return message.ToTimedelta()


def struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """The users' own keys, for a message."""
    message = struct_pb2.Struct()
    message.update(dict(values))
    return message


def own_keys(message: struct_pb2.Struct, *, field: str) -> dict[str, Any]:
    """The users' own keys. Whole numbers are integers again.

    Raises:
        MetadataInvalid: a number is not finite.
    """
    try:
        plain = MessageToDict(message)
    except (SerializeToJsonError, ValueError) as exc:
        raise MetadataInvalid(f"{field} holds a number that is not finite; only finite ones can be stored.", field=field) from exc
    return {key: _exact(value) for key, value in plain.items()}


def _exact(value: Any) -> Any:
    match value:
        case float() if value.is_integer() and abs(value) <= _EXACT_INTEGER:
            return int(value)
        case dict():
            return {key: _exact(item) for key, item in value.items()}
        case list():
            return [_exact(item) for item in value]
        case _:
            return value


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
        expire_time=_optional_timestamp(document.expires_at),
        hold_expire_time=_optional_timestamp(document.hold_expires_at),
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
    status = _enum_name(document_pb2.DocumentStatus, message.status, "DOCUMENT_STATUS_", field="upload_spec.imported.status")
    copy_of = message.modified_copy_of
    return Import(
        status=Status(status or Status.UPLOADED),
        path=message.path,
        uploaded_at=_optional_moment(message, "upload_time"),
        updated_at=_optional_moment(message, "update_time"),
        expires_at=_optional_moment(message, "expire_time"),
        expiration_policy=from_expiration_policy(message.expiration_policy),
        modified_copy_of=parse_id(copy_of, field="upload_spec.imported.modified_copy_of") if copy_of else None,
    )


def _optional_moment(message: Any, field: str) -> datetime | None:
    """A moment, if there is one.

    Raises:
        ArgumentInvalid: it is none that a Timestamp can write.
    """
    try:
        return getattr(message, field).ToDatetime(tzinfo=UTC) if message.HasField(field) else None
    except ValueError:
        raise ArgumentInvalid(
            f"{field} is no moment between the years 1 and 9999, with nanoseconds from 0 to 999,999,999.", field=field
        ) from None


def searched(text: str, *, field: str) -> str:
    """A text to look for, in NFC as names and paths are.

    Raises:
        ArgumentInvalid: it has a NUL, which no name and no path has, and at which databases differ.
    """
    if "\0" in text:
        raise ArgumentInvalid(f"{field} contains a NUL character, which is in no name and no path.", field=field)
    return unicodedata.normalize("NFC", text)


def _searched_name(text: str, *, field: str) -> str:
    """A part of a name to look for.

    Raises:
        ArgumentInvalid: no name can have it.
    """
    part = searched(text, field=field)
    if len(part) > NAME_LIMIT:
        raise ArgumentInvalid(f"{field} has {len(part)} characters; names have at most {NAME_LIMIT}.", field=field)
    return part


def _filter(values: Sequence[_T], *, field: str) -> Sequence[_T]:
    """What a filter lets pass.

    Raises:
        ArgumentInvalid: more than 100 values.
    """
    if len(values) > _FILTER_LIMIT:
        raise ArgumentInvalid(
            f"{field} has {len(values)} values; a filter takes at most {_FILTER_LIMIT}.",
            field=field,
            count=len(values),
            limit=_FILTER_LIMIT,
        )
    return values


def from_expiration_policy(value: int) -> ExpirationPolicy:
    """How long a document is kept."""
    return ExpirationPolicy(
        _enum_name(document_pb2.ExpirationPolicy, value, "EXPIRATION_POLICY_", field="expiration_policy") or ExpirationPolicy.NONE
    )


def sha256(text: str, *, field: str) -> str:
    """A SHA-256 in hexadecimal digits, lower case; empty if none is given.

    Raises:
        ArgumentInvalid: it is none.
    """
    digits = text.lower()
    if digits and not _SHA256.fullmatch(digits):
        raise ArgumentInvalid(f"{field} is no SHA-256: those have 64 hexadecimal digits.", field=field, value=text[:80])
    return digits


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


def to_download_header(content: Content) -> download_service_pb2.DownloadHeader:
    """What is about to be sent."""
    return download_service_pb2.DownloadHeader(
        document=to_document(content.document),
        range=download_service_pb2.ContentRange(start=content.start, end=content.end, complete_size=content.blob.size_bytes),
        sha256=content.blob.sha256,
        mime_type=content.mime_type,
        for_modified=content.modified,
    )


def from_create_token(message: token_service_pb2.CreateTokenRequest) -> TokenWish:
    """What a token is wanted for.

    Raises:
        ArgumentInvalid: a field cannot be read.
    """
    purposes = {
        token_service_pb2.TOKEN_PURPOSE_UNSPECIFIED: Purpose.READ,
        token_service_pb2.TOKEN_PURPOSE_READ: Purpose.READ,
        token_service_pb2.TOKEN_PURPOSE_WRITE: Purpose.WRITE,
    }
    if message.purpose not in purposes:
        raise ArgumentInvalid("purpose must be READ or WRITE; only an upload makes UPLOAD tokens.", field="purpose")
    wanted = _enum_name(
        token_service_pb2.WantedPostProcess, message.wanted_post_process, "WANTED_POST_PROCESS_", field="wanted_post_process"
    )
    return TokenWish(
        document_id=parse_id(message.document_id, field="document_id"),
        purpose=purposes[message.purpose],
        ttl=duration(message.ttl, field="ttl") if message.HasField("ttl") else None,
        modified=message.for_modified,
        wanted=Wanted(wanted or Wanted.NEWEST),
    )


def token_outcome(outcome: SignedToken | Job) -> dict[str, Any]:
    """What became of the wish for a token, by the name of the field that tells it."""
    if isinstance(outcome, SignedToken):
        return {"token": to_token(outcome)}
    return {"failed" if outcome.state.is_terminal else "pending": to_post_processing(outcome)}


def to_inspect_token(text: str, inspection: Inspection) -> token_service_pb2.InspectTokenResponse:
    """What a token is."""
    claims = inspection.claims
    return token_service_pb2.InspectTokenResponse(
        token=to_token(SignedToken(text=text, claims=claims)),
        issue_time=timestamp(claims.issued_at),
        revision=claims.revision,
        key_id=claims.key_id,
        refusal=None if inspection.refusal is None else to_item_error(inspection.refusal),
    )


def to_token(token: SignedToken) -> token_service_pb2.Token:
    """A token and what is known of it."""
    return token_service_pb2.Token(
        token=token.text,
        document_id=str(token.claims.document_id),
        purpose=token_service_pb2.TokenPurpose.Value(f"TOKEN_PURPOSE_{token.claims.purpose.name}"),
        expire_time=timestamp(token.claims.expires_at),
        for_modified=token.claims.modified,
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


_ORDERS = {
    document_service_pb2.DOCUMENT_ORDER_UNSPECIFIED: Order.NEWEST_FIRST,
    document_service_pb2.DOCUMENT_ORDER_UPLOAD_TIME_DESC: Order.NEWEST_FIRST,
    document_service_pb2.DOCUMENT_ORDER_UPLOAD_TIME_ASC: Order.OLDEST_FIRST,
    document_service_pb2.DOCUMENT_ORDER_PATH_ASC: Order.BY_PATH,
}


def from_list_documents(message: document_service_pb2.ListDocumentsRequest) -> DocumentFilter:
    """Which documents are listed.

    Raises:
        ArgumentInvalid: a value that this version does not know, or that nothing can have; too many values.
    """
    if message.order not in _ORDERS:
        raise ArgumentInvalid(f"order {message.order} is not known to this version of the service.", field="order")
    statuses = [
        _enum_name(document_pb2.DocumentStatus, status, "DOCUMENT_STATUS_", field="statuses")
        for status in _filter(message.statuses, field="statuses")
    ]
    return DocumentFilter(
        # One that is not specified means any.
        statuses=frozenset(Status(status) for status in statuses) if all(statuses) else frozenset(),
        mime_types=frozenset(_filter(message.mime_types, field="mime_types")),
        name_contains=_searched_name(message.name_contains, field="name_contains"),
        path_prefix=searched(message.path_prefix, field="path_prefix"),
        uploaded_from=_optional_moment(message, "uploaded_from"),
        uploaded_before=_optional_moment(message, "uploaded_before"),
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


def request_id(text: str) -> str:
    """The caller's id of a call, in canonical form; empty if there is none.

    Raises:
        ArgumentInvalid: it is no UUID.
    """
    return str(parse_id(text, field="request_id")) if text else ""


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


def from_action(message: post_processing_pb2.Action) -> Action:
    """One step of a job.

    Raises:
        ArgumentInvalid: it says neither convert nor merge, or has a value that this version does not know.
    """
    match message.WhichOneof("action"):
        case "convert":
            return Action(
                type=TaskType.CONVERT,
                output_filename=message.convert.output_filename,
                title=message.convert.title,
                page_range=message.convert.page_range,
                pdf_profile=_enum_name(
                    post_processing_pb2.PdfProfile,
                    message.convert.pdf_profile,
                    "PDF_PROFILE_",
                    field="actions.convert.pdf_profile",
                ),
            )
        case "merge":
            return Action(
                type=TaskType.MERGE,
                output_filename=message.merge.output_filename,
                title=message.merge.title,
                paper_size=_enum_name(
                    post_processing_pb2.PaperSize, message.merge.paper_size, "PAPER_SIZE_", field="actions.merge.paper_size"
                ),
            )
        case _:
            raise ArgumentInvalid("An action says either convert or merge.", field="actions")


def to_action(action: Step) -> post_processing_pb2.Action | None:
    """One step of a job; None for a change of content, which only an rpc of its own can ask for."""
    if isinstance(action, ContentChange):
        return None
    if action.type is TaskType.CONVERT:
        return post_processing_pb2.Action(convert=_convert_action(action))
    return post_processing_pb2.Action(merge=_merge_action(action))


def to_failure(failure: Failure) -> post_processing_pb2.PostProcessingFailure:
    """Why something failed."""
    return post_processing_pb2.PostProcessingFailure(
        reason=error_reason_pb2.ErrorReason.Value(f"ERROR_REASON_{failure.reason}"),
        message=failure.message,
        retryable=failure.retryable,
        document_id=failure.document_id,
    )


def from_failure(message: post_processing_pb2.PostProcessingFailure) -> Failure:
    """Why an attempt failed, as its worker tells it."""
    return Failure(
        reason=_enum_name(error_reason_pb2.ErrorReason, message.reason, "ERROR_REASON_", field="failure.reason") or "INTERNAL",
        message=message.message[:2000],
        retryable=message.retryable,
        document_id=message.document_id,
    )


def to_post_processing(job: Job) -> post_processing_pb2.PostProcessing:
    """A job."""
    message = post_processing_pb2.PostProcessing(
        id=str(job.id),
        state=_state(job.state),
        input_document_ids=[str(document_id) for document_id in job.input_ids],
        tasks_done=job.tasks_done,
        tasks_total=len(job.records),
        create_time=timestamp(job.created_at),
        update_time=timestamp(job.updated_at),
        end_time=_optional_timestamp(job.ended_at),
        client=job.client,
    )
    if job.failure is not None:
        message.failure.CopyFrom(to_failure(job.failure))
    for index, action in enumerate(job.actions):
        records = job.records_of(index)
        status = message.actions.add(action=to_action(action), state=_state(job.state_of(index)))
        status.records.extend(_record(record) for record in records)
        failures = [record.failure for record in records if record.failure is not None]
        if failures:
            status.failure.CopyFrom(to_failure(failures[0]))
    return message


def from_imported_job(message: post_processing_service_pb2.ImportedPostProcessing, actions: Sequence[Action]) -> ImportedJob:
    """A job that another system did.

    Raises:
        ArgumentInvalid: it does not fit the actions, does not say why it failed, or has a value that this version does not know.
    """
    state = _state_of(message.state, field="imported.state")
    if state.is_terminal and len(message.actions) != len(actions):
        raise ArgumentInvalid(
            f"imported.actions has {len(message.actions)} entries for {len(actions)} actions.", field="imported.actions"
        )
    if state is State.FAILED and not message.HasField("failure"):
        raise ArgumentInvalid(
            "imported.state is FAILED, and imported.failure does not say why. Set at least its reason.", field="imported.failure"
        )
    return ImportedJob(
        id=parse_id(message.post_processing_id, field="imported.post_processing_id"),
        state=state,
        records=tuple(
            record
            for index, (status, action) in enumerate(zip(message.actions, actions, strict=False))
            for record in _imported_records(status, action, index=index)
        ),
        failure=from_failure(message.failure) if message.HasField("failure") else None,
        created_at=_optional_moment(message, "create_time"),
    )


def _imported_records(status: post_processing_pb2.ActionStatus, action: Action, *, index: int) -> Iterator[Record]:
    for position, record in enumerate(status.records):
        field = f"imported.actions[{index}].records[{position}]"
        state = _state_of(record.state, field=f"{field}.state")
        _require_type(record.type, action, field=f"{field}.type")
        yield Record(
            id=parse_id(record.id, field=f"{field}.id"),
            type=action.type,
            action_index=index,
            # Nothing more will happen to it.
            state=state if state.is_terminal else State.CANCELLED,
            input_ids=tuple(ids(record.input_document_ids, field=f"{field}.input_document_ids")),
            output_ids=tuple(ids(record.output_document_ids, field=f"{field}.output_document_ids")),
            failure=from_failure(status.failure) if state is State.FAILED and status.HasField("failure") else None,
        )


def _require_type(value: int, action: Action, *, field: str) -> None:
    """Raises ``ArgumentInvalid`` when a record says that it is of another type than its action."""
    kind = _enum_name(post_processing_pb2.PostProcessingType, value, "POST_PROCESSING_TYPE_", field=field)
    if kind and kind != action.type:
        raise ArgumentInvalid(f"{field} is {kind}, but the record is one of a {action.type}.", field=field, value=kind)


def _state_of(value: int, *, field: str) -> State:
    name = _enum_name(post_processing_pb2.PostProcessingState, value, "POST_PROCESSING_STATE_", field=field)
    if not name:
        raise ArgumentInvalid(f"{field} is not set.", field=field)
    return State(name)


def from_list_post_processings(message: post_processing_service_pb2.ListPostProcessingsRequest) -> JobFilter:
    """Which jobs are listed.

    Raises:
        ArgumentInvalid: a value that this version does not know; too many values.
    """
    states = [
        _enum_name(post_processing_pb2.PostProcessingState, state, "POST_PROCESSING_STATE_", field="states")
        for state in _filter(message.states, field="states")
    ]
    types = [
        _enum_name(post_processing_pb2.PostProcessingType, kind, "POST_PROCESSING_TYPE_", field="types")
        for kind in _filter(message.types, field="types")
    ]
    return JobFilter(
        # One that is not specified means any.
        states=frozenset(State(state) for state in states) if all(states) else frozenset(),
        types=frozenset(TaskType(kind) for kind in types) if all(types) else frozenset(),
        document_id=parse_id(message.document_id, field="document_id") if message.document_id else None,
        created_from=_optional_moment(message, "created_from"),
        created_before=_optional_moment(message, "created_before"),
    )


def to_task(task: LeasedTask, *, max_attempts: int) -> worker_service_pb2.Task:
    """A task as a worker gets it."""
    lease_duration = duration_pb2.Duration()
    lease_duration.FromTimedelta(timedelta(seconds=task.lease_seconds))
    message = worker_service_pb2.Task(
        task_id=str(task.task_id),
        post_processing_id=str(task.job_id),
        lease_id=str(task.lease_id),
        lease_expire_time=timestamp(task.lease_expires_at),
        lease_duration=lease_duration,
        attempt=task.attempt,
        max_attempts=max_attempts,
        inputs=[
            worker_service_pb2.TaskInput(
                document=to_document(item.document), read_token=item.read_token, display_name=item.display_name
            )
            for item in task.inputs
        ],
    )
    match task.action:
        case ContentChange(type=TaskType.ROTATE, degrees=degrees):
            message.rotate.degrees = degrees
        case ContentChange(rotations=rotations):
            message.edit.SetInParent()
            message.edit.rotations.update(rotations)
        case Action(type=TaskType.CONVERT) as action:
            message.convert.CopyFrom(_convert_action(action))
        case Action() as action:
            message.merge.CopyFrom(_merge_action(action))
    return message


def ids(texts: Iterable[str], *, field: str) -> list[UUID]:
    """UUIDs, each checked.

    Raises:
        ArgumentInvalid: one of them is none.
    """
    return [parse_id(text, field=f"{field}[{index}]") for index, text in enumerate(texts)]


def _record(record: Record) -> post_processing_pb2.PostProcessingRecord:
    return post_processing_pb2.PostProcessingRecord(
        id=str(record.id),
        type=post_processing_pb2.PostProcessingType.Value(f"POST_PROCESSING_TYPE_{record.type}"),
        state=_state(record.state),
        input_document_ids=[str(document_id) for document_id in record.input_ids],
        output_document_ids=[str(document_id) for document_id in record.output_ids],
    )


def _state(state: State) -> post_processing_pb2.PostProcessingState.ValueType:
    return post_processing_pb2.PostProcessingState.Value(f"POST_PROCESSING_STATE_{state}")


def _convert_action(action: Action) -> post_processing_pb2.ConvertAction:
    return post_processing_pb2.ConvertAction(
        output_filename=action.output_filename,
        title=action.title,
        page_range=action.page_range,
        pdf_profile=post_processing_pb2.PdfProfile.Value(f"PDF_PROFILE_{action.pdf_profile or 'UNSPECIFIED'}"),
    )


def _merge_action(action: Action) -> post_processing_pb2.MergeAction:
    return post_processing_pb2.MergeAction(
        output_filename=action.output_filename,
        title=action.title,
        paper_size=post_processing_pb2.PaperSize.Value(f"PAPER_SIZE_{action.paper_size or 'UNSPECIFIED'}"),
    )


def _enum_name(enum: Any, value: int, prefix: str, *, field: str) -> str:
    """The name of an enum's value without its prefix, empty for UNSPECIFIED.

    Raises:
        ArgumentInvalid: a value that this version does not know.
    """
    if value not in enum.values():
        raise ArgumentInvalid(
            f"{prefix.rstrip('_')} {value} is not known to this version of the service.", field=field, value=value
        )
    name = str(enum.Name(value)).removeprefix(prefix)
    return "" if name == "UNSPECIFIED" else name
