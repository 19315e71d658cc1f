"""What any run of any job is given, and the stages that it passes."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from ndr_core.errors import SpecError, shown
from ndr_core.names import PATH_SEGMENT_RULE, is_path_segment
from ndr_core.tables.slices import SliceBounds


class Stage(Enum):
    """The parts of a run, in order, by the names that logs show."""

    LOOK = "look"
    START = "start"
    BUILD = "build"
    PUBLISH = "publish"


@frozen
class RuntimeParams:
    """What distinguishes one run from the next. Times are us since 1970-01-01 UTC."""

    mini_batch_id: str
    run_id: str
    slice_start: int | None = None
    slice_end: int | None = None
    derived_id: bool = False
    """Whether the mini-batch's id was made from the address of its input."""

    def __attrs_post_init__(self) -> None:
        """Raise SpecError for ids that can't be path segments and for bounds that make no span."""
        for key in ("mini_batch_id", "run_id"):
            value = getattr(self, key)
            if not is_path_segment(value):
                raise SpecError(f"{key}: {shown(value)} {PATH_SEGMENT_RULE}")
        if (self.slice_start is None) != (self.slice_end is None):
            raise SpecError("slice bounds: give both slice-start and slice-end, or neither")
        _ = self.bounds

    @property
    def bounds(self) -> SliceBounds | None:
        """The span of slices that the run is for; None where nobody says."""
        if self.slice_start is None or self.slice_end is None:
            return None
        return SliceBounds(self.slice_start, self.slice_end)
