"""Pruning an output in S3: runs go on meanwhile, and it is finished by doing it again.

The markers come first: what is published into pruned slices later, by a run that was under way, is looked at by
nobody, and goes with the next pruning.
"""

from __future__ import annotations

from ndr_adapters.s3.claims import Claim, ClaimLog, State
from ndr_adapters.s3.compacted import forget_day
from ndr_adapters.s3.objects import delete_objects, list_objects, sizes
from ndr_adapters.s3.pruned import read_pruned, write_pruned
from ndr_core.errors import UsageError
from ndr_core.publishing.layout import FAILED
from ndr_core.publishing.pruning import Removed, check_moment, entries_to_prune, pruning_of
from ndr_core.times import to_us


def prune_output(log: ClaimLog, before: int, *, dry_run: bool = False) -> Removed:
    """Remove the slices that end by a moment, us, and what belongs to them alone. Gives what is removed.

    Of runs that a threshold stopped goes what was kept before the moment, by the age of its objects. Raises UsageError
    for a moment to come and for a place that is no output, else as `ClaimLog.survey`.
    """
    check_moment(before)
    former = read_pruned(log.client, log.output)
    listed = log.all()
    if not (listed or former.firsts):
        raise UsageError(f"output {log.output}: holds no published run")
    met = log.survey(lambda: log.chosen(lambda known: entries_to_prune(known, before)))
    claims = {
        claim.manifest.order: claim
        for claim in met
        if isinstance(claim, Claim) and claim.state is State.PUBLISHED
    }
    pruning = pruning_of((claim.manifest for claim in claims.values()), former, before)
    there = sizes(log.client, log.output, [file.path for file in pruning.files])
    failed = [
        item["Key"]
        for item in list_objects(log.client, log.output / FAILED)
        if to_us(item["LastModified"]) < before
    ]
    removed = Removed.of(pruning, there, len({key.rpartition("/")[0] for key in failed}))
    if dry_run:
        return removed
    write_pruned(log.client, log.output, former, pruning.pruned)
    _delete(log, [(log.output / path).key for path in there])
    for (version, date), owners in pruning.hints.items():
        forget_day(log, version, date, owners)
    for group in pruning.manifests:
        _delete(log, [claims[manifest.order].listed.key for manifest in group])
    _delete(log, failed)
    return removed


def _delete(log: ClaimLog, keys: list[str]) -> None:
    delete_objects(log.client, log.output.bucket, keys)
