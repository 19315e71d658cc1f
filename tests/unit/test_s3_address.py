"""Addresses in S3: what is one, and what lies within what."""

from __future__ import annotations

import pytest

from ndr_core.errors import SpecError, UsageError
from ndr_core.publishing.location import S3Address, is_s3
from tests.makers import make_spec


@pytest.mark.parametrize("text", ["s3://bucket/a/b", "s3a://bucket/a/b", "s3://bucket/a/b/"])
def test_both_schemes_name_the_same_place(text: str) -> None:
    assert S3Address.parse(text, "input") == S3Address("bucket", "a/b")
    assert is_s3(text)


def test_a_bucket_alone_is_a_place() -> None:
    assert str(S3Address.parse("s3://bucket", "input") / "x") == "s3://bucket/x"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("/folder", "is no address in S3"),
        ("https://bucket/a", "is no address in S3"),
        ("s3://Bucket_1/a", "is no name of a bucket"),
        ("s3:///a", "is no name of a bucket"),
        ("s3://bucket/a//b", "empty, '.' or '..' segment"),
        ("s3://bucket/a/../b", "empty, '.' or '..' segment"),
        ("s3://bucket/a*", "may hold letters"),
        ("s3://bucket/a?b", "may hold letters"),
    ],
)
def test_what_is_no_address_is_refused(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=f"^input: .*{problem}"):
        S3Address.parse(text, "input")


def test_a_place_holds_what_lies_below_it_and_no_sibling() -> None:
    place = S3Address("bucket", "a/b")
    assert place.holds(place)
    assert place.holds(place / "c")
    assert not place.holds(S3Address("bucket", "a/bc"))
    assert not place.holds(S3Address("bucket", "a"))
    assert not place.holds(S3Address("other", "a/b/c"))
    assert S3Address("bucket", "").holds(place)


def test_a_spec_can_not_publish_into_its_own_input() -> None:
    for target in ("s3://bucket/in/out", "s3://bucket/in", "s3a://bucket"):
        with pytest.raises(
            SpecError, match=r"storage\.output_prefix: must not lie in input_prefix"
        ):
            make_spec(storage={"input_prefix": "s3://bucket/in", "output_prefix": target})


def test_a_wrong_prefix_is_told_by_its_key() -> None:
    with pytest.raises(SpecError, match=r"storage\.input_prefix: 'b/in' is no address"):
        make_spec(storage={"input_prefix": "b/in"})
