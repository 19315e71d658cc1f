"""The page of the manual that says what is mapped to what is made of the presets."""

from __future__ import annotations

from pathlib import Path

from ndr_core.flows.mapping import FieldSource, InputMapping, Lost, Pairing
from ndr_core.flows.presets.form import SourceForm
from ndr_core.flows.presets.page import mappings_page
from ndr_core.flows.presets.preset import Preset
from ndr_core.flows.presets.registry import PRESETS
from ndr_core.flows.selection import Condition, Selection
from ndr_core.flows.time_format import TimeFormat, TimePattern
from ndr_core.flows.value_map import MapRow, ValueMap

SOURCES = Path(__file__).parents[5] / "docs" / "sources"


def test_the_page_of_mappings_is_made_anew_whenever_a_preset_changes() -> None:
    assert (SOURCES / "mappings.md").read_text() == mappings_page(PRESETS), "make docs"


def test_each_preset_has_a_page_on_how_to_get_its_logs() -> None:
    pages = {path.stem for path in SOURCES.glob("*.md")}

    assert pages == {*PRESETS, "README", "mappings"}
    index = (SOURCES / "README.md").read_text()
    assert all(f"[{name}]({name}.md)" in index for name in PRESETS)


def test_a_preset_is_shown_by_its_forms_and_its_fields() -> None:
    preset = Preset(
        title="Mine",
        about="Logs of mine.",
        links=("https://example.com",),
        mapping=InputMapping(
            null_values=("", "-"),
            pairing=Pairing.BIFLOW,
            lost=Lost("status", "LOST"),
            only=Selection(
                (Condition(("kind",), ("flow", "end")), Condition(("a", "b"), present=True))
            ),
            fields={
                "source_ip": FieldSource(any_of=(("src",), ("a", "b"))),
                "event_start": FieldSource(
                    column="t", format=(TimeFormat.EPOCH_S, TimePattern("%Y/%m/%d"))
                ),
                "event_action": FieldSource(column="x", map={"Y": "allow"}),
                "event_reason": FieldSource(
                    map=ValueMap(
                        (MapRow(("tcp", "*"), "r"),), columns=(("p",), ("s",)), default=None
                    )
                ),
                "event_name": FieldSource(constant="TRAFFIC"),
            },
        ),
        forms=(
            SourceForm("json", "as JSON", ()),
            SourceForm("csv", "as CSV", (), {"header": "first_line"}),
        ),
    )

    page = mappings_page({"mine": preset}).splitlines()

    assert page[page.index("## mine") :] == [
        "## mine",
        "",
        "Logs of mine.",
        "<https://example.com>",
        "",
        "- form `json`: as JSON",
        "- form `csv`: as CSV (`header: first_line`)",
        "- read are records with `kind` = flow, end and `[a, b]` present",
        "- records count one direction: `pairing: biflow`",
        "- lost records: `status` = LOST",
        '- no value: `""`, `-`',
        "",
        "| field | from | read as |",
        "| --- | --- | --- |",
        "| source_ip | `src` or `[a, b]` |  |",
        "| event_start | `t` | `epoch_s` or `%Y/%m/%d` |",
        "| event_action | `x` | Y → allow |",
        "| event_reason | `p`, `s` | tcp `*` → r, others none |",
        "| event_name | always `TRAFFIC` |  |",
    ]
