"""What can be said of a record or a row, as values, and what it means."""
