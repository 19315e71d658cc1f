"""Stand-ins for S3 and DynamoDB on loopback, for first runs without an account."""
