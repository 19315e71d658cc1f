"""One package per technology; each compiles or carries the core's values and holds no rule of its own."""
