"""What a published run is, where its files lie, and which of them are live."""
