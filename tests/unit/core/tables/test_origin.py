"""How the values of a column come about is said by an expression, or by words."""

from __future__ import annotations

from ndr_core.expressions.expr import col
from ndr_core.tables.origin import UNSAID, Origin
from ndr_core.tables.units import COUNT, UNITS

A, B = col("a"), col("b")


def test_a_formula_is_spelled_and_says_what_it_reads() -> None:
    origin = Origin(COUNT, B + A)

    assert origin.formula == B + A
    assert (origin.text, origin.reads) == ("b + a", ("a", "b"))


def test_an_expression_of_which_more_is_made_is_no_formula_of_the_row() -> None:
    origin = Origin(COUNT, A, ("record.a",), form="sum over the records of {}")

    assert origin.formula is None
    assert (origin.text, origin.reads) == ("sum over the records of a", ("record.a",))


def test_words_read_what_is_said() -> None:
    origin = Origin(COUNT, "count of rows", ("pair.peer_ip",), note="of several hosts added up")

    assert origin.formula is None
    assert origin.text == "count of rows; of several hosts added up"
    assert origin.reads == ("pair.peer_ip",)
    assert UNSAID.reads == ()


def test_a_formula_may_be_made_of_columns_of_other_tables() -> None:
    assert Origin(COUNT, A, ("fg_a.x",), note="a = x").reads == ("fg_a.x",)


def test_each_unit_is_explained_once() -> None:
    assert len(set(UNITS.values())) == len(UNITS)
