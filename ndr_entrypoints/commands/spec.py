"""`ndr spec`: JobSpecs in files and in DynamoDB."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml
from rich.console import Console

from ndr_adapters.local.spec_file import JobSpecFile
from ndr_adapters.local.spec_template import recognised_template, skeleton, spec_template
from ndr_adapters.look_at_logs import look_at_logs
from ndr_core.errors import SpecError, UsageError, nearest, shown
from ndr_core.features.settings import FeatureStorage
from ndr_core.flows.presets.form import SourceForm
from ndr_core.flows.presets.page import mappings_page
from ndr_core.flows.presets.registry import PRESETS
from ndr_core.jobs.spec import JobKey, Storage
from ndr_core.spec_kinds import DELTA, KINDS, AnySpec, kind_of
from ndr_entrypoints import console
from ndr_entrypoints.options import AS_JSON, EXIT_CODES, PATH, writing
from ndr_entrypoints.wiring import source_of

if TYPE_CHECKING:
    from ndr_adapters.dynamodb.job_specs import JobSpecTable

_OUTPUT = click.option(
    *("-o", "--output"), type=PATH, help="File to write. Default: standard output."
)
_TABLE = click.option("--table", required=True, help="DynamoDB table of JobSpecs.")


@click.group()
def spec() -> None:
    """Write and check JobSpecs; keep them in DynamoDB."""


@spec.command(epilog=EXIT_CODES)
@click.argument("file", type=PATH, help="JobSpec file, YAML or JSON.")
def check(file: Path) -> None:
    """Say whether a JobSpec is valid, and print it with all defaults."""
    click.echo(_yaml(JobSpecFile(file).load_any()), nl=False)
    click.echo(f"{file}: valid", err=True)


@spec.command(epilog=EXIT_CODES)
@click.option(
    "--preset", type=click.Choice(list(PRESETS)), help="Source of the logs. Default: see --from."
)
@click.option("--form", help="In which form that source writes them. Default: as JSON Lines.")
@click.option(
    *("--from", "logs"),
    help="File, folder or s3://.. of logs whose first lines tell. Default: see --preset.",
)
@_OUTPUT
def init(preset: str | None, form: str | None, logs: str | None, output: Path | None) -> None:
    """Write a commented JobSpec to start from.

    For a known source (--preset), or for logs (--from): then their first lines tell the source and the format. Of
    unknown logs it lists the columns that it saw.
    """
    if (preset is None) == (logs is None):
        raise UsageError("give either --preset, or --from with the address of logs")
    if logs is not None:
        text = _template_of(logs)
    else:
        assert preset is not None
        text = spec_template(preset, _form_of(preset, form))
    _write(text, output)


@spec.command(epilog=EXIT_CODES)
@click.option(
    "--kind",
    type=click.Choice(list(KINDS)),
    default=DELTA,
    help="Kind of job that the spec is for.",
)
@_OUTPUT
def schema(kind: str, output: Path | None) -> None:
    """Write the JSON Schema of the JobSpec, with which editors complete, explain and check one.

    A spec that fits in it may still be wrong: `ndr spec check` knows all that is.
    """
    _write(json.dumps(KINDS[kind].schema(), indent=2) + "\n", output)


def _write(text: str, output: Path | None) -> None:
    """Write to a new file, or to standard output."""
    if output is None:
        click.echo(text, nl=False)
        return
    with writing(output):
        try:
            with output.open("x", encoding="utf-8") as stream:
                stream.write(text)
        except FileExistsError:
            raise UsageError(
                f"{output}: is there already; remove it or choose another name"
            ) from None
    click.echo(f"{output}: written", err=True)


@spec.command(epilog=EXIT_CODES)
@AS_JSON
@click.option("--markdown", "as_markdown", is_flag=True, help="Print as a page of Markdown.")
def presets(as_json: bool, as_markdown: bool) -> None:
    """List the known sources and the forms of their logs.

    As Markdown: what is mapped to what.
    """
    if as_markdown:
        click.echo(mappings_page(PRESETS), nl=False)
        return
    rows = [
        {"preset": name, "source": preset.title, "form": form.name, "logs": form.about}
        for name, preset in PRESETS.items()
        for form in preset.forms
    ]
    if as_json:
        console.print_json(rows)
    else:
        console.print_mapping(Console(), "Known sources", rows)


def _form_of(preset: str, name: str | None) -> SourceForm | None:
    forms = {form.name: form for form in PRESETS[preset].forms}
    if name is None:
        return None
    if name not in forms:
        raise UsageError(f"form: {shown(name)} is no form of {preset}, {nearest(name, forms)}")
    return forms[name]


def _template_of(logs: str) -> str:
    """The JobSpec for logs; what they are goes to standard error."""
    look = look_at_logs(source_of(logs), lambda text: click.echo(text, err=True))
    for line in look.lines():
        click.echo(f"{logs}: {line}", err=True)
    return recognised_template(look) if look.known is not None else skeleton(look)


@spec.command(epilog=EXIT_CODES)
@click.argument("file", type=PATH, help="JobSpec file, YAML or JSON.")
@_TABLE
@click.option("--create-table", is_flag=True, help="Make the table if it is not there.")
@click.option(
    "--expect-revision",
    type=int,
    help="Fail unless this revision is stored; 0: none at all. If absent, any is replaced.",
)
def put(file: Path, table: str, create_table: bool, expect_revision: int | None) -> None:
    """Store the JobSpec of a file, of whatever kind, in DynamoDB, under the key that it names itself.

    A JobSpec that a deployed job must refuse, as it lacks `storage`, is not stored.
    """
    found = JobSpecFile(file).load_any()
    try:
        _refuse_without_places(found)
    except SpecError as error:
        raise SpecError(f"spec {file}: {error}; nothing was stored") from error
    specs = _stored_in(table)
    if create_table and specs.create():
        click.echo(f"table {table}: made", err=True)
    revision = specs.put(found, expect_revision)
    click.echo(
        f"table {table}: {found.project_name} {found.job_name}#{found.feature_spec_version} "
        f"is at revision {revision}",
        err=True,
    )


@spec.command(epilog=EXIT_CODES)
@_TABLE
@click.option("--project-name", required=True, help="Project of the JobSpec.")
@click.option("--job-name", default="delta_builder", help="Job of the project.")
@click.option("--feature-spec-version", default="v1", help="Version of the JobSpec.")
def get(table: str, **key: str) -> None:
    """Print a JobSpec from DynamoDB as YAML."""
    found = _stored_in(table).stored(JobKey(**key))
    click.echo(_yaml(found.spec), nl=False)
    click.echo(f"revision {found.revision}, of {found.updated_at}", err=True)


@spec.command("list", epilog=EXIT_CODES)
@_TABLE
@click.option("--project-name", help="Project whose JobSpecs to list. Default: all projects.")
@AS_JSON
def list_(table: str, project_name: str | None, as_json: bool) -> None:
    """List the JobSpecs in DynamoDB."""
    rows: list[dict[str, Any]] = [
        {
            "project_name": found.spec.project_name,
            "job_name": found.spec.job_name,
            "feature_spec_version": found.spec.feature_spec_version,
            "kind": kind_of(found.spec),
            "revision": found.revision,
            "updated_at": found.updated_at,
            "spec_sha256": found.spec.content_hash()[:12],
        }
        for found in _stored_in(table).list(project_name)
    ]
    if as_json:
        console.print_json(rows)
    elif not rows:
        whose = f" of project {project_name}" if project_name else ""
        click.echo(f"table {table}: holds no JobSpec{whose}", err=True)
    else:
        console.print_mapping(Console(), f"JobSpecs in {table}", rows)


def _refuse_without_places(spec: AnySpec) -> None:
    """Raise SpecError where a deployed job would not know where to read or to write."""
    match spec.storage:
        case Storage() as places:
            places.input()
            places.output()
        case FeatureStorage() as places:
            places.deltas()
            places.features()


def _yaml(spec: AnySpec) -> str:
    text: str = yaml.safe_dump(spec.to_plain(), sort_keys=False, allow_unicode=True)
    return text


def _stored_in(table: str) -> JobSpecTable:
    # boto3 comes with an extra; JobSpecs in files, and the help texts, must do without it.
    from ndr_adapters.aws.clients import dynamodb_client
    from ndr_adapters.dynamodb.job_specs import JobSpecTable

    return JobSpecTable(dynamodb_client(), table)
