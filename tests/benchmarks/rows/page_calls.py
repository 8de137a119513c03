"""What pages with documents cost in calls of the service."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench import Bench
from row import Bound, Measured, Row, Target
from service import Service

_DOCUMENTS = 50
_PAGES = Path(__file__).parents[1] / "page_calls.py"
_SECONDS = 120


def _pages(service: Service, *, documents: int) -> dict[str, dict[str, Any]]:
    """The calls and the seconds of each page, by its name."""
    command = [sys.executable, str(_PAGES), service.config.target, str(documents)]
    environment = os.environ | {"PAGE_API_KEY": service.config.api_key}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=_SECONDS)
    pages: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return pages


def _measure(bench: Bench) -> Measured:
    with bench.service() as service:
        few = _pages(service, documents=3)
        many = _pages(service, documents=_DOCUMENTS)
    counts = {name: len(page["calls"]) for name, page in many.items()}
    milliseconds = {name: page["seconds"] * 1000 for name, page in many.items()}
    return Measured(
        value=max(counts.values()),
        note=f"detail page: {counts['detail']} in {milliseconds['detail']:.0f} ms; "
        f"form with three file fields: {counts['form']} in {milliseconds['form']:.0f} ms",
        faults=tuple(
            f"the {name} page makes {len(page['calls'])} calls for 3 documents and {counts[name]} for {_DOCUMENTS}"
            for name, page in few.items()
            if len(page["calls"]) != counts[name]
        ),
        details={"few": few, "many": many},
    )


PAGE_CALLS = Row(
    name="page-calls",
    what=f"calls of the service for a page with {_DOCUMENTS} documents, the larger of a detail page and a form",
    target=Target(bound=Bound.AT_MOST, limit=2),
    digits=0,
    measure=_measure,
)
