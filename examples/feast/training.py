"""Ask Feast for what was known of hosts at the moments of labels: a join at points in time.

    python examples/feast/training.py LABELS TARGET

LABELS: a CSV file with the columns host_ip, role, window_label, event_timestamp; TARGET: the CSV file to write.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
from definitions import entities, host_windows
from feast import FeatureStore

FEATURES = ("sessions_cnt", "bytes_sent_sum", "peer_ip_nunique", "drop_ratio", "scan_score")


def main(labels: Path, target: Path) -> None:
    """Write the labels with the features of the last window that had ended at the moment of each."""
    store = FeatureStore(repo_path=str(Path(__file__).parent))
    store.apply([*entities, host_windows])
    asked = pd.read_csv(labels, parse_dates=["event_timestamp"])
    found = store.get_historical_features(
        entity_df=asked, features=[f"{host_windows.name}:{name}" for name in FEATURES]
    )
    found.to_df().to_csv(target, index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
