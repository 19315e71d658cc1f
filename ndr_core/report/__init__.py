"""What a report shows of an output: which hosts, which numbers, over which time."""
