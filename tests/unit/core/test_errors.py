"""Errors carry their exit code, and their texts name what is wrong in a few printable words."""

from __future__ import annotations

import pickle

import pytest

from ndr_core import errors
from ndr_core.errors import (
    AfterPublicationError,
    EngineReadError,
    InputChangedError,
    NdrError,
    OverflowingColumnError,
    Problem,
    SpecError,
    StopRequested,
    UnreadableFileError,
    UsageError,
    after_publication,
    nearest,
    printable,
    shown,
    too_many,
    without_credentials,
)


def test_a_wrong_call_or_spec_has_exit_code_2_and_every_other_failure_1() -> None:
    codes = {
        kind.__name__: kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, NdrError)
    }

    assert {name for name, code in codes.items() if code == 2} == {"SpecError", "UsageError"}
    assert set(codes.values()) == {1, 2}
    assert issubclass(SpecError, NdrError)
    assert issubclass(UsageError, NdrError)


def test_a_problem_is_shown_with_its_key() -> None:
    assert str(Problem("input.fields", "is missing")) == "input.fields: is missing"
    assert str(Problem("", "needs at least one role")) == "needs at least one role"


def test_a_problem_of_a_part_is_one_of_the_whole() -> None:
    assert Problem("host", "no").below("inbound").below("roles") == Problem(
        "roles.inbound.host", "no"
    )
    assert Problem("", "no").below("roles") == Problem("roles", "no")


@pytest.mark.parametrize("kind", [UnreadableFileError, EngineReadError])
def test_an_error_of_a_file_knows_its_address(
    kind: type[UnreadableFileError] | type[EngineReadError],
) -> None:
    assert (str(kind("truncated")), kind("truncated").uri) == ("truncated", None)
    assert kind("truncated", "/data/a.json").uri == "/data/a.json"


def test_a_changed_file_is_named_with_what_to_do() -> None:
    assert str(InputChangedError("/data/a.json")) == (
        "/data/a.json: was changed while it was read; nothing was published. "
        "Run the mini-batch again when its files are complete"
    )


@pytest.mark.parametrize(
    "error",
    [
        UsageError("input: no such folder"),
        UnreadableFileError("is cut", "in/a.gz"),
        InputChangedError("in/a.gz"),
        OverflowingColumnError("bytes_sent_sum", "host 10.0.0.1"),
    ],
)
def test_an_error_arrives_as_it_was_in_another_process(error: NdrError) -> None:
    arrived = pickle.loads(pickle.dumps(error))

    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert vars(arrived) == vars(error)


def test_an_overflow_names_column_and_row() -> None:
    error = OverflowingColumnError("bytes_sent_sum", "host 10.0.0.1")

    assert error.column == "bytes_sent_sum"
    assert str(error).startswith(
        "bytes_sent_sum: the sum leaves the range of int64 (2^63 - 1) for host 10.0.0.1; "
    )


def test_a_request_to_stop_is_not_handled_as_a_failure() -> None:
    stop = StopRequested(15)

    assert not isinstance(stop, Exception)
    assert (stop.number, stop.published) == (15, False)


def test_a_failure_after_the_publication_says_that_the_run_is_published() -> None:
    with pytest.raises(AfterPublicationError) as failed, after_publication("cleanup failed"):
        raise OSError("no space")

    assert str(failed.value) == "the run is published, but cleanup failed: OSError: no space"
    assert isinstance(failed.value.__cause__, OSError)


def test_a_failure_that_says_so_already_is_passed_on() -> None:
    with pytest.raises(AfterPublicationError, match=r"^inner$"), after_publication("outer"):
        raise AfterPublicationError("inner")


def test_a_request_to_stop_after_the_publication_knows_of_it() -> None:
    with pytest.raises(StopRequested) as stopped, after_publication("cleanup failed"):
        raise StopRequested(2)

    assert stopped.value.published


def test_after_a_publication_without_failure_nothing_is_raised() -> None:
    done = []

    with after_publication("cleanup failed"):
        done.append(True)

    assert done == [True]


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("a b/\u00e9\u4e2d", "a b/\u00e9\u4e2d"),
        ("a\nb\tc\x00", "a\\nb\\tc\\x00"),
        ("\u200b", "\\u200b"),
        ("\udcff\udc80", "\\xff\\x80"),
        ("\ud800\udc7f\udd00", "\\ud800\\udc7f\\udd00"),
        ("it's", "it's"),
        ("", ""),
    ],
)
def test_any_text_can_be_made_printable(text: str, result: str) -> None:
    assert printable(text) == result


def test_a_value_is_shown_as_it_is_written_and_cut_where_it_is_long() -> None:
    assert shown("a\n") == "'a\\n'"
    assert shown(None) == "None"
    assert shown("x" * 98) == "'" + "x" * 98 + "'"
    assert shown("x" * 99) == "'" + "x" * 99 + ".. (101 characters)"
    assert shown(12345, most=3) == "123.. (5 characters)"


def test_the_nearest_known_name_is_offered() -> None:
    assert nearest("zeeek", ["vpcflow", "zeek"]) == "did you mean 'zeek'?"


def test_where_none_is_near_the_known_names_are_listed_in_order() -> None:
    assert nearest("q", ["b", "a"]) == "known: a, b"
    assert nearest("q", []) == "known: "


def test_of_many_known_names_only_some_are_listed() -> None:
    names = [f"name{number:02}" for number in range(32)]

    assert nearest("q", names[:30]) == "known: " + ", ".join(names[:30])
    assert nearest("q", names) == "known: " + ", ".join(names[:30]) + " and 2 more"


def test_of_a_long_known_name_only_the_beginning_is_shown() -> None:
    assert nearest("x" * 300, ["x" * 200]) == f"did you mean {'x' * 100!r}?"


def test_too_many_entries_are_counted() -> None:
    assert too_many(65, 64) == "has 65 entries; at most 64 are possible"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("at https://me:key@host/a?b=1: no", "at https://***@host/a?b=1: no"),
        ("'s3://AKIA0:k/e+y@bucket/x'", "'s3://***@bucket/x'"),
        ("s3://token@bucket", "s3://***@bucket"),
        ("http://a:b@h and http://c:d@h", "http://***@h and http://***@h"),
        ("?X-Amz-Credential=AKIA0&x-amz-signature=5f", "?X-Amz-Credential=***&x-amz-signature=***"),
        ("http://127.0.0.1:9/logs/a@b.gz", "http://127.0.0.1:9/logs/a@b.gz"),
        ("s3://bucket/logs/a@b.gz of me@host", "s3://bucket/logs/a@b.gz of me@host"),
    ],
)
def test_credentials_of_addresses_are_hidden_and_nothing_else(text: str, safe: str) -> None:
    assert without_credentials(text) == safe


def test_no_error_and_no_value_is_shown_with_credentials() -> None:
    address = "s3://AKIA0:key@bucket/" + "x" * 100

    assert "key" not in str(UsageError(f"{address}: no"))
    assert "key" not in str(pickle.loads(pickle.dumps(UnreadableFileError(address))))
    assert "key" not in shown(address, most=12)
