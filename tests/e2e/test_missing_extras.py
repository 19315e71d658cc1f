"""Without an extra, what needs it says which one, in one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.cli import write_spec
from tests.makers import flow, write_batch

ROOT = Path(__file__).parents[2]

COMMANDS = {
    "run on Spark": ("pyspark", ["run", "--engine", "spark"], "spark"),
    "run on Spark SQL": ("pyspark", ["run", "--engine", "spark-sql"], "spark"),
    "run on S3": ("boto3", ["run", "--engine", "polars"], "aws"),
    "list specs": ("boto3", ["spec", "list", "--table", "t"], "aws"),
    "define the pipeline": (
        "sagemaker",
        ["pipeline", "definition", "--role-arn", "r", "--code-prefix", "s3://bucket/code"],
        "sagemaker",
    ),
    "start stand-ins": ("moto", ["aws", "up"], "aws-local"),
    "write a page": ("jinja2", ["report", "OUT", "-o", "report.html"], "report"),
    "draw plots": ("vl_convert", ["report", "OUT", "-o", "report.html"], "report"),
    "watch a folder": ("watchdog", ["watch"], "watch"),
}


@pytest.mark.parametrize("command", list(COMMANDS))
def test_a_missing_extra_is_one_line_and_wrong_usage(command: str, tmp_path: Path) -> None:
    package, arguments, extra = COMMANDS[command]
    if arguments[0] == "watch":
        landing, spec = write_batch(tmp_path / "in", [[flow()]]), write_spec(tmp_path / "job.json")
        arguments = ["watch", str(landing), "--spec", str(spec), "--output", str(tmp_path / "out")]
    if arguments[0] == "run":
        batch = write_batch(tmp_path / "in", [[flow()]])
        source = "s3://bucket/in" if command == "run on S3" else str(batch)
        spec = write_spec(tmp_path / "job.json")
        arguments = [*arguments, "--spec", str(spec), "--input", source]
        arguments += ["--output", str(tmp_path / "out"), "--quiet"]
    program = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from ndr_entrypoints.cli import main\n"
        "main(sys.argv[1:])\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("ndr: ")
    assert f"pip install 'ndr-delta-builder[{extra}]'" in line


def test_a_watcher_that_looks_once_does_without_its_extra(tmp_path: Path) -> None:
    landing = write_batch(tmp_path / "in", [[flow()]])
    spec, output = write_spec(tmp_path / "job.json"), tmp_path / "out"
    program = (
        "import sys; sys.modules['watchdog'] = None\n"
        "from ndr_entrypoints.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    arguments = ["watch", landing, "--spec", spec, "--output", output, "--once", "--settle", "0s"]

    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments), "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    assert '"part-000.json.gz"' in done.stdout
