"""SQL by which other engines read the tables of an output: one module for each dialect."""
