"""What all tests share: the helpers' place, and the logs of processes in the report of a test that fails."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # for `tests.support`

from tests.support import availability, processes
from tests.support.postgres_server import PostgresServer

_PROGRAMS = {"needs_libreoffice": "soffice", "needs_redis": "redis-server"}
_STARTED = pytest.StashKey[float]()


def pytest_configure(config: pytest.Config) -> None:
    """Lets SIGTERM end the tests as Ctrl-C does, so that what they have started is ended too."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks at the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps the tests of a file that run on the same database together: they share servers, which take a second to start."""
    for item in items:
        parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        item.add_marker(pytest.mark.xdist_group(f"{item.path}:{parameters.get('database', '')}"))  # a `]` would end the name


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Notes when the test began, and gives it up if a program that it needs is missing."""
    item.stash[_STARTED] = processes.now()
    for marker, program in _PROGRAMS.items():
        if item.get_closest_marker(marker):
            availability.require_program(program)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Adds the logs of the processes that ran meanwhile to a failure."""
    report = yield
    if report.failed:
        report.sections.extend(processes.logs(since=item.stash.get(_STARTED, 0.0)))
    return report


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL for all tests; each takes databases of its own, and leaves the server running."""
    with PostgresServer() as running:
        yield running
