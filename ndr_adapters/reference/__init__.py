"""The reference semantics as an engine: slow, obvious, for checking the others on one's own logs."""
