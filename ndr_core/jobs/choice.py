"""Which engine a job takes where none is named: one machine for what it can hold, a cluster for more."""

from __future__ import annotations

from typing import Final

from attrs import field, frozen

from ndr_core.errors import Problem, UsageError

POLARS: Final = "polars"
SPARK: Final = "spark"
SPARK_SQL: Final = "spark-sql"

_MOST_BYTES: Final = 1 << 30
"""Packed. More takes one machine over a minute, and a cluster less, with its start."""
_MEMORY_PER_BYTE: Final = 16
"""Memory that a byte of packed input may take, with a margin: 2 to 3 were measured."""
_MEMORY_PER_COMPARED_BYTE: Final = 64
"""Where records are compared with each other, their lines are all in memory at once."""


@frozen
class EngineSettings:
    """What a JobSpec says of the engine."""

    one_machine_bytes: int | None = field(
        default=None,
        metadata={
            "doc": "packed bytes of a mini-batch, or of the files that features are made of, up to which a job on a "
            "cluster leaves it idle and builds on one machine; if absent, by the memory of the machine, and features "
            "always on one",
            "schema": {"minimum": 0},
        },
    )

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        if self.one_machine_bytes is not None and self.one_machine_bytes < 0:
            return [Problem("one_machine_bytes", "must not be negative")]
        return []


@frozen
class Choice:
    """The name of an engine, and why it was taken."""

    engine: str
    reason: str


@frozen
class Machine:
    """Where a job is started."""

    memory_bytes: int
    has_cluster: bool
    """Whether it can have tasks run on a cluster."""
    has_polars: bool = True


def choose(
    packed_bytes: int, settings: EngineSettings, machine: Machine, *, compares: bool
) -> Choice:
    """Choose the engine for a mini-batch.

    `packed_bytes`: of its files; of those that are not packed, what they would take about. `compares`: whether
    records are compared with each other.
    """
    if not machine.has_polars:
        return Choice(SPARK_SQL, "there is no Polars here; `ndr pipeline package` adds its wheels")
    if not machine.has_cluster:
        return Choice(POLARS, "there is one machine")
    most = settings.one_machine_bytes
    said_by = "engine.one_machine_bytes"
    if most is None:
        each = _MEMORY_PER_COMPARED_BYTE if compares else _MEMORY_PER_BYTE
        most = min(_MOST_BYTES, machine.memory_bytes // each)
        said_by = f"by its memory of {machine.memory_bytes:,} bytes"
    if packed_bytes <= most:
        reason = f"{packed_bytes:,} packed bytes are at most {most:,} for one machine ({said_by})"
        return Choice(POLARS, reason)
    reason = f"{packed_bytes:,} packed bytes are more than {most:,} for one machine ({said_by})"
    return Choice(SPARK, reason)


def choose_for_features(read_bytes: int, settings: EngineSettings, *, has_cluster: bool) -> Choice:
    """Choose the engine for features that are made of so many bytes of published files.

    One machine has memory for all: it takes some of the hosts after the others.
    """
    if not has_cluster:
        return Choice(POLARS, "there is one machine")
    most = settings.one_machine_bytes
    if most is None:
        return Choice(POLARS, "one machine builds some hosts after the others")
    compared = "at most" if read_bytes <= most else "more than"
    reason = f"{read_bytes:,} bytes to read are {compared} {most:,} (engine.one_machine_bytes)"
    return Choice(POLARS if read_bytes <= most else SPARK, reason)


def refuse_unable(engine: str, beyond_sql: str | None) -> None:
    """Raise UsageError where an engine can't do what a spec asks for.

    `beyond_sql`: what spark-sql can't do, as a key with its value.
    """
    if engine == SPARK_SQL and beyond_sql is not None:
        raise UsageError(
            f"{beyond_sql}: the engine spark-sql can't; take --engine spark, or polars on one machine"
        )
