"""The scenarios, read from `scenarios/*.toml` (docs/reference/conformance.md says what may stand there)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "scenarios"


@dataclass(frozen=True)
class Scenario:
    """What is done, step by step, and what must come of it."""

    #: Its name in test ids.
    name: str
    #: What it shows, for people.
    title: str
    #: The file that it stands in: what it is about.
    topic: str
    steps: tuple[Mapping[str, Any], ...]
    #: What the client is connected to when it begins.
    via: str = "server"
    #: Files that it needs, by name: `{kind, size}` or `{text}`.
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: The steps are done again for each of these ("reasons": for each error reason of the contract).
    for_each: str = ""


def load() -> list[Scenario]:
    """All scenarios, in the order of the topics' files."""
    found = []
    for file in sorted(FOLDER.glob("*.toml")):
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        for each in content["scenario"]:
            steps = tuple(each.pop("steps"))
            found.append(Scenario(topic=content["topic"], steps=steps, **each))
    names = [each.name for each in found]
    assert len(set(names)) == len(names), "two scenarios have the same name"
    return found
