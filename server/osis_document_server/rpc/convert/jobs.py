"""Jobs and their actions."""

from osis.document.v1 import error_reason_pb2, post_processing_pb2, post_processing_service_pb2
from osis_document_server.domain.jobs import Action, ContentChange, Failure, Job, Record, State, Step, TaskType
from osis_document_server.domain.names import parse_id
from osis_document_server.errors import ArgumentInvalid
from osis_document_server.rpc.convert.values import enum_name, filtered, optional_moment, optional_timestamp, timestamp
from osis_document_server.usecases.job_listing import JobFilter


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
                pdf_profile=enum_name(
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
                paper_size=enum_name(
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
        return post_processing_pb2.Action(convert=to_convert_action(action))
    return post_processing_pb2.Action(merge=to_merge_action(action))


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
        reason=enum_name(error_reason_pb2.ErrorReason, message.reason, "ERROR_REASON_", field="failure.reason") or "INTERNAL",
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
        end_time=optional_timestamp(job.ended_at),
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


def from_list_post_processings(message: post_processing_service_pb2.ListPostProcessingsRequest) -> JobFilter:
    """Which jobs are listed.

    Raises:
        ArgumentInvalid: a value that this version does not know; too many values.
    """
    states = [
        enum_name(post_processing_pb2.PostProcessingState, state, "POST_PROCESSING_STATE_", field="states")
        for state in filtered(message.states, field="states")
    ]
    types = [
        enum_name(post_processing_pb2.PostProcessingType, kind, "POST_PROCESSING_TYPE_", field="types")
        for kind in filtered(message.types, field="types")
    ]
    return JobFilter(
        # One that is not specified means any.
        states=frozenset(State(state) for state in states) if all(states) else frozenset(),
        types=frozenset(TaskType(kind) for kind in types) if all(types) else frozenset(),
        document_id=parse_id(message.document_id, field="document_id") if message.document_id else None,
        created_from=optional_moment(message, "created_from"),
        created_before=optional_moment(message, "created_before"),
    )


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


def to_convert_action(action: Action) -> post_processing_pb2.ConvertAction:
    """A step that converts."""
    return post_processing_pb2.ConvertAction(
        output_filename=action.output_filename,
        title=action.title,
        page_range=action.page_range,
        pdf_profile=post_processing_pb2.PdfProfile.Value(f"PDF_PROFILE_{action.pdf_profile or 'UNSPECIFIED'}"),
    )


def to_merge_action(action: Action) -> post_processing_pb2.MergeAction:
    """A step that merges."""
    return post_processing_pb2.MergeAction(
        output_filename=action.output_filename,
        title=action.title,
        paper_size=post_processing_pb2.PaperSize.Value(f"PAPER_SIZE_{action.paper_size or 'UNSPECIFIED'}"),
    )
