"""The `ndr` command. Exit codes: 0 done, 1 the run failed, 2 wrong usage or configuration.

Each command is imported when it is called: `ndr --help` starts at once.
"""

from __future__ import annotations

from typing import Final

import click

from ndr_core.version import __version__
from ndr_entrypoints.failures import FailingGroup
from ndr_entrypoints.lazy import LazyGroup

_SUMMARIES: Final = {
    "run": "Build the deltas of one mini-batch and publish them.",
    "watch": "Build the deltas of what lands in a folder, as it lands.",
    "inspect": "Show what an output holds: slices, roles, hosts, quality of its runs.",
    "report": "Write one page to look at: quality, sessions, top hosts by score, hosts beside what is usual for them.",
    "quarantine": "Show the records that runs rejected: rule, field at fault, text.",
    "replay": "Run the rejected records of a mini-batch again, by another JobSpec.",
    "features": "Build and renew features: windows per host, what is usual for it, how windows depart from that.",
    "runs": "List the runs that count, in the order of publication.",
    "verify": "Compare every live file with its manifest: size, SHA-256, rows.",
    "compact": "Make one set of files and one manifest of each whole UTC day.",
    "prune": "Remove old slices for good, with the manifests, quarantine and reports that belong to them.",
    "migrate": "Take over an output in which runs owned whole slices: each slice becomes a mini-batch.",
    "ddl": "Print the SQL that makes every table of an output queryable in another engine.",
    "schema": "Print the canonical flow record and the columns of the output tables.",
    "catalog": "Print of each column of features its meaning, formula, unit, type, inputs, and where it is null.",
    "spec": "Write and check JobSpecs; keep them in DynamoDB.",
    "generate": "Make a synthetic mini-batch of logs as a source writes them, or days with planted attacks.",
    "aws": "Work with S3 and DynamoDB from this machine.",
    "pipeline": "Package the jobs and deploy them as SageMaker Pipelines.",
}


class _Commands(FailingGroup, LazyGroup):
    """The commands of `ndr`, and what becomes of their failures."""


@click.group(
    cls=_Commands,
    package="ndr_entrypoints.commands",
    summaries=_SUMMARIES,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@click.version_option(__version__)
@click.option("--debug", is_flag=True, help="Show the stack trace of a failure.")
def main(debug: bool) -> None:
    """Per-host, per-role deltas of firewall and flow logs, by slices of time."""
    del debug  # read by the group


if __name__ == "__main__":
    main()
