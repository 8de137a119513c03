"""The table that people read."""

from collections.abc import Mapping, Sequence

from row import Measured, Result, Row, Target, Verdict


def heading(facts: Mapping[str, str | int | float], *, quick: bool) -> str:
    """What stands above the table."""
    lines = [
        "{processor} × {cores}, {memory_mib} MiB, Linux {kernel}, {filesystem} on {disk}, load {load_1m}".format(**facts),
        "Python {python}, grpcio {grpcio}, protobuf {protobuf}, SQLite {sqlite}, revision {revision}".format(**facts),
    ]
    if quick:
        lines.append("Quick run: smaller and fewer than the targets are meant for.")
    return "\n".join(lines)


def table(results: Sequence[Result]) -> str:
    """All rows: those with a target first, in their order."""
    cells = [("what", "value", "min – max", "target", "")]
    cells += [_cells(result) for result in results]
    widths = [max(len(row[column]) for row in cells) for column in range(5)]
    lines = []
    for number, row in enumerate(cells):
        lines.append(
            f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:>{widths[3]}}  {row[4]}".rstrip()
        )
        if number == 0:
            lines.append("─" * (sum(widths) + 8))
        else:
            lines += [f"    {remark}" for remark in _remarks(results[number - 1])]
    return "\n".join(lines)


def _cells(result: Result) -> tuple[str, str, str, str, str]:
    row, measured = result.row, result.measured
    return (
        row.what,
        _number(row, measured.value) if measured else "",
        _spread(row, measured),
        _target(row, result.target),
        result.verdict.value,
    )


def _remarks(result: Result) -> list[str]:
    remarks = []
    if result.verdict is Verdict.NOT_BUILT:
        remarks.append(f"missing: {result.reason}")
    elif result.reason:
        remarks.append(result.reason)
    if result.measured is not None:
        remarks += [result.measured.note] if result.measured.note else []
        remarks += result.measured.faults
    return remarks


def _number(row: Row, value: float) -> str:
    return f"{value:,.{row.digits}f}" + (f" {row.unit}" if row.unit else "")


def _spread(row: Row, measured: Measured | None) -> str:
    if measured is None or measured.spread is None:
        return ""
    low, high = measured.spread
    return f"{low:,.{row.digits}f} – {high:,.{row.digits}f}"


def _target(row: Row, target: Target | None) -> str:
    return f"{target.bound.value} {_number(row, target.limit)}" if target else ""
