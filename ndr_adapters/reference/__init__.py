"""The reference semantics as an engine: slow, obvious, for checking the others on one's own logs."""

from ndr_adapters.reference.engine import ReferenceEngine

__all__ = ["ReferenceEngine"]
