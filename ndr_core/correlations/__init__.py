"""The fifth builder (FG-C): how far each window lies from what is usual, and scores made of it."""
