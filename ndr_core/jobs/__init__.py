"""What any job is: its parameters, its spec, its ports and how it runs."""
