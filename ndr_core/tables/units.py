"""What one step of a column's values is: the units of the catalogue, each by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEXT: Final = "text"
TIME: Final = "time"
PORT: Final = "port"
FLAG: Final = "flag"
COUNT: Final = "count"
BYTES: Final = "bytes"
MICROSECONDS: Final = "us"
MILLISECONDS: Final = "ms"
SECONDS: Final = "seconds"
HOUR: Final = "hour"
DAYS: Final = "days"
DAY_BITS: Final = "day bits"
BITS: Final = "bits"
RATIO: Final = "ratio"
SCORE: Final = "score"
PER_MILLE: Final = "per mille"
THOUSANDTHS: Final = "thousandths"
SCALES: Final = "scales"
OF_METRIC: Final = "of the metric"
COUNTS: Final = "counts"

UNITS: Final[Mapping[str, str]] = {
    TEXT: "a name, an address or a label",
    TIME: "a moment, us since 1970-01-01 UTC",
    PORT: "a port number, 0 to 65535",
    FLAG: "1 for yes, 0 for no",
    COUNT: "a number of things",
    BYTES: "bytes",
    MICROSECONDS: "millionths of a second",
    MILLISECONDS: "thousandths of a second",
    SECONDS: "seconds, whole or not",
    HOUR: "an hour of the day, 0 to 23",
    DAYS: "days; a weekday is 1 for Monday to 7 for Sunday",
    DAY_BITS: "one bit for each day",
    BITS: "doublings: logarithms to base 2",
    RATIO: "a part of a whole, or one number divided by another",
    SCORE: "0 to 1, the higher the more remarkable",
    PER_MILLE: "thousandths, as a whole number; scores of beacons go from 0 to 1000",
    THOUSANDTHS: "thousandths of a ratio, of bits or of a score, as a whole number",
    SCALES: "how often the usual spread fits in",
    OF_METRIC: "the unit of the metric of the row",
    COUNTS: "for each bucket how many",
}
"""Unit -> what it says."""
