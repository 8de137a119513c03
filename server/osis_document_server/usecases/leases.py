"""Leases: which worker holds which task."""

from datetime import datetime
from uuid import UUID

from osis_document_server.domain.jobs import State
from osis_document_server.errors import LeaseLost
from osis_document_server.models.tables import TaskRow


def require_lease(lease_id: UUID, *, now: datetime) -> TaskRow:
    """Returns the task that is held under a lease. Within a connection.

    Raises:
        LeaseLost: none is, or not any more.
    """
    task = TaskRow.get_or_none(TaskRow.lease_id == lease_id)
    if task is None or task.state != State.RUNNING or task.lease_expires_at < now:
        raise lost()
    return task


def lost() -> LeaseLost:
    """Returns the error for a lease that is not in force."""
    return LeaseLost("The lease is not in force (any more): it ran out, or its job has ended. Stop, and drop what was made.")
