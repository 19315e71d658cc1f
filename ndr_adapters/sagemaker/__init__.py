"""SageMaker: the archive that a job runs from, and the pipeline that starts it."""
