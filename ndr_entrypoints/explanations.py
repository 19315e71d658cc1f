"""Explanations of windows, for people and for programs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from attrs import asdict
from rich.console import Console

from ndr_core.features.days import date_of
from ndr_core.times import iso_text
from ndr_core.windows.aggregates import DETECTION_AGGREGATES
from ndr_core.windows.explained import (
    BeaconExplanation,
    Explained,
    RoleExplanation,
)
from ndr_core.windows.explanation import Explanation, SliceState, StoredRow
from ndr_core.windows.formulas import NOVELTY, RARITY
from ndr_entrypoints.explained_rows import (
    Say,
    cells,
    json_of,
    plain_explained,
    print_operands,
    print_rows,
    say_differences,
    say_state,
    title_of,
    value_row,
)

_TELLING: Final = frozenset(
    one.name for one in (*NOVELTY, *RARITY, *DETECTION_AGGREGATES) if one.name != "brute_even_pm"
) | {
    *("trw_bits", "scan_score", "brute_score", "new_admin_peer_cnt", "lateral_score"),
    *("beacon_score_max", "beacon_threat_max", "history_days"),
}
"""Columns whose evidence is shown where none is asked for: those of attacks, and of what is new."""
_OWN: Final = frozenset({"feature_spec_version", "dt", "hh", "mm", "role", "published_at"})
"""Columns that say nothing of the host."""


def plain(found: Explanation, columns: Collection[str]) -> dict[str, Any]:
    """Give an explanation as JSON data; times as texts. `columns`: those of the rows to give, all without any."""
    return {
        "host_ip": found.host_ip,
        "window_label": found.label.name,
        "window_start": iso_text(found.start),
        "window_end": iso_text(found.end),
        "published": _published(found),
        "stale": list(found.stale),
        "slices": [_slice(one) for one in found.slices],
        "history": _history(found),
        "rows": [_role(one, columns) for one in found.roles],
    }


def print_explanation(screen: Console, found: Explanation, columns: Collection[str]) -> None:
    """Print an explanation as text and tables. `columns`: those to show with all that stands behind them."""
    say = Say(screen)
    say(f"{found.host_ip}, {found.label.name}: {iso_text(found.start)} to {iso_text(found.end)}")
    _print_published(say, found)
    _print_slices(say, screen, found)
    _print_history(say, found)
    if not found.roles:
        say("\nThe host has no session in the window: it has no row.")
    for role in found.roles:
        say(f"\n{role.role.upper()}", "bold")
        _print_differences(say, next((s for s in found.stored if s.role == role.role), None), found)
        chosen = [one for one in role.columns if one.column not in _OWN]
        if columns:
            chosen = [one for one in role.columns if one.column in columns]
        told = [one for one in chosen if columns or one.value != 0]
        zeros = (
            ""
            if len(told) == len(chosen)
            else f", without the {len(chosen) - len(told)} that are 0"
        )
        print_rows(screen, f"Values{zeros}", [value_row(one) for one in told])
        print_rows(screen, title_of(role.pairs), cells(role.pairs.rows))
        _print_evidence(screen, chosen, columns)
        if columns and not any(name.startswith("beacon") for name in columns):
            continue
        for beacon in role.beacons:
            _print_beacon(screen, beacon)
        if role.beacons_total > len(role.beacons):
            say(f".. and {role.beacons_total - len(role.beacons):,} more regular pairs")


def _print_published(say: Say, found: Explanation) -> None:
    if found.run is None:
        say("Not published: no run has built windows of this end; this is what one would give.")
        return
    facts = found.run.facts
    say(f"Published {iso_text(found.run.published_at)} by run {facts.run_id} ({facts.engine}).")
    say_state(say, found.stale, is_other_spec=found.is_other_spec)


def _print_differences(say: Say, stored: StoredRow | None, found: Explanation) -> None:
    if stored is None:
        if found.run is not None:
            say("There is no published row.")
        return
    if not stored.differs:
        say("The published row is what the slices give now.")
        return
    say_differences(say, stored.differs)


def _print_slices(say: Say, screen: Console, found: Explanation) -> None:
    missing = found.unpublished
    say(f"Slices: {len(found.slices) - len(missing)} of {len(found.slices)} are published.")
    if missing:
        say(f"Missing: {', '.join(iso_text(one.start) for one in missing)}")
    print_rows(screen, "Mini-batches that contribute, of any host", _batches(found.slices))


def _batches(slices: Sequence[SliceState]) -> list[dict[str, Any]]:
    """What each mini-batch contributes: neighbours that contribute alike come as one row."""
    starts: dict[tuple[str, str], list[int]] = {}
    for one in slices:
        for part in one.contributions:
            starts.setdefault((part.job_name, part.mini_batch_id), []).append(one.start)
    return [
        {
            "job": job,
            "mini_batch": batch,
            "slices": len(found),
            "first": iso_text(found[0]),
            "last": iso_text(found[-1]),
        }
        for (job, batch), found in starts.items()
    ]


def _print_history(say: Say, found: Explanation) -> None:
    source = found.source
    if not source.is_known:
        say("History: unknown, as that of the day before the window is missing; novelty is null.")
        return
    parts = []
    if found.history_run is not None:
        at = (
            "" if found.history_run_at is None else f" (published {iso_text(found.history_run_at)})"
        )
        parts.append(f"the pair history of {found.history_run.mini_batch_id}{at}")
    parts += [f"slices {iso_text(a)} to {iso_text(b)}, as one day" for a, b in source.slices]
    text = " and ".join(parts) or "empty, as nothing was published before"
    say(f"History of the window, seen from {date_of(source.day)}: {text}.")


def _print_evidence(screen: Console, chosen: Iterable[Explained], columns: Collection[str]) -> None:
    shown = set()
    for one in chosen:
        if not columns and (one.column not in _TELLING or not one.value):
            continue
        if columns and one.formula is not None:
            print_operands(screen, one)
        for evidence in one.evidence:
            if evidence.title not in shown or columns:
                shown.add(evidence.title)
                title = f"{one.column}: {title_of(evidence)}"
                print_rows(screen, title, cells(evidence.rows))


def _print_beacon(screen: Console, beacon: BeaconExplanation) -> None:
    port = "no port" if beacon.peer_port is None else f"port {beacon.peer_port}"
    rows = [value_row(one) for one in beacon.columns]
    title = f"Regular pair {beacon.peer_ip}, {port}: score {beacon.value('beacon_score')}"
    print_rows(screen, title, rows)


def _published(found: Explanation) -> dict[str, Any] | None:
    if found.run is None:
        return None
    return {
        "run_id": found.run.facts.run_id,
        "engine": found.run.facts.engine,
        "published_at": iso_text(found.run.published_at),
        "is_other_spec": found.is_other_spec,
        "rows": [
            {
                "role": one.role,
                "differs": {
                    name: {"published": json_of(name, was), "now": json_of(name, now)}
                    for name, (was, now) in one.differs.items()
                },
            }
            for one in found.stored
        ],
    }


def _slice(one: SliceState) -> dict[str, Any]:
    return {
        "slice_start": iso_text(one.start),
        "is_published": one.is_published,
        "contributions": [
            {"job": each.job_name, "mini_batch": each.mini_batch_id, "digest": each.digest}
            for each in one.contributions
        ],
    }


def _history(found: Explanation) -> dict[str, Any]:
    source = found.source
    at = found.history_run_at
    return {
        "is_known": source.is_known,
        "day": date_of(source.day),
        "rows_of": None if source.base is None else date_of(source.base),
        "published_at": None if at is None else iso_text(at),
        "slices": [{"since": iso_text(a), "until": iso_text(b)} for a, b in source.slices],
    }


def _role(role: RoleExplanation, columns: Collection[str]) -> dict[str, Any]:
    return {
        "role": role.role,
        "columns": [
            plain_explained(one) for one in role.columns if not columns or one.column in columns
        ],
        "pairs": asdict(role.pairs),
        "beacons": [
            {
                "peer_ip": one.peer_ip,
                "peer_port": one.peer_port,
                "columns": [plain_explained(each) for each in one.columns],
            }
            for one in role.beacons
        ],
        "beacons_total": role.beacons_total,
    }
