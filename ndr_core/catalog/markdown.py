"""Tables of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence


def markdown_table(rows: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """Give the lines of a table: its head, then a line for each row. All rows, one at least, have the same columns."""
    yield _line(rows[0])
    yield _line("---" for _ in rows[0])
    yield from (_line(row.values()) for row in rows)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
