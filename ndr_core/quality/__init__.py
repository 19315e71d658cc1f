"""Which records are kept, which are changed, which are set aside, and the report of it."""
