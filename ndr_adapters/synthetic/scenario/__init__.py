"""Days of traffic of a whole network, ordinary hosts with planted attacks among them, made from a seed."""
