"""What is to be done for the files of one name in a landing folder, so that each content counts exactly once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

from attrs import frozen

from ndr_core.errors import NdrError, printable
from ndr_core.watching.attempts import Attempt, Source
from ndr_core.watching.counted import Counted, CountedRun
from ndr_core.watching.landed import mini_batch_id_of

BeginsWith = Callable[[Source, Source], bool]
"""Whether a file, now, begins with the whole content that another one had."""


class GrownApartError(NdrError):
    """A file has grown, and what was counted together with it is gone: it can't be counted anew."""


@frozen
class ToBuild:
    """A mini-batch to build."""

    mini_batch_id: str
    sources: tuple[Source, ...]
    covers: tuple[str, ...] = ()
    """As `Attempt.covers`."""
    replaces: CountedRun | None = None
    """The run that it replaces, as its files have grown since."""

    @property
    def written(self) -> int:
        """When the last of its files was written, us."""
        return max(source.modified_at for source in self.sources) // 1_000

    def attempt(self, run_id: str) -> Attempt:
        """Give the note of a run of it."""
        return Attempt(self.mini_batch_id, run_id, self.sources, self.covers)


def decide(
    place: str, sources: Sequence[Source], counted: Counted, begins_with: BeginsWith
) -> ToBuild | None:
    """Tell the next thing to do for the finished files of a name; None where all of them are counted.

    A content that is counted is left, under whatever name it lies now. A file that begins with the content of a
    counted one has grown: its mini-batch is built anew. All others are a new mini-batch, with the id of the name, or
    where that is taken, since other content lay under the name before, with the fingerprint added.

    Raises GrownApartError where a mini-batch can't be built anew without losing what it counts.
    """
    left = [source for source in sources if counted.holder(source) is None]
    for source in left:
        for former, attempt in counted.may_have_been(source):
            if begins_with(source, former):
                return _anew(attempt, former, source, sources, counted)
    new = {source.fingerprint: source for source in reversed(left)}
    if not new:
        return None
    chosen = tuple(sorted(new.values(), key=lambda source: source.path))
    name = mini_batch_id_of(place)
    if name in counted.runs:
        name = f"{name}.{_hash(chosen)}"
    return ToBuild(name, chosen)


def _anew(
    attempt: Attempt, former: Source, grown: Source, sources: Iterable[Source], counted: Counted
) -> ToBuild:
    """A mini-batch with one of its files as it has grown, the others as they were."""
    now = {source.fingerprint: source for source in sources}
    others = [one for one in attempt.sources if one != former]
    gone = [one for one in others if one.fingerprint not in now]
    if gone:
        raise GrownApartError(
            f"{printable(grown.path)}: has grown since mini-batch {attempt.mini_batch_id} was built of it and of "
            f"{printable(gone[0].path)}, which is gone or has changed; put that back, or land what was added as a file "
            "of its own"
        )
    chosen = (grown, *(now[one.fingerprint] for one in others))
    covers = (*attempt.covers, former.fingerprint)
    replaced = counted.runs[attempt.mini_batch_id]
    return ToBuild(attempt.mini_batch_id, chosen, covers, replaced)


def _hash(sources: Sequence[Source]) -> str:
    """What tells the content of files from others of their name."""
    if len(sources) == 1:
        return sources[0].fingerprint[:8]
    text = " ".join(source.fingerprint for source in sources)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
