"""Which records of an input are read: what `input.only` says of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from attrs import frozen

from ndr_core.flows.leaf import Leaf, value_at
from ndr_core.flows.values import BadValueError, is_no_value, text_of


@frozen
class Condition:
    """What one column of a record must be."""

    leaf: Leaf
    values: tuple[str, ...] = ()
    """Its value must be one of these."""
    present: bool | None = None
    """True: it must have a value; False: it must have none. Instead of `values`."""

    def fits(self, record: Mapping[str, Any], null_values: Collection[str]) -> bool:
        """Whether the object of a record is as the condition says."""
        value = value_at(record, self.leaf)
        absent = is_no_value(value, null_values)
        if self.present is not None:
            return absent is not self.present
        if absent:
            return False
        try:
            return text_of(value) in self.values
        except BadValueError:
            return False


@frozen
class Selection:
    """Conditions that all must hold; none: each record is read."""

    conditions: tuple[Condition, ...] = ()

    def fits(self, record: Mapping[str, Any], null_values: Collection[str]) -> bool:
        """Whether the object of a record is one to read."""
        return all(condition.fits(record, null_values) for condition in self.conditions)
