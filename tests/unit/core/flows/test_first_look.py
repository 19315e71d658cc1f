"""A first look finds the columns that a JobSpec names, or says which one is not there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest

from ndr_core.errors import SpecError
from ndr_core.flows.first_look import (
    FIRST_LOOK_BYTES,
    FIRST_LOOK_LINES,
    MOST_KEYS,
    FirstLook,
    first_look,
    look_at_objects,
)
from ndr_core.flows.key_order import KeyOrder
from ndr_core.flows.leaf import Leaf
from ndr_core.flows.mapping import InputMapping
from ndr_core.flows.selection import Condition, Selection
from ndr_core.flows.wanted import Wanted, wanted_columns


def look_at(
    lines: Iterable[bytes], wanted: dict[str, str], only: Selection | None = None
) -> FirstLook:
    """A look for columns, by the keys that name them."""
    columns = [Wanted(key, ((column,),)) for column, key in wanted.items()]
    return first_look(lines, InputMapping({}, only=only or Selection()), columns)


def orders_of(lines: Iterable[bytes], wanted: dict[str, str]) -> tuple[KeyOrder, ...]:
    return look_at(lines, wanted).key_orders


def line(*keys: str) -> bytes:
    return json.dumps(dict.fromkeys(keys, 1)).encode()


class CountedLines:
    """Lines that count how many of them were read."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self.lines = lines
        self.read = 0

    def __iter__(self) -> Iterator[bytes]:
        for item in self.lines:
            self.read += 1
            yield item


def test_key_orders_are_given_by_how_often_they_come() -> None:
    lines = [line("a"), line("b", "a"), line("a", "b"), line("b", "a")]

    assert orders_of(lines, {}) == (("b", "a"), ("a",), ("a", "b"))


def test_what_is_no_record_is_passed_over() -> None:
    assert orders_of([b"", b" \r", b"{", b"[1]", line("a")], {"a": "key"}) == (("a",),)


def test_no_more_is_read_than_the_first_look_when_all_columns_are_seen() -> None:
    lines = CountedLines([line("a")] * (FIRST_LOOK_LINES + 50))

    orders_of(lines, {"a": "key"})

    assert lines.read == FIRST_LOOK_LINES


