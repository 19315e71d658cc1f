"""The version of the project: the one place that says it; the build reads it from here."""

__version__ = "0.2.0"
