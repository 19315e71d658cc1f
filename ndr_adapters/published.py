"""What an output holds for readers, wherever it lies: the live files of its published runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, field, frozen

from ndr_adapters.home import with_home
from ndr_core.errors import NdrError, UsageError, shown
from ndr_core.publishing.location import S3Address, is_s3
from ndr_core.publishing.manifest import Manifest, OutputFile
from ndr_core.publishing.ownership import live_files, owners
from ndr_core.tables.slices import slice_path
from ndr_core.times import MINUTE_US, to_us

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ATTEMPTS: Final = 5


@frozen
class SliceRange:
    """Slices that start in [since, until); an absent bound leaves its side open."""

    since: datetime | None = None
    until: datetime | None = None

    def __attrs_post_init__(self) -> None:
        """Raise UsageError for bounds without a time zone, which could mean any time."""
        for name in ("since", "until"):
            bound = getattr(self, name)
            if bound is not None and bound.tzinfo is None:
                raise UsageError(
                    f"{name}: {bound} has no time zone; give one, such as datetime.UTC"
                )

    def holds(self, path: str) -> bool:
        """Whether a slice's path, `dt=../hh=../mm=..` at its end, lies in the range."""
        place = path.partition("/")[2]
        return (self.since is None or place >= _place(self.since)) and (
            self.until is None or place < _place(self.until)
        )


def _place(moment: datetime) -> str:
    """Where slices from this moment on begin; slices start at whole minutes."""
    minute = -(-to_us(moment) // MINUTE_US) * MINUTE_US
    return slice_path("", minute).partition("/")[2]


@frozen
class Published:
    """The published runs of an output, as of one moment."""

    root: str
    """Address of the output, without a slash at its end."""
    manifests: tuple[Manifest, ...] = ()
    slices: SliceRange = field(factory=SliceRange)
    polars_options: dict[str, Any] = field(factory=dict)
    """How Polars gets there."""
    hadoop_settings: dict[str, str] = field(factory=dict)
    """How Spark gets there."""
    sizes: Callable[[Iterable[str]], Mapping[str, int]] = field(default=lambda _: {}, eq=False)
    """Bytes of those of some paths that exist."""

    def files(self, table: str) -> list[OutputFile]:
        """Live files of a table, in the range of slices, sorted by path."""
        return [
            file
            for file in live_files(self.manifests)
            if file.table == table and self.slices.holds(file.folder.partition("/")[2])
        ]

    def damages(self, files: Iterable[OutputFile]) -> dict[str, str]:
        """What is wrong with files that are missing or have another size than their manifest says."""
        known = list(files)
        sizes = self.sizes([file.path for file in known])
        owner = owners(self.manifests)
        return {
            file.path: f"{self.root}/{file.path}: {_damage(file, sizes.get(file.path))}; restore it, "
            f"or run mini-batch {shown(owner[file.folder].facts.mini_batch_id)} again"
            for file in known
            if sizes.get(file.path) != file.bytes
        }


def _damage(file: OutputFile, size: int | None) -> str:
    expected = f"its manifest says {file.bytes:,} bytes"
    return f"is missing ({expected})" if size is None else f"has {size:,} bytes, {expected}"


def located(output: Path | str) -> Published:
    """An output at a folder or an address in S3, its runs not looked up.

    Raises UsageError for what is no address, or where S3 is not set up.
    """
    if not (isinstance(output, str) and is_s3(output)):
        return _in_folder(with_home(output))
    from ndr_adapters.aws.clients import s3_client

    return _in_s3(s3_client(), S3Address.parse(output, "output"))


def published(output: Path | str, slices: SliceRange | None = None) -> Published:
    """The published runs of an output. Raises as `located`, and where S3 does not let it be read.

    In S3, only manifests that may hold a slice of the range are read.
    """
    wanted = slices or SliceRange()
    if isinstance(output, str) and is_s3(output):
        from ndr_adapters.aws.clients import s3_client
        from ndr_adapters.s3.claims import ClaimLog, manifests_of

        client, address = s3_client(), S3Address.parse(output, "output")
        claims = ClaimLog(client, address).read(
            lambda entry: entry.may_hold(wanted.since, wanted.until)
        )
        found, manifests = _in_s3(client, address), manifests_of(claims)
    else:
        from ndr_adapters.local.manifests import read_manifests

        folder = with_home(output)
        found, manifests = _in_folder(folder), read_manifests(folder)
    return evolve(found, manifests=tuple(manifests), slices=wanted)


def readable(
    output: Path | str, tables: Iterable[str], slices: SliceRange | None = None
) -> Published:
    """The published runs of an output, whose live files of these tables are there, as long as they should be.

    Raises as `published`, and NdrError for a file that is missing or has another size.
    """
    wanted = tuple(tables)
    damaged: dict[str, str] = {}
    for _ in range(_ATTEMPTS):
        found = published(output, slices)
        damages = found.damages(file for table in wanted for file in found.files(table))
        # A later run may have replaced a file since the manifests were read: then they tell so now.
        known = [message for path, message in sorted(damages.items()) if path in damaged]
        if known:
            more = f" (and {len(known) - 1} more files)" if len(known) > 1 else ""
            raise NdrError(known[0] + more)
        if not damages:
            return found
        damaged |= damages
    raise NdrError(f"{output}: runs are published faster than they can be read; try again")


def _in_folder(output: Path) -> Published:
    from ndr_adapters.local.manifests import sizes

    return Published(str(output), sizes=lambda paths: sizes(output, paths))


def _in_s3(client: S3Client, output: S3Address) -> Published:
    from ndr_adapters.s3.objects import sizes
    from ndr_adapters.s3.settings import hadoop_settings, polars_options

    return Published(
        str(output).rstrip("/"),
        polars_options=polars_options(client),
        hadoop_settings=hadoop_settings(client),
        sizes=lambda paths: sizes(client, output, paths),
    )
