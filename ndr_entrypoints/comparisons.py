"""Explanations of how windows lie to what is usual, for people and for programs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from rich.console import Console

from ndr_core.correlations.explain import Comparison
from ndr_core.correlations.explanation import ComparisonExplanation, StoredComparison
from ndr_core.features.days import date_of
from ndr_core.publishing.manifest import Manifest
from ndr_core.times import iso_text
from ndr_core.windows.explained import Evidence, Explained
from ndr_entrypoints.explained_rows import (
    Say,
    cells,
    json_of,
    plain_explained,
    print_operands,
    print_rows,
    say_differences,
    say_state,
    text_of,
    title_of,
)


def plain_comparison(found: ComparisonExplanation, columns: Collection[str]) -> dict[str, Any]:
    """Give an explanation as JSON data; times as texts. `columns`: those of the rows to give."""
    return {
        "baseline_date": date_of(found.date.date),
        "is_known": found.date.is_known,
        "baselines": _run(found.baselines),
        "windows": _run(found.windows),
        "published": _run(found.run),
        "is_other_spec": found.is_other_spec,
        "stale": list(found.stale),
        "rows": [
            {
                "role": one.role,
                "horizon": one.horizon,
                "columns": [plain_explained(each) for each in _chosen(one, columns)],
            }
            for one in found.comparisons
        ],
        "stored": [
            {
                "role": one.role,
                "horizon": one.horizon,
                "differs": {
                    name: {"published": json_of(name, was), "now": json_of(name, now)}
                    for name, (was, now) in one.differs.items()
                },
            }
            for one in found.stored
        ],
    }


def print_comparison(
    screen: Console, found: ComparisonExplanation, columns: Collection[str]
) -> None:
    """Print an explanation as text and tables. `columns`: those to show with all that stands behind them."""
    say = Say(screen)
    say("COMPARED WITH WHAT IS USUAL", "bold")
    _print_runs(say, found)
    if not found.comparisons:
        say("The host has no published window to compare.")
    for one in found.comparisons:
        say(f"\n{one.role.upper()}, baseline of {one.horizon}", "bold")
        _print_differences(say, one, found)
        chosen = _chosen(one, columns)
        print_rows(screen, "Values", [_value_row(each) for each in chosen])
        shown: list[Evidence] = []
        for each in chosen:
            if each.operands:
                print_operands(screen, each)
            for evidence in each.evidence:
                # All columns of a metric have the same baseline.
                if evidence not in shown:
                    shown.append(evidence)
                    print_rows(screen, title_of(evidence), cells(evidence.rows))
    say("")


def _print_runs(say: Say, found: ComparisonExplanation) -> None:
    date = date_of(found.date.date)
    if not found.date.is_known:
        say(f"The baselines of {date}, on which the window begins, are missing: all is null.")
    elif found.baselines is None:
        say(f"The baselines of {date}, on which the window begins, are empty: nothing was before.")
    else:
        at = iso_text(found.baselines.published_at)
        say(f"Baselines of {date}, on which the window begins: published {at}.")
    if found.run is None:
        say("Not published: no run has compared these windows; this is what one would give.")
        return
    say(f"Published {iso_text(found.run.published_at)} by run {found.run.facts.run_id}.")
    say_state(say, found.stale, is_other_spec=found.is_other_spec)


def _print_differences(say: Say, one: Comparison, found: ComparisonExplanation) -> None:
    if found.run is None:
        return
    stored = _stored_of(one, found.stored)
    if stored is None:
        say("There is no published row.")
    elif not stored.differs:
        say("The published row is what the published tables give now.")
    else:
        say_differences(say, stored.differs)


def _stored_of(one: Comparison, stored: Iterable[StoredComparison]) -> StoredComparison | None:
    place = one.role, one.horizon
    return next((each for each in stored if (each.role, each.horizon) == place), None)


def _value_row(one: Explained) -> dict[str, Any]:
    """A column with its formula by numbers; the formula itself stands below."""
    how = one.worked if one.operands else one.formula
    return {"column": one.column, "value": text_of(one.column, one.value), "from": how or ""}


def _chosen(one: Comparison, columns: Collection[str]) -> list[Explained]:
    return [each for each in one.columns if each.column in columns]


def _run(run: Manifest | None) -> dict[str, Any] | None:
    if run is None:
        return None
    return {
        "job": run.facts.job_name,
        "name": run.facts.mini_batch_id,
        "run_id": run.facts.run_id,
        "published_at": iso_text(run.published_at),
    }
