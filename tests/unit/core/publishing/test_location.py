"""Addresses in S3: what is one, and what lies within what."""

from __future__ import annotations

import pytest

from ndr_core.errors import UsageError
from ndr_core.publishing.location import S3Address, is_s3


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
        ("s3://ab/a", "is no name of a bucket"),
        ("s3://-bucket/a", "is no name of a bucket"),
        (f"s3://{'b' * 64}/a", "is no name of a bucket"),
        ("s3://AKIA0:key@bucket/a", "an address holds no credentials"),
        ("s3://AKIA0:k/ey@bucket/a", "an address holds no credentials"),
        ("s3://bucket/./b", "empty, '.' or '..' segment"),
        ("s3://bucket//", "empty, '.' or '..' segment"),
        ("s3://bucket/a//b", "empty, '.' or '..' segment"),
        ("s3://bucket/a/../b", "empty, '.' or '..' segment"),
        ("s3://bucket/a*", "may hold letters"),
        ("s3://bucket/a?b", "may hold letters"),
    ],
)
def test_what_is_no_address_is_refused(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=f"^input: .*{problem}"):
        S3Address.parse(text, "input")


def test_an_address_without_a_problem_has_none() -> None:
    assert S3Address.problem("s3://bucket/a") is None
    assert S3Address.problem("s3://bucket") is None
    assert (
        S3Address.problem("bucket/a") == "'bucket/a' is no address in S3; give s3://BUCKET/PREFIX"
    )


@pytest.mark.parametrize("text", ["bucket", "s3:/bucket", "S3://bucket", "http://s3://bucket"])
def test_what_does_not_begin_with_a_scheme_is_no_place_in_s3(text: str) -> None:
    assert not is_s3(text)


@pytest.mark.parametrize("bucket", ["abc", "a.b-c", "b" * 63])
def test_a_bucket_has_three_to_63_characters(bucket: str) -> None:
    assert S3Address.parse(f"s3://{bucket}/a", "input").bucket == bucket


def test_a_place_is_spelled_as_it_is_read() -> None:
    assert str(S3Address("bucket", "a/b")) == "s3://bucket/a/b"
    assert S3Address("bucket", "a") / "b" == S3Address("bucket", "a/b")
    assert S3Address("bucket", "") / "b" == S3Address("bucket", "b")


@pytest.mark.parametrize("key", ["a/b.gz", "odd//key?*", "ends with/"])
def test_the_place_of_an_object_is_read_whatever_its_key_holds(key: str) -> None:
    assert S3Address.of_object(f"s3://bucket/{key}") == S3Address("bucket", key)


def test_the_keys_below_a_place_begin_with_its_prefix() -> None:
    assert S3Address("bucket", "a/b").below == "a/b/"
    assert S3Address("bucket", "").below == ""


def test_a_place_holds_what_lies_below_it_and_no_sibling() -> None:
    place = S3Address("bucket", "a/b")

    assert place.holds(place)
    assert place.holds(place / "c")
    assert not place.holds(S3Address("bucket", "a/bc"))
    assert not place.holds(S3Address("bucket", "a"))
    assert not place.holds(S3Address("other", "a/b/c"))
    assert S3Address("bucket", "").holds(place)
    assert not S3Address("other", "").holds(place)
