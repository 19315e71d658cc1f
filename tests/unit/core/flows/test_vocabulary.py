"""Texts are written in one way, and measures know classes of them."""

from __future__ import annotations

import pytest

from ndr_core.expressions.evaluate import evaluate
from ndr_core.expressions.expr import col
from ndr_core.flows.record import FLOW_FIELDS, FieldKind
from ndr_core.flows.vocabulary import UNKNOWN, WORDS, Action, Known, canonical_text


@pytest.mark.parametrize(
    ("field", "text", "written"),
    [
        ("event_action", "Drop ICMP", "drop-icmp"),
        ("event_action", "reset_both", "reset-both"),
        ("event_action", "ÉTÉ", "ÉtÉ"),  # letters from A to Z alone: engines differ in others
        ("event_reason", "TCP_RST from Client", "tcp-rst-from-client"),
        ("event_name", "Traffic", "TRAFFIC"),
        ("event_name", "a_b c", "A_B C"),
        ("network_transport", "tcp", "TCP"),
        ("network_transport", "6", "TCP"),
        ("network_transport", "ipv6_icmp", "ICMP"),
        ("network_transport", "58", "ICMP"),
        ("network_transport", "Mobility Header", "MOBILITY-HEADER"),
        ("network_transport", "06", "06"),
        ("network_transport", "200", "200"),
        ("network_transport", "unknown_transport", "UNKNOWN-TRANSPORT"),
        ("event_action", "", ""),
    ],
)
def test_a_text_is_written_in_the_way_of_its_field(field: str, text: str, written: str) -> None:
    assert canonical_text(field, text) == written
    assert canonical_text(field, written) == written


def test_each_text_field_has_a_way_in_which_it_is_written() -> None:
    texts = {one.name for one in FLOW_FIELDS if one.kind is FieldKind.TEXT}

    assert WORDS.keys() == texts


@pytest.mark.parametrize(
    ("action", "texts"),
    [
        (
            Action.DROP,
            "drop drop-icmp dropped drop-packet deny denied deny-all block block-ip blocked reset reset-both "
            "reset-client reject rejected sinkhole discard discarded random-drop syncookie-sent",
        ),
        (Action.ALLOW, "allow allowed accept accepted permit permitted pass passed trust"),
        (Action.ALERT, "alert alerted"),
    ],
)
def test_an_action_is_of_one_class_by_its_beginning_or_its_whole_text(
    action: Action, texts: str
) -> None:
    for text in texts.split():
        found = [one for one in Action if evaluate(one.holds, {"event_action": text})]

        assert found == [action], text
        assert not evaluate(UNKNOWN["event_action"], {"event_action": text})


@pytest.mark.parametrize("text", ["", "dro", "sinkholed", "trusted", "random-drops", "no-allow"])
def test_another_action_is_of_no_class_and_not_known(text: str) -> None:
    assert not any(evaluate(one.holds, {"event_action": text}) for one in Action)
    assert evaluate(UNKNOWN["event_action"], {"event_action": text}) is True


@pytest.mark.parametrize(
    ("field", "known", "unknown"),
    [
        ("event_name", ["TRAFFIC", "THREAT"], ["URL", ""]),
        ("network_transport", ["TCP", "ICMP", "GRE"], ["200", "IPV6-ICMP", "OTHER"]),
    ],
)
def test_names_and_transports_are_known_or_told(
    field: str, known: list[str], unknown: list[str]
) -> None:
    for text in known:
        assert evaluate(UNKNOWN[field], {field: text}) is False
    for text in unknown:
        assert evaluate(UNKNOWN[field], {field: text}) is True


@pytest.mark.parametrize("field", list(UNKNOWN))
def test_no_value_is_not_an_unknown_one(field: str) -> None:
    assert evaluate(UNKNOWN[field], {field: None}) is None


def test_patterns_are_texts_or_beginnings() -> None:
    known = Known.of("b*", "a")

    assert known.patterns == ("a", "b*")
    held = {
        text: evaluate(known.holds(col("text")), {"text": text}) for text in ("a", "ab", "bc", "b")
    }
    assert held == {"a": True, "ab": False, "bc": True, "b": True}
    assert evaluate(known.holds(col("text")), {"text": None}) is None