def test_few_long_lines_are_enough_for_a_orders_of() -> None:
    long_line = b'{"a":"' + b"x" * (FIRST_LOOK_BYTES // 4 - 8) + b'"}'
    lines = CountedLines([long_line] * 10)

    orders_of(lines, {})

    assert len(long_line) == FIRST_LOOK_BYTES // 4
    assert lines.read == 4


@pytest.mark.parametrize(
    "further",
    [
        line("b"),
        b'{"\\u0062":1}',  # an escape may spell any name
        line("x", "b", "y"),
    ],
)
def test_a_column_that_comes_late_is_found_and_no_more_is_read(further: bytes) -> None:
    lines = CountedLines([line("a")] * (FIRST_LOOK_LINES + 100) + [further] + [line("a")] * 100)

    orders = orders_of(lines, {"a": "key of a", "b": "key of b"})

    assert orders == (("a",),)
    assert lines.read == FIRST_LOOK_LINES + 101


def test_several_late_columns_are_all_waited_for() -> None:
    lines = CountedLines([line("a")] * FIRST_LOOK_LINES + [line("b"), line("c"), line("d")])

    orders_of(lines, {"b": "key of b", "c": "key of c"})

    assert lines.read == FIRST_LOOK_LINES + 2


def test_a_column_named_only_in_a_value_is_not_seen() -> None:
    lines = [line("a")] * FIRST_LOOK_LINES + [b'{"a":"b"}', b'{"a":1']

    with pytest.raises(SpecError, match=r"no record of the input has a column 'b'"):
        orders_of(lines, {"b": "input.fields.source_ip.column"})


def test_the_first_missing_column_is_named_with_its_key_and_the_nearest_name() -> None:
    with pytest.raises(SpecError) as refused:
        orders_of([line("id.orig_h", "uid")], {"uid": "k", "id.orig_hh": "input.x", "z": "y"})

    assert str(refused.value) == (
        "input.x: no record of the input has a column 'id.orig_hh', did you mean 'id.orig_h'? "
        "(a column that may be absent from a whole mini-batch is marked 'optional: true')"
    )


@pytest.mark.parametrize("lines", [[], [b""], [b"{"], [b"{}"]])
def test_an_input_without_any_column_misses_none(lines: list[bytes]) -> None:
    assert orders_of(lines, {"a": "key"}) in ((), ((),))


def test_records_that_come_only_after_the_first_look_are_looked_at() -> None:
    blank = [b""] * FIRST_LOOK_LINES

    assert orders_of([*blank, line("a")], {"a": "key"}) == ()
    with pytest.raises(SpecError, match="did you mean 'a1'"):
        orders_of([*blank, line("a1")], {"a": "key"})


@pytest.mark.parametrize(("keys", "is_hint"), [(MOST_KEYS, True), (MOST_KEYS + 1, False)])
def test_a_line_of_very_many_keys_gives_no_hint_but_its_columns(keys: int, is_hint: bool) -> None:
    names = tuple(f"k{number}" for number in range(keys))

    orders = orders_of([line(*names)], {f"k{keys - 1}": "key"})

    assert orders == ((names,) if is_hint else ())


def test_a_column_is_seen_however_many_names_were_seen_before() -> None:
    lines = [line(*(f"k{number}" for number in range(5000))), line("b")]

    assert orders_of(lines, {"b": "key", "k4999": "key"}) == (("b",),)


def test_only_some_of_very_many_names_are_offered_as_hints() -> None:
    many = [line(*(f"{half}{number:04}" for number in range(600))) for half in "ab"]

    with pytest.raises(SpecError, match=r"known: a0000, .* and 970 more"):
        orders_of(many, {"zzzzzzzz": "key"})


def test_a_column_of_half_a_surrogate_pair_is_not_there() -> None:
    with pytest.raises(SpecError, match=r"no record of the input has a column '\\ud800'"):
        orders_of([line("a")], {"\ud800": "key"})


def object_line(**record: Any) -> bytes:
    return json.dumps(record).encode()


NESTED = object_line(event_type="flow", flow={"bytes_toserver": 1, "pkts": {"out": 1}}, proto="TCP")


def test_the_order_of_keys_holds_those_of_inner_objects() -> None:
    lines = [NESTED, object_line(a={}, b=[{"c": 1}])]

    assert look_at(lines, {}).key_orders == (
        ("event_type", ("flow", ("bytes_toserver", ("pkts", ("out",)))), "proto"),
        ("a", "b"),
    )


def refused(leaves: tuple[Leaf, ...], *lines: bytes) -> str:
    with pytest.raises(SpecError) as caught:
        first_look(lines or [NESTED], InputMapping({}), [Wanted("key", leaves)])
    return (
        str(caught.value).removeprefix("key: no record of the input has ").partition(" (a col")[0]
    )


@pytest.mark.parametrize(
    ("leaf", "message"),
    [
        (
            ("bytes_toserver",),
            "a column 'bytes_toserver', there is one inside the object `flow`: "
            "path: [flow, bytes_toserver]",
        ),
        (
            ("flow.bytes_toserver",),
            "a column 'flow.bytes_toserver', there is one inside the object `flow`: "
            "path: [flow, bytes_toserver]",
        ),
        (
            ("src.out",),
            "a column 'src.out', there is one inside the object `flow.pkts`: "
            "path: [flow, pkts, out]",
        ),
        (
            ("flow", "bytes_toservr"),
            "a column [flow, bytes_toservr], inside the object `flow`: "
            "did you mean 'bytes_toserver'?",
        ),
        (
            ("flow", "proto"),
            "a column [flow, proto], there is one outside of any object: column 'proto'",
        ),
        (
            ("flw", "x"),
            "a column [flw, x], there is no object `flw`, did you mean 'flow'?",
        ),
        (("protocol",), "a column 'protocol', did you mean 'proto'?"),
        (("proto", "x"), "a column [proto, x], known: event_type, flow, proto"),
    ],
)
def test_what_is_missing_is_told_with_what_is_there(leaf: Leaf, message: str) -> None:
    assert refused((leaf,)) == message


def test_one_of_several_places_is_enough() -> None:
    lines = [NESTED]
    wanted = [Wanted("key", (("none",), ("flow", "pkts", "out")))]

    assert first_look(lines, InputMapping({}), wanted).notices == ()
    assert refused((("x",), ("flow", "y"))).startswith("any of 'x', [flow, y], known: event_type")


def test_of_an_optional_column_that_is_not_there_people_hear_and_no_more_is_read() -> None:
    lines = CountedLines([NESTED] * (FIRST_LOOK_LINES + 5))
    wanted = [Wanted("key", (("bytes_toserver",),), optional=True), Wanted("k", (("proto",),))]

    look = first_look(lines, InputMapping({}), wanted)

    assert look.notices == (
        f"key: none of the first {FIRST_LOOK_LINES} records has a column 'bytes_toserver', there "
        "is one inside the object `flow`: path: [flow, bytes_toserver]",
    )
    assert lines.read == FIRST_LOOK_LINES


FLOWS = Selection((Condition(("event_type",), ("flow",)),))


def test_records_that_are_not_selected_say_nothing_of_columns() -> None:
    other = object_line(event_type="dns", query="x")

    assert look_at([*[other] * 300, NESTED], {"proto": "key"}, FLOWS).notices == ()
    with pytest.raises(SpecError, match="no record of the input has a column 'query'"):
        look_at([*[other] * 300, NESTED, other], {"query": "key"}, FLOWS)


@pytest.mark.parametrize(
    ("condition", "notice"),
    [
        (
            Condition(("event_type",), ("flwo",)),
            "input.only.event_type: no record of the input fits, they have 'flow', 'dns' there",
        ),
        (Condition(("kind",), ("flow",)), "input.only: no record of the input fits"),
        (
            Condition(("flow", "state"), present=True),
            "input.only: no record of the input fits",
        ),
    ],
)
def test_a_selection_that_leaves_out_everything_is_told_with_what_is_there(
    condition: Condition, notice: str
) -> None:
    lines = [NESTED, object_line(event_type="dns")] * 300

    look = look_at(lines, {"proto": "key"}, Selection((condition,)))

    assert look.notices == (notice,)


def test_a_column_that_a_selection_looks_at_may_be_in_records_that_it_leaves_out() -> None:
    wanted = wanted_columns(InputMapping({}, only=FLOWS))

    look = first_look([object_line(event_type="dns")] * 3, InputMapping({}, only=FLOWS), wanted)

    assert look.notices == ()


def test_a_column_that_a_selection_looks_at_and_no_record_has_is_told() -> None:
    kinds = Selection((Condition(("kind",), ("flow",)), Condition(("gone",), present=False)))
    mapping = InputMapping({}, only=kinds)

    look = first_look([NESTED] * 3, mapping, wanted_columns(mapping))

    (notice,) = look.notices
    assert notice.startswith("only.kind: none of the first 3 records has a column 'kind', known: ")


def test_an_optional_column_is_never_taken_for_one_that_the_spec_names_elsewhere() -> None:
    wanted = [
        Wanted("packets", (("orig_pkts",),), optional=True),
        Wanted("bytes", (("orig_bytes",),)),
    ]

    look = first_look([object_line(orig_bytes=1)], InputMapping({}), wanted)

    assert look.notices == ("packets: none of the first 1 records has a column 'orig_pkts'",)


def test_a_column_that_can_not_be_optional_gets_no_advice_to_make_it_so() -> None:
    wanted = [Wanted("keys", (("uidd",),), may_be_optional=False)]

    with pytest.raises(SpecError, match=r"has a column 'uidd', did you mean 'uid'\?$"):
        first_look([object_line(uid="x")], InputMapping({}), wanted)


def test_objects_of_other_formats_are_looked_at_until_nothing_is_missing() -> None:
    taken: list[int] = []

    def objects() -> Iterator[dict[str, Any]]:
        for number in range(1000):
            taken.append(number)
            yield {"a": 1, "b": 2} if number == 500 else {"a": 1}

    wanted = [Wanted("fields.x", (("b",),)), Wanted("fields.y", (("c",),), optional=True)]

    look = look_at_objects(objects(), InputMapping({}), wanted)

    assert len(taken) == 501
    assert look.key_orders == ()
    assert look.notices[0].startswith("fields.y: none of the first 256 records has a column 'c'")


def test_a_column_that_no_object_has_is_named() -> None:
    with pytest.raises(SpecError, match=r"^fields\.x: no record of the input has a column 'b'"):
        look_at_objects(iter([{"a": 1}]), InputMapping({}), [Wanted("fields.x", (("b",),))])


def test_an_input_without_objects_lacks_nothing() -> None:
    assert look_at_objects([], InputMapping({}), [Wanted("fields.x", (("b",),))]) == FirstLook()
