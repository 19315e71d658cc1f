"""`ndr watch`: what lands in a folder becomes mini-batches of an output, as it lands."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

import click

from ndr_adapters.home import with_home
from ndr_adapters.local.durable import make_folder
from ndr_adapters.local.landing import FolderLanding
from ndr_adapters.local.notes import WATCH, NotesFile
from ndr_adapters.local.place import FolderPlace
from ndr_adapters.local.spec_file import JobSpecFile
from ndr_adapters.lock import LOCK, alone_or
from ndr_core.correlations.chain import Chain
from ndr_core.deltas.spec import JobSpec
from ndr_core.errors import NdrError, SpecError, StopRequested, UsageError, printable
from ndr_core.flows.name_span import name_pattern
from ndr_core.place import refuse_overlap
from ndr_core.publishing.location import is_s3
from ndr_core.spec_kinds import AnySpec
from ndr_core.times import SECOND_US, parse_duration
from ndr_core.watching.following import chain_after, refuse_other_deltas
from ndr_core.watching.watcher import Round, Watcher
from ndr_core.windows.spec import FgASpec
from ndr_entrypoints import console
from ndr_entrypoints.commands.features_specs import chain_of
from ndr_entrypoints.options import AS_JSON, EXIT_CODES, PATH, QUIET
from ndr_entrypoints.stopping import Stopping, exit_stopped, stopped_by
from ndr_entrypoints.watch_features import Upkeep, following_of
from ndr_entrypoints.watch_log import WatchNews, watch_news
from ndr_entrypoints.watch_upkeep import DailyCompaction
from ndr_entrypoints.watching import LocalBuilder, watcher_of
from ndr_entrypoints.wiring import local_folder

_EVENTS: Final = "ndr_adapters.local.events"
_PAUSE_SECONDS: Final = 1.0
"""Between two rounds at least: what lands at once is looked at together."""
_MOST_NAMED: Final = 10


class Waiting(Protocol):
    """Waits for what lands."""

    def wait(self, seconds: float) -> None:
        """Wait until something lands, or so many seconds have gone by."""
        ...


@click.command(epilog=EXIT_CODES)
@click.argument("landing", help="Folder in which files of logs land, or folders of them.")
@click.option("--spec", type=PATH, required=True, help="JobSpec file of the deltas, YAML or JSON.")
@click.option("-o", "--output", required=True, help="Folder to publish to.")
@click.option(
    "--every",
    default="15m",
    help="How often the folder is looked at, at least; what lands wakes the watcher, too.",
)
@click.option(
    "--settle",
    default="60s",
    help="How long a file must lie still to count as finished. One that was moved in counts at once.",
)
@click.option(
    "--span-from-name",
    help="As of `ndr run`: the names of the files tell the time that each mini-batch is for. If absent, it goes from "
    "the end of the last one to the slice of its own greatest moment.",
)
@click.option(
    "--once",
    is_flag=True,
    help="Build all that is finished, then end: for cron. Exit code 1 where something could not be built.",
)
@click.option(
    "--features",
    is_flag=True,
    help="Let features follow, in the folder features of the output: windows as soon as their slices are published, "
    "then how they depart from what is usual; once a day the pair history and baselines.",
)
@click.option(
    "--features-spec",
    "features_specs",
    type=PATH,
    multiple=True,
    help="With --features: JobSpec file of the windows, and of other feature jobs; may be given again. Default: those "
    "that the JobSpec of the deltas implies.",
)
@click.option("--no-compact", is_flag=True, help="Do not compact whole days that are over.")
@AS_JSON
@QUIET
@click.pass_context
def watch(
    ctx: click.Context,
    /,
    landing: str,
    spec: Path,
    output: str,
    every: str,
    settle: str,
    span_from_name: str | None,
    once: bool,
    features: bool,
    features_specs: tuple[Path, ...],
    no_compact: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Build the deltas of what lands in a folder, as it lands.

    Each finished file in the folder, and each folder in it, is a mini-batch with its name for an id.
    """
    stopping: Stopping = ctx.obj
    job = JobSpecFile(spec).load()
    every_us, settle_us = _duration("every", every), _duration("settle", settle)
    chain = _chain(job, features, features_specs)
    pattern = None if span_from_name is None else name_pattern(span_from_name)
    place, target = _folder("landing", landing), _folder("output", output)
    refuse_overlap([FolderPlace(place)], FolderPlace(target))
    with watch_news(quiet, as_json) as news:
        try:
            with _alone(target), _waiting(place, once, news) as wait:
                builder = LocalBuilder(
                    job,
                    FolderLanding(place, job.input.files, news.once),
                    target,
                    news.once,
                    stopping.undisturbed,
                    pattern,
                )
                builder.check()
                notes = NotesFile(target)
                follow = following_of(builder, chain, news)
                watcher = watcher_of(
                    builder, notes, news, settle_us, 0 if once else every_us, follow.after_batch
                )
                compaction = [] if no_compact else [DailyCompaction.of(builder, news)]
                upkeep: list[Upkeep] = [follow, *compaction]
                has_begun = False
                while True:
                    began = time.monotonic()
                    try:
                        done, failed = _round(watcher, upkeep)
                    except (NdrError, OSError) as error:
                        if once or not has_begun or isinstance(error, SpecError):
                            raise
                        news.failed("watching", str(error))  # a folder may be away for a while
                        wait(every_us / SECOND_US)
                        continue
                    has_begun = True
                    if done.built or failed:
                        notes.keep(builder.confirmed(notes.attempts()))
                    _show(done, failed, time.monotonic() - began, as_json, once)
                    if once:
                        break
                    left = every_us if done.wait is None else min(every_us, done.wait)
                    wait(left / SECOND_US)
        except StopRequested as stop:
            click.echo(
                f"ndr: {stopped_by(stop)}; {news.published:,} mini-batches were published since the start",
                err=True,
            )
            exit_stopped(stop, ctx.exit)
    if failed:
        click.echo(f"ndr: not built: {_named(list(failed))}; all else is", err=True)
        ctx.exit(NdrError.exit_code)


