"""Files and folders: reading mini-batches, publishing outputs, JobSpec files."""
