"""What the pages say exists: commands, options, targets, links, paths, extras; and their examples run."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Final

import click
import pytest
from attrs import frozen

from ndr_entrypoints.cli import main

WITHOUT_SPARK = True

ROOT: Final = Path(__file__).parents[2]
DECISIONS: Final = sorted((ROOT / "ADR").glob("[0-9]*.md"))
MANUAL: Final = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
"""Pages of how things are today. Decisions and the changelog speak of their date."""
PAGES: Final = [*MANUAL, ROOT / "CHANGELOG.md", ROOT / "ADR" / "README.md", *DECISIONS]

MAKEFILE: Final = (ROOT / "Makefile").read_text()
EXTRAS: Final = set(
    tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
)
FENCED: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PATH: Final = re.compile(r"(?:ndr_\w+|tests|docs|deploy|examples|ADR)/[\w./-]*")


@frozen
class Said:
    """Something that a page says, and which page."""

    page: Path
    text: str

    def __str__(self) -> str:
        """The name of its test case."""
        return f"{name_of(self.page)}: {self.text}"


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def without_fences(page: Path) -> str:
    return FENCED.sub("", page.read_text())


def code_of(page: Path) -> Iterator[str]:
    """Lines of the shell in code blocks, and code in the text, each once."""
    for language, block in FENCED.findall(page.read_text()):
        if language in {"sh", "console"}:
            for line in block.replace("\\\n", " ").splitlines():
                yield line.removeprefix("$ ")
    yield from re.findall(r"`([^`\n]+)`", without_fences(page))


def commands(program: str) -> list[Said]:
    """What the manual calls `program` with."""
    found = [
        Said(page, re.sub(r"\s+# .*", "", code.removeprefix(f"{program} ")))
        for page in MANUAL
        for code in code_of(page)
        if code.startswith(f"{program} ")
    ]
    return list(dict.fromkeys(found))


def examples() -> list[Said]:
    """The Python examples of the manual."""
    return [
        Said(page, block)
        for page in MANUAL
        for language, block in FENCED.findall(page.read_text())
        if language == "python"
    ]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", without_fences(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def status_and_date(decision: Path) -> tuple[str, str]:
    """The two lines below a decision's title."""
    found = re.match(
        r"# \d+\. .+\n\n- Status: (.+)\n- Date: (\d{4}-\d\d-\d\d)\n\n", decision.read_text()
    )
    assert found is not None, f"{decision.name} has no lines of status and date below its title"
    return found[1], found[2]


@pytest.mark.parametrize("said", commands("ndr"), ids=str)
def test_a_command_of_the_manual_exists_with_its_options(said: Said) -> None:
    command: click.Command = main
    context = click.Context(main)
    words = shlex.split(said.text)

    while words and isinstance(command, click.Group) and words[0][0] not in "-.":
        name = words.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"there is no command {name!r}"
        command, context = found, click.Context(found, parent=context)

    options = {name: option for option in command.get_params(context) for name in option.opts}
    for word, value in pairwise([*words, ""]):
        if word.startswith("-"):
            assert word in options, f"{command.name} has no option {word}"
            kind = options[word].type
            if isinstance(kind, click.Choice) and not value.isupper():
                assert value in kind.choices


@pytest.mark.parametrize("said", commands("make"), ids=str)
def test_a_target_of_the_manual_exists_with_its_variables(said: Said) -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):", MAKEFILE, re.MULTILINE))

    for word in re.findall(r"^[\w-]+|\b[A-Z]+(?==)", said.text):
        if word.isupper():
            assert f"$({word})" in MAKEFILE, f"no target reads the variable {word}"
        else:
            assert word in targets, f"there is no target {word}"


@pytest.mark.parametrize(
    "said", [said for said in commands("python") if not said.text.startswith("- <<")], ids=str
)
def test_a_module_that_the_manual_runs_exists(said: Said) -> None:
    module = re.match(r"-m ([\w.]+)", said.text)

    assert module is not None
    spec = find_spec(module[1])
    assert spec is not None, f"there is no module {module[1]}"
    is_package = spec.submodule_search_locations is not None
    assert not is_package or find_spec(f"{module[1]}.__main__"), f"{module[1]} has no __main__"


@pytest.mark.parametrize("page", MANUAL, ids=name_of)
def test_the_paths_that_a_page_names_exist(page: Path) -> None:
    named = {code for code in code_of(page) if PATH.fullmatch(code)}

    missing = sorted(path for path in named if not (ROOT / path).exists())
    assert not missing, ", ".join(missing)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", without_fences(page))
    relative = [link.partition("#") for link in links if "://" not in link]

    missing = []
    for path, _, anchor in relative:
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            missing.append(f"{path}#{anchor}" if anchor else path)
    assert not missing, ", ".join(missing)


@pytest.mark.parametrize("example", examples(), ids=lambda said: name_of(said.page))
def test_an_example_of_the_manual_runs(
    example: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)

    exec(compile(example.text, name_of(example.page), "exec"), {})


def test_the_extras_that_pages_install_exist() -> None:
    installed = {
        extra
        for page in MANUAL
        for named in re.findall(r"pip install '[\w.-]+\[([\w,-]+)\]'", page.read_text())
        for extra in named.split(",")
    }

    assert installed
    assert installed - EXTRAS == set()


def test_the_readme_says_what_each_extra_is_for() -> None:
    readme = (ROOT / "README.md").read_text()

    table = re.findall(r"^\| `([\w-]+)` \| [^|]+ \|$", readme, re.MULTILINE)

    assert set(table) == EXTRAS - {"dev"}


def test_the_readme_has_at_most_150_lines_and_leads_to_each_page() -> None:
    readme = (ROOT / "README.md").read_text()

    assert len(readme.splitlines()) <= 150
    for page in (ROOT / "docs").glob("*.md"):
        assert f"]({name_of(page)})" in readme, f"{page.name} is not linked"


def test_the_index_lists_each_decision_with_its_date_and_status() -> None:
    index = (ROOT / "ADR" / "README.md").read_text()
    rows = re.findall(r"^\| \[(\d+)\]\((\S+)\) \| (.+) \| (\S+) \| (.+) \|$", index, re.MULTILINE)

    assert [file for _, file, *_ in rows] == [decision.name for decision in DECISIONS]
    for number, file, _, date, status in rows:
        stated, stated_date = status_and_date(ROOT / "ADR" / file)
        assert int(number) == int(file[:4])
        assert date == stated_date
        assert status.partition(";")[0] == stated.partition(";")[0]
        assert re.findall(r"\]\((\S+)\)", status) == re.findall(r"\]\((\S+)\)", stated), file


def rows_of(text: str) -> set[tuple[str, str]]:
    """The rows of the tables of a text, each with the line that names its columns."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    found = set()
    names = ""
    for line, following in pairwise([*lines, ""]):
        if following.startswith("|---"):
            names = line
        elif not line.startswith("|---"):
            found.add((names, line))
    return found


def test_the_figures_of_speed_are_those_of_the_measured_tables() -> None:
    page = (ROOT / "docs" / "performance.md").read_text()
    quoted = rows_of(page.partition("\n## Speed\n")[2].partition("\n## ")[0])
    tables = [file.read_text() for file in (ROOT / "docs" / "bench").glob("compare*.md")]
    measured = {row for table in tables for row in rows_of(table)}

    assert sorted(row for _, row in quoted - measured) == []
    for records in ("1,000,000", "10,000,000"):
        for task in ("polars: ours", "spark: ours", "spark: the usual way"):
            assert any(row.startswith(f"| {records} | {task} |") for _, row in quoted), task
