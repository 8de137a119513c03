"""Post-processings of the existing product, as the service records them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from osis.document.v1.error_reason_pb2 import ErrorReason
from osis.document.v1.post_processing_pb2 import (
    Action,
    ActionStatus,
    PostProcessingFailure,
    PostProcessingRecord,
    PostProcessingState,
    PostProcessingType,
)
from osis.document.v1.post_processing_service_pb2 import ImportedPostProcessing, StartPostProcessingRequest
from osis_document_client import convert, merge

from ..services import times
from .outcomes import NotImported, Outcome
from .tables import OldJob, OldRecord

PENDING = PostProcessingState.POST_PROCESSING_STATE_PENDING
DONE = PostProcessingState.POST_PROCESSING_STATE_DONE
FAILED = PostProcessingState.POST_PROCESSING_STATE_FAILED
CANCELLED = PostProcessingState.POST_PROCESSING_STATE_CANCELLED
_STATES = {"PENDING": PENDING, "DONE": DONE, "FAILED": FAILED}
_TYPES = {
    "CONVERT": PostProcessingType.POST_PROCESSING_TYPE_CONVERT,
    "MERGE": PostProcessingType.POST_PROCESSING_TYPE_MERGE,
}


def record_request(record: OldRecord) -> StartPostProcessingRequest:
    """A record that belongs to no asynchronous post-processing: a job of one action, with the record's id.

    Raises:
        NotImported: what it was made of, or what was made, is gone; or nobody knows its type.
    """
    if not record.inputs or not record.outputs:
        raise NotImported(Outcome.LEFT_OUT, "what it was made of, or what was made, is gone")
    action = _action(record.type, {})
    made = PostProcessingRecord(
        id=str(record.id),
        type=_TYPES[record.type],
        state=DONE,
        input_document_ids=record.inputs,
        output_document_ids=record.outputs,
    )
    imported = ImportedPostProcessing(
        post_processing_id=str(record.id),
        state=DONE,
        actions=[ActionStatus(action=action, state=DONE, records=[made])],
        create_time=times.timestamp(record.created_at),
    )
    return StartPostProcessingRequest(document_ids=record.inputs, actions=[action], imported=imported)


def named_records(job: OldJob) -> list[str]:
    """The ids of the records that a job's results name."""
    return [each for name in _action_names(job) for each in _named(job.results, name, "post_processing_objects")]


def job_request(job: OldJob, records: Mapping[str, OldRecord]) -> StartPostProcessingRequest:
    """An asynchronous post-processing. One that has not ended starts again in the service.

    Args:
        job: the row.
        records: those that its results name, by id.

    Raises:
        NotImported: the row does not say what was to be done, or of what.
    """
    inputs = _ids(job.data.get("base_input"))
    names = _action_names(job)
    state = _STATES.get(job.status)
    if not inputs or not names or state is None:
        raise NotImported(Outcome.REFUSED, "its row does not say what was to be done, and to which documents")
    actions = [_action(name, _parameters(job, name)) for name in names]
    imported = ImportedPostProcessing(post_processing_id=str(job.id), state=state)
    if state != PENDING:
        imported.actions.extend(_statuses(job, names, actions, inputs, records))
    if state == FAILED:
        failures = [status.failure for status in imported.actions if status.HasField("failure")]
        imported.failure.CopyFrom(failures[0] if failures else _failure(job.results))
    if created := _created(records.values()):
        imported.create_time.CopyFrom(created)
    return StartPostProcessingRequest(document_ids=inputs, actions=actions, imported=imported)


def _statuses(
    job: OldJob, names: list[str], actions: list[Action], inputs: list[str], records: Mapping[str, OldRecord]
) -> list[ActionStatus]:
    """How each action ended. The inputs of each further one are the outputs of the one before."""
    statuses: list[ActionStatus] = []
    ended = False
    for index, (name, action) in enumerate(zip(names, actions, strict=True)):
        state = CANCELLED if ended else _state_of(job, name)
        status = ActionStatus(action=action, state=state)
        if state == DONE:
            status.records.extend(_made(job, index, name, inputs, records))
            inputs = [output for record in status.records for output in record.output_document_ids]
        elif state == FAILED:
            ended = True
            status.failure.CopyFrom(_failure(job.results.get(name)))
            status.records.append(_record(_derived_id(job, index, "failed"), name, inputs, [], state=FAILED))
        statuses.append(status)
    return statuses


