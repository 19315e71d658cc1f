"""Runs the `ndr` command in this process, as a user would in theirs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attrs import frozen
from click.testing import CliRunner

from ndr_adapters.outputs import open_output
from ndr_adapters.polars.published import read_deltas, read_pairs
from ndr_entrypoints.cli import main
from tests.planted_secrets import refuse_secrets

SLICE = ("--slice-start", "2025-03-01T10:00:00Z", "--slice-end", "2025-03-01T10:15:00Z")


@frozen
class Answer:
    exit_code: int
    output: str
    errors: str

    def json(self) -> Any:
        assert self.exit_code == 0, self.errors
        return json.loads(self.output)


def ndr(*arguments: object) -> Answer:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    refuse_secrets(arguments, result.stdout, result.stderr)
    return Answer(result.exit_code, result.stdout, result.stderr)


def write_spec(path: Path, **parts: Any) -> Path:
    """A JobSpec file (JSON is YAML) for Palo Alto records unless told otherwise."""
    spec = {"project_name": "test", "input": {"preset": "paloalto"}} | parts
    path.write_text(json.dumps(spec))
    return path


def run(spec: Path, source: Path, target: Path, *more: object, engine: str = "polars") -> Answer:
    return ndr(
        "run", "--spec", spec, "--input", source, "--output", target, "--engine", engine, *more
    )


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file that an output's readers could see, with its content."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "_lock" and path.parent.name != "_locks"
    }


def rows(output: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Published deltas and pairs, in the order of their keys."""
    deltas = read_deltas(open_output(output)).sort("slice_start_ts", "role", "host_ip").collect()
    keys = ("slice_start_ts", "role", "host_ip", "peer_ip", "peer_port")
    return deltas.to_dicts(), read_pairs(open_output(output)).sort(keys).collect().to_dicts()
