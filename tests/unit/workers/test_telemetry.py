"""How a task's end is told, in the log and to whoever counts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from osis.document.v1 import document_pb2, post_processing_pb2, worker_service_pb2
from osis_document_client import LeaseLost, Unavailable
from osis_document_workers import telemetry
from osis_document_workers.telemetry import Outcome, TaskAccount


class Counted:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.running: list[str] = []
        self.ends: list[tuple[str, Outcome, str]] = []

    def begun(self, task_type: str) -> None:
        self.running.append(task_type)

    def ended(self, task_type: str, *, outcome: Outcome, reason: str, seconds: float) -> None:
        assert 0 <= seconds < 5
        self.running.remove(task_type)
        self.ends.append((task_type, outcome, reason))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counted]:
    monkeypatch.setattr(telemetry, "_collectors", [])
    counted = Counted()
    telemetry.collect_with(counted)
    yield counted
    assert counted.running == []


def task(*document_ids: str) -> worker_service_pb2.Task:
    """A merge of these documents."""
    inputs = [
        worker_service_pb2.TaskInput(document=document_pb2.Document(id=document_id), read_token="eyJ-a-token", display_name="n")
        for document_id in document_ids
    ]
    return worker_service_pb2.Task(
        task_id="t", post_processing_id="j", attempt=2, inputs=inputs, merge=post_processing_pb2.MergeAction()
    )


def test_a_task_in_progress_is_counted_until_its_end(counted: Counted) -> None:
    with TaskAccount(task("a")) as account:
        assert counted.running == ["merge"]
        account.done("output")


@pytest.mark.parametrize(
    ("say", "outcome", "reason"),
    [
        (lambda account: account.done("o"), Outcome.DONE, ""),
        (lambda account: account.failed("ENGINE_CRASHED", "Try again."), Outcome.FAILED, "ENGINE_CRASHED"),
        (lambda account: account.given_back(), Outcome.GIVEN_BACK, ""),
        (lambda account: None, Outcome.LOST, ""),
    ],
    ids=["done", "failed", "given back", "nothing said"],
)
def test_a_task_ends_as_it_is_said(say, outcome: Outcome, reason: str, counted: Counted) -> None:
    with capture_logs() as logged, TaskAccount(task("a")) as account:
        say(account)
    assert counted.ends == [("merge", outcome, reason)]
    assert [line["outcome"] for line in logged] == [str(outcome)]


@pytest.mark.parametrize(
    ("error", "level", "words"),
    [
        (LeaseLost("gone"), "info", "taken away"),
        (Unavailable("The service is away."), "warning", "The service is away."),
        (ValueError("eyJ-a-token"), "warning", "ValueError"),
    ],
    ids=["lease", "service", "fault"],
)
def test_a_task_whose_report_failed_is_lost_and_the_error_goes_on(
    error: Exception, level: str, words: str, counted: Counted
) -> None:
    def work() -> None:
        with TaskAccount(task("a")) as account:
            account.done("o")
            raise error

    with capture_logs() as logged, pytest.raises(type(error)):
        work()
    assert counted.ends == [("merge", Outcome.LOST, "")]
    [line] = logged
    assert (line["log_level"], line["outcome"]) == (level, "lost")
    assert words in line["why"]
    assert "eyJ" not in str(line)


def test_a_line_names_each_document_once_and_no_more_than_twenty_of_them(counted: Counted) -> None:
    with capture_logs() as logged, TaskAccount(task("a", "b", "a", *map(str, range(30)))):
        pass
    [line] = logged
    assert line["documents"] == 32
    assert line["document_ids"][:3] == ["a", "b", "0"]
    assert len(line["document_ids"]) == 20
    assert (line["task_id"], line["job_id"], line["type"], line["attempt"]) == ("t", "j", "merge", 2)
