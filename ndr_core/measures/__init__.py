"""The kinds of measures, and how a row is made from what is stored."""
