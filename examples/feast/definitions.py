"""Windows (FG-A) as a feature view of Feast: what `feast apply` reads. Needs what `export.py` wrote into `data`."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from feast import Entity, FeatureView, Field, FileSource, ValueType, types

DATA = Path(__file__).parent / "data"

KEYS = ("host_ip", "role", "window_label")
"""What a window is of; its end is the time of its features."""
TIMES = {"window_end_ts", "published_at"}

entities = [Entity(name=name, join_keys=[name], value_type=ValueType.STRING) for name in KEYS]

windows = FileSource(
    name="fg_a",
    path=str(DATA / "fg_a.parquet"),
    timestamp_field="window_end_ts",
    # Of two runs of one window the later one counts.
    created_timestamp_column="published_at",
)

host_windows = FeatureView(
    name="host_windows",
    entities=entities,
    # As long as the features of a window are given to those who ask for later moments.
    ttl=timedelta(hours=1),
    schema=[
        Field(name=name, dtype=getattr(types, kind))
        for name, kind in json.loads((DATA / "fg_a.json").read_text()).items()
        if name not in TIMES
    ],
    source=windows,
)
