"""Post-processing: starting it, and telling how it stands in the forms that HTTP bodies have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from django.utils.translation import gettext as _

from osis.document.v1.error_reason_pb2 import ErrorReason
from osis.document.v1.post_processing_pb2 import (
    Action,
    ActionStatus,
    PostProcessing,
    PostProcessingFailure,
    PostProcessingState,
)
from osis.document.v1.post_processing_service_pb2 import GetPostProcessingRequest
from osis_document_client import DocumentNotConfirmed, DocumentNotFound, convert, merge

from .. import conf
from ..channel import client
from ..contrib.error_code import ASYNC_POST_PROCESS_FAILED
from ..enums import PageFormatEnums, PostProcessingStatus, PostProcessingType, PostProcessingWanted
from ..exceptions import (
    FormatInvalidException,
    InvalidMergeFileDimension,
    InvalidPostProcessorAction,
    MissingFileException,
    text_for_reason,
    translated,
)
from . import arguments, links

_STATUS = {
    PostProcessingState.POST_PROCESSING_STATE_DONE: PostProcessingStatus.DONE,
    PostProcessingState.POST_PROCESSING_STATE_FAILED: PostProcessingStatus.FAILED,
    PostProcessingState.POST_PROCESSING_STATE_CANCELLED: PostProcessingStatus.FAILED,
}
_REASON_PREFIX = "ERROR_REASON_"


def launch(
    uuids: Iterable[object],
    types: Iterable[object],
    *,
    params: Mapping[Any, Mapping[str, Any] | None] | None = None,
    asynchronous: bool = False,
    request_id: str | None = None,
) -> dict[str, Any]:
    """Starts a post-processing over documents and, unless it is asynchronous, waits for its result.

    Args:
        uuids: the documents, in order.
        types: what to do with them, in order: `PostProcessingType` or names.
        params: what each of them may be told: `{"CONVERT": {"output_filename"}, "MERGE": {"output_filename",
            "pages_dimension"}}`.
        asynchronous: answer at once.
        request_id: a UUID for this logical call, to be given again when it is repeated.

    Returns:
        `{"CONVERT": {"input": [uuid], "output": {"upload_objects": [uuid], "post_processing_objects": [uuid]}}, "MERGE": …}`;
        of an asynchronous one `{"uuid", "links": {"progress"}}`.

    Raises:
        MissingFileException: there is no document, or one of them does not exist.
        InvalidPostProcessorAction, InvalidMergeFileDimension: what to do is not said well.
        FileInfectedException: a document was declared infected.
        ConversionError: it failed.
        ServiceTimeout: it is not finished after `OSIS_DOCUMENT_TIMEOUTS["post_processing"]` seconds; it goes on.
    """
    document_ids = arguments.document_ids(uuids)
    if not document_ids:
        raise MissingFileException
    actions = _actions(types, params or {})
    with translated():
        try:
            job = client().start(document_ids, actions, request_id=request_id)
        except (DocumentNotFound, DocumentNotConfirmed) as exc:
            raise MissingFileException(reason=exc.reason, values=exc.metadata) from exc
        if asynchronous:
            return {"uuid": job.id, "links": {"progress": links.progress(job.id)}}
        return outputs(client().wait(job.id, timeout=conf.timeouts().post_processing))


def get(job_id: object) -> PostProcessing:
    """The job as it stands.

    Raises:
        JobNotFound: there is none.
    """
    with translated():
        request = GetPostProcessingRequest(post_processing_id=arguments.document_id(job_id))
        return client().post_processings.GetPostProcessing(request).post_processing


def outputs(job: PostProcessing) -> dict[str, Any]:
    """What each action of a finished job read and made."""
    return {
        name: {
            "input": list(chain.from_iterable(record.input_document_ids for record in action.records)),
            "output": _made(action),
        }
        for name, action in _by_name(job)
    }


def progress(job_id: object, *, wanted_post_process: object = None) -> dict[str, Any]:
    """Tells how far a job is: `{"progress": 0–100, "wanted_post_process_status": PENDING, DONE or FAILED}`; when it failed,
    `"failed": True` and `"errors": {"params", "messages"}`, too.

    Args:
        job_id: the job.
        wanted_post_process: whose status is told: an action's, or (by default) that of the whole. The original is always done.

    Raises:
        JobNotFound: there is none.
        FormatInvalidException: the id or the wanted result cannot be.
    """
    wanted = arguments.optional_word(PostProcessingWanted, wanted_post_process)
    return progress_of(get(job_id), wanted)


def progress_of(job: PostProcessing, wanted: PostProcessingWanted | None = None) -> dict[str, Any]:
    """As `progress`, of a job that is at hand."""
    status = _status(job.state)
    done = status is PostProcessingStatus.DONE
    percent = 100 if done else min(99, 100 * job.tasks_done // max(job.tasks_total, 1))
    body: dict[str, Any] = {"progress": percent, "wanted_post_process_status": _wanted_status(job, wanted).value}
    if status is PostProcessingStatus.FAILED:
        body |= {"failed": True, "errors": _errors(job.failure)}
    return body


def progress_link(job_id: str, *, document_id: str = "") -> str:
    """Where the progress is told to whoever has this address: see `links.progress`."""
    return links.progress(job_id, document_id=document_id)


def link_is_genuine(job_id: object, signature: str, *, document_id: str = "") -> bool:
    """Whether a signature is one that `progress_link` made for this job and this document."""
    return links.is_genuine(str(job_id), signature, document_id=document_id)


def job_inputs(job_id: object) -> list[str]:
    """The documents that a job was started over, in order.

    Raises:
        JobNotFound: there is none.
    """
    return list(get(job_id).input_document_ids)


def pending_body(job: PostProcessing, *, document_id: str = "") -> dict[str, Any]:
    """What is answered (206) to who asks for a result that is not finished."""
    return {
        "status": PostProcessingStatus.PENDING.value,
        "links": {"progress": links.progress(job.id, document_id=document_id)},
        **action_results(job),
    }


def failed_body(job: PostProcessing, *, document_id: str = "") -> dict[str, Any]:
    """What is answered (422) to who asks for a result that could not be made."""
    return {
        "status": PostProcessingStatus.FAILED.value,
        "errors": _errors(job.failure),
        "code": ASYNC_POST_PROCESS_FAILED,
        "links": {"progress": links.progress(job.id, document_id=document_id)},
        **action_results(job),
    }


def action_results(job: PostProcessing) -> dict[str, dict[str, Any]]:
    """How each action stands, by its name: its results, its errors, or that it is not finished."""
    return {name: _action_result(action, job) for name, action in _by_name(job)}


def _action_result(action: ActionStatus, job: PostProcessing) -> dict[str, Any]:
    status = _status(action.state)
    if status is PostProcessingStatus.DONE:
        return {"status": status.value, **_made(action)}
    if status is PostProcessingStatus.FAILED:
        return {"status": status.value, "errors": _errors(action.failure if action.HasField("failure") else job.failure)}
    return {"status": status.value}


def _read(action: ActionStatus) -> list[str]:
    """The documents that an action read."""
    return list(chain.from_iterable(record.input_document_ids for record in action.records))


def _made(action: ActionStatus) -> dict[str, list[str]]:
    """The documents that an action made, and one record for each of its tasks."""
    return {
        "upload_objects": list(chain.from_iterable(record.output_document_ids for record in action.records)),
        "post_processing_objects": [record.id for record in action.records],
    }


def _errors(failure: PostProcessingFailure) -> dict[str, Any]:
    known = failure.reason in ErrorReason.values()
    reason = ErrorReason.Name(failure.reason).removeprefix(_REASON_PREFIX) if known and failure.reason else ""
    params = {"reason": reason} | ({"document_id": failure.document_id} if failure.document_id else {})
    message = text_for_reason(reason) or failure.message or _("The post-processing was cancelled.")
    return {"params": params, "messages": [message]}


def _by_name(job: PostProcessing) -> list[tuple[str, ActionStatus]]:
    """The actions that callers have words for, by these."""
    return [(kind.upper(), action) for action in job.actions if (kind := action.action.WhichOneof("action"))]


def _status(state: PostProcessingState.ValueType) -> PostProcessingStatus:
    return _STATUS.get(state, PostProcessingStatus.PENDING)


def _wanted_status(job: PostProcessing, wanted: PostProcessingWanted | None) -> PostProcessingStatus:
    if wanted is PostProcessingWanted.ORIGINAL:
        return PostProcessingStatus.DONE
    whole = _status(job.state)
    of_action = dict(_by_name(job)).get(wanted.value) if wanted is not None else None
    if of_action is None:
        return whole
    status = _status(of_action.state)
    # An action behind one that failed never begins.
    return PostProcessingStatus.FAILED if (status, whole) == _NEVER_BEGINS else status


_NEVER_BEGINS = (PostProcessingStatus.PENDING, PostProcessingStatus.FAILED)


def _actions(types: Iterable[object], params: Mapping[Any, Mapping[str, Any] | None]) -> list[Action]:
    try:
        names = [arguments.word(PostProcessingType, each) for each in types]
    except (FormatInvalidException, TypeError) as exc:
        raise InvalidPostProcessorAction from exc
    if not names or isinstance(types, str) or len(set(names)) < len(names):
        raise InvalidPostProcessorAction
    return [_action(name, _params_of(name, params)) for name in names]


def _params_of(name: PostProcessingType, params: Mapping[Any, Mapping[str, Any] | None]) -> Mapping[str, Any]:
    if not isinstance(params, Mapping):
        raise FormatInvalidException(_("The parameters of a post-processing must be given by action."))
    found = params.get(name.name) or {}
    if not isinstance(found, Mapping):
        raise FormatInvalidException(_("The parameters of a post-processing must be given by action."))
    return found


def _action(name: PostProcessingType, params: Mapping[str, Any]) -> Action:
    output_filename = params.get("output_filename") or ""
    if not isinstance(output_filename, str):
        raise FormatInvalidException(_("The name of an output file must be a text."))
    if name is PostProcessingType.CONVERT:
        return convert(output_filename)
    try:
        size = arguments.optional_word(PageFormatEnums, params.get("pages_dimension"))
    except FormatInvalidException as exc:
        raise InvalidMergeFileDimension(
            _("There is no such page size; choose one of %(sizes)s.") % {"sizes": ", ".join(PageFormatEnums.names)}
        ) from exc
    return merge(output_filename, paper_size=size.value if size is not None else "")
