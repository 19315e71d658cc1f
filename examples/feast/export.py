"""Write published windows (FG-A) as one Parquet file for Feast, with the names and types of its columns.

    python examples/feast/export.py FEATURES TARGET

FEATURES: the output of the features, a folder or s3://..; TARGET: a folder.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

import polars as pl

from ndr_adapters.outputs import open_output
from ndr_adapters.polars.features.readers import read_fg_a

TYPES: Final = {pl.Int64(): "Int64", pl.Float64(): "Float64", pl.String(): "String"}
"""Type of a column -> that of Feast; what is left are times."""


def main(features: str, target: Path) -> None:
    """Write `fg_a.parquet` and `fg_a.json`, the columns by name and type of Feast, into a folder."""
    rows = read_fg_a(open_output(features)).collect()
    target.mkdir(parents=True, exist_ok=True)
    rows.write_parquet(target / "fg_a.parquet")
    types = {name: TYPES.get(kind, "UnixTimestamp") for name, kind in rows.schema.items()}
    (target / "fg_a.json").write_text(json.dumps(types, indent=2))
    print(f"{rows.height:,} rows, {rows.width} columns in {target / 'fg_a.parquet'}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
