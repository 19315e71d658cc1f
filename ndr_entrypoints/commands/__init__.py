"""The groups of commands below `ndr`, a module each."""
