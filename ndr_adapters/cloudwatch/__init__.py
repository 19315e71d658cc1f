"""CloudWatch: the log and the metrics of a deployed run."""
