"""S3: reading mini-batches, publishing outputs."""
