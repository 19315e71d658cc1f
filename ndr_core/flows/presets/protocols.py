"""Numbers of IANA for transports, as sources spell them."""

from __future__ import annotations

from typing import Final

TRANSPORTS: Final = {"1": "ICMP", "6": "TCP", "17": "UDP", "58": "ICMP"}
"""Number -> the name of the transport. Other numbers and names stay as they are."""
