"""`scenario.json`: what was planted where, and what else a reader of the scores must know."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from ndr_adapters.synthetic.scenario.planted import Planting
from ndr_adapters.synthetic.scenario.poisson import PORT, PoissonPairs
from ndr_adapters.synthetic.scenario.population import Population
from ndr_core.times import iso_text

_FORMAT: Final = 1


def listing(
    population: Population, planted: Sequence[Planting], poisson: PoissonPairs
) -> dict[str, Any]:
    """Give the content of the file: addresses as text, times as ISO-8601."""
    size, addresses = population.size, population.book.addresses.to_list()

    def texts(numbers: Sequence[int]) -> list[str]:
        return [addresses[number] for number in numbers]

    return {
        "format": _FORMAT,
        "seed": size.seed,
        "days": size.days,
        "hosts": size.hosts,
        "first_day": size.day_text(0),
        "last_day": size.day_text(size.days - 1),
        "planted": [_planted(planting, addresses) for planting in planted],
        "poisson": [
            {
                "host": addresses[host],
                "peer": addresses[peer],
                "port": PORT,
                "sessions_a_day": count,
            }
            for host, peer, count in poisson.pairs
        ],
        "bursty_hosts": texts(population.uses["bursty"]),
        "uses": {
            use: texts(population.uses[use])
            for use in ("admin", "help_desk", "uploader", "agent_host")
        },
        "retired": texts(population.retired),
        "servers": {kind: texts(hosts) for kind, hosts in population.servers.items()},
        "outside": {kind: texts(peers) for kind, peers in population.outside.items()},
    }


def listing_text(content: dict[str, Any]) -> str:
    """Write the content as JSON, so that each planting is a line."""
    lines = [f"  {json.dumps(name)}: {_value_text(value)}" for name, value in content.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _value_text(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n    " + ",\n    ".join(map(json.dumps, value)) + "\n  ]"
    return json.dumps(value)


def _planted(planting: Planting, addresses: Sequence[str]) -> dict[str, Any]:
    sessions = planting.sessions
    own = sessions.filter(sessions["source"] == planting.host)
    others = sessions.filter(sessions["source"] != planting.host)
    first, last = sessions.select(
        first=sessions["start_us"].min(), last=sessions["start_us"].max()
    ).row(0)
    return {
        "kind": planting.kind,
        "host": addresses[planting.host],
        "measures": list(planting.measures),
        "first_start": iso_text(first),
        "last_start": iso_text(last),
        "sessions": own.height,
        "sessions_to_it": others.height,
        "bytes_sent": int(own["source_bytes"].sum()),
        "ports": sessions["port"].unique().sort().to_list(),
        "peers": [addresses[peer] for peer in own["destination"].unique().sort()],
        "callers": len(others["source"].unique()),
    }
