"""How the values of a column come about: what the catalogue says of it beside its meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

from ndr_core.expressions.expr import Expr, columns_of
from ndr_core.expressions.spell import spell

WHOLE: Final = "{}"
"""The form of a formula that is the value itself."""
KEY: Final = "part of the key of a row"
FOLDER: Final = "said by the folder of the row"
"""How values come about that no formula gives."""


@frozen
class Origin:
    """Where the values of a column, or of a number that formulas read, come from."""

    unit: str
    """One of `units.UNITS`."""
    how: Expr | str
    """A formula over other values of the row, or in words how other rows give the value."""
    inputs: tuple[str, ...] = ()
    """What it is made of, `table.column`; nothing: what its formula reads."""
    null: str = ""
    """Where it is null; nothing: nowhere, or of a formula over values of the row where the formula is."""
    stands_for: Mapping[str, str] = field(factory=dict)
    """Of what its formula reads, the names of values that are null just where another value of the row is: that one."""
    form: str = WHOLE
    """Around an expression, at `{}`: what becomes of its value."""
    note: str = ""
    """What there is to say beside the formula: what a name in it stands for, what holds for other rows."""

    @property
    def formula(self) -> Expr | None:
        """The expression that is the value itself; None where more is done, or words say how."""
        return self.how if isinstance(self.how, Expr) and self.form == WHOLE else None

    @property
    def text(self) -> str:
        """How the value is made, for people."""
        text = self.form.format(spell(self.how)) if isinstance(self.how, Expr) else self.how
        return f"{text}; {self.note}" if self.note else text

    @property
    def reads(self) -> tuple[str, ...]:
        """What it is made of, in order."""
        if self.inputs or isinstance(self.how, str):
            return self.inputs
        return tuple(sorted(columns_of(self.how)))


UNSAID: Final = Origin("", "")
"""That of columns whose type and place in a table say all there is: keys, texts and times."""
