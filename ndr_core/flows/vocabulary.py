"""The words of records: the form to which each text is brought as it is read, and what measures know of it."""

from __future__ import annotations

from enum import Enum
from typing import Final

from attrs import frozen

from ndr_core.expressions.expr import Expr, col, lit
from ndr_core.flows.transports import OTHER_SPELLINGS, TRANSPORT_NAMES

TRAFFIC: Final = "TRAFFIC"
THREAT: Final = "THREAT"
"""A record of this name tells of a session that has a record of its own."""

UPPER: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LOWER: Final = UPPER.lower()
BLANKS: Final = "_ "
"""Each becomes a `-`."""


class Words(Enum):
    """How a text is written in records: only letters from A to Z have a case."""

    LOWER = "lower case, - for _ and blank"
    UPPER = "upper case"
    TRANSPORT = "the name of a transport in upper case, - for _ and blank"

    @property
    def letters(self) -> tuple[str, str]:
        """Characters, and in the same order what is written for each."""
        match self:
            case Words.LOWER:
                return UPPER + BLANKS, LOWER + "-" * len(BLANKS)
            case Words.UPPER:
                return LOWER, UPPER
        return LOWER + BLANKS, UPPER + "-" * len(BLANKS)

    def written(self, text: str) -> str:
        """Write a text in this way."""
        written = text.translate(str.maketrans(*self.letters))
        return OTHER_SPELLINGS.get(written, written) if self is Words.TRANSPORT else written


WORDS: Final = {
    "event_action": Words.LOWER,
    "event_reason": Words.LOWER,
    "event_name": Words.UPPER,
    "network_transport": Words.TRANSPORT,
}
"""Field -> how its texts are written."""


def canonical_text(field_name: str, text: str) -> str:
    """Write a text of a field, as a source or a value map gives it, in the way of records."""
    return WORDS[field_name].written(text)


@frozen
class Known:
    """A set of texts: some as they are, and all that begin with one of the prefixes."""

    texts: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()

    @classmethod
    def of(cls, *patterns: str) -> Known:
        """Read patterns, where a final `*` stands for any ending."""
        whole = (pattern for pattern in patterns if not pattern.endswith("*"))
        return cls(
            frozenset(whole),
            tuple(pattern[:-1] for pattern in patterns if pattern.endswith("*")),
        )

    def holds(self, text: Expr) -> Expr:
        """Whether a text is among them; null for null."""
        found = text.is_in(self.texts)
        for prefix in self.prefixes:
            found = found | text.starts_with(prefix)
        return found

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns, as `of` reads them, in alphabetical order."""
        return tuple(sorted({*self.texts, *(f"{prefix}*" for prefix in self.prefixes)}))


class Action(Enum):
    """The classes of actions."""

    ALLOW = Known.of("allow*", "accept*", "permit*", "pass*", "trust")
    DROP = Known.of(
        *("drop*", "deny*", "denied", "block*", "reset*", "reject*", "discard*"),
        *("sinkhole", "random-drop", "syncookie-sent"),
    )
    ALERT = Known.of("alert*")

    @property
    def holds(self) -> Expr:
        """Whether the action of a record is of the class; null without one."""
        return self.value.holds(col("event_action"))


def _of_no_class() -> Expr:
    known: Expr = lit(False)
    for action in Action:
        known = known | action.holds
    return ~known


UNKNOWN: Final = {
    "event_action": _of_no_class(),
    "event_name": ~col("event_name").is_in({TRAFFIC, THREAT}),
    "network_transport": ~col("network_transport").is_in(TRANSPORT_NAMES),
}
"""Field -> whether a record has a value there that no measure knows; null where it has none."""

MOST_UNKNOWN: Final = 10
"""So many unknown values of a field are told, the most frequent ones."""
UNKNOWN_CHARACTERS: Final = 64
"""Values that begin alike with so many characters count as one."""
