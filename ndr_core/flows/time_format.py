"""How times are written in a source: ISO-8601, numbers of a unit, and patterns of one's own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from enum import Enum
from typing import Final

from attrs import field, frozen

_OFFSET_HOURS: Final = r"[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?"
_PARTS: Final[Mapping[str, str]] = {
    "Y": "[0-9]{4}",
    "m": "(?:0[1-9]|1[0-2])",
    "d": "(?:0[1-9]|[12][0-9]|3[01])",
    "H": "(?:[01][0-9]|2[0-3])",
    "M": "[0-5][0-9]",
    "S": "[0-5][0-9]",
    "f": "[0-9]{1,9}",
    "z": f"(?:[Zz]|{_OFFSET_HOURS})",
}
"""What a part of a time looks like, by the letter of its directive."""
_REQUIRED: Final = "Ymd"

# Patterns of a whole value (anchor both ends); they mean the same in Python, Java and Rust.
ISO_TIME: Final = (
    f"({_PARTS['Y']})-({_PARTS['m']})-({_PARTS['d']})[Tt ]"
    f"({_PARTS['H']}):({_PARTS['M']}):({_PARTS['S']})(?:\\.([0-9]+))?"
    f"( ?(?:[Zz]|{_OFFSET_HOURS})| UTC)?"
)
"""ISO-8601, with a group for each of ISO_PARTS. Whether the day exists, no pattern says."""
ISO_PARTS: Final = "YmdHMSfz"


class TimeFormat(Enum):
    """How a time is written in the source."""

    ISO8601 = "iso8601"
    EPOCH_S = "epoch_s"
    EPOCH_MS = "epoch_ms"
    EPOCH_US = "epoch_us"
    EPOCH_NS = "epoch_ns"
    DURATION_S = "duration_s"
    DURATION_MS = "duration_ms"
    DURATION_US = "duration_us"
    DURATION_NS = "duration_ns"

    @property
    def is_duration(self) -> bool:
        return self.value.startswith("duration")

    @property
    def is_number(self) -> bool:
        """Whether it is a number of a unit."""
        return self is not TimeFormat.ISO8601

    @property
    def unit_us(self) -> int:
        """Microseconds per unit of a number in this format; 0 where there is none, or less than one."""
        return {"s": 1_000_000, "ms": 1_000, "us": 1}.get(self.value.rpartition("_")[2], 0)


@frozen
class TimePattern:
    """A time of one's own format: text with the directives %Y %m %d %H %M %S %f %z.

    All but %f (1 to 9 digits of a fraction of a second) and %z (`Z` or an offset) have a fixed width.
    """

    text: str
    is_duration: bool = field(default=False, init=False, repr=False, eq=False)
    is_number: bool = field(default=False, init=False, repr=False, eq=False)

    @property
    def parts(self) -> str:
        """The letters of its directives, in their order."""
        return "".join(letter for _, letter in self._pieces)

    @property
    def expression(self) -> str:
        """One regular expression of a whole value, with a group for each of `parts`."""
        return "".join(
            re.escape(literal) + (f"({_PARTS[letter]})" if letter else "")
            for literal, letter in self._pieces
        )

    @property
    def _pieces(self) -> list[tuple[str, str]]:
        """Text, and the letter of the directive behind it; none behind the last text."""
        texts = re.split("%(.)", self.text, flags=re.DOTALL)
        return list(zip(texts[::2], [*texts[1::2], ""], strict=True))

    def problem(self) -> str | None:
        """Say what is wrong with it, if anything is."""
        known = ", ".join(f"%{letter}" for letter in _PARTS)
        for letter in self.parts:
            if letter not in _PARTS:
                return f"%{letter} is no part of a time, known: {known}"
        if "%" in "".join(literal for literal, _ in self._pieces):
            return f"ends in a '%' without a letter, known: {known}"
        for letter, count in Counter(self.parts).items():
            if count > 1:
                return f"has %{letter} {count} times"
        missing = [letter for letter in _REQUIRED if letter not in self.parts]
        if missing:
            return f"has no {' and no '.join('%' + letter for letter in missing)}: a time needs its day"
        if re.search("%f%[^z]", self.text):
            return "has a directive right behind %f, which may have any number of digits"
        return None


Format = TimeFormat | TimePattern
