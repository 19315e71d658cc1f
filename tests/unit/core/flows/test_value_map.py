"""A value map gives what its first row that fits says; its default is for values, never for none."""

from __future__ import annotations

import pytest

from ndr_core.flows.value_map import Default, MapRow, ValueMap, value_map

KEEP = Default.KEEP


@pytest.mark.parametrize(
    ("default", "known", "other", "none"),
    [(KEEP, "allow", "x", None), ("rest", "allow", "rest", None), (None, "allow", None, None)],
)
def test_values_of_one_column(
    default: str | Default | None, known: str, other: str | None, none: None
) -> None:
    rows = (MapRow(("SF",), "allow"), MapRow(("SF",), "never"), MapRow(("OTH",), None))
    found = ValueMap(rows, default=default)

    assert found.width == 1
    assert [found.lookup([text]) for text in ("SF", "OTH", "x", None)] == [known, None, other, none]


def test_a_star_is_a_text_like_others_where_no_columns_are_named() -> None:
    found = ValueMap((MapRow(("*",), "star"),))

    assert (found.lookup(["*"]), found.lookup(["x"])) == ("star", "x")


def test_a_star_fits_any_value_of_one_named_column() -> None:
    found = ValueMap((MapRow(("SF",), "allow"), MapRow(("*",), "drop")), (("state",),))

    assert [found.lookup([text]) for text in ("SF", "*", "x", None)] == [
        "allow",
        "drop",
        "drop",
        None,
    ]


TWO = (("proto",), ("state",))
ROWS = (MapRow(("tcp", "S0"), "drop"), MapRow(("*", "SF"), "allow"))


@pytest.mark.parametrize(
    ("texts", "result"),
    [
        (("tcp", "S0"), "drop"),
        (("udp", "S0"), "rest"),
        ((None, "SF"), "allow"),
        ((None, "S0"), None),
        (("tcp", None), None),
        ((None, None), None),
    ],
)
def test_values_of_two_columns(texts: tuple[str | None, ...], result: str | None) -> None:
    found = ValueMap(ROWS, TWO, "rest")

    assert found.width == 2
    assert found.lookup(texts) == result


def test_of_several_columns_there_is_no_value_to_keep() -> None:
    assert ValueMap(ROWS, TWO).lookup(("udp", "S0")) is None


def test_columns_without_any_value_have_none_though_a_row_takes_anything() -> None:
    anything = ValueMap((MapRow(("*", "*"), "x"),), TWO)

    assert (anything.lookup((None, None)), anything.lookup((None, "a"))) == (None, "x")


def test_a_mapping_is_a_map_of_one_column_and_an_empty_one_is_none() -> None:
    found = value_map({"a": "b", "c": None})

    assert found == ValueMap((MapRow(("a",), "b"), MapRow(("c",), None)))
    assert value_map(found) is found
    assert (value_map({}), value_map(None)) == (None, None)


def test_rows_tell_so_many_combinations_of_values_apart() -> None:
    assert ValueMap(ROWS, TWO).combinations == (2 + 2) * (2 + 2)
    assert ValueMap(()).combinations == 2
