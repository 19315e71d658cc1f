"""`ndr quarantine`: the records that runs rejected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

import click
from attrs import asdict
from rich.console import Console

from ndr_adapters.outputs import open_output
from ndr_adapters.rejected import rejected_records
from ndr_core.errors import UsageError, nearest, printable, shown
from ndr_core.flows.record import FIELD_BY_NAME
from ndr_core.publishing.rejected import RejectedBatch, rejected_batches
from ndr_core.quality.quarantine import Quarantined
from ndr_core.quality.replay import why_left
from ndr_entrypoints import console
from ndr_entrypoints.options import AS_JSON, EXIT_CODES

_SHOWN: Final = 20

_Found = tuple[RejectedBatch, Quarantined]


@click.command(epilog=EXIT_CODES)
@click.argument("output", help="Folder of an output, or s3://..")
@click.option("--rule", help="Those of this rule, such as malformed_ip. Default: of all rules.")
@click.option("--field", help="Those in which this field is at fault. Default: all.")
@click.option("--mini-batch-id", help="Those of this mini-batch. Default: of all.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    help=f"Most records to show; 0: all. Default: {_SHOWN}, and all in JSON.",
)
@AS_JSON
def quarantine(
    output: str,
    rule: str | None,
    field: str | None,
    mini_batch_id: str | None,
    limit: int | None,
    as_json: bool,
) -> None:
    """Show the records that runs rejected: rule, field at fault, text.

    In the order of publication. The text of a long record is cut at 8,192 bytes. Runs that a threshold stopped keep
    theirs in `failed/`.
    """
    published = open_output(output)
    batches = rejected_batches(published.manifests(None, None))
    if not batches:
        raise UsageError(f"{published.root}: holds no published run")
    _refuse_unknown(batches, rule, field, mini_batch_id)
    found = (
        (batch, item)
        for batch in batches
        if mini_batch_id in (None, batch.name)
        for item in rejected_records(published, batch.files)
        if rule in (None, item.rule, item.label) and field in (None, item.field)
    )
    if as_json:
        console.print_json_list(_row(*one) for one in islice(found, limit or None))
    else:
        _show(found, _SHOWN if limit is None else limit)


def _refuse_unknown(
    batches: Sequence[RejectedBatch], rule: str | None, field: str | None, name: str | None
) -> None:
    reports = [batch.facts.report for batch in batches if batch.facts.report is not None]
    rules = {known for one in reports for known in (*one.rejected, *one.rejected_by_label)}
    for option, given, choices in (
        ("rule", rule, rules),
        ("field", field, set(FIELD_BY_NAME)),
        ("mini-batch-id", name, {batch.name for batch in batches}),
    ):
        if given is not None and given not in choices:
            raise UsageError(f"{option}: {shown(given)} is unknown, {nearest(given, choices)}")


def _row(batch: RejectedBatch, item: Quarantined) -> dict[str, Any]:
    left = why_left(item)
    facts = batch.facts
    return {
        "feature_spec_version": facts.feature_spec_version,
        "job_name": facts.job_name,
        "mini_batch_id": facts.mini_batch_id,
        **asdict(item),
        "replay_leaves": None if left is None else left.value,
    }


def _show(found: Iterator[_Found], most: int) -> None:
    screen = Console()
    count = 0
    for batch, item in islice(found, most or None):
        count += 1
        at_fault = "" if item.field is None else f", {item.field}"
        screen.print(
            f"{item.label}{at_fault} (mini-batch {batch.name}):", style="bold", markup=False
        )
        screen.print(f"  {printable(item.raw)}", markup=False, highlight=False, soft_wrap=True)
    if not count:
        screen.print("no such record was rejected")
    elif next(found, None) is not None:
        screen.print(f"{count:,} are shown, there are more; --limit 0 shows all")
