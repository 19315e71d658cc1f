"""What a report shows, read by Polars: only the columns, files and hosts that it needs."""
