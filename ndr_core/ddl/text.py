"""Names and texts as SQL spells them: whatever they hold, they stay a name or a text."""

from __future__ import annotations

from collections.abc import Iterable


def doubled(text: str, quote: str) -> str:
    """Put a text between quotes, each quote in it twice: for engines that know no other escape."""
    return f"{quote}{text.replace(quote, quote * 2)}{quote}"


def backslashed(text: str) -> str:
    """Put a text between single quotes, with a backslash before each quote and backslash in it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def backticked(name: str) -> str:
    """Quote a name for engines that take backticks."""
    return doubled(name, "`")


def listed(parts: Iterable[str], indent: str = "  ") -> str:
    """Join the parts of a list by commas, each on a line of its own."""
    return ",\n".join(f"{indent}{part}" for part in parts)
