"""Every column of every table: for `ndr schema`, `ndr catalog`, their pages, and feature stores."""
