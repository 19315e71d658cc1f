"""Canonical text of IP addresses on plain lines: `ndr_core.ip_address`, as a function of Polars columns."""

from __future__ import annotations

import polars as pl

from ndr_core.flows.ip_address import canonical_ip


def canonical_ips(text: pl.Expr) -> pl.Expr:
    """Addresses in canonical form, null for a text that is none.

    `text`: canonical IPv4, or texts with a colon, as the pattern of plain lines lets pass; only the latter need a
    look.
    """
    has_colon = text.str.contains(":", literal=True)
    looked_up = (
        pl.when(has_colon)
        .then(text)
        .map_batches(_canonical_ipv6, return_dtype=pl.String, is_elementwise=True)
    )
    return pl.when(has_colon).then(looked_up).otherwise(text)


def _canonical_ipv6(texts: pl.Series) -> pl.Series:
    if texts.null_count() == len(texts):
        return texts
    return pl.Series([text and canonical_ip(text) for text in texts.to_list()], dtype=pl.String)
