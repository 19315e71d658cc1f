"""The engine: delta semantics as Spark SQL, in the same files and functions as `ndr_adapters.polars`."""
