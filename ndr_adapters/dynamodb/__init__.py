"""JobSpecs in DynamoDB."""
