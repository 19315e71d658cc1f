"""What the JobSpec of any job holds: the key under which it is stored, and where a deployed job works."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import asdict, field, frozen

from ndr_core.errors import Problem, SpecError
from ndr_core.jobs.kms_key import KMS_KEY, kms_key_problem
from ndr_core.names import PATH_SEGMENT, PATH_SEGMENT_RULE, is_path_segment, whole
from ndr_core.place import overlap
from ndr_core.publishing.location import S3Address

_IN_S3: Final = {"pattern": "^s3a?://."}
_SEGMENT: Final = {"pattern": whole(PATH_SEGMENT)}

PROJECT_NAME: Final = {
    "doc": "the tenant or network that the logs belong to",
    "schema": _SEGMENT,
}
JOB_NAME: Final = {"doc": "name of the job", "schema": _SEGMENT}
SPEC_VERSION: Final = {
    "doc": "version of the features; part of every output path",
    "schema": _SEGMENT,
}
ENGINE: Final = {"doc": "what builds the tables, where no engine is named"}
STORAGE: Final = {
    "doc": "the prefixes that a deployed job keeps to, and the key of what is written to S3"
}
"""What keys that all JobSpecs have say of themselves."""


@frozen
class JobKey:
    """What tells JobSpecs apart."""

    project_name: str
    job_name: str
    feature_spec_version: str

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        return [
            Problem(key, PATH_SEGMENT_RULE)
            for key, value in asdict(self).items()
            if not is_path_segment(value)
        ]


@frozen
class Storage:
    """Where a deployed job may read and write, and the key of what is written to S3.

    `ndr run` takes its places from the command line, but not the key.
    """

    input_prefix: str | None = field(
        default=None,
        metadata={"doc": "s3://..; mini-batches must lie at or below it", "schema": _IN_S3},
    )
    output_prefix: str | None = field(
        default=None,
        metadata={"doc": "s3://..; everything is published below it", "schema": _IN_S3},
    )
    kms_key: str | None = field(default=None, metadata=KMS_KEY)

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        found = place_problems(self, ("input_prefix", "output_prefix"))
        both = self.input_prefix is not None and self.output_prefix is not None
        if not found and both and overlap(self.input(), self.output()):
            found.append(Problem("output_prefix", "must not lie in input_prefix, nor hold it"))
        return [*found, *key_problems(self.kms_key)]

    def input(self) -> S3Address:
        """Give the prefix of the input. Raises SpecError where it is not given."""
        return _given(self.input_prefix, "storage.input_prefix")

    def output(self) -> S3Address:
        """Give the prefix of the output. Raises SpecError where it is not given."""
        return _given(self.output_prefix, "storage.output_prefix")


def place_problems(storage: Any, keys: Iterable[str]) -> list[Problem]:
    """List what is wrong with addresses in S3 that a storage may have under some keys."""
    given = ((key, getattr(storage, key)) for key in keys)
    return [
        Problem(key, problem)
        for key, address in given
        if address is not None and (problem := S3Address.problem(address)) is not None
    ]


def key_problems(kms_key: str | None) -> list[Problem]:
    """List what is wrong with the key `kms_key` of a storage."""
    problem = None if kms_key is None else kms_key_problem(kms_key)
    return [] if problem is None else [Problem("kms_key", problem)]


def hash_of_plain(plain: Mapping[str, Any]) -> str:
    """Give the SHA-256 of the plain data of a spec, whatever the order of their keys.

    Without `storage.kms_key`: by whichever key objects are encrypted, what is in them is the same.
    """
    storage = {key: value for key, value in plain.get("storage", {}).items() if key != "kms_key"}
    hashed = {key: value for key, value in plain.items() if key != "storage"}
    if storage:
        hashed["storage"] = storage
    text = json.dumps(hashed, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _given(address: str | None, key: str) -> S3Address:
    if address is None:
        raise SpecError(f"{key}: missing; a deployed job needs it, such as s3://BUCKET/PREFIX")
    return S3Address.parse(address, key)
