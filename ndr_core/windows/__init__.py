"""The third builder: per host and role, the features of windows of time (FG-A), and beacons."""