def _round(watcher: Watcher, upkeep: list[Upkeep]) -> tuple[Round, dict[str, str]]:
    """One round, with what follows it. Gives what it did, and what failed: a name -> why."""
    done = watcher.round()
    failed = {**done.failed}
    for one in upkeep:
        failed |= one.after_round(done)
    return done, failed


def _show(done: Round, failed: dict[str, str], seconds: float, as_json: bool, once: bool) -> None:
    """What a round has done, as JSON: one object, or of a watcher that goes on a line for each round that did some."""
    if not as_json:
        return
    told = {
        "built": done.built,
        "failed": failed,
        "growing": done.growing,
        "seconds": round(seconds, 3),
    }
    if once:
        console.print_json(told)
    elif done.built or failed:
        print(json.dumps(told), flush=True)


def _named(names: list[str]) -> str:
    """Some names, and how many more there are."""
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(map(printable, names[:_MOST_NAMED])) + more


def _duration(name: str, text: str) -> int:
    """A length of time, us. Raises SpecError, naming the option, for another text."""
    try:
        return parse_duration(text)
    except SpecError as error:
        raise SpecError(f"{name}: {error}") from error


def _chain(job: JobSpec, wanted: bool, files: tuple[Path, ...]) -> Chain | None:
    """The feature jobs that follow a job of deltas; None where none do. Raises SpecError where they do not fit it."""
    if not wanted:
        if files:
            raise UsageError("features-spec: is for --features; add that, or leave it out")
        return None
    if not files:
        return chain_after(job)
    windows, *others = sorted(files, key=lambda file: not isinstance(_loaded(file), FgASpec))
    chain = chain_of(_loaded(windows), others)
    refuse_other_deltas(chain, job)
    return chain


def _loaded(file: Path) -> AnySpec:
    return JobSpecFile(file).load_any()


def _folder(name: str, address: str) -> Path:
    if is_s3(address):
        raise UsageError(
            f"{name} {address}: `ndr watch` works between folders of one machine; the pipelines in AWS do the same for "
            "S3 (docs/deploy.md)"
        )
    return with_home(local_folder(address, name))


@contextmanager
def _alone(output: Path) -> Iterator[None]:
    """Be the only watcher of an output. Raises UsageError where there is another one."""
    try:
        make_folder(output / WATCH)
    except OSError as error:
        raise UsageError(f"output {output}: can't be written: {error.strerror}") from error

    def refusal(holder: str) -> NdrError:
        return UsageError(
            f"output {output}: is watched already, by {holder}; one watcher is enough"
        )

    with alone_or(output / WATCH / LOCK, refusal):
        yield


def _events_of(folder: Path) -> AbstractContextManager[Waiting]:
    """What hears what lands. Its package comes with an extra, which --once does without: imported when it is needed."""
    opened: AbstractContextManager[Waiting] = import_module(_EVENTS).events_of(folder)
    return opened


@contextmanager
def _waiting(folder: Path, once: bool, news: WatchNews) -> Iterator[Callable[[float], Any]]:
    """Give what waits some seconds, or until something lands."""
    with ExitStack() as stack:
        if once or not folder.is_dir():  # what is wrong with it, the first look says
            yield time.sleep
            return
        try:
            events = stack.enter_context(_events_of(folder))
        except OSError as error:
            news.warn(
                f"{folder}: the system can't tell what lands ({error}); --every says how often it is looked at"
            )
            yield time.sleep
            return

        def wait(seconds: float) -> None:
            events.wait(seconds)
            time.sleep(_PAUSE_SECONDS)

        yield wait
