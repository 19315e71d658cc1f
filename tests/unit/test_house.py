"""The rules of the house that no linter knows: what modules hold, and where imports stand."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    path
    for package in ("ndr_core", "ndr_adapters", "ndr_entrypoints")
    for path in (ROOT / package).rglob("*.py")
)
MOST_INNER_IMPORTS = 16


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _inner_imports(path: Path, blocks: bool = False) -> Iterator[int]:
    """Lines of the imports that stand inside functions; of each block of them the first one."""
    last = -1
    for function in ast.walk(ast.parse(path.read_text())):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom):
                if not blocks or node.lineno != last + 1:
                    yield node.lineno
                last = node.end_lineno or node.lineno


def _only_passes_on(path: Path) -> bool:
    body = ast.parse(path.read_text()).body[1:]
    return any(
        isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__" for node in body
    ) or (bool(body) and all(isinstance(node, ast.Import | ast.ImportFrom) for node in body))


def test_no_module_only_passes_on_the_names_of_others() -> None:
    assert [_name(path) for path in MODULES if _only_passes_on(path)] == []


def test_an_import_inside_a_function_says_why_it_stands_there() -> None:
    silent = [
        f"{_name(path)}:{number}"
        for path in MODULES
        for number in _inner_imports(path, blocks=True)
        if not path.read_text().splitlines()[number - 2].lstrip().startswith("#")
    ]

    assert silent == []


def test_imports_inside_functions_are_few() -> None:
    found = [f"{_name(path)}:{line}" for path in MODULES for line in _inner_imports(path)]

    assert len(found) <= MOST_INNER_IMPORTS, found


def test_a_module_is_short_enough_to_hold_one_concept() -> None:
    assert [_name(path) for path in MODULES if len(path.read_text().splitlines()) > 400] == []
