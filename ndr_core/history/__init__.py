"""The second builder: per host, role, peer and port, the days in which they met."""
