"""Post-processing: jobs, their actions and the tasks that workers do."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from osis_document_server.domain.documents import Document
from osis_document_server.errors import ArgumentInvalid

#: After so many lost attempts a task is given up.
MAX_ATTEMPTS = 3
#: Most actions of a job. With 1,000 documents, which is the most of them, that makes 10,000 tasks.
ACTIONS_LIMIT = 10


_PAGES = re.compile(r"(?P<first>[0-9]{1,9})(-(?P<last>[0-9]{0,9}))?")


class State(StrEnum):
    """How a job, an action or a task stands."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_terminal(self) -> bool:
        """True when nothing more will happen."""
        return self in {State.DONE, State.FAILED, State.CANCELLED}


class TaskType(StrEnum):
    """What a task does."""

    CONVERT = "CONVERT"
    MERGE = "MERGE"
    #: Rotates an image in place of what it was.
    ROTATE = "ROTATE"
    #: Puts an edited PDF, its pages rotated, in place of what it was.
    EDIT = "EDIT"


@dataclass(frozen=True, kw_only=True)
class Action:
    """One step of a job, as the caller asked for it."""

    type: TaskType
    output_filename: str = ""
    #: Title in the PDF's own metadata.
    title: str = ""
    #: CONVERT only: pages to keep, ``1-3,5``.
    page_range: str = ""
    #: CONVERT only: ``""`` or ``PDF_A_2B``.
    pdf_profile: str = ""
    #: MERGE only: ``""`` or a name of the contract's ``PaperSize`` (``A4``).
    paper_size: str = ""

    @property
    def asks_for_more(self) -> bool:
        """True when a conversion is to make something else of a PDF than the PDF itself."""
        return bool(self.title or self.page_range.strip() or self.pdf_profile)

    def to_json(self) -> dict[str, str]:
        """Returns what was set, to be stored."""
        return {key: str(value) for key, value in vars(self).items() if value}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Action":
        """Returns the action that ``to_json`` stored."""
        return cls(**{**stored, "type": TaskType(stored["type"])})


@dataclass(frozen=True, kw_only=True)
class ContentChange:
    """The one step of a job that gives a document other content."""

    type: TaskType
    #: The revision that is to be changed; any other stays as it is.
    revision: int
    #: True: the result becomes the modified copy; False: the content itself.
    modified: bool
    #: ROTATE only: 90, 180 or 270, clockwise.
    degrees: int = 0
    #: EDIT only: degrees, as above, by page from 0.
    rotations: Mapping[int, int] = field(default_factory=dict)
    #: EDIT only: the upload whose content is saved and which is then gone; None: the document's own content is turned.
    edited: UUID | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns it as it is stored."""
        return {
            **vars(self),
            "rotations": {str(page): degrees for page, degrees in self.rotations.items()},
            "edited": str(self.edited) if self.edited else None,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "ContentChange":
        """Returns the change that ``to_json`` stored."""
        rotations = {int(page): degrees for page, degrees in stored["rotations"].items()}
        edited = UUID(stored["edited"]) if stored.get("edited") else None
        return cls(**{**stored, "type": TaskType(stored["type"]), "rotations": rotations, "edited": edited})


#: What a job does in one step.
Step = Action | ContentChange


def step_from_json(stored: dict[str, Any]) -> Step:
    """Returns the step that ``to_json`` stored."""
    changes = stored["type"] in {TaskType.ROTATE, TaskType.EDIT}
    return ContentChange.from_json(stored) if changes else Action.from_json(stored)


def quarter_turns(degrees: int, *, field: str) -> int:
    """Returns a rotation as 0, 90, 180 or 270 degrees clockwise.

    Raises:
        ArgumentInvalid: it is no multiple of 90.
    """
    if degrees % 90:
        raise ArgumentInvalid(f"{field} is {degrees}; only multiples of 90 degrees can be turned.", field=field, value=degrees)
    return degrees % 360


def check_actions(actions: list[Action]) -> None:
    """Raises ``ArgumentInvalid`` unless there are 1 to 10 actions and a merge, if any, is the last."""
    if not actions:
        raise ArgumentInvalid("A job needs at least one action: convert, merge, or convert and then merge.", field="actions")
    if len(actions) > ACTIONS_LIMIT:
        raise ArgumentInvalid(
            f"actions has {len(actions)} items; a job takes at most {ACTIONS_LIMIT}.",
            field="actions",
            count=len(actions),
            limit=ACTIONS_LIMIT,
        )
    if any(action.type is TaskType.MERGE for action in actions[:-1]):
        raise ArgumentInvalid("A merge makes one document of all, so it must be the last action.", field="actions")
    for index, action in enumerate(actions):
        _check_page_range(action.page_range, field=f"actions[{index}].convert.page_range")


def _check_page_range(page_range: str, *, field: str) -> None:
    """Raises ``ArgumentInvalid`` unless the text says which pages to keep: ``1-3,5,8-``, upwards, from 1."""
    compact = "".join(page_range.split())
    if not compact:
        return
    for part in compact.split(","):
        match = _PAGES.fullmatch(part)
        first, last = (int(match["first"]), match["last"]) if match else (0, None)
        if first < 1 or (last and int(last) < first):
            raise ArgumentInvalid(
                f"page_range {page_range[:80]!r} does not say which pages to keep. Write 1-3,5 or 8-, counted from 1.",
                field=field,
                value=page_range[:80],
            )


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a job or a task failed."""

    #: Name of one of the contract's ``ErrorReason`` values.
    reason: str
    message: str
    retryable: bool
    document_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One task of a job, as callers see it."""

    id: UUID
    type: TaskType
    action_index: int
    state: State
    input_ids: tuple[UUID, ...] = ()
    output_ids: tuple[UUID, ...] = ()
    failure: Failure | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """One post-processing job, with its tasks in order."""

    id: UUID
    state: State
    client: str
    input_ids: tuple[UUID, ...]
    actions: tuple[Step, ...]
    records: tuple[Record, ...]
    failure: Failure | None
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    #: Raised by every change; two equal numbers mean that nothing happened in between.
    version: int

    def records_of(self, action_index: int) -> list[Record]:
        """Returns the records of one action, in order."""
        return [record for record in self.records if record.action_index == action_index]

    def state_of(self, action_index: int) -> State:
        """Returns how one action stands."""
        states = {record.state for record in self.records_of(action_index)}
        if len(states) == 1:
            return states.pop()
        for decisive in (State.FAILED, State.CANCELLED):
            if decisive in states:
                return decisive
        return State.RUNNING

    @property
    def tasks_done(self) -> int:
        """Tasks that are finished."""
        return sum(record.state is State.DONE for record in self.records)


@dataclass(frozen=True, kw_only=True)
class TaskInput:
    """One document that a task reads."""

    document: Document
    read_token: str
    display_name: str


@dataclass(frozen=True, kw_only=True)
class LeasedTask:
    """A task as a worker gets it."""

    task_id: UUID
    job_id: UUID
    lease_id: UUID
    lease_expires_at: datetime
    lease_seconds: float
    attempt: int
    action: Step
    inputs: list[TaskInput] = field(default_factory=list)
