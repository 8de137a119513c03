"""The clients in other languages, against the one in Python."""

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench import Bench
from random_file import write_random_file
from rounds import interleaved
from row import Measured, NotBuiltError, Row
from service import Service
from settle import settle

sys.path.append(str(Path(__file__).resolve().parents[3]))  # for `tests.conformance`

from tests.conformance.driver import Driver
from tests.conformance.languages import LANGUAGES, Language, ToolsMissingError


def _connected(language: Language, service: Service, folder: Path, running: ExitStack) -> Driver:
    driver = running.enter_context(Driver(language, folder=folder))
    _do(driver, do="connect", target=service.config.target, api_key=service.config.api_key)
    return driver


def _do(driver: Driver, **command: Any) -> dict[str, Any]:
    answer = driver.ask(command)
    if "ok" not in answer:
        raise ValueError(f"{command['do']}: {answer}")
    done: dict[str, Any] = answer["ok"]
    return done


def _seconds(driver: Driver, folder: Path, *, size_bytes: int, **command: Any) -> float:
    settle(folder, size_bytes=size_bytes)
    started = time.perf_counter()
    _do(driver, **command)
    return time.perf_counter() - started


def _measured(language: Language, direction: str) -> Callable[[Bench], Measured]:
    def measure(bench: Bench) -> Measured:
        try:
            language.build()
        except ToolsMissingError as exc:
            raise NotBuiltError(str(exc)) from exc
        size = bench.scale.stream_bytes
        with bench.folder() as folder, bench.service() as service, ExitStack() as running:
            source = write_random_file(folder / "random.pdf", size_bytes=size)
            other, python = (_connected(each, service, folder, running) for each in (language, LANGUAGES["python"]))
            command = {"do": "upload", "path": str(source), "name": source.name}
            if direction == "download":
                token = _do(python, **command)["write_token"]
                command = {"do": "download", "token": token, "path": str(folder / "copy.pdf")}
            rounds = interleaved(
                lambda: _seconds(other, folder, size_bytes=size, **command),
                lambda: _seconds(python, folder, size_bytes=size, **command),
                rounds=bench.scale.rounds,
                say=bench.say,
            )
        speeds = {language.name: size / rounds.measured_seconds / 1e6, "python": size / rounds.baseline_seconds / 1e6}
        return Measured(
            value=rounds.speed,
            spread=rounds.speed_spread,
            note=f"{speeds[language.name]:.0f} MB/s; Python {speeds['python']:.0f} MB/s",
            details={"bytes": size, "mb_per_second": speeds, "seconds": rounds.measured, "python_seconds": rounds.baseline},
        )

    return measure


CLIENTS = tuple(
    Row(
        name=f"{language.name}-{direction}",
        what=f"one 256 MB {direction} by the client in {language.title} ÷ by the one in Python",
        target=None,
        measure=_measured(language, direction),
    )
    for language in LANGUAGES.values()
    if language.name != "python"
    for direction in ("upload", "download")
)
