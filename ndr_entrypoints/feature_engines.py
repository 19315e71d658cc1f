"""The engines of feature jobs by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from ndr_adapters.polars.features.baseline_engine import PolarsBaselineEngine
from ndr_adapters.polars.features.correlation_engine import PolarsCorrelationEngine
from ndr_adapters.polars.features.history_engine import PolarsHistoryEngine
from ndr_adapters.polars.features.summary_engine import PolarsSummaryEngine
from ndr_adapters.polars.features.window_engine import PolarsWindowEngine
from ndr_adapters.polars.s3 import polars_options
from ndr_adapters.reference.baselines import ReferenceBaselineEngine, ReferenceSummaryEngine
from ndr_adapters.reference.correlations import ReferenceCorrelationEngine
from ndr_adapters.reference.features import ReferenceHistoryEngine, ReferenceWindowEngine
from ndr_core.baselines.engine import BaselineEngine, SummaryEngine
from ndr_core.correlations.engine import CorrelationEngine
from ndr_core.history.engine import HistoryEngine
from ndr_core.jobs.choice import POLARS, SPARK
from ndr_core.windows.engine import WindowEngine
from ndr_entrypoints.wiring import spark_engines

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REFERENCE: Final = "reference"

HISTORY_ENGINES: Final[Mapping[str, Callable[[S3Client | None], HistoryEngine]]] = {
    POLARS: lambda client: PolarsHistoryEngine(polars_options(client)),
    SPARK: lambda client: spark_engines().history(client),
    REFERENCE: lambda client: ReferenceHistoryEngine(polars_options(client)),
}
WINDOW_ENGINES: Final[Mapping[str, Callable[[S3Client | None], WindowEngine]]] = {
    POLARS: lambda client: PolarsWindowEngine(polars_options(client)),
    SPARK: lambda client: spark_engines().windows(client),
    REFERENCE: lambda client: ReferenceWindowEngine(polars_options(client)),
}
SUMMARY_ENGINES: Final[Mapping[str, Callable[[S3Client | None], SummaryEngine]]] = {
    POLARS: lambda client: PolarsSummaryEngine(polars_options(client)),
    SPARK: lambda client: spark_engines().summaries(client),
    REFERENCE: lambda client: ReferenceSummaryEngine(polars_options(client)),
}
BASELINE_ENGINES: Final[Mapping[str, Callable[[S3Client | None], BaselineEngine]]] = {
    POLARS: lambda client: PolarsBaselineEngine(polars_options(client)),
    SPARK: lambda client: spark_engines().baselines(client),
    REFERENCE: lambda client: ReferenceBaselineEngine(polars_options(client)),
}
CORRELATION_ENGINES: Final[Mapping[str, Callable[[S3Client | None], CorrelationEngine]]] = {
    POLARS: lambda client: PolarsCorrelationEngine(polars_options(client)),
    SPARK: lambda client: spark_engines().correlations(client),
    REFERENCE: lambda client: ReferenceCorrelationEngine(polars_options(client)),
}
"""Name of an engine -> what starts it, set up for the S3 that a client reaches, or for folders alone."""
