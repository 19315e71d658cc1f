"""JobSpecs in DynamoDB."""

from ndr_adapters.dynamodb.job_specs import JobSpecLoader, JobSpecTable, StoredSpec

__all__ = ["JobSpecLoader", "JobSpecTable", "StoredSpec"]
