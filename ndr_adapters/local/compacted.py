"""Which mini-batches of an output's folder were compacted: one small file for each, by its owner's hash.

The file is a hint, written before the day's manifest counts; the manifest of the day is what says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final

from ndr_adapters.local.durable import make_folder, sync_folders, write_file
from ndr_adapters.local.manifests import list_owner, read_entries
from ndr_core.publishing.compaction import Day, compacted_days
from ndr_core.publishing.entry import owner_hash
from ndr_core.publishing.manifest import RunFacts, day_owner, mini_batch_owner

COMPACTED: Final = "_compacted"


def find_compacted_days(output: Path, facts: RunFacts) -> list[str]:
    """Give the compacted days that hold contributions of a run's mini-batch."""
    version = facts.feature_spec_version
    hint = _hint(output, version, facts.owner)
    if not hint.is_file():
        return []
    owners = [owner_hash(day_owner(version, day)) for day in hint.read_text().split()]
    found = [
        manifest
        for owner in owners
        for manifest in read_entries(output, partial(list_owner, output, version, owner))
    ]
    return compacted_days(found, facts)


def note_compacted(output: Path, day: Day) -> None:
    """Note that mini-batches have contributions in a day that is about to be compacted."""
    owners = {
        mini_batch_owner(day.version, one.job_name, one.mini_batch_id) for one in day.contributions
    }
    owners |= {manifest.owner for manifest in day.whole}
    changed: set[Path] = set()
    for hint in sorted(_hint(output, day.version, owner) for owner in owners):
        known: Iterable[str] = hint.read_text().split() if hint.is_file() else ()
        if day.date not in known:
            changed |= {*make_folder(hint.parent), hint.parent}
            write_file(hint, "\n".join([*known, day.date]))
    sync_folders(changed)


def forget_day(output: Path, version: str, date: str, owners: Iterable[str]) -> None:
    """Take a day that is about to be removed out of the hints of these owners."""
    changed = set()
    for hint in sorted(_hint(output, version, owner) for owner in owners):
        if not hint.is_file():
            continue
        left = [day for day in hint.read_text().split() if day != date]
        if left:
            write_file(hint, "\n".join(left))
        else:
            hint.unlink()
        changed.add(hint.parent)
    sync_folders(changed)


def _hint(output: Path, version: str, owner: str) -> Path:
    hashed = owner_hash(owner)
    return output / COMPACTED / f"feature_spec_version={version}" / hashed[:2] / hashed
