"""The reference page of the conformance suite: how to write a driver and a scenario, and which client passes what.

`pytest tests/conformance --write-page` writes it anew from what that run showed; a scenario that did not run shows `–`.
"""

import inspect
from collections.abc import Mapping
from pathlib import Path

from tests.conformance import run, scenario
from tests.conformance.languages import LANGUAGES, ROOT
from tests.conformance.scripted import ScriptedServer

PAGE = ROOT / "docs/reference/conformance.md"
#: What stands around the tables.
_FRAME = Path(__file__).with_name("page.md")

PASSED, FAILED, NOT_RUN = "yes", "NO", "–"


def render(results: Mapping[tuple[str, str], str]) -> str:
    """Makes the page of what came out by language and scenario."""
    text = _FRAME.read_text(encoding="utf-8")
    return text.replace("TABLES", "\n\n".join(_tables(results))).replace("STEPS", _steps())


def all_passed() -> dict[tuple[str, str], str]:
    """The results that the page must show."""
    return {(language, each.name): PASSED for language in LANGUAGES for each in scenario.load()}


def _tables(results: Mapping[tuple[str, str], str]) -> list[str]:
    titles = [each.title for each in LANGUAGES.values()]
    tables: dict[str, list[str]] = {}
    for each in scenario.load():
        lines = tables.setdefault(each.topic, [f"| {each.topic} | {' | '.join(titles)} |", f"|---|{'---|' * len(titles)}"])
        cells = [results.get((language, each.name), NOT_RUN) for language in LANGUAGES]
        lines.append(f"| {each.title} (`{each.name}`) | {' | '.join(cells)} |")
    return ["\n".join(lines) for lines in tables.values()]


def _steps() -> str:
    lines = [f"- `{name}`: {_text(each)}" for name, each in run.AROUND.items()]
    return "\n".join([*lines, "", "What the scripted server does to a call:", "", _text(ScriptedServer.plan, paragraph=1)])


def _text(documented: object, *, paragraph: int = 0) -> str:
    paragraphs = (inspect.getdoc(documented) or "").split("\n\n")
    return " ".join(paragraphs[paragraph].split())
