"""What logs are, by their first bytes: their columns, how they are read, and which known source wrote them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from attrs import field, frozen

from ndr_core.flows.leaf import Leaf
from ndr_core.flows.presets.form import SourceForm

SAMPLE_BYTES: Final = 256 << 10
"""So many first bytes of a file are looked at."""
_SAMPLE_LINES: Final = 200
_DEEPEST: Final = 4
"""Objects within objects are looked into so far."""
_LEAST_COLUMNS: Final = 4
"""Of a header, to be taken for one."""
_SEPARATORS: Final = ("\t", ",", ";", "|", " ")
_JSON: Final[Mapping[str, Any]] = {}
_ZEEK: Final[Mapping[str, Any]] = {"format": "delimited", "header": "zeek"}
_EXAMPLE: Final = 40
"""Characters of an example of a value."""


@frozen
class Sample:
    """The first records of a file, read in one of the ways in which they can be."""

    settings: Mapping[str, Any]
    """Keys of `input` that say how the file is read."""
    examples: Mapping[Leaf, str]
    """Place of a value -> such a value; of one that is never there, an empty text."""

    @property
    def leaves(self) -> frozenset[Leaf]:
        return frozenset(self.examples)


@frozen
class Known:
    """Logs of a known source."""

    preset: str
    form: SourceForm
    sample: Sample = field(eq=False)


@frozen
class Recognised:
    """What a first look at the files of logs showed."""

    known: Known | None
    """The known form that most of the files have."""
    files: tuple[str, ...]
    """Addresses of the files of that form; of logs of no known form all whose columns are known."""
    others: tuple[str, ...]
    """Addresses of the other files."""
    sample: Sample | None
    """The first records of the first of these files."""

    def lines(self, about: str) -> list[str]:
        """Say what was found, in a sentence or two. `about`: what the source of the known form is."""
        if self.known is None:
            seen = 0 if self.sample is None else len(self.sample.examples)
            return [
                f"no known source; {seen} columns were seen: choose among them under input.fields"
            ]
        form = self.known.form
        told = f"{_count(self.files)} of {about} {form.about} (preset {self.known.preset}, form {form.name})"
        if not self.others:
            return [told]
        what = "left out by their names" if self.patterns else "of other logs, or of none"
        return [told, f"{_count(self.others)} {what}, such as {self.others[0]}"]

    @property
    def patterns(self) -> tuple[str, ...]:
        """Patterns of names that take these files and leave the others out, where the source has such names."""
        patterns = self.known.form.files if self.known is not None and self.others else ()
        takes_all = all(_fits(name, patterns) for name in self.files)
        return (
            patterns if takes_all and not any(_fits(one, patterns) for one in self.others) else ()
        )

    @property
    def session_key(self) -> tuple[str, ...]:
        """Columns that name a session, where the source logs one several times and the records have them."""
        if self.known is None or self.sample is None:
            return ()
        key = self.known.form.session_key
        return key if all((name,) in self.sample.leaves for name in key) else ()


def recognise_files(
    files: Mapping[str, Sequence[Sample]], presets: Mapping[str, Sequence[SourceForm]]
) -> Recognised:
    """Sum up what the samples of files show, by the addresses of the files. `presets`: as for `recognise`."""
    known = {name: recognise(samples, presets) for name, samples in files.items()}
    counts = Counter(one for one in known.values() if one is not None)
    if not counts:
        names = tuple(name for name, samples in files.items() if samples)
        first = files[names[0]][0] if names else None
        return Recognised(None, names, tuple(name for name in files if name not in names), first)
    (chosen, _), *_ = counts.most_common(1)
    names = tuple(name for name, one in known.items() if one == chosen)
    sample = next(one.sample for one in known.values() if one == chosen and one is not None)
    return Recognised(chosen, names, tuple(name for name in files if name not in names), sample)


def _count(names: Sequence[str]) -> str:
    return "1 file" if len(names) == 1 else f"{len(names)} files"


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name.rpartition("/")[2], pattern) for pattern in patterns)


def samples_of(head: bytes) -> list[Sample]:
    """Read the first bytes of an unpacked text file in each way in which they make sense; none for other files."""
    text = head.decode(errors="replace").lstrip("\ufeff \t\r\n")
    lines = [line.rstrip("\r") for line in text.split("\n")[:_SAMPLE_LINES]]
    if text.startswith("{"):
        return _json_samples(lines)
    if text.startswith("#"):
        return _zeek_samples(lines)
    return list(_separated_samples(lines))


def row_sample(rows: Sequence[Mapping[str, Any]]) -> Sample:
    """Give the sample of the first rows of a Parquet file, as objects."""
    return Sample({"format": "parquet"}, _examples(rows))


def recognise(
    samples: Sequence[Sample], presets: Mapping[str, Sequence[SourceForm]]
) -> Known | None:
    """Give the first known form that a file's samples have; None where it has none.

    `presets`: name of a preset -> the forms of its source.
    """
    for sample in samples:
        for preset, forms in presets.items():
            for form in forms:
                if form.is_form_of(sample.settings, sample.leaves):
                    return Known(preset, form, sample)
    return None


def _json_samples(lines: Sequence[str]) -> list[Sample]:
    found = list(_objects(lines))
    return [Sample(_JSON, _examples(found))] if found else []


def _objects(lines: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Objects that stand on a line each; the last line may be cut."""
    for line in lines:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield value


def _zeek_samples(lines: Sequence[str]) -> list[Sample]:
    separator = "\t"
    names: list[str] = []
    rows: list[dict[str, Any]] = []
    for line in lines:
        if line.startswith("#separator"):
            separator = line.partition(" ")[2].encode().decode("unicode_escape") or separator
        elif line.startswith("#fields"):
            names = line.split(separator)[1:]
        elif line and not line.startswith("#"):
            rows += _row(names, line.split(separator))
    unset = dict.fromkeys(names)
    return [Sample(_ZEEK, _examples([*rows, unset]))] if names else []


def _separated_samples(lines: Sequence[str]) -> Iterator[Sample]:
    first, *rest = lines
    for separator in _SEPARATORS:
        names = first.split(separator)
        if len(names) < _LEAST_COLUMNS or len(set(names)) < len(names):
            continue
        rows = [row for line in rest for row in _row(names, line.split(separator))]
        if rows or not any(rest):
            settings = {"format": "delimited", "separator": separator, "header": "first_line"}
            yield Sample(settings, _examples([*rows, dict.fromkeys(names)]))


def _row(names: Sequence[str], parts: Sequence[str]) -> list[dict[str, Any]]:
    return [dict(zip(names, parts, strict=True))] if len(names) == len(parts) else []


def _examples(records: Sequence[Mapping[str, Any]]) -> dict[Leaf, str]:
    found: dict[Leaf, str] = {}
    for record in records:
        for leaf, value in _leaves(record, ()):
            if not found.get(leaf):
                found[leaf] = "" if value is None else _text(value)
    return found


def _leaves(record: Mapping[str, Any], above: Leaf) -> Iterator[tuple[Leaf, Any]]:
    for name, value in record.items():
        leaf = (*above, name)
        if isinstance(value, Mapping) and value and len(leaf) < _DEEPEST:
            yield from _leaves(value, leaf)
        else:
            yield leaf, value


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _EXAMPLE else text[:_EXAMPLE] + " .."
