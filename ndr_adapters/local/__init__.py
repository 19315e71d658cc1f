"""Files and folders: reading mini-batches, publishing outputs, JobSpec files."""

from ndr_adapters.local.manifests import read_manifests
from ndr_adapters.local.sink import FolderSink
from ndr_adapters.local.source import FolderSource
from ndr_adapters.local.spec_file import JobSpecFile

__all__ = ["FolderSink", "FolderSource", "JobSpecFile", "read_manifests"]
