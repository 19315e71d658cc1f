"""The first builder: per host, role and slice, the deltas and pairs of a mini-batch."""
