"""Features that follow what a watcher publishes: by the runs that `ndr features` does."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from attrs import define, field

from ndr_core.baselines.daily import dates_to_make
from ndr_core.baselines.runs import baseline_runs, summary_runs
from ndr_core.correlations.chain import Chain
from ndr_core.correlations.due import due_among
from ndr_core.errors import NdrError
from ndr_core.features.coverage import first_slice_before, look_at_deltas
from ndr_core.features.days import history_runs
from ndr_core.features.running import FeatureRunner, NotPublishedError
from ndr_core.features.stale import runs_of_job
from ndr_core.times import DAY_US, MINUTE_US, iso_text
from ndr_core.watching.following import (
    LOOK_BACK,
    Ground,
    anchors_until,
    dates_over,
    history_days,
    look_from,
    turned_day,
    windows_to_build,
)
from ndr_core.watching.watcher import Round
from ndr_core.windows.due import built_labels
from ndr_core.windows.job import deltas_version
from ndr_entrypoints.feature_jobs import FeatureWiring
from ndr_entrypoints.watch_log import WatchNews
from ndr_entrypoints.watching import LocalBuilder, Notices
from ndr_entrypoints.wiring import AUTO

_RENEWED: Final = 40 * DAY_US
"""So far back a renewal looks: late records change windows of the next 31 days."""


class Upkeep(Protocol):
    """What is done after each round."""

    def after_round(self, done: Round) -> dict[str, str]:
        """Do it. Gives what failed: a name -> why."""
        ...


class NothingFollows:
    """Where no features are asked for."""

    def after_batch(self, before: int | None, now: int | None) -> None:
        """Do nothing."""

    def after_round(self, done: Round) -> dict[str, str]:
        """Do nothing."""
        del done
        return {}


def following_of(
    builder: LocalBuilder, chain: Chain | None, news: WatchNews
) -> Following | NothingFollows:
    """Wire the features that follow the deltas of a builder, in the folder of features of its output."""
    if chain is None:
        return NothingFollows()
    log = Notices(news.once)
    wiring = FeatureWiring.between(str(builder.output), None, AUTO, log, builder.undisturbed)
    return Following(wiring, chain, builder.spec.quality.allowed_lateness, news)


@define
class Following:
    """Builds what has become due: history, windows, baselines and correlations, in this order."""

    wiring: FeatureWiring
    chain: Chain
    lateness: int
    """us for which windows wait for slices that are missing."""
    news: WatchNews
    _problems: dict[str, str] = field(factory=dict, init=False)
    _front: int | None = field(default=None, init=False)
    """Up to where features have followed, us."""
    _first: int | None = field(default=None, init=False)
    """The start of the first slice that was ever published, us. To find it, all manifests are read."""
    _renewal_is_due: bool = field(default=False, init=False)

    def after_batch(self, before: int | None, now: int | None) -> None:
        """Follow day by day while many mini-batches are caught up with."""
        if before is not None and turned_day(before, now):
            self._follow(before)

    def after_round(self, done: Round) -> dict[str, str]:
        """Follow up to the end of what is published; once a day renew what is out of date. Gives what failed."""
        front = done.front
        if front is not None and (done.built or front != self._front):
            self._follow(front)
            if self._renewal_is_due:
                self._try("renewal", lambda: self._renew(front))
        problems, self._problems = self._problems, {}
        return problems

    def _follow(self, front: int) -> None:
        self._try("features", lambda: self._follow_to(front))

    def _try(self, what: str, work: Callable[[], None]) -> None:
        """Do some work; what fails is told, and is done with the next round."""
        try:
            work()
        except (NdrError, OSError) as error:
            self._problems[what] = str(error)
            self.news.failed(what, str(error))

    def _follow_to(self, front: int) -> None:
        began, done = time.monotonic(), Counter[str]()
        ground = self._ground(front)
        if ground is None:
            return
        self._histories(ground, done)
        self._windows(ground, done)
        self._baselines(ground, done)
        self._correlations(ground, done)
        self._front = front
        if done:
            told = ", ".join(f"{count:,} {job}" for job, count in done.items())
            seconds = time.monotonic() - began
            self.news.say(f"features up to {iso_text(front)}: runs of {told} in {seconds:.1f} s")

    def _ground(self, front: int) -> Ground | None:
        windows, wiring = self.chain.windows, self.wiring
        version = deltas_version(windows)
        if self._first is None:
            self._first = first_slice_before(wiring.deltas, version, front)
        first = self._first
        if first is None:
            return None
        lately = max(front - self.lateness - LOOK_BACK, 0)
        runs = runs_of_job(wiring.features, windows.feature_spec_version, windows.job_name, lately)
        since = look_from(front, first, self.lateness, runs)
        longest = max(label.minutes for label in windows.windows.window_labels) * MINUTE_US
        known = look_at_deltas(wiring.deltas, version, max(since - longest, 0), front)
        slices = known.published(windows.windows.sources)
        return Ground(since, front, first, slices, known.grid, self.lateness)

    def _histories(self, ground: Ground, done: Counter[str]) -> None:
        spec, days = self.chain.history, history_days(ground)
        built = history_runs(self.wiring.features, spec.feature_spec_version, spec.job_name, days)
        missing = [day for day in days if day not in built]
        self._run((self.wiring.history(spec, day) for day in missing), done)
        self._renewal_is_due = self._renewal_is_due or bool(missing and built)

    def _windows(self, ground: Ground, done: Counter[str]) -> None:
        spec = self.chain.windows
        labels = spec.windows.window_labels
        built = built_labels(spec, self.wiring.features, anchors_until(labels, ground))
        wanted = windows_to_build(labels, ground, built)
        self._run(
            (
                self.wiring.windows(spec, anchor, allows_missing=missing)
                for anchor, missing in wanted.items()
            ),
            done,
        )

    def _baselines(self, ground: Ground, done: Counter[str]) -> None:
        spec, features = self.chain.baselines, self.wiring.features
        dates = dates_over(spec.calendar, ground)
        built = summary_runs(features, spec.feature_spec_version, spec.job_name, dates)
        for date in dates:
            if date not in built:
                self._run([self.wiring.summary(spec, date)], done)
                made = dates_to_make(spec, date, features)
                known = baseline_runs(features, spec.feature_spec_version, spec.job_name, made)
                new = [one for one in made if one not in known]
                self._run((self.wiring.baselines(spec, one) for one in new), done)

    def _correlations(self, ground: Ground, done: Counter[str]) -> None:
        spec, windows = self.chain.correlations, self.chain.windows
        ends = anchors_until(spec.windows.window_labels, ground)
        due = due_among(spec, windows, self.wiring.features, ends)
        self._run(
            (
                self.wiring.correlations(spec, end, allows_missing=end <= ground.overdue)
                for end in due
            ),
            done,
        )

    def _run(self, runners: Iterable[FeatureRunner], done: Counter[str]) -> None:
        """Do runs one after the other; of one that waits for something the log says once for what."""
        for runner in runners:
            try:
                made = runner.run()
            except NotPublishedError as error:
                self.news.once(str(error))
            else:
                done[made.manifest.facts.job_name] += 1

    def _renew(self, front: int) -> None:
        for one in self.wiring.renew_chain(self.chain, max(front - _RENEWED, 0)):
            if one.summary is None:
                self.news.once(f"{one.run.job_name} {one.run.mini_batch_id}: {one.problem}")
            else:
                self.news.say(f"renewed {one.run.job_name} {one.run.mini_batch_id}")
        self._renewal_is_due = False
