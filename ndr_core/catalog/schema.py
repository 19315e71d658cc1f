"""Every column of every table by type, merging and meaning: what `ndr schema` prints, and its page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ndr_core.baselines.buckets import BUCKET_BITS
from ndr_core.catalog.markdown import markdown_table
from ndr_core.catalog.tables import feature_tables_of, tables_of
from ndr_core.deltas.spec import JobSpec
from ndr_core.expressions.portable import MANTISSA_BITS
from ndr_core.flows.record import FLOW_FIELDS
from ndr_core.flows.vocabulary import Action
from ndr_core.tables.table import Table

Rows = list[dict[str, str]]


def describe(spec: JobSpec) -> dict[str, Rows]:
    """Describe the flow record, the tables that a spec builds, and those that feature jobs build over them.

    Gives title -> a row for each field or column.
    """
    return (
        {
            "Flow record": [
                {
                    "field": field.name,
                    "type": field.kind.value,
                    "required": "yes" if field.required else "",
                    "note": field.note,
                }
                for field in FLOW_FIELDS
            ]
        }
        | {
            f"{table.name.capitalize()} table": _columns(table)
            for table in (*tables_of(spec), *feature_tables_of(spec))
        }
        | {
            "Histograms": _buckets(MANTISSA_BITS),
            "Histograms of summaries and baselines": _buckets(BUCKET_BITS),
            "Action classes": _action_classes(),
        }
    )


def markdown(descriptions: Mapping[str, Rows]) -> str:
    """Write descriptions, as `describe` makes them, as a page of Markdown."""
    return "\n".join(_page(descriptions)) + "\n"


def _buckets(bits: int) -> Rows:
    """The buckets of `expressions.portable.bucket_of` and `bucket_middle`, as formulas to read."""
    single, per_doubling = 2 << bits, 1 << bits
    return [
        {"value": f"0..{single - 1}", "bucket": "value", "middle of a bucket": "bucket"},
        {
            "value": f"{single} and more",
            "bucket": f"{per_doubling} e + floor(value / 2^e), e = bits of value - {bits + 1}",
            "middle of a bucket": f"(bucket - {per_doubling} e) 2^e + floor((2^e - 1) / 2), "
            f"e = floor(bucket / {per_doubling}) - 1",
        },
    ]


def _action_classes() -> Rows:
    return [
        {"class": action.name.lower(), "actions": ", ".join(action.value.patterns)}
        for action in Action
    ]


def _columns(table: Table) -> Rows:
    return [
        {
            "column": column.name,
            "type": column.type.value,
            "merges by": column.merge.value,
            "meaning": column.meaning,
        }
        for column in table.columns
    ]


def _page(descriptions: Mapping[str, Rows]) -> Iterator[str]:
    yield "# Tables"
    yield ""
    yield "Made by `ndr schema --markdown`; do not edit."
    for title, rows in descriptions.items():
        yield from ("", f"## {title}", "", *markdown_table(rows))
