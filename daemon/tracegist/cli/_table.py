"""An answer as a table in a terminal: the same rows as its text, with what all of them come to below."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tracegist.cli._output import safe

if TYPE_CHECKING:
    from tracegist.query import Answer, Value

__all__ = ["show_table"]

_LENGTHS: Final = ((3_600e9, "h"), (60e9, "min"), (1e9, "s"), (1e6, "ms"), (1e3, "us"))
_BLOCKS: Final = "▁▂▃▄▅▆▇█"


def show_table(answer: Answer) -> None:
    """Print it on standard output."""
    console = Console(highlight=False, soft_wrap=False)
    table = Table(box=box.SIMPLE_HEAD, show_footer=answer.total_rows > 1, pad_edge=False)
    for at, column in enumerate(answer.columns):
        is_text = column.unit == "text"
        total = f"all {answer.total_rows}" if at == 0 and is_text else _shown(answer.totals[at], column.unit)
        table.add_column(
            "" if column.unit == "evidence" else column.name.replace("_", " "),
            total,
            justify="left" if is_text else "right",
            overflow="fold",
        )
    for row in answer.rows:
        cells = zip(row, answer.columns, strict=True)
        table.add_row(*(Text(_shown(value, column.unit)) for value, column in cells))
    console.print(Text(_heading(answer), style="bold"))
    if answer.rows:
        console.print(table)
    for line in _below(answer):
        console.print(Text(line))


def _heading(answer: Answer) -> str:
    against = f", against {answer.compared.since} to {answer.compared.until}" if answer.compared else ""
    return f"{answer.what} from {answer.window.since} to {answer.window.until}{against}"


def _below(answer: Answer) -> Iterator[str]:
    yield from (safe(note) for note in answer.exactness.notes)
    if not answer.total_rows:
        yield "no rows"
    if answer.cursor:
        sums = [
            f"{_shown(value, column.unit)} {column.name.replace('_', ' ')}"
            for value, column in zip(answer.left_out_totals, answer.columns, strict=True)
            if value is not None
        ]
        adding = f" adding up to {', '.join(sums)}" if sums else ""
        yield f"{answer.left_out} more rows{adding}; go on with --cursor {answer.cursor}, or with a larger --budget"


def _shown(value: Value, unit: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return safe(value) if unit != "digits" else "".join(_block(digit) for digit in value)
    written = {"ns": _length(value), "share": f"{value:.2%}", "evidence": f"#{value}", "1/min": f"{value:,.4g}/min"}
    return written.get(unit) or (f"{value:,}" if isinstance(value, int) else f"{value:,.3g}")


def _block(digit: str) -> str:
    return _BLOCKS[int(digit) * (len(_BLOCKS) - 1) // 9] if digit.isdecimal() else " "


def _length(ns: float) -> str:
    for size, unit in _LENGTHS:
        if ns >= size:
            return f"{ns / size:.3g}{unit}"
    return f"{ns:.0f}ns"
