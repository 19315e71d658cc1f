"""What a watcher does once a day: it compacts the days that are over."""

from __future__ import annotations

from attrs import define, field

from ndr_adapters.local.known import KnownManifests
from ndr_core.errors import NdrError
from ndr_core.times import to_datetime
from ndr_core.watching.upkeep import day_to_compact, has_days_before
from ndr_core.watching.watcher import Round
from ndr_entrypoints.compacting import compactor_of
from ndr_entrypoints.watch_log import WatchNews
from ndr_entrypoints.watching import LocalBuilder, Undisturbed


@define
class DailyCompaction:
    """Compacts whole UTC days once no record of them is to be expected any more."""

    output: str
    lateness: int
    """us for which late records are taken."""
    known: KnownManifests
    undisturbed: Undisturbed
    news: WatchNews
    _done: int = field(default=0, init=False)
    """us; all days that end by then were compacted."""

    @classmethod
    def of(cls, builder: LocalBuilder, news: WatchNews) -> DailyCompaction:
        """Make it for the output of a builder."""
        lateness = builder.spec.quality.allowed_lateness
        return cls(str(builder.output), lateness, builder.known, builder.undisturbed, news)

    def after_round(self, done: Round) -> dict[str, str]:
        """Compact the days that are over. Gives what failed: a name -> why."""
        before = day_to_compact(done.front, self.lateness)
        if before <= self._done or not has_days_before(self.known.live(), before):
            return {}
        try:
            compactor = compactor_of(self.output, self.news.warn, self.undisturbed)
            for made in compactor.run(to_datetime(before)):
                self.news.say(f"compacted {made.day}: {len(made.contributions):,} contributions")
        except (NdrError, OSError) as error:
            self.news.failed("compaction", str(error))
            return {"compaction": str(error)}
        self._done = before
        return {}
