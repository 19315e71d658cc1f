"""`ndr features explain`: why the values of one host in one window are what they are."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NoReturn

import click
from rich.console import Console

from ndr_adapters.local.spec_file import JobSpecFile
from ndr_adapters.outputs import open_output
from ndr_adapters.polars.features.compared_host import PolarsComparedReader
from ndr_adapters.polars.features.host_rows import PolarsHostReader
from ndr_core.correlations.explain import SCORES, columns_of_metric, read_by
from ndr_core.correlations.explanation import explain_departures
from ndr_core.correlations.job import FgCRunner
from ndr_core.correlations.spec import FgCSpec
from ndr_core.errors import SpecError, nearest, shown
from ndr_core.flows.ip_address import canonical_ip
from ndr_core.jobs.ports import QuietLog
from ndr_core.publishing.layout import FEATURES, features_of
from ndr_core.publishing.nowhere import Nowhere
from ndr_core.times import parse_bound
from ndr_core.version import __version__
from ndr_core.windows.explanation import Explanation
from ndr_core.windows.explanation import explain as explain_window
from ndr_core.windows.job import FgARunner
from ndr_core.windows.spec import FgASpec
from ndr_entrypoints import console
from ndr_entrypoints.commands.features_specs import correlations_spec
from ndr_entrypoints.comparisons import plain_comparison, print_comparison
from ndr_entrypoints.explanations import plain, print_explanation
from ndr_entrypoints.options import AS_JSON, EXIT_CODES, PATH

EXAMPLE: Final = "w_24h@2024-04-20T00:00:00Z"


@click.command(epilog=EXIT_CODES)
@click.argument("host", help="Address of the host.")
@click.argument("window", help=f"The window: its label, @ and its end, such as {EXAMPLE}.")
@click.option("--spec", type=PATH, required=True, help="JobSpec file of the windows, YAML or JSON.")
@click.option(
    *("--with-spec", "other"),
    type=PATH,
    help="JobSpec file of the correlations. Default: the one that the JobSpec of the windows implies.",
)
@click.option(*("-o", "--output"), required=True, help="Output of the deltas, a folder or s3://..")
@click.option(
    "--features",
    help=f"Output of the features, a folder or s3://.. Default: the folder {FEATURES} in the output of the deltas.",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    help="Column to show with all that stands behind it; may be given again. Default: those of attacks and of what is "
    "new, where they are not 0.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=5,
    help="Most rows to show of each kind, those that say most; 0: all.",
)
@AS_JSON
def explain(
    host: str,
    window: str,
    spec: Path,
    other: Path | None,
    output: str,
    features: str | None,
    columns: tuple[str, ...],
    limit: int,
    as_json: bool,
) -> None:
    """Show which slices, which pairs and which numbers made the values of a host in a window.

    It works them out again from what is published now, and compares them with the published row. A column of
    correlations, such as bytes_sent_sum_z, is led back to the baseline, to what that is made of, and to the window.
    """
    loaded = JobSpecFile(spec).load_as(FgASpec)
    correlations = correlations_spec(loaded if other is None else JobSpecFile(other).load_any())
    label, end = _window(window)
    host = _host(host)
    runner = FgARunner(
        spec=loaded,
        anchor=end,
        run_id="explain",
        deltas=open_output(output),
        features=open_output(features or features_of(output)),
        sink=Nowhere(),
        start_engine=_no_engine,
        log=QuietLog(),
        code_version=__version__,
        names=(label,),
    )
    found = explain_window(runner, PolarsHostReader(), host, limit)
    compared_columns = _columns_of(correlations)
    _refuse_unknown(columns, found, compared_columns)
    asked = [name for name in columns if name in compared_columns]
    if not asked:
        _show(found, columns, as_json)
        return
    compared = explain_departures(
        _correlations(runner, correlations), PolarsComparedReader(), label, host, limit, asked
    )
    # What the comparison is made of, and what else is asked for of the window.
    metrics, judging = correlations.baselines.chosen, correlations.anomaly.judging
    read = [read_by(metrics, judging, name) for name in asked]
    of_window = {*columns, *frozenset[str]().union(*read)} - {*asked}
    if as_json:
        comparison = {"comparison": plain_comparison(compared, asked)}
        console.print_json(comparison | plain(found, of_window))
        return
    screen = Console()
    print_comparison(screen, compared, asked)
    print_explanation(screen, found, of_window)


def _show(found: Explanation, columns: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        console.print_json(plain(found, columns))
    else:
        print_explanation(Console(), found, columns)


def _correlations(windows: FgARunner, spec: FgCSpec) -> FgCRunner:
    """What looks at the correlations of the same end."""
    return FgCRunner(
        spec=spec,
        anchor=windows.anchor,
        run_id=windows.run_id,
        features=windows.features,
        sink=Nowhere(),
        start_engine=_no_engine,
        log=QuietLog(),
        code_version=__version__,
    )


def _columns_of(spec: FgCSpec) -> frozenset[str]:
    """The columns that only correlations have."""
    of_metrics = map(columns_of_metric, spec.baselines.chosen)
    return frozenset(SCORES).union(*of_metrics)


def _no_engine(_: object) -> NoReturn:
    raise AssertionError("an explanation builds nothing")


def _host(text: str) -> str:
    host = canonical_ip(text)
    if host is None:
        raise SpecError(f"host: {shown(text)} is no address such as 10.0.0.1 or 2001:db8::1")
    return host


def _window(text: str) -> tuple[str, int]:
    """The label and the end, us, of a window."""
    label, separator, end = text.partition("@")
    if not separator:
        raise SpecError(
            f"window: {shown(text)} is no window; give its label, @ and its end, such as {EXAMPLE}"
        )
    return label, parse_bound(end, "window")


def _refuse_unknown(columns: tuple[str, ...], found: Explanation, compared: frozenset[str]) -> None:
    known = {one.column for role in found.roles for one in role.columns}
    for name in columns:
        if known and name not in known and name not in compared:
            raise SpecError(
                f"column: {shown(name)} is no column of windows or of correlations, "
                f"{nearest(name, known | compared)}"
            )
