"""The text of an object is JSON in the order of its keys, without blanks."""

from __future__ import annotations

import json

from ndr_core.flows.raw_record import RawRecord, object_text


def test_the_text_of_an_object_is_json_without_blanks_in_the_order_of_its_keys() -> None:
    value = {"z": 1, "a": [1.5, None, True], "é": {"x": 'quo"te\n'}, "big": 2**64}

    text = object_text(value)

    assert text == '{"z":1,"a":[1.5,null,true],"é":{"x":"quo\\"te\\n"},"big":18446744073709551616}'
    assert json.loads(text) == value


def test_floats_are_written_as_python_writes_them() -> None:
    assert object_text({"a": 1e-05, "b": 1e16, "c": -0.0}) == '{"a":1e-05,"b":1e+16,"c":-0.0}'


def test_a_record_has_another_text_of_its_object_only_where_it_says_so() -> None:
    assert RawRecord({}, "{}").object is None
