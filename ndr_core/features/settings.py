"""What the JobSpecs of all feature jobs say alike: which deltas and which history they read, and where they lie."""

from __future__ import annotations

from typing import Any, Final

from attrs import asdict, field, frozen

from ndr_core.errors import Problem, SpecError
from ndr_core.jobs.kms_key import KMS_KEY
from ndr_core.jobs.spec import key_problems, place_problems
from ndr_core.names import PATH_SEGMENT, PATH_SEGMENT_RULE, is_path_segment, whole
from ndr_core.publishing.layout import FEATURES
from ndr_core.publishing.location import S3Address

HISTORY_JOB: Final = "pair_history"
FG_A_JOB: Final = "fg_a"
FG_B_JOB: Final = "fg_b"
FG_C_JOB: Final = "fg_c"
"""Names of the feature jobs where a JobSpec says nothing else."""

_SEGMENT: Final = {"pattern": whole(PATH_SEGMENT)}
_IN_S3: Final = {"pattern": "^s3a?://."}


@frozen
class Inputs:
    """What a feature job reads."""

    feature_spec_version: str | None = field(
        default=None,
        metadata={
            "doc": "version of the deltas that are read; the job's own if absent",
            "schema": _SEGMENT,
        },
    )
    history_job: str = field(
        default=HISTORY_JOB,
        metadata={
            "doc": "name of the job whose pair history is read; its feature_spec_version is the job's own",
            "schema": _SEGMENT,
        },
    )

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        return [
            Problem(key, PATH_SEGMENT_RULE)
            for key, value in asdict(self).items()
            if value is not None and not is_path_segment(value)
        ]

    def deltas_version(self, own: str) -> str:
        """Give the feature_spec_version of the deltas that are read. `own`: that of the job."""
        return own if self.feature_spec_version is None else self.feature_spec_version


@frozen
class FeatureStorage:
    """Where a deployed feature job may read and write, and the key of what is written to S3.

    `ndr features` takes its places from the command line, but not the key.
    """

    deltas_prefix: str | None = field(
        default=None,
        metadata={"doc": "s3://..; the output of the delta jobs, which is read", "schema": _IN_S3},
    )
    features_prefix: str | None = field(
        default=None,
        metadata={
            "doc": f"s3://..; features are published below it; `{FEATURES}` below deltas_prefix if absent",
            "schema": _IN_S3,
        },
    )
    kms_key: str | None = field(default=None, metadata=KMS_KEY)

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        found = place_problems(self, ("deltas_prefix", "features_prefix"))
        both = self.deltas_prefix is not None and self.features_prefix is not None
        if not found and both and self.features() != self._usual() and self._overlaps():
            found.append(
                Problem("features_prefix", f"in deltas_prefix only its folder `{FEATURES}` is free")
            )
        return [*found, *key_problems(self.kms_key)]

    def deltas(self) -> S3Address:
        """Give the prefix of the deltas. Raises SpecError where it is not given."""
        if self.deltas_prefix is None:
            raise SpecError(
                "storage.deltas_prefix: missing; a deployed job needs it, such as s3://BUCKET/PREFIX"
            )
        return S3Address.parse(self.deltas_prefix, "storage.deltas_prefix")

    def features(self) -> S3Address:
        """Give the prefix of the features. Raises SpecError where neither prefix is given."""
        if self.features_prefix is None:
            return self._usual()
        return S3Address.parse(self.features_prefix, "storage.features_prefix")

    def _usual(self) -> S3Address:
        return self.deltas() / FEATURES

    def _overlaps(self) -> bool:
        deltas, features = self.deltas(), self.features()
        return deltas.holds(features) or features.holds(deltas)


def given(part: Any) -> dict[str, Any]:
    """Give the keys of a part of a spec that have a value, as plain data."""
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in asdict(part).items()
        if value is not None
    }
