"""Which sessions a counter of a JobSpec counts, and which counters are refused."""

from __future__ import annotations

from typing import Any

import pytest

from ndr_core.deltas.counters import Counter
from ndr_core.deltas.spec_reader import parse_job_spec
from ndr_core.errors import Problem, SpecError
from ndr_core.expressions.evaluate import evaluate
from ndr_core.times import TIME_LIMIT_US
from tests.makers import make_spec

VIEW: dict[str, Any] = {
    "peer_port": 53,
    "duration_us": 200_000,
    "event_action": "reset-both",
    "event_reason": "tcp-rst-from-client",
    "event_name": "TRAFFIC",
    "network_transport": "TCP",
}


def counter(**keys: Any) -> Counter:
    """A counter as a JobSpec gives it."""
    spec = make_spec(delta={"counters": {"a_cnt": keys}})
    return spec.delta.counters["a_cnt"]


def counts(found: Counter, **view: Any) -> bool:
    return evaluate(found.condition(), VIEW | view) is True


def test_a_session_counts_where_it_fits_in_each_key() -> None:
    dns = counter(network_transport=["TCP"], peer_port=[53])

    assert counts(dns)
    assert not counts(dns, network_transport="UDP")
    assert not counts(dns, peer_port=54)
    assert not counts(dns, peer_port=None)
    assert not counts(dns, network_transport=None)


@pytest.mark.parametrize(
    ("texts", "reason", "fits"),
    [
        (["tcp-rst*"], "tcp-rst-from-client", True),
        (["tcp-rst*"], "tcp-rst", True),
        (["tcp-rst*"], "tcp-rs", False),
        (["tcp-rst"], "tcp-rst-from-client", False),
        (["aged-out", "tcp-rst*"], "tcp-rst", True),
        (["aged-out", "tcp-rst*"], "aged-out", True),
        (["aged-out", "tcp-rst*"], "aged-outs", False),
        (["a*", "b*"], "bc", True),
        (["*"], "", True),
        (["*"], None, False),
        (["AGED-OUT"], "aged-out", False),
    ],
)
def test_a_text_fits_in_one_of_the_texts_or_begins_as_one_does(
    texts: list[str], reason: str | None, fits: bool
) -> None:
    assert counts(counter(event_reason=texts), event_reason=reason) is fits


def test_texts_are_compared_in_the_form_in_which_records_have_them() -> None:
    assert counts(counter(event_action=["RESET*"], network_transport=["tcp"]))


@pytest.mark.parametrize(
    ("ports", "port", "fits"),
    [
        (["1024-65535"], 1023, False),
        (["1024-65535"], 1024, True),
        (["1024-65535"], 65535, True),
        ([53, "60-70", 54], 54, True),
        ([53, "60-70", 54], 55, False),
        ([53, "60-70", 54], 65, True),
        ([0], 0, True),
    ],
)
def test_a_port_fits_in_one_of_the_ports_and_ranges(
    ports: list[Any], port: int, fits: bool
) -> None:
    assert counts(counter(peer_port=ports), peer_port=port) is fits


