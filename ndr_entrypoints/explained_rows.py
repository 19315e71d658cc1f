"""What explanations have in common: columns and the numbers behind them, as rows of text and as JSON data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import asdict
from rich.console import Console

from ndr_core.times import iso_text
from ndr_core.windows.explained import Evidence, Explained, number_text
from ndr_entrypoints import console


class Say:
    """Prints a line as it is."""

    def __init__(self, screen: Console) -> None:
        self._screen = screen

    def __call__(self, text: str, style: str | None = None) -> None:
        self._screen.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def say_state(say: Say, stale: Sequence[str], *, is_other_spec: bool) -> None:
    """Say whether a published run has read what is published now. `stale`: what it has read in another version."""
    if is_other_spec:
        say("That run had another JobSpec: its rows may differ for that reason.")
    if stale:
        say(f"OUT OF DATE: {'; '.join(stale)}. `ndr features run --stale` builds it again.")
    else:
        say("Up to date: it has read what is published now.")


def say_differences(say: Say, differs: Mapping[str, tuple[Any, Any]]) -> None:
    """Say in which columns a published row differs from what would be now: column -> both values."""
    parts = (
        f"{name} (published {text_of(name, was)}, now {text_of(name, now)})"
        for name, (was, now) in differs.items()
    )
    say(f"The published row differs in {', '.join(parts)}.")


def value_row(one: Explained) -> dict[str, Any]:
    """Give a column as a row: its value, and its formula with numbers."""
    value = text_of(one.column, one.value)
    how = one.formula if one.worked in (None, value) else one.worked
    return {"column": one.column, "value": value, "from": how or ""}


def print_rows(screen: Console, title: str | None, rows: Iterable[Mapping[str, Any]]) -> None:
    """Print a table below its title, which is a line of its own: a narrow table would break it."""
    if title is not None:
        screen.print(title, style="bold", markup=False, highlight=False, soft_wrap=True)
    console.print_whole(screen, "", rows)


def title_of(evidence: Evidence) -> str:
    """Name evidence; where only some of its rows are shown, say so."""
    more = f", the first {len(evidence.rows)} of {evidence.total:,}"
    return evidence.title + (more if len(evidence.rows) < evidence.total else "")


def cells(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows to print: an absent value is `null`, ports and years have no thousands."""
    return [
        {
            name: value
            if isinstance(value, int) and not name.endswith("_port")
            else text_of(name, value)
            for name, value in row.items()
        }
        for row in rows
    ]


def text_of(name: str, value: Any) -> str:
    """Write the value of a column: times as text, floats short."""
    return str(json_of(name, value)) if _is_time(name) and value is not None else number_text(value)


def _is_time(name: str) -> bool:
    return name.endswith("_ts") or name == "published_at"


def json_of(name: str, value: Any) -> Any:
    """A value as JSON has it: times as text."""
    return iso_text(value) if _is_time(name) and isinstance(value, int) else value


def plain_explained(one: Explained) -> dict[str, Any]:
    """Give a column as JSON data."""
    return asdict(one) | {
        "value": json_of(one.column, one.value),
        "operands": [asdict(each) for each in one.operands],
        "evidence": [asdict(each) for each in one.evidence],
    }


def print_operands(screen: Console, one: Explained) -> None:
    """Print the formula of a column, and what the numbers in it are."""
    screen.print(f"{one.column} = {one.formula}", markup=False, highlight=False, soft_wrap=True)
    rows = [
        {"where": each.name, "value": text_of(each.name, each.value), "meaning": each.meaning}
        for each in one.operands
    ]
    print_rows(screen, None, rows)