def _state_of(job: OldJob, name: str) -> PostProcessingState.ValueType:
    """How an action ended: as its results say; where they do not, all of a job that is done are done."""
    results = job.results.get(name)
    told = results.get("status") if isinstance(results, Mapping) else None
    if job.status == "DONE" or told == "DONE":
        return DONE
    if told is None and _named(job.results, name, "upload_objects"):
        return DONE
    return FAILED


def _made(job: OldJob, index: int, name: str, inputs: list[str], records: Mapping[str, OldRecord]) -> list[PostProcessingRecord]:
    """The records of an action that is done, in the order of its inputs, with those that the existing product does not write."""
    known = [records[each] for each in _named(job.results, name, "post_processing_objects") if each in records]
    made = [_record(str(each.id), name, each.inputs, each.outputs) for each in known if each.outputs]
    outputs = {output for record in made for output in record.output_document_ids}
    untold = [each for each in _named(job.results, name, "upload_objects") if each not in outputs and each not in inputs]
    if name == "MERGE":
        if untold and not made:
            made.append(_record(_derived_id(job, index, "merged"), name, inputs, untold[:1]))
        return made
    covered = {each for record in made for each in record.input_document_ids}
    rest = [each for each in dict.fromkeys(inputs) if each not in covered]
    if untold:
        made.append(_record(_derived_id(job, index, "converted"), name, rest or inputs, untold))
    else:  # a PDF was passed on as it is, and has no record
        made += [_record(_derived_id(job, index, each), name, [each], [each]) for each in rest]
    return sorted(made, key=lambda record: min(map(_places(inputs), record.input_document_ids), default=0))


def _places(inputs: list[str]) -> Any:
    """A function that tells where in the inputs a document is."""
    places = {each: place for place, each in reversed(list(enumerate(inputs)))}
    return lambda each: places.get(each, len(inputs))


def _record(
    record_id: str,
    name: str,
    inputs: Iterable[str],
    outputs: Iterable[str],
    *,
    state: PostProcessingState.ValueType = DONE,
) -> PostProcessingRecord:
    return PostProcessingRecord(
        id=record_id, type=_TYPES[name], state=state, input_document_ids=inputs, output_document_ids=outputs
    )


def _derived_id(job: OldJob, index: int, what: str) -> str:
    """An id for a record that the existing product has not written; the same in each run."""
    return str(uuid.uuid5(job.id, f"{index} {what}"))


def _action_names(job: OldJob) -> list[str]:
    """What was to be done: the merge is the last, as it was there."""
    wanted = job.data.get("post_process_actions")
    return sorted((each for each in wanted if each in _TYPES), key="MERGE".__eq__) if isinstance(wanted, list) else []


def _parameters(job: OldJob, name: str) -> Mapping[str, Any]:
    parameters = job.data.get("post_process_params")
    of_action = parameters.get(name) if isinstance(parameters, Mapping) else None
    return of_action if isinstance(of_action, Mapping) else {}


def _action(name: str, parameters: Mapping[str, Any]) -> Action:
    output_filename = str(parameters.get("output_filename") or "")
    if name == "CONVERT":
        return convert(output_filename)
    if name == "MERGE":
        try:
            return merge(output_filename, paper_size=str(parameters.get("pages_dimension") or ""))
        except ValueError as exc:
            raise NotImported(Outcome.REFUSED, str(exc)) from exc
    raise NotImported(Outcome.REFUSED, f"its type {name!r} is none that the service has")


def _named(results: Mapping[str, Any], name: str, key: str) -> list[str]:
    """The ids that the results of an action name, beside its status or below `output`."""
    found = results.get(name)
    if not isinstance(found, Mapping):
        return []
    output = found.get("output")
    return _ids(found.get(key) or (output.get(key) if isinstance(output, Mapping) else None))


def _ids(values: Any) -> list[str]:
    """Those of the values that are UUIDs, in their usual form."""
    found = []
    for value in values if isinstance(values, list) else []:
        try:
            found.append(str(UUID(str(value))))
        except ValueError:
            continue
    return found


def _failure(results: Any) -> PostProcessingFailure:
    """Why it failed, in the words of the existing product."""
    errors = results.get("errors") if isinstance(results, Mapping) else None
    messages = errors.get("messages") if isinstance(errors, Mapping) else errors
    told = "; ".join(map(str, messages)) if isinstance(messages, list) else str(messages or "")
    return PostProcessingFailure(
        reason=ErrorReason.ERROR_REASON_DOCUMENT_UNREADABLE, message=told or "It failed before the documents were moved here."
    )


def _created(records: Iterable[OldRecord]) -> Timestamp | None:
    """When the first record was made: the job's own row does not say when it was started."""
    first = min((record.created_at for record in records), default=None)
    return times.timestamp(first) if first is not None else None
