"""A driver and servers for each language, kept for all its scenarios."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conformance import page
from tests.conformance.driver import Driver
from tests.conformance.languages import LANGUAGES, Language, ToolsMissingError
from tests.conformance.world import Places
from tests.support.availability import give_up
from tests.support.certificates import Authority
from tests.support.server import ServerProcess, serving

_WRITE_PAGE = "--write-page"
_CASE = re.compile(r"test_scenario\[(\w+?)-([\w-]+)\]")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option that writes docs/reference/conformance.md."""
    parser.addoption(_WRITE_PAGE, action="store_true", help="write what this run shows to docs/reference/conformance.md")


class _PageWriter:
    """Notes what came out, and writes the page at the end."""

    def __init__(self) -> None:
        self._results: dict[tuple[str, str], str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        case = _CASE.search(report.nodeid)
        if case and (report.failed or (report.passed and report.when == "call")):
            key = (case[1], case[2])
            self._results[key] = page.FAILED if report.failed else self._results.get(key, page.PASSED)

    def pytest_sessionfinish(self) -> None:
        page.PAGE.write_text(page.render(self._results), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Has the page written, once: not by the processes that run tests side by side."""
    if config.getoption(_WRITE_PAGE, default=False) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_PageWriter())


class Drivers:
    """The drivers that run, by language. Whatever the order of the tests, each is built and started once."""

    def __init__(self, folder: Path, running: ExitStack) -> None:
        self._folder = folder
        self._running = running
        self._drivers: dict[str, Driver] = {}

    def get(self, name: str) -> Driver:
        """The driver of a language; gives the test up if its tool chain is not there."""
        if name not in self._drivers:
            try:
                LANGUAGES[name].build()
            except ToolsMissingError as exc:
                give_up(str(exc))
            self._drivers[name] = self._running.enter_context(Driver(LANGUAGES[name], folder=self._folder))
        return self._drivers[name]


@pytest.fixture(scope="session")
def drivers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drivers]:
    """The drivers of all languages."""
    with ExitStack() as running:
        yield Drivers(tmp_path_factory.mktemp("drivers"), running)


@pytest.fixture
def language(request: pytest.FixtureRequest, drivers: Drivers) -> Language:
    """A language whose client is built, by its name (`indirect`)."""
    drivers.get(request.param)
    return LANGUAGES[request.param]


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """The servers."""
    folder: Path = tmp_path_factory.mktemp("conformance")
    with ExitStack() as running:
        start: Callable[..., ServerProcess] = lambda name, **settings: running.enter_context(  # noqa: E731
            serving(folder / name, **settings)
        )
        yield Places(start, {name: Authority(folder / name) for name in ("trusted", "stranger")})
    shutil.rmtree(folder)  # pytest would keep it, and some documents are large
