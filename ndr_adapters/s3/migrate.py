"""Taking over an output in S3 from the version in which a run owned whole slices, as `local.migrate` does a folder.

New claims are written first; as long as one former claim is in its place, nobody reads the output. Then the former
ones are moved away, to `_former_manifests`. One that dies is done again from its begin, with the same outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from ndr_adapters.aws.errors import aws_errors_named
from ndr_adapters.aws.limits import THREADS
from ndr_adapters.s3.claims import ClaimLog, State, parts_of
from ndr_adapters.s3.objects import delete_objects, get_object, list_objects
from ndr_core.errors import UsageError
from ndr_core.publishing.entry import MANIFESTS, is_former_name
from ndr_core.publishing.former import FormerManifest, migrated, read_former
from ndr_core.publishing.location import S3Address
from ndr_core.publishing.manifest import Manifest, ManifestError, plain_of

FORMER: Final = "_former_manifests"


def migrate_output(
    log: ClaimLog, columns_of: Callable[[str], Mapping[str, str]]
) -> Sequence[Manifest]:
    """Take an output over; gives its manifests. `columns_of`: as for `migrated`. No run may be under way.

    Claims of runs that were not published are named and moved away with the others. Raises UsageError where nothing is
    to be taken over, NdrError for a claim that can't be read.
    """
    left = _former_in(log, MANIFESTS)
    if not left:
        raise UsageError(f"output {log.output}: holds nothing of the version before")
    moved = log.output / FORMER
    places = [
        *(moved / name for name in _former_in(log, FORMER) if name not in left),
        *(log.output / MANIFESTS / name for name in left),
    ]
    with ThreadPoolExecutor(THREADS) as pool:
        read = list(pool.map(lambda place: _read(log, place), places))
        made = migrated([former for former in read if former is not None], columns_of)
        list(pool.map(log.put_published, made))
        list(pool.map(lambda name: _keep(log, name), left))
    # By requests of its own: what is not kept must not be deleted.
    root = log.output / MANIFESTS
    delete_objects(log.client, log.output.bucket, [(root / name).key for name in left])
    return made


def _former_in(log: ClaimLog, folder: str) -> list[str]:
    root = log.output / folder
    names = (item["Key"][len(root.below) :] for item in list_objects(log.client, root))
    return [name for name in names if is_former_name(name)]


def _read(log: ClaimLog, place: S3Address) -> FormerManifest | None:
    """Read a former claim; None for that of a run that was not published, which is named."""
    try:
        found = get_object(log.client, place.bucket, place.key)
        if found is None:
            raise ManifestError("was removed meanwhile")
        state, plain = parts_of(plain_of(found.content))
        if state is State.PUBLISHED:
            return read_former(plain)
    except ManifestError as error:
        raise error.at(place) from error
    log.notice(
        f"{place}: its run was not published ({state.value}); `ndr verify` names the files that it left"
    )
    return None


def _keep(log: ClaimLog, name: str) -> None:
    source, target = log.output / MANIFESTS / name, log.output / FORMER / name
    with aws_errors_named(str(target)):
        log.client.copy_object(
            Bucket=target.bucket,
            Key=target.key,
            CopySource={"Bucket": source.bucket, "Key": source.key},
            TaggingDirective="REPLACE",  # copying tags takes more permissions
        )
