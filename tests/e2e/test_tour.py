"""The tour leads from raw logs to the beacon: its commands run, in order, and print what the page shows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from attrs import frozen

WITHOUT_SPARK = True

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "tour.md"
FENCED: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NAMED: Final = re.compile(r"\*\*([\d.]+) calls ([\d.]+), port (\d+), every (\d+) s\*\*")
LEFT_OUT: Final = ".."
OF_A_RUN: Final = (
    (re.compile(r"^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} "), "NOW "),
    (re.compile(r"\b([Pp]ublished) 20\d\d-\d\d-\d\dT[\d:.]+Z"), r"\1 NOW"),
    (re.compile(r"\bby run [0-9a-f]{32}\b"), "by run ID"),
    (re.compile(r"\b(in|of) \d+\.\d+ s\b"), r"\1 SOME s"),
    (re.compile(r"^( (?:pair_history|fg_a) .*?) +\d+\.\d\d$"), r"\1 SOME"),
)
"""What differs from run to run: the time of now, ids of runs, how long it took."""


class PageError(AssertionError):
    """A page shows what isn't so."""


@frozen
class Step:
    """A command of a page, and the lines that the page shows below it."""

    command: str
    shown: tuple[str, ...]


def steps_of(page: str) -> Iterator[Step]:
    """The commands of a page in their order, with the lines of their here-documents."""
    for language, block in FENCED.findall(page):
        if language != "console":
            raise PageError(f"a block of {language or 'no language'} would not be run")
        if not block.startswith("$ "):
            raise PageError(f"a block begins with no command: {block.splitlines()[0]}")
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            while command.endswith("\\"):
                more, _, shown = shown.partition("\n")
                command = f"{command}\n{more}"
            if command.endswith("<<'END'"):
                lines, end, shown = shown.partition("\nEND\n")
                if not end:
                    raise PageError(f"a here-document has no end: {command}")
                command = f"{command}\n{lines}\nEND"
            yield Step(command, tuple(shown.splitlines()))


def printed_by(command: str, folder: Path) -> list[str]:
    """What a command prints in a shell of a user, on both streams. Fails where it fails."""
    environment = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ} | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PageError(f"{command}\nended with {done.returncode}:\n{done.stdout}")
    return done.stdout.splitlines()


def comparable(lines: list[str] | tuple[str, ...]) -> list[str]:
    """Lines without what differs from run to run, without empty ones and blanks at the end."""
    found = []
    for line in map(str.rstrip, lines):
        for pattern, name in OF_A_RUN:
            line = pattern.sub(name, line)
        if line:
            found.append(line)
    return found


def hold_against(step: Step, printed: list[str]) -> None:
    """Fail where what is shown isn't all that was printed, in its order, but for what `..` leaves out."""
    rest, may_skip = comparable(printed), False
    for line in comparable(step.shown):
        if line == LEFT_OUT:
            may_skip = True
            continue
        place = rest.index(line) if may_skip and line in rest else 0
        if rest[place : place + 1] != [line]:
            told = "\n".join(rest)
            raise PageError(f"{step.command}\nis shown to print\n{line}\nbut goes on with\n{told}")
        rest, may_skip = rest[place + 1 :], False
    if rest and not may_skip:
        raise PageError(f"{step.command}\nprints more than is shown:\n" + "\n".join(rest))


def follow(page: str, folder: Path) -> None:
    """Run the commands of a page in a folder, and hold what they print against it."""
    for step in steps_of(page):
        hold_against(step, printed_by(step.command, folder))


def test_the_tour_prints_what_it_shows_and_names_the_planted_beacon(tmp_path: Path) -> None:
    page = PAGE.read_text()

    follow(page, tmp_path)

    (named,) = NAMED.findall(page)
    host, peer, port, period_s = named
    listing = json.loads((tmp_path / "network" / "scenario.json").read_text())
    (planted,) = [one for one in listing["planted"] if one["kind"] == "jittered_beacon"]
    assert [host, [peer], [int(port)]] == [planted["host"], planted["peers"], planted["ports"]]
    explained = [step for step in steps_of(page) if f"explain {host} " in step.command]
    assert [f"Regular pair {peer}, port {port}: score 806"] == [
        line for step in explained for line in step.shown if line.startswith(f"Regular pair {peer}")
    ]
    assert any(
        re.match(rf" period_s +{period_s}$", line) for step in explained for line in step.shown
    )


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        ("$ false\n", "ended with 1"),
        ("$ false | true\n", "ended with 1"),
        ("$ ndr inspect nowhere\n..\n", "ended with"),
        ("$ echo one\ntwo\n", "is shown to print\ntwo"),
        ("$ cat > it <<'END'\none\n", "has no end"),
        ("$ printf 'one\\ntwo\\n'\none\n", "prints more than is shown"),
        ("$ printf 'one\\ntwo\\nthree\\n'\none\nthree\n", "but goes on with\ntwo"),
        ("$ printf 'one\\ntwo\\n'\n..\ntwo\none\n..\n", "is shown to print\none"),
        ("$ echo 2025-03-12T00:00:00Z\n2025-03-13T00:00:00Z\n", "is shown to print"),
        ("echo one\n", "begins with no command"),
    ],
)
def test_a_page_whose_commands_fail_or_print_something_else_is_refused(
    tmp_path: Path, block: str, complaint: str
) -> None:
    with pytest.raises(PageError, match=re.escape(complaint)):
        follow(f"# Page\n\n```console\n{block}```\n", tmp_path)


def test_a_page_is_refused_whose_blocks_would_not_be_run(tmp_path: Path) -> None:
    with pytest.raises(PageError, match="a block of sh would not be run"):
        follow("```sh\nfalse\n```\n", tmp_path)


def test_a_page_holds_whose_commands_print_what_it_shows(tmp_path: Path) -> None:
    block = "$ cat > it <<'END'\none\n\ntwo\nthree\nEND\n$ cat \\\n  it\none\n..\nthree\n"

    follow(f"```console\n{block}```\n", tmp_path)

    assert (tmp_path / "it").read_text() == "one\n\ntwo\nthree\n"
