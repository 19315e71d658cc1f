"""What logs are, by samples of their files: which known source wrote them, in which form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from attrs import field, frozen

from ndr_core.flows.log_sample import Sample
from ndr_core.flows.presets.form import SourceForm
from ndr_core.flows.presets.preset import Preset


@frozen
class Known:
    """Logs of a known source."""

    preset: str
    title: str
    """What the source is called."""
    form: SourceForm
    sample: Sample = field(eq=False)
    settings: Mapping[str, Any] = field(init=False, hash=False)
    """Keys of `input` that say how these files are read, beside the preset."""
    is_seen: bool = field(default=True, eq=False)
    """Whether a record was seen that the preset reads; else the form is taken on trust."""

    @settings.default
    def _settings(self) -> Mapping[str, Any]:
        return {**self.form.settings, **self.sample.settings}

    @property
    def text(self) -> str:
        """What they are, in words."""
        return f"{self.title} {self.form.about} (preset {self.preset}, form {self.form.name})"


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
    apart: Mapping[str, Known] = field(factory=dict)
    """Those of the others that are of another known form, or laid out in another way."""

    def lines(self) -> list[str]:
        """Say what was found, in a few sentences."""
        if self.known is None:
            seen = 0 if self.sample is None else len(self.sample.examples)
            return [
                f"no known source; {seen} columns were seen: choose among them under input.fields"
            ]
        rest = [name for name in self.others if name not in self.apart]
        left_out = [name for name in rest if not _fits(name, self.patterns or "*")]
        unknown = [name for name in rest if name not in left_out]
        return [
            f"{_count(self.files)} of {self.known.text}",
            *self._lines_apart(),
            *_such_as(left_out, "left out by their names"),
            *_such_as(unknown, "of other logs, or of none"),
        ]

    def _lines_apart(self) -> Iterator[str]:
        """Say which files need another JobSpec."""
        for one in dict.fromkeys(self.apart.values()):
            names = [name for name, known in self.apart.items() if known == one]
            by = f"ndr spec init --from {names[0]}"
            yield f"{_count(names)} of {one.text}, to be read with another JobSpec: {by}"

    @property
    def patterns(self) -> tuple[str, ...]:
        """Patterns of names that take these files and leave the others out, where the source has such names."""
        usual = () if self.known is None else self.known.form.files
        own = tuple(one for one in usual if not any(_fits(name, (one,)) for name in self.others))
        return next(filter(self._is_choice, (own, usual)), ())

    def _is_choice(self, patterns: Sequence[str]) -> bool:
        """Whether patterns take all of these files, and leave one of the others out."""
        return all(_fits(name, patterns) for name in self.files) and not all(
            _fits(name, patterns) for name in self.others
        )

    @property
    def session_key(self) -> tuple[str, ...]:
        """Columns that name a session, where the source logs one several times and the records have them."""
        if self.known is None or self.sample is None:
            return ()
        key = self.known.form.session_key
        return key if all((name,) in self.sample.leaves for name in key) else ()


def recognise_files(
    files: Mapping[str, Sequence[Sample]], presets: Mapping[str, Preset]
) -> Recognised:
    """Sum up what the samples of files show, by the addresses of the files. `presets`: by their names."""
    known = {name: recognise(samples, presets) for name, samples in files.items()}
    seen = [one for one in known.values() if one is not None and one.is_seen]
    known = {name: _by_others(one, seen) for name, one in known.items()}
    counts = Counter(one for one in known.values() if one is not None)
    if not counts:
        names = tuple(name for name, samples in files.items() if samples)
        first = files[names[0]][0] if names else None
        return Recognised(None, names, tuple(name for name in files if name not in names), first)
    (chosen, _), *_ = counts.most_common(1)
    of_form = [name for name, one in known.items() if one == chosen]
    first_time = tuple(name for name in of_form if not _fits(name, chosen.form.repeats))
    names = first_time or tuple(of_form)
    sample = next(one.sample for one in known.values() if one == chosen and one is not None)
    others = tuple(name for name in files if name not in names)
    apart = {name: one for name, one in known.items() if one is not None and one != chosen}
    return Recognised(chosen, names, others, sample, apart)


def _by_others(known: Known | None, seen: Sequence[Known]) -> Known | None:
    """What a file is, where its form was taken on trust: as files of its source, read alike, in which it was seen."""
    if known is None or known.is_seen:
        return known
    alike = (
        one
        for one in seen
        if one.preset == known.preset and one.form.is_read_as(known.sample.settings)
    )
    return next(alike, known)


def _such_as(names: Sequence[str], what: str) -> list[str]:
    return [f"{_count(names)} {what}, such as {names[0]}"] if names else []


def _count(names: Sequence[str]) -> str:
    return "1 file" if len(names) == 1 else f"{len(names)} files"


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name.rpartition("/")[2], pattern) for pattern in patterns)


def recognise(samples: Sequence[Sample], presets: Mapping[str, Preset]) -> Known | None:
    """Give the first known form that a file's samples have; None where it has none.

    Only records that a preset reads tell its form, by the places where they have values. Where none of them was seen,
    the form is one without pairing: what is paired in error can't be told apart in the results.
    """
    found = [
        Known(name, preset.title, form, sample)
        for sample in samples
        for name, preset in presets.items()
        for form in preset.forms
        if form.is_form_of(sample.settings, sample.leaves)
    ]
    for one in found:
        if one.form.is_form_of(one.sample.settings, one.sample.filled(presets[one.preset].mapping)):
            return one
    return _unpaired(found[0], presets[found[0].preset].forms) if found else None


def _unpaired(known: Known, forms: Sequence[SourceForm]) -> Known:
    """The same source in a form that is read alike, of which no pairing is asked, if it has one."""
    alike = (form for form in forms if form.is_read_as(known.sample.settings))
    form = next((form for form in alike if "pairing" not in form.settings), known.form)
    return Known(known.preset, known.title, form, known.sample, is_seen=False)
