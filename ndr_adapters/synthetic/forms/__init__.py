"""The true forms of known sources, one file each."""
