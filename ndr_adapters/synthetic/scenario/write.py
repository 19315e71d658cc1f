"""Scenarios as folders: a mini-batch for each hour, a JobSpec, and the list of what was planted."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import polars as pl

from ndr_adapters.full_disk import full_disk_named
from ndr_adapters.synthetic.folder import new_folder
from ndr_adapters.synthetic.form import Form
from ndr_adapters.synthetic.forms.registry import FORMS
from ndr_adapters.synthetic.scenario.days import logged_days
from ndr_adapters.synthetic.scenario.listing import listing, listing_text
from ndr_adapters.synthetic.scenario.planted import plantings
from ndr_adapters.synthetic.scenario.poisson import PoissonPairs
from ndr_adapters.synthetic.scenario.population import Population, populate
from ndr_adapters.synthetic.scenario.sessions import ENDINGS, THREAT, TRANSPORTS
from ndr_adapters.synthetic.scenario.size import Size
from ndr_core.errors import UsageError
from ndr_core.flows.presets.registry import PRESETS
from ndr_core.times import HOUR_US

LOGS: Final = "logs"
LISTING: Final = "scenario.json"
JOB_SPEC: Final = "job-spec.yaml"
_SPEC: Final = """\
# JobSpec for the logs of this scenario. Check it with: ndr spec check FILE
project_name: scenario
job_name: delta_builder
feature_spec_version: v1
input:
  preset: {preset}
"""
_FIRST_PORT: Final = 1024
_DEFAULT: Final = FORMS["paloalto"]["canonical"]
SCENARIO_FORMS: Final[Mapping[str, tuple[str, ...]]] = {
    _DEFAULT.preset: (_DEFAULT.name,),
    "zeek": tuple(FORMS["zeek"]),
}
"""Preset -> the names of its forms that a scenario can be written in."""


def write_scenario(
    size: Size, folder: Path, progress: Callable[[int], None], form: Form = _DEFAULT
) -> int:
    """Write the logs, `job-spec.yaml` and `scenario.json`; give the number of records.

    A record lies in the hour in which it is logged, which is when its session ends: in a file such as
    `logs/dt=2025-03-13/hh=09/part-000.json.gz`, or as Zeek names it, `logs/2025-03-13/conn.09:00:00-10:00:00.log.gz`.
    The same size and form give the same bytes, and all forms tell of the same sessions. `progress` gets 1 for each day.
    Raises UsageError where the folder holds files already, and for a form that is none of SCENARIO_FORMS.
    """
    if form.name not in SCENARIO_FORMS.get(form.preset, ()):
        known = "; ".join(
            f"{preset}: {', '.join(names)}" for preset, names in SCENARIO_FORMS.items()
        )
        raise UsageError(
            f"preset: a scenario can't be written as {form.preset} ({form.name}); take one of {known}"
        )
    new_folder(folder)
    population = populate(size)
    planted, poisson = plantings(population), PoissonPairs.among(population)
    records = 0
    for day, sessions in enumerate(logged_days(population, planted, poisson)):
        records += _write_day(population, day, sessions, folder / LOGS, form)
        progress(1)
    for name, text in (
        (JOB_SPEC, _spec_text(form)),
        (LISTING, listing_text(listing(population, planted, poisson))),
    ):
        with full_disk_named(folder / name):
            (folder / name).write_text(text)
    return records


def _spec_text(form: Form) -> str:
    settings = {known.name: known.settings for known in PRESETS[form.preset].forms}
    more = [f"  {key}: {json.dumps(value)}\n" for key, value in settings.get(form.name, {}).items()]
    return _SPEC.format(preset=form.preset) + "".join(more)


def _write_day(
    population: Population, day: int, sessions: pl.DataFrame, folder: Path, form: Form
) -> int:
    ports = population.draws.of("source port", day).below("port", sessions.height, 64_512)
    sessions = sessions.with_columns(source_port=ports + _FIRST_PORT)
    if form is not _DEFAULT:  # a firewall tells of threats; Zeek's conn.log has connections only
        sessions = sessions.filter(pl.col("ending") != THREAT)
    addresses = population.book.addresses
    start_us = population.size.day_us(day)
    hours = sessions.select(
        (pl.col("start_us") + pl.col("duration_us") - start_us) // HOUR_US
    ).to_series()
    for hour in range(24):
        first, last = hours.search_sorted(hour), hours.search_sorted(hour + 1)
        records = _records(sessions.slice(first, last - first), addresses)
        path = folder / _name(population.size.day_text(day), hour, form)
        with full_disk_named(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, records, form)
    return sessions.height


def _name(day: str, hour: int, form: Form) -> str:
    if form is _DEFAULT:
        return f"dt={day}/hh={hour:02}/part-000.json.gz"
    return f"{day}/conn.{hour:02}:00:00-{(hour + 1) % 24:02}:00:00.log.gz"


def _records(sessions: pl.DataFrame, addresses: pl.Series) -> pl.DataFrame:
    """The records as the source writes them: the canonical names, times as ISO-8601."""
    actions, reasons, names = (
        pl.Series([ending[part] for ending in ENDINGS], dtype=pl.String) for part in range(3)
    )
    ending = sessions["ending"]
    end_us = pl.col("start_us") + pl.col("duration_us")
    return sessions.select(
        source_ip=addresses.gather(sessions["source"]),
        destination_ip=addresses.gather(sessions["destination"]),
        source_port=pl.when(pl.col("port").is_not_null()).then("source_port"),
        destination_port="port",
        source_bytes="source_bytes",
        destination_bytes="destination_bytes",
        event_start=_iso(pl.col("start_us")),
        event_end=_iso(end_us),
        event_action=actions.gather(ending),
        event_reason=reasons.gather(ending),
        event_name=names.gather(ending),
        network_transport=pl.Series(TRANSPORTS).gather(sessions["transport"]),
    )


def _iso(us: pl.Expr) -> pl.Expr:
    return us.cast(pl.Datetime("us")).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")


def _write(path: Path, records: pl.DataFrame, form: Form) -> None:
    lines = io.BytesIO()
    if form is _DEFAULT:
        records.write_ndjson(lines)
    else:
        lines.writelines(f"{line}\n".encode() for line in form.header)
        lines.writelines(form.line(record) + b"\n" for record in records.iter_rows(named=True))
    # Neither name nor time in the header: they would make equal scenarios differ.
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as stream,
    ):
        stream.write(lines.getvalue())
