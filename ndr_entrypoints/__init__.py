"""Wiring: the command line and the production entrypoint."""
