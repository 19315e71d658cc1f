"""Windows by Polars are those of the reference, to the last bit, whatever the records, their split and the shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from ndr_core.features.networks import Hosts, Networks
from ndr_core.tables.merge import Row
from ndr_core.times import DAY_US, day_of, iso_text
from ndr_core.windows.history_source import HistorySource
from ndr_core.windows.labels import DEFAULT_LABELS, WindowLabel, due
from ndr_core.windows.plan import WindowPlan
from ndr_core.windows.reference import WindowRows, build_windows
from tests.makers import flow, us
from tests.property.frames import exactly
from tests.soak import examples
from tests.window_cases import delta_tables, history_row, window_plan
from tests.window_frames import polars_windows

ANCHORS: Final = [
    us(f"2025-03-{text}:00Z")
    for text in ("12T00:00", "12T00:15", "12T01:00", "12T10:00", "12T10:45", "12T12:00")
]
NETWORKS: Final = Networks(segments={"servers": ("10.0.1.0/24", "2001:db8::/48")})
HOSTS: Final = ("10.0.0.1", "10.0.0.2", "fd00::1")
PEERS: Final = (
    "10.0.1.5",
    "10.0.1.6",
    "10.0.0.2",
    "192.0.2.7",
    "192.0.2.8",
    "198.51.100.9",
    "2001:db8::7",
    "224.0.0.251",
    "255.255.255.255",
    "ff02::1",
)
PORTS: Final = (443, 22, 3389, 445, 53, 0, 65535, None)

_MOMENTS: Final = (2 * 86_400, 86_400, 7200, 900)
"""Sessions end at most so many seconds before an anchor: in and before each window."""
_DURATIONS: Final = (0.0, 0.25, 59.0, 900.0, 5400.0, 100_000.0)


@frozen
class Draw:
    """Random records and histories: the same seed, the same ones."""

    random: Random
    anchor: int

    def records(self) -> list[dict[str, Any]]:
        """Sessions of their own, and trains of them."""
        single = [self._single() for _ in range(self.random.randrange(40))]
        trains = [self._train() for _ in range(self.random.randrange(4))]
        records = [*single, *(one for train in trains for one in train)]
        self.random.shuffle(records)
        return records

    def source(self, label: WindowLabel) -> HistorySource:
        """Any source that the history of a window can have."""
        start = label.start(self.anchor)
        midnight = start // DAY_US * DAY_US
        day = day_of(start)
        base, with_day_before = self.random.choice(
            [(day - 1, False), (day - 1, False), (day - 2, True), (None, False), (None, True)]
        )
        before = ((midnight - DAY_US, midnight),) if with_day_before else ()
        today = ((midnight, start),) if start > midnight else ()
        return HistorySource(day, base, (*before, *today), is_known=self.random.random() < 0.9)

    def history(self, day: int) -> list[Row]:
        """Rows of the pair history of a day."""
        keys = {self._key() for _ in range(self.random.randrange(30))}
        return [self._history_row(day, *key) for key in sorted(keys, key=str)]

    def _key(self) -> tuple[str, str, int | None, str]:
        host, peer = self.random.choice(HOSTS), self.random.choice(PEERS)
        port = self.random.choice(PORTS)
        return self.random.choice(
            [
                (host, peer, port, "outbound"),
                (host, peer, port, "outbound"),
                (peer, host, port, "inbound"),
            ]
        )

    def _history_row(self, day: int, host: str, peer: str, port: int | None, role: str) -> Row:
        days = self.random.sample(range(30), self.random.randrange(1, 5))
        return history_row(day, peer, port, days, host_ip=host, role=role)

    def _single(self) -> dict[str, Any]:
        ended = self.random.randrange(self.random.choice(_MOMENTS))
        return self._record(ended, self.random.choice(_DURATIONS), self._choices())

    def _train(self) -> list[dict[str, Any]]:
        """Sessions of one pair, one after the other, more or less regular: beacons, or guesses of passwords."""
        choices = self._choices()
        period = self.random.choice([0, 1, 60, 300, 3600])
        jitter = self.random.choice([0, 2, 40])
        sizes = [self.random.choice([90, 100, 100, 109, 5000]) for _ in range(3)]
        first = self.random.randrange(self.random.choice(_MOMENTS))
        return [
            self._record(
                first + number * period + self.random.randrange(jitter + 1),
                0.0,
                {**choices, "event_name": "TRAFFIC", "source_bytes": self.random.choice(sizes)},
            )
            for number in range(self.random.randrange(8, 20))
        ]

    def _choices(self) -> dict[str, Any]:
        choice = self.random.choice
        return {
            "source_ip": choice(HOSTS),
            "destination_ip": choice(PEERS),
            "destination_port": choice(PORTS),
            "source_bytes": choice([None, 0, 1, 90, 300, 5000, 1 << 40]),
            "destination_bytes": choice([0, 0, 1, 1000, 1 << 33, None]),
            "event_action": choice(["allow", "deny", "drop", "alert"]),
            "event_name": choice(["TRAFFIC", "TRAFFIC", "TRAFFIC", "THREAT"]),
            "network_transport": choice(["TCP", "UDP", "ICMP"]),
        }

    def _record(self, ended: int, duration: float, choices: Mapping[str, Any]) -> dict[str, Any]:
        """A session that ended so many seconds before the anchor."""
        end = self.anchor - ended * 1_000_000
        times = {"event_start": end - round(duration * 1_000_000), "event_end": end}
        return flow(**choices, **{name: iso_text(moment) for name, moment in times.items()})


@frozen
class Case:
    """What windows are built, and of what."""

    plan: WindowPlan
    anchor: int
    sources: Mapping[WindowLabel, HistorySource]
    history: Sequence[Row]
    records: Sequence[dict[str, Any]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    anchor = draw(st.sampled_from(ANCHORS))
    labels = due(DEFAULT_LABELS, anchor)
    chosen = draw(st.lists(st.sampled_from(labels), min_size=1, unique=True))
    made = Draw(Random(draw(st.integers(0, 1 << 32))), anchor)
    sources = {label: made.source(label) for label in chosen}
    days = sorted({source.base for source in sources.values() if source.base is not None})
    history = [row for day in days for row in made.history(day)]
    plan = window_plan(hosts=draw(st.sampled_from(Hosts)), networks=NETWORKS)
    return Case(plan, anchor, sources, history, made.records())


def window_rows(
    case: Case, deltas: Sequence[Row], pairs: Sequence[Row]
) -> dict[WindowLabel, WindowRows]:
    """What each window is made of."""
    return {
        label: WindowRows(
            deltas,
            pairs,
            label.slices(case.plan.slice_minutes),
            source,
            [row for row in case.history if day_of(row["day_ts"]) == source.base],
        )
        for label, source in case.sources.items()
    }


@settings(max_examples=examples(60), deadline=None)
@given(cases(), st.data())
def test_windows_of_any_split_and_any_shares_are_those_of_all_records(
    case: Case, data: st.DataObject
) -> None:
    place = st.integers(0, 2)
    places = data.draw(st.lists(place, min_size=len(case.records), max_size=len(case.records)))
    shares = data.draw(st.integers(1, 3))
    pairs_at_once = data.draw(st.sampled_from([100, 1 << 22]))
    batches: list[list[dict[str, Any]]] = [[], [], []]
    for one, number in zip(case.records, places, strict=True):
        batches[number].append(one)
    whole = delta_tables(case.records)
    split = [delta_tables(batch) for batch in batches]

    built = polars_windows(
        case.plan,
        case.anchor,
        window_rows(
            case,
            [row for one in split for row in one.deltas],
            [row for one in split for row in one.pairs],
        ),
        shares,
        pairs_at_once,
    )

    windows = window_rows(case, whole.deltas, whole.pairs)
    expected = build_windows(case.plan, case.anchor, windows)
    assert exactly(built.fg_a) == exactly(expected.fg_a)
    assert exactly(built.beacons) == exactly(expected.beacons)
