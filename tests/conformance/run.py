"""Carries out a scenario: the commands for the driver, what happens around it, and what is expected of the answers."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.conformance import reasons
from tests.conformance.driver import Driver
from tests.conformance.scenario import Scenario
from tests.conformance.world import ABSENT, World, at
from tests.support.proxy import Cut
from tests.support.waiting import wait_until

COMMANDS = {"upload", "upload_stream", "download", "call", "watch"}
#: What is said of a command, and is not part of it.
_ABOUT = {"expect", "error", "save", "interrupted"}
#: Less than any client's tries with their pauses take together, and far more than a close needs.
_AT_ONCE_SECONDS = 3.5
_WORDS = {"at_least", "at_most", "matches", "count", "absent", "not"}


def run(scenario: Scenario, driver: Driver, world: World) -> None:
    """Runs all steps.

    Raises:
        AssertionError: something came out otherwise than the scenario says; names the step.
    """
    for name, file in scenario.files.items():
        world.add_file(name, **file)
    rounds = reasons.samples() if scenario.for_each == "reasons" else [{}]
    connect(driver, world, {"via": scenario.via})
    for each in rounds:
        world.values["each"] = each
        for number, step in enumerate(scenario.steps, 1):
            try:
                _step(driver, world, step)
            except AssertionError as exc:
                raise AssertionError(f"step {number} of {scenario.name} ({step.get('do')}) {each or ''}: {exc}") from exc


def _step(driver: Driver, world: World, step: Mapping[str, Any]) -> None:
    do = step["do"]
    if do in COMMANDS:
        command = world.filled({name: value for name, value in step.items() if name not in _ABOUT})
        answer = _interrupted(driver, world, command, **step["interrupted"]) if "interrupted" in step else driver.ask(command)
        if answer is not None:
            _check_answer(world, step, answer)
    else:
        AROUND[do](driver, world, step)


def _interrupted(driver: Driver, world: World, command: dict[str, Any], *, by: str, at: str, call: int) -> dict[str, Any] | None:
    """Has a command begun, and when the scripted server has got that `call` of the rpc `at`, ends the driver or closes its
    client: only then is there an answer."""
    driver.tell(command | {"until_closed": True})
    wait_until(lambda: len(world.scripted.of(at)) >= call, f"call {call} of {at}", seconds=60)
    if by == "kill":
        driver.end(by_force=True)
        return None
    driver.tell({"do": "close"})
    return driver.answer(seconds=_AT_ONCE_SECONDS)


def _check_answer(world: World, step: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    assert set(answer) in ({"ok"}, {"error"}), answer
    kind = "error" if "error" in step else "ok"
    assert kind in answer, f"expected {step.get('error', 'success')}, but the answer is {_short(answer)}"
    _check(world, step.get("error", step.get("expect", {})), answer[kind])
    for name, path in step.get("save", {}).items():
        found = at(answer["ok"], path)
        assert found is not ABSENT, f"there is no {path} in {_short(answer)}"
        world.values[name] = found


def _check(world: World, expected: Mapping[str, Any], found: Any) -> None:
    for path, value in expected.items():
        wanted, actual = world.filled(value), at(found, path)
        assert _fits(actual, wanted), f"{path} is {actual!r} and not {wanted!r} in {_short(found)}"


def _fits(actual: Any, wanted: Any) -> bool:
    """True if a value is what was expected: equal, or as one of the words says."""
    if isinstance(wanted, dict) and not set(wanted) <= _WORDS:  # a table of the answer, which may have such keys, too
        return bool(actual == wanted)
    match wanted:
        case {"at_least": limit, **others}:
            return actual is not ABSENT and float(actual) >= limit and (not others or _fits(actual, others))
        case {"at_most": limit}:
            return actual is not ABSENT and float(actual) <= limit
        case {"matches": pattern}:
            return isinstance(actual, str) and re.search(pattern, actual) is not None
        case {"count": number}:
            return actual is not ABSENT and len(actual) == number
        case {"absent": True}:
            return actual is ABSENT
        case {"not": other}:
            return actual is not ABSENT and actual != other
        case _:
            return bool(actual == wanted)


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:1500]


# ---- what happens around the client -----------------------------------------------------------------------------------------


def connect(driver: Driver, world: World, step: Mapping[str, Any]) -> None:
    """Has the driver connect: `via` (a server), `key` (of a caller, or itself), `trusts` (an authority)."""
    command = {"do": "connect", "target": world.target(step["via"]), "api_key": world.key(world.filled(step.get("key", "alpha")))}
    if "trusts" in step:
        command["tls_ca_file"] = str(world.places.authorities[step["trusts"]].file)
    answer = driver.ask(command)
    assert answer == {"ok": {}}, answer


def cut(driver: Driver, world: World, step: Mapping[str, Any]) -> None:
    """The next connections through the proxy end after so many bytes each: `after`, `reset`."""
    world.proxy.plan.extend(Cut(after, reset=step.get("reset", False), seconds=0.002) for after in step["after"])


def script(driver: Driver, world: World, step: Mapping[str, Any]) -> None:
    """The scripted server does `acts` to the next calls of `rpc`; see `ScriptedServer.plan`."""
    world.scripted.plan(step["rpc"], world.filled(step["acts"]))


def damage(driver: Driver, world: World, step: Mapping[str, Any]) -> None:
    """Changes a byte of what the server has stored of a file."""
    content = Path(world.look_up(f"{step['file']}.path")).read_bytes()
    blob = world.places.server.blob_file_of(content)
    blob.chmod(0o600)
    with blob.open("r+b") as file:
        file.seek(step["at"])
        file.write(bytes([content[step["at"]] ^ 1]))


def write(driver: Driver, world: World, step: Mapping[str, Any]) -> None:
    """Writes a file where a download is to go."""
    Path(world.filled(step["path"])).write_text(step["text"], encoding="utf-8")


def look(driver: Driver, world: World, step: Mapping[str, Any]) -> None:
    """Looks at a file: it `is` another one (`from`, `length`: a part of it), has a `text`, or is `absent`."""
    path = Path(world.filled(step["path"]))
    if step.get("absent"):
        assert not path.exists(), f"{path} exists"
        return
    content = path.read_bytes()
    if "text" in step:
        assert content == step["text"].encode(), content[:100]
        return
    whole = Path(world.filled(step["is"])).read_bytes()
    first = step.get("from", 0)
    assert content == whole[first : first + step.get("length", len(whole))], (
        f"{len(content)} bytes, and not those of {step['is']}"
    )


def folder(driver: Driver, world: World, step: Mapping[str, Any]) -> None:
    """There is nothing in the folder of the scenario but its own files and those that are named (`has`)."""
    found = {path.name for path in world.folder.iterdir() if not path.name.startswith(("source-", "driver-"))}
    assert found == set(step.get("has", [])), found


def calls(driver: Driver, world: World, step: Mapping[str, Any]) -> None:
    """What reached the scripted server: how many calls of an rpc (`count`), what was in one, how long after another."""
    of_rpc = world.scripted.of(step["rpc"])
    if "count" in step:
        assert _fits(len(of_rpc), step["count"]), Counter(call.rpc for call in world.scripted.calls)
    if "number" in step:
        call, before = of_rpc[step["number"] - 1], of_rpc[step["number"] - 2]
        _check(world, step.get("expect", {}), call.request)
        assert call.time - before.time >= step.get("pause", 0), f"after {call.time - before.time} s"


def wait(driver: Driver, world: World, step: Mapping[str, Any]) -> None:
    """Waits until a `time` of an answer is over."""
    over = datetime.fromisoformat(world.filled(step["time"]))
    wait_until(lambda: datetime.now(UTC) > over, f"{over} is over")


def proxy(driver: Driver, world: World, step: Mapping[str, Any]) -> None:
    """What went over the proxy: `connections`, and the bytes that were `sent` in all."""
    for name, actual in (("connections", world.proxy.connections), ("sent", sum(world.proxy.sent))):
        if name in step:
            assert _fits(actual, step[name]), f"{name}: {actual}"


AROUND = {each.__name__: each for each in (connect, cut, script, damage, write, look, folder, calls, wait, proxy)}