@pytest.mark.parametrize(
    ("text", "us", "fits"),
    [
        ("<0.2", 199_999, True),
        ("<0.2", 200_000, False),
        ("<=0.2", 200_000, True),
        ("<=0.2", 200_001, False),
        (">0.2", 200_001, True),
        (">0.2", 200_000, False),
        (">= 0.200", 200_000, True),
        (">=0.2", 199_999, False),
        ("<0.000001", 0, True),
        (">=1 <5.5", 999_999, False),
        (">=1 <5.5", 1_000_000, True),
        (">=1 < 5.5", 5_500_000, False),
        ("<4503599627", TIME_LIMIT_US // 1_000_000 * 1_000_000, False),
    ],
)
def test_a_length_of_time_is_compared_exactly_to_the_microsecond(
    text: str, us: int, fits: bool
) -> None:
    assert counts(counter(duration_s=text), duration_us=us) is fits


def test_the_same_counter_is_the_same_data_however_it_is_written() -> None:
    one = counter(
        network_transport=["udp", "tcp", "TCP"],
        peer_port=[55, 53, 54, 443],
        duration_s="<= 0.50 >0",
    )
    other = counter(
        network_transport=["TCP", "UDP"], peer_port=[443, "53-55"], duration_s=">0 <=0.5 >0.0"
    )

    assert one.to_plain() == other.to_plain()
    assert one.to_plain() == {
        "network_transport": ["TCP", "UDP"],
        "peer_port": ["53-55", 443],
        "duration_s": "<=0.5 >0",
    }


def test_the_data_of_a_spec_with_counters_are_read_back_as_an_equal_spec() -> None:
    spec = make_spec(
        delta={
            "counters": {
                "a_cnt": {"peer_port": ["1-9", 80], "event_action": ["deny", "drop*"]},
                "b_cnt": {"duration_s": "<0.25", "event_name": ["X"], "event_reason": ["y*"]},
            }
        }
    )

    again = parse_job_spec(spec.to_plain())

    assert again == spec
    assert again.content_hash() == spec.content_hash() != make_spec().content_hash()


def test_the_meaning_says_in_words_what_is_counted() -> None:
    found = counter(
        event_reason=["tcp-rst*", "a\nb"], peer_port=[53, "1024-65535"], duration_s="<0.2"
    )

    assert found.meaning() == (
        "sessions with event_reason a\\nb or tcp-rst*, peer_port 53 or 1024-65535, duration_s <0.2"
    )


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (
            Counter(),
            Problem(
                "",
                "needs at least one of event_action, event_reason, event_name, network_transport, "
                "peer_port, duration_s",
            ),
        ),
        (Counter(event_action=()), Problem("event_action", "needs at least one text")),
        (
            Counter(event_name=tuple(map(str, range(257)))),
            Problem("event_name", "has 257 entries; at most 256 are possible"),
        ),
        (
            Counter(event_reason=("a", "b*c")),
            Problem("event_reason", "'b*c' has a * that is not at its end"),
        ),
        (Counter(peer_port=frozenset()), Problem("peer_port", "needs at least one port")),
        (
            Counter(peer_port=frozenset({65536})),
            Problem("peer_port", "ports lie between 0 and 65535"),
        ),
        (
            Counter(duration_s="<4503599628"),
            Problem("duration_s", "is longer than the time from 1970 to 2112-09-17"),
        ),
    ],
)
def test_a_counter_that_can_count_nothing_or_is_no_counter_is_refused(
    found: Counter, problem: Problem
) -> None:
    assert found.problems() == [problem]


@pytest.mark.parametrize(
    "text", ["", "0.2", "=0.2", "<", "<.2", "<0.0000001", "<1e3", "<-1", "<0.2,", "<0.2 and >0.1"]
)
def test_a_length_of_time_that_is_no_comparison_is_refused(text: str) -> None:
    (problem,) = Counter(duration_s=text).problems()

    assert problem.key == "duration_s"
    assert problem.message.startswith(f"{text!r} is no comparison with seconds such as '<0.2'")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"peer_prot": [53]}, "unknown key 'peer_prot', did you mean 'peer_port'?"),
        (
            {"network_transport": "TCP"},
            "network_transport: 'TCP' is text, expected a list of texts",
        ),
        ({"network_transport": [6]}, "network_transport[0]: 6 is a number, expected text"),
        ({"duration_s": 0.2}, "duration_s: 0.2 is a number, expected text"),
        ({"peer_port": ["http"]}, "peer_port: 'http' is neither a port nor a range"),
        ([53], "[53] is a list, expected a mapping of keys"),
    ],
)
def test_a_wrong_key_or_value_is_named_with_the_counter(keys: Any, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        make_spec(delta={"counters": {"a_cnt": keys}})

    assert message in str(caught.value)
    assert "JobSpec: delta.counters.a_cnt" in str(caught.value)
