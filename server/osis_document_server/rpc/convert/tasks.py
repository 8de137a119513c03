"""Tasks, as workers get them."""

from datetime import timedelta

from google.protobuf import duration_pb2

from osis.document.v1 import worker_service_pb2
from osis_document_server.domain.jobs import Action, ContentChange, LeasedTask, TaskType
from osis_document_server.rpc.convert.documents import to_document
from osis_document_server.rpc.convert.jobs import to_convert_action, to_merge_action
from osis_document_server.rpc.convert.values import timestamp


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
            message.convert.CopyFrom(to_convert_action(action))
        case Action() as action:
            message.merge.CopyFrom(to_merge_action(action))
    return message
