"""What a mapping wants of the records of its input."""

from __future__ import annotations

from ndr_core.flows.mapping import FieldSource, InputMapping, Lost
from ndr_core.flows.selection import Condition, Selection
from ndr_core.flows.value_map import ValueMap
from ndr_core.flows.wanted import Wanted, wanted_columns


def test_each_column_is_wanted_by_the_key_that_names_it() -> None:
    mapping = InputMapping(
        {
            "event_action": FieldSource(map=ValueMap((), (("proto",), ("state",)))),
            "source_ip": FieldSource(column="src"),
            "source_port": FieldSource(path=("src", "port"), optional=True),
            "destination_ip": FieldSource(any_of=(("dst",), ("dest", "ip"))),
            "event_name": FieldSource(constant="TRAFFIC"),
        },
        only=Selection((Condition(("log", "type"), ("flow",)),)),
        lost=Lost("log-status", "SKIPDATA", also=("log_status",)),
    )

    assert list(wanted_columns(mapping)) == [
        Wanted("only.log.type", (("log", "type"),), optional=True, of_all=True),
        Wanted("fields.source_ip.column", (("src",),)),
        Wanted("fields.destination_ip.any_of", (("dst",), ("dest", "ip"))),
        Wanted("fields.source_port.path", (("src", "port"),), optional=True),
        Wanted("fields.event_action.map.columns", (("proto",),)),
        Wanted("fields.event_action.map.columns", (("state",),)),
        Wanted("lost.column", (("log-status",), ("log_status",)), optional=True),
    ]


def test_what_a_part_wants_the_whole_wants_below_its_key() -> None:
    wanted = Wanted("fields.source_ip.column", (("src",),), optional=True)

    assert wanted.below("input") == Wanted("input.fields.source_ip.column", (("src",),), True)
