"""The record that machines read: one JSON file for each run, and the newest under a name of its own."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from row import Result, Target
from scale import Scale


def write_record(
    folder: Path, results: Sequence[Result], *, facts: Mapping[str, str | int | float], scale: Scale, started: datetime
) -> Path:
    """Writes ``<timestamp>.json`` and ``latest.json``, and returns the former."""
    content = {
        "started": started.isoformat(timespec="seconds"),
        "machine": dict(facts),
        "scale": asdict(scale),
        "rows": [_row(result) for result in results],
    }
    text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{started:%Y%m%dT%H%M%SZ}.json"
    path.write_text(text, encoding="utf-8")
    (folder / "latest.json").write_text(text, encoding="utf-8")
    return path


def _row(result: Result) -> dict[str, object]:
    measured = result.measured
    return {
        "name": result.row.name,
        "what": result.row.what,
        "unit": result.row.unit,
        "verdict": result.verdict.name,
        "target": _target(result.target),
        "value": measured.value if measured else None,
        "spread": list(measured.spread) if measured and measured.spread else None,
        "faults": list(measured.faults) if measured else [],
        "note": measured.note if measured else "",
        "details": dict(measured.details) if measured else {},
        "reason": result.reason,
        "seconds": round(result.seconds, 1),
    }


def _target(target: Target | None) -> dict[str, object] | None:
    return {"bound": target.bound.name, "limit": target.limit} if target else None
