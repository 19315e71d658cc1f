"""Which columns the records of an input should have, and what to say where they do not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import evolve, frozen

from ndr_core.errors import nearest
from ndr_core.flows.leaf import Leaf, leaf_text
from ndr_core.flows.mapping import FieldSource, InputMapping


@frozen
class Wanted:
    """Columns of which a record should have one."""

    key: str
    """The key of the spec that names them."""
    leaves: tuple[Leaf, ...]
    optional: bool = False
    """Whether a mini-batch may do without."""
    may_be_optional: bool = True
    """Whether the spec can say so."""
    of_all: bool = False
    """Whether records have it that `input.only` leaves out, too."""

    def below(self, key: str) -> Wanted:
        """Give the same of a part, as of the whole: `key` is where the part lies."""
        return evolve(self, key=f"{key}.{self.key}")

    def missing_text(self, names: Iterable[Leaf]) -> str:
        """Say that no record has one of them, and what there may be instead. `names`: of columns that records have."""
        leaves = ", ".join(map(leaf_text, self.leaves))
        none = f"a column {leaves}" if len(self.leaves) == 1 else f"any of {leaves}"
        there = list(names)
        return f"{none}, {_what_there_is(self.leaves[0], there)}" if there else none


def wanted_columns(mapping: InputMapping) -> Iterator[Wanted]:
    """Give the columns that a mapping names, in canonical order of their fields; keys are those of the mapping."""
    for condition in mapping.only.conditions:
        if condition.present is not False:
            key = f"only.{'.'.join(condition.leaf)}"
            yield Wanted(key, (condition.leaf,), optional=True, of_all=True)
    for flow_field, source in mapping.bound_fields():
        for leaves in source.inputs:
            yield Wanted(f"fields.{flow_field.name}.{_part(source)}", leaves, source.optional)
    if mapping.lost is not None:
        leaves = tuple((name,) for name in mapping.lost_columns)
        yield Wanted("lost.column", leaves, optional=True)


def _part(source: FieldSource) -> str:
    """The key of a source that names its columns."""
    if source.column is not None:
        return "column"
    if source.path is not None:
        return "path"
    return "any_of" if source.any_of else "map.columns"


def _what_there_is(leaf: Leaf, names: list[Leaf]) -> str:
    """What records have that may be meant by a leaf that they do not have."""
    for name in names:
        if name != leaf and ".".join(name) == ".".join(leaf):
            return _place(name)
    same = [name for name in names if name[-1] == leaf[-1].rpartition(".")[2] and name != leaf]
    if same:
        return _place(same[0])
    above = leaf[:-1]
    inside = [name[-1] for name in names if name[:-1] == above]
    if above and inside:
        return f"inside the object {_object(above)}: {nearest(leaf[-1], inside)}"
    top = {name[0] for name in names}
    if above and above[0] not in top:
        return f"there is no object `{above[0]}`, {nearest(above[0], top)}"
    return nearest(leaf[-1], top)


def _place(leaf: Leaf) -> str:
    if len(leaf) == 1:
        return f"there is one outside of any object: column {leaf_text(leaf)}"
    return f"there is one inside the object {_object(leaf[:-1])}: path: {leaf_text(leaf)}"


def _object(leaf: Leaf) -> str:
    return "`" + ".".join(leaf) + "`"
