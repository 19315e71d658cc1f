"""A table refuses what could not be published, read or merged."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ndr_core.tables.columns import ColumnType, Merge, OutputColumn, key_column
from ndr_core.tables.slices import DAY_LEVELS, SLICE_COLUMNS, SLICE_LEVELS
from ndr_core.tables.table import Table

HOST = key_column("host", ColumnType.STRING, "the host")
ROLE = key_column("role", ColumnType.STRING, "the side")
COUNT = OutputColumn("count", ColumnType.INT64, Merge.SUM, "sessions")


def table(
    name: str = "window",
    keys: Sequence[str] = ("host",),
    columns: Sequence[OutputColumn] = (HOST, COUNT, *SLICE_COLUMNS, ROLE),
    levels: Sequence[str] = SLICE_LEVELS,
) -> Table:
    return Table(name, tuple(keys), tuple(columns), tuple(levels))


def test_a_table_lies_in_the_folders_of_its_slices_unless_it_has_more_levels() -> None:
    assert Table("window", ("host",), (HOST, *SLICE_COLUMNS)).levels == SLICE_LEVELS
    assert table(levels=(*SLICE_LEVELS, "role")).levels == (*SLICE_LEVELS, "role")


def test_files_hold_the_columns_that_are_no_levels_in_order() -> None:
    assert table().file_columns == (HOST, COUNT, ROLE)
    assert table(levels=(*SLICE_LEVELS, "role")).file_columns == (HOST, COUNT)


def test_the_key_of_a_row_has_the_values_of_the_keys_in_their_order() -> None:
    row = {"host": "10.0.0.1", "count": 3, "role": None, "dt": "2025-03-01"}

    assert table(keys=("role", "host", "dt")).key_of(row) == (None, "10.0.0.1", "2025-03-01")
    assert table(keys=()).key_of(row) == ()


@pytest.mark.parametrize("name", ["", "Window", "win-dow", "../window", "_window", "w" * 65])
def test_a_table_has_a_name_that_can_be_a_folder(name: str) -> None:
    with pytest.raises(ValueError, match="the name may hold lower-case letters") as refused:
        table(name)

    assert str(refused.value).startswith(f"table {name!r}: ")


def test_no_two_columns_have_one_name() -> None:
    with pytest.raises(ValueError, match=r"^table window: two columns have one name$"):
        table(columns=(HOST, COUNT, HOST, *SLICE_COLUMNS))


@pytest.mark.parametrize("name", ["peer", "count"])
def test_what_makes_a_row_is_a_key_column(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^table window: {name} is not among its key columns$"):
        table(keys=("host", name))


@pytest.mark.parametrize("name", ["peer", "count"])
def test_a_level_is_a_key_column(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^table window: {name} is not among its key columns$"):
        table(levels=(*SLICE_LEVELS, name))


@pytest.mark.parametrize(
    "levels",
    [
        (),
        SLICE_LEVELS[:3],
        SLICE_LEVELS[1:],
        ("role", *SLICE_LEVELS),
        tuple(reversed(SLICE_LEVELS)),
    ],
)
def test_the_first_levels_are_those_of_a_slice_or_of_a_day(levels: tuple[str, ...]) -> None:
    with pytest.raises(
        ValueError, match=r"^table window: its first levels must be those of a slice or of a day$"
    ):
        table(levels=levels)


def test_a_table_of_days_has_no_levels_of_hours() -> None:
    days = table(levels=(*DAY_LEVELS, "role"))

    assert days.levels == ("feature_spec_version", "dt", "role")


def test_the_columns_of_a_slice_are_columns_of_the_table() -> None:
    with pytest.raises(ValueError, match=r"^table window: dt is not among its key columns$"):
        table(columns=(HOST, *(column for column in SLICE_COLUMNS if column.name != "dt")))
