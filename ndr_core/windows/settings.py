"""What the JobSpec of a window job says of its windows, and of the ports by which attacks are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import asdict, field, frozen

from ndr_core.deltas.settings import DEFAULT_PORT_SETS
from ndr_core.errors import Problem, shown, too_many
from ndr_core.flows.record import MAX_PORT
from ndr_core.names import PATH_SEGMENT_RULE, is_path_segment, whole
from ndr_core.times import MINUTE_US, Duration, duration_text
from ndr_core.windows.labels import (
    DAY_MINUTES,
    DEFAULT_LABELS,
    LABEL_PATTERN,
    WindowLabel,
    parse_minutes,
)

_MOST_LABELS: Final = 32
_MOST_SOURCES: Final = 256

DEFAULT_AUTH: Final = frozenset({21, 22, 23, 389, 445, 1433, 3306, 3389, 5432, 5900, 5985})
"""Ports of services that ask for a password."""


def _default_labels() -> dict[str, Duration]:
    return {label.name: Duration(label.every * MINUTE_US) for label in DEFAULT_LABELS}


@frozen
class Labels:
    """Which windows there are."""

    labels: Mapping[str, Duration] = field(
        factory=_default_labels,
        metadata={
            "doc": "name of a window, its length behind w_ -> how often one ends; if absent, w_15m, w_30m and w_1h "
            "every 15m, w_8h and w_24h every 1h",
            "schema": {
                "minProperties": 1,
                "maxProperties": _MOST_LABELS,
                "propertyNames": {"pattern": whole(LABEL_PATTERN)},
            },
        },
    )

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        found = []
        if not self.labels:
            found.append(Problem("labels", "needs at least one window, such as w_15m: 15m"))
        if len(self.labels) > _MOST_LABELS:
            found.append(Problem("labels", too_many(len(self.labels), _MOST_LABELS)))
        for name, every in self.labels.items():
            try:
                parse_minutes(name)
            except ValueError as error:
                found.append(Problem(f"labels.{name}", str(error)))
            if every <= 0 or every % MINUTE_US or DAY_MINUTES * MINUTE_US % every:
                found.append(
                    Problem(
                        f"labels.{name}",
                        "must be whole minutes of which a day is a multiple, such as 15m or 1h",
                    )
                )
        return found

    @property
    def window_labels(self) -> tuple[WindowLabel, ...]:
        """The windows, the shortest first."""
        return tuple(
            sorted(
                WindowLabel(parse_minutes(name), every // MINUTE_US)
                for name, every in self.labels.items()
            )
        )

    def to_plain(self) -> dict[str, str]:
        """Give the labels as plain data, as a spec has them."""
        return {name: duration_text(every) for name, every in self.labels.items()}


@frozen
class Windows(Labels):
    """Which windows are built, and of what."""

    sources: tuple[str, ...] = field(
        default=(),
        metadata={
            "doc": "names of delta jobs: a slice is published when each of them has published it; "
            "if absent, when any delta job has",
            "schema": {"maxItems": _MOST_SOURCES},
        },
    )

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        found = super().problems()
        if len(self.sources) > _MOST_SOURCES:
            found.append(Problem("sources", too_many(len(self.sources), _MOST_SOURCES)))
        found += [
            Problem("sources", f"{shown(name)} is no name of a job: it {PATH_SEGMENT_RULE}")
            for name in self.sources
            if not is_path_segment(name)
        ]
        return found


@frozen
class DetectionPorts:
    """The ports by which password guessing and movement from host to host are told."""

    auth: frozenset[int] = field(
        default=DEFAULT_AUTH,
        metadata={"doc": "ports of services that ask for a password, for brute force"},
    )
    admin: frozenset[int] = field(
        default=DEFAULT_PORT_SETS["admin"],
        metadata={"doc": "ports by which hosts are managed, for lateral movement"},
    )
    fileshare: frozenset[int] = field(
        default=DEFAULT_PORT_SETS["fileshare"],
        metadata={"doc": "ports of shared files, for lateral movement"},
    )
    directory: frozenset[int] = field(
        default=DEFAULT_PORT_SETS["directory"],
        metadata={"doc": "ports of directories of users, for lateral movement"},
    )

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        return [
            Problem(name, f"ports lie between 0 and {MAX_PORT}")
            for name, ports in asdict(self).items()
            if any(not 0 <= port <= MAX_PORT for port in ports)
        ]

    @property
    def lateral(self) -> frozenset[int]:
        """Ports by which a host acts on another one: those of admin, fileshare and directory."""
        return self.admin | self.fileshare | self.directory
