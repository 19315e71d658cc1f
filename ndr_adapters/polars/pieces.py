"""Lines of one template -> flow records: cut into pieces, one for each key, they need no JSON reader.

A line fits where each piece is the key of the template and the text of one JSON value of the right kind: then the
pieces, put together, are one JSON object whose meaning is known. What texts, addresses and minutes mean is found
once for each distinct piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Final

import polars as pl
from attrs import evolve, frozen

from ndr_adapters.polars.distinct import Distinct
from ndr_adapters.polars.durations import Took, can_be_resolved, resolved_durations
from ndr_adapters.polars.fields import columns_of
from ndr_adapters.polars.recipe import Piece, Recipe
from ndr_adapters.polars.selection import fits, outcome_where
from ndr_adapters.polars.template import Template, Times
from ndr_adapters.polars.token import ANY_VALUE, is_wide
from ndr_adapters.polars.value_map import by_rows, canonical_text, row_number
from ndr_adapters.polars.values import READERS, Found, Use
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.flows.leaf import Leaf
from ndr_core.flows.mapping import FieldSource
from ndr_core.flows.outcome import key_column
from ndr_core.flows.record import FieldKind, FlowField
from ndr_core.flows.time_format import Format

FITS: Final = "fits"


def times_of(plan: DeltaPlan) -> Times:
    """Give the formats of the leaves that hold times; none of a leaf that two fields read by different ones."""
    found: dict[Leaf, tuple[Format, ...]] = {}
    for flow_field, source in plan.input.bound_fields():
        if flow_field.kind is FieldKind.TIMESTAMP:
            for leaf in source.inputs[0]:
                found[leaf] = (
                    source.format if found.get(leaf, source.format) == source.format else ()
                )
    return found


def _uses(plan: DeltaPlan) -> dict[Leaf, dict[Use, None]]:
    """As what each leaf is read."""
    found: dict[Leaf, dict[Use, None]] = {}
    for flow_field, source in plan.input.bound_fields():
        for leaf in (leaf for leaves in source.inputs for leaf in leaves):
            found.setdefault(leaf, {})[Use.of(flow_field, source)] = None
    for name in plan.key_columns:
        found.setdefault((name,), {})[Use.TEXT] = None
    for condition in plan.input.only.conditions:
        if condition.present is None or condition.leaf not in found:
            found.setdefault(condition.leaf, {})[Use.TEXT] = None
    return found


def _recipe(plan: DeltaPlan, template: Template) -> Recipe:
    recipe = Recipe()
    uses = _uses(plan)
    found: dict[tuple[Leaf, Use], Found] = {}
    for number, leaf in enumerate(template.frame.leaves):
        piece = Piece(_name(number), template.frame.starts[number], template.frame.ends[number])
        for place, use in enumerate(uses.get(leaf, {})):
            one = evolve(piece, name=f"{piece.name} {place}")
            recipe.aliases[one.name] = piece.name
            found[leaf, use] = READERS[use.kind](recipe, one, use, plan, template.spellings[number])
        if leaf not in uses:
            recipe.fits.append(recipe.step(piece, "fits", piece.is_like(ANY_VALUE)))
        if any(leaf[:length] in uses for length in range(1, len(leaf))):
            recipe.fits.append(pl.lit(False))  # an object where a value is wanted
    took: dict[str, Took] = {}
    for flow_field, source in plan.input.bound_fields():
        value = _field(recipe, flow_field, source, found)
        if value is not None:
            recipe.values[flow_field.name] = value
            took[flow_field.name] = _took(flow_field, source, found)
    recipe.values |= {name: pl.lit(constant) for name, constant in plan.input.constants().items()}
    resolved = resolved_durations(recipe.values, took, plan.input.start_may_be_end)
    recipe.values |= resolved
    recipe.fits += can_be_resolved(resolved)
    for name in plan.key_columns:
        if ((name,), Use.TEXT) in found:
            recipe.values[key_column(name)] = found[(name,), Use.TEXT].value
    conditions = list(_conditions(recipe, plan, found))
    recipe.values["outcome"] = outcome_where(conditions)
    return recipe


def _name(number: int) -> str:
    return f"piece {number}"


def _conditions(
    recipe: Recipe, plan: DeltaPlan, found: Mapping[tuple[Leaf, Use], Found]
) -> Iterator[pl.Expr]:
    """Whether each condition of the selection holds."""
    for number, condition in enumerate(plan.input.only.conditions):
        there = {use: one for (leaf, use), one in found.items() if leaf == condition.leaf}
        if not there:
            yield pl.lit(condition.present is False)
        elif condition.present is None:
            one = there[Use.TEXT]
            yield recipe.told(one.piece, f"only {number}", fits(condition, one.text))
        else:
            has = next(iter(there.values())).has
            yield has if condition.present else ~has


def _field(
    recipe: Recipe,
    flow_field: FlowField,
    source: FieldSource,
    found: Mapping[tuple[Leaf, Use], Found],
) -> pl.Expr | None:
    """Value of a field; None where the lines of the template have none of its leaves."""
    use = Use.of(flow_field, source)
    if len(source.inputs) > 1:
        return _mapped(recipe, flow_field, source, found)
    there = [found[leaf, use] for leaf in source.inputs[0] if (leaf, use) in found]
    if flow_field.kind is FieldKind.TEXT:
        choices = [
            recipe.told(one.piece, flow_field.name, canonical_text(one.text, flow_field, source))
            for one in there
        ]
    else:
        choices = [one.value for one in there]
    if len(choices) < 2:
        return choices[0] if choices else None
    return _first(there, choices)


def _took(
    flow_field: FlowField, source: FieldSource, found: Mapping[tuple[Leaf, Use], Found]
) -> Took:
    """Whether the value of a field is the time that a session took."""
    if not source.is_duration:
        return False
    use = Use.of(flow_field, source)
    there = [found[leaf, use] for leaf in source.inputs[0] if (leaf, use) in found]
    kinds = [one.took for one in there]
    if all(kind is True for kind in kinds) or all(kind is False for kind in kinds):
        return kinds[0]
    choices = [pl.lit(kind) if isinstance(kind, bool) else kind for kind in kinds]
    return _first(there, choices)


def _first(there: Sequence[Found], choices: Sequence[pl.Expr]) -> pl.Expr:
    """The choice that belongs to the first of several pieces with a value."""
    return reduce(
        lambda rest, pair: pl.when(pair[0].has).then(pair[1]).otherwise(rest),
        list(zip(there, choices, strict=True))[-2::-1],
        choices[-1],
    )


def _mapped(
    recipe: Recipe,
    flow_field: FlowField,
    source: FieldSource,
    found: Mapping[tuple[Leaf, Use], Found],
) -> pl.Expr | None:
    """Text of a field by the texts of several columns."""
    assert source.map is not None
    if is_wide(source):
        recipe.fits.append(pl.lit(False))
        return None
    numbers: list[pl.Expr] = []
    if not any((leaf, Use.TEXT) in found for leaf, *_ in source.inputs):
        return None
    for place, (leaf, *_) in enumerate(source.inputs):
        one = found.get((leaf, Use.TEXT))
        if one is None:
            numbers.append(pl.lit(0, pl.UInt32))
        else:
            number = row_number(one.text, source.map, place)
            numbers.append(recipe.told(one.piece, f"{flow_field.name} {place}", number))
    return by_rows(numbers, flow_field, source.map)


@frozen
class PieceReader:
    """Reads the lines that fit a template, under one plan."""

    plan: DeltaPlan
    template: Template
    _recipe: Recipe

    @classmethod
    def of(cls, plan: DeltaPlan, template: Template) -> PieceReader:
        return cls(plan, template, _recipe(plan, template))

    def read(self, lines: pl.Series) -> pl.DataFrame:
        """Flow fields, deduplication keys, and FITS, whether the line fits. What others hold means nothing."""
        recipe = self._recipe
        count = len(self.template.frame.leaves)
        cut = lines.str.splitn(self.template.frame.separator, count)
        pieces = cut.struct.rename_fields(
            [_name(number) for number in range(count)]
        ).struct.unnest()
        distinct = {group: Distinct() for group, _ in recipe.texts.values()}
        uses = pieces.with_columns(**{name: pl.col(one) for name, one in recipe.aliases.items()})
        found = uses.select(
            **recipe.steps,
            **{
                name: distinct[group].number(name, text)
                for name, (group, text) in recipe.texts.items()
            },
        )
        answers = {
            group: one.answers(found, recipe.questions(group)) for group, one in distinct.items()
        }
        told = (
            pl.lit(answers[recipe.texts[name][0]][answer])
            .gather(pl.col(name).to_physical())
            .alias(answer)
            for answer, (name, _) in recipe.meanings.items()
        )
        columns = (
            recipe.values.get(name, pl.lit(None, dtype=dtype)).cast(dtype).alias(name)
            for name, dtype in columns_of(self.plan).items()
        )
        fit = pl.all_horizontal(*recipe.fits).fill_null(False).alias(FITS)
        return found.with_columns(told).select(*columns, fit)
