"""What any published table is: columns, keys, slices, and how its rows merge."""
