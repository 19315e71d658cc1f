"""Watching a folder in which logs land: what is finished, what is counted already, what is to be built."""
