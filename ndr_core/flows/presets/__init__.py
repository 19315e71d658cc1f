"""Mappings of known sources, one file each."""
