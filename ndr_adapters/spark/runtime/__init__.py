"""How Spark runs: its session, the Java and the jars that it needs, the files and addresses that it can read."""
