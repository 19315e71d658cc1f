"""A spec that somebody made to stop or to bend a run: one line, exit code 2, at once, in little memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.cli import ndr
from tests.e2e.cost import cost_of

ROOT = Path(__file__).parents[2]
VALID = "project_name: p\ninput: {preset: paloalto}\n"


def bomb() -> str:
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "\n".join(["a0: &a0 xxxxxxxxxx", *levels])


def bomb_in_place() -> str:
    """Where a value is wanted, so that messages show it."""
    levels = "\n".join(
        f"    k{n}: &a{n} {{m: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 9)
    )
    return f"project_name: p\ninput:\n  fields:\n    k0: &a0 [x]\n{levels}\n"


HOSTILE = {
    "brackets": ("a: " + "[" * 3000, "line 1: is nested more than 32 levels deep"),
    "closed brackets": ("a: " + "[" * 3000 + "]" * 3000, "nested more than 32 levels"),
    "braces": ("{a: " * 3000, "nested more than 32 levels"),
    "indents": ("\n".join(" " * n + "a:" for n in range(300)), "nested more than 32 levels"),
    "alias bomb": (bomb(), "holds too much when its aliases are followed"),
    "alias bomb in place": (bomb_in_place(), "holds too much when its aliases are followed"),
    "alias of a long text": (
        f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 3000)}]",
        "holds too much when its aliases are followed",
    ),
    "alias of itself": ("a: &a [*a]", "'a' holds an alias of itself"),
    "too large": (VALID + "# " + "x" * 500_000, "is larger than 400,000 bytes; not read"),
    "a date that is none": (VALID + "job_name: 2025-99-99", "line 3: a value can't be read"),
    "an integer without end": (VALID + "job_name: " + "9" * 5000, "line 3: a value can't be read"),
    "an object of Python": ("a: !!python/object/apply:os.system [true]", "line 1: could not"),
    "a list as preset": ("project_name: p\ninput: {preset: [paloalto]}", "input: "),
    "many unknown keys": (VALID + "\n".join(f"k{n}: 1" for n in range(9000)), "unknown key 'k0'"),
    "a long name": (f"project_name: {'p' * 300_000}\ninput: {{preset: zeek}}", "project_name: "),
    "a long value": (VALID + f"quality: {{min_records: {'9x' * 100_000}}}", "(200002 characters)"),
    "many ranges of ports": (
        VALID + f"enrichment: {{port_sets: {{a: [{', '.join(['0-65535'] * 30_000)}, x]}}}}",
        "'x' is neither a port nor a range",
    ),
    "many port sets": (
        VALID + f"enrichment: {{port_sets: {{{', '.join(f'a{n}: [1]' for n in range(9000))}}}}}",
        "enrichment.port_sets: has 9000 entries; at most 256 are possible",
    ),
    "many roles": (
        VALID + f"roles: [{', '.join(['outbound'] * 9000)}]",
        "roles: has 9000 entries; at most 16 are possible",
    ),
    "many keys": (
        VALID + f"quality: {{deduplicate_on: [{', '.join(f'c{n}' for n in range(9000))}]}}",
        "quality.deduplicate_on: has 9000 entries; at most 64 are possible",
    ),
}


@pytest.mark.parametrize("kind", list(HOSTILE))
def test_a_hostile_spec_is_refused_in_few_words(kind: str, tmp_path: Path) -> None:
    text, message = HOSTILE[kind]
    spec = tmp_path / "job.yaml"
    spec.write_text(text)

    answer = ndr("spec", "check", spec)

    assert answer.exit_code == 2, answer.errors
    assert answer.errors.startswith(f"ndr: spec {spec}")
    assert message in answer.errors
    assert len(answer.errors) < 10_000


@pytest.mark.parametrize("kind", ["brackets", "alias bomb", "alias bomb in place", "too large"])
def test_it_takes_little_time_and_memory(kind: str, tmp_path: Path) -> None:
    """Compared with a spec that is nothing special, as machines differ."""

    hostile, usual = tmp_path / "hostile.yaml", tmp_path / "usual.yaml"
    hostile.write_text(HOSTILE[kind][0])
    usual.write_text(VALID)

    refused, checked = cost_of("spec", "check", hostile), cost_of("spec", "check", usual)

    assert (refused.exit_code, checked.exit_code) == (2, 0)
    assert refused.seconds < checked.seconds + 1
    assert refused.mib < 200


def test_a_spec_may_use_anchors_for_what_it_says_twice(tmp_path: Path) -> None:
    spec = tmp_path / "job.yaml"
    spec.write_text(
        VALID + "enrichment: {port_sets: {office: &ports [5900-5910, 22], home: *ports}}\n"
    )

    answer = ndr("spec", "check", spec)

    assert answer.exit_code == 0, answer.errors


def test_a_spec_may_come_through_a_pipe() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ndr_entrypoints.cli", "spec", "check", "/dev/stdin"],
        cwd=ROOT,
        input=VALID.encode(),
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert b"valid" in done.stderr
