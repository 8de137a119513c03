"""Jobs that another system did."""

from collections.abc import Iterator, Sequence

from osis.document.v1 import post_processing_pb2, post_processing_service_pb2
from osis_document_server.domain.jobs import Action, Record, State
from osis_document_server.domain.names import parse_id
from osis_document_server.errors import ArgumentInvalid
from osis_document_server.rpc.convert.jobs import from_failure
from osis_document_server.rpc.convert.values import enum_name, ids, optional_moment
from osis_document_server.usecases.job_imports import ImportedJob


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
        created_at=optional_moment(message, "create_time"),
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
    kind = enum_name(post_processing_pb2.PostProcessingType, value, "POST_PROCESSING_TYPE_", field=field)
    if kind and kind != action.type:
        raise ArgumentInvalid(f"{field} is {kind}, but the record is one of a {action.type}.", field=field, value=kind)


def _state_of(value: int, *, field: str) -> State:
    name = enum_name(post_processing_pb2.PostProcessingState, value, "POST_PROCESSING_STATE_", field=field)
    if not name:
        raise ArgumentInvalid(f"{field} is not set.", field=field)
    return State(name)
