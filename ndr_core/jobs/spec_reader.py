"""Plain data (from YAML, JSON or a table item) -> a spec, with errors that name the key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, Final, Protocol, TypeVar, get_origin

from attrs import fields, has
from cattrs import (
    BaseValidationError,
    ClassValidationError,
    Converter,
    ForbiddenExtraKeysError,
    IterableValidationError,
)

from ndr_core.errors import Problem, SpecError, nearest, shown
from ndr_core.times import Duration, parse_duration

_MOST_PROBLEMS: Final = 20


class Spec(Protocol):
    """What a spec, and each part of one, can say of itself."""

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        ...


def part_problems(parts: Mapping[str, Spec]) -> list[Problem]:
    """List what is wrong with the parts of a spec, each below its key."""
    return [problem.below(key) for key, part in parts.items() for problem in part.problems()]


SpecT = TypeVar("SpecT", bound=Spec)


def read_spec(data: Any, cls: type[SpecT], converter: Converter, origin: str) -> SpecT:
    """Read a complete and consistent spec; raise SpecError for anything else.

    `converter`: as `spec_converter` makes it; `origin` names the source (file or table item) in messages.
    Every problem found is listed, each with its key and, for an unknown key, the nearest known one.
    """
    if not isinstance(data, Mapping):
        raise SpecError(f"{origin}: holds {_kind(data)}, expected a mapping of keys")
    try:
        spec = converter.structure(data, cls)
    except BaseValidationError as error:
        problems = list(_problems(error, ""))
    else:
        problems = spec.problems()
        if not problems:
            return spec
    raise SpecError(_listed(origin, problems)) from None


def spec_converter() -> Converter:
    """Make a converter that takes each value for what it is, and refuses unknown keys."""
    converter = Converter(forbid_extra_keys=True)
    for scalar in (str, int, float, bool):
        converter.register_structure_hook(scalar, _scalar)
    converter.register_structure_hook_func(
        lambda cls: isinstance(cls, type) and issubclass(cls, Enum), _enum
    )
    converter.register_structure_hook_func(lambda cls: cls is Duration, _duration)
    make_part, make_mapping = (
        converter.gen_structure_attrs_fromdict,
        converter.gen_structure_mapping,
    )
    converter.register_structure_hook_factory(has, lambda cls: _of_mapping(make_part(cls)))
    converter.register_structure_hook_factory(
        _is_mapping, lambda cls: _of_mapping(make_mapping(cls))
    )
    plain_texts = converter.get_structure_hook(tuple[str, ...])

    def texts(value: Any, cls: Any) -> Any:
        # A text is a sequence, too: of its characters.
        if not isinstance(value, list | tuple):
            raise TypeError(wrong_kind(value, "a list of texts"))
        return plain_texts(value, cls)

    converter.register_structure_hook_func(lambda cls: cls == tuple[str, ...], texts)
    return converter


def _is_mapping(cls: Any) -> bool:
    return get_origin(cls) is Mapping


def _of_mapping(read: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Read a mapping; refuse other values by what they are."""

    def checked(value: Any, cls: Any) -> Any:
        require_mapping(value, "a mapping of keys")
        return read(value, cls)

    return checked


def require_mapping(value: Any, expected: str) -> None:
    """Raise TypeError, saying what was expected, for a value that is no mapping."""
    if not isinstance(value, Mapping):
        raise TypeError(wrong_kind(value, expected))


def wrong_kind(value: Any, expected: str) -> str:
    """Say that a value is not of the kind that is expected."""
    return f"{shown(value)} is {_kind(value)}, expected {expected}"


def _listed(origin: str, problems: list[Problem]) -> str:
    lines = [str(problem) for problem in problems[:_MOST_PROBLEMS]]
    if len(problems) > _MOST_PROBLEMS:
        lines.append(f".. and {len(problems) - _MOST_PROBLEMS} more")
    return "\n".join(f"{origin}: {line}" for line in lines)


def _problems(error: Exception, key: str) -> Iterator[Problem]:
    """What an error of cattrs tells, part by part."""
    match error:
        case ClassValidationError():
            named, others = error.group_exceptions()
            parts = [(part, f".{note.name}") for part, note in named]
        case IterableValidationError():
            items, others = error.group_exceptions()
            parts = [(part, _index(note.index)) for part, note in items]
        case _:
            yield Problem(key.removeprefix("."), _message(error))
            return
    for part, place in [*parts, *((other, "") for other in others)]:
        yield from _problems(part, key + place)


def _index(index: int | str) -> str:
    return f".{index}" if isinstance(index, str) else f"[{index}]"


def _message(error: Exception) -> str:
    match error:
        case ForbiddenExtraKeysError(cl=cls, extra_fields=extra):
            known = [attribute.name for attribute in fields(cls)]
            return "; ".join(_unknown_keys(sorted(map(str, extra)), known))
        case KeyError():
            return "is missing"
    return str(error)


def _unknown_keys(unknown: Iterable[str], known: list[str]) -> list[str]:
    return [
        f"unknown key {shown(key)}, {nearest(key, known)}" for key in list(unknown)[:_MOST_PROBLEMS]
    ]


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    names = {bool: "true/false", int: "a number", float: "a number", str: "text", list: "a list"}
    return names.get(
        type(value), "a mapping" if isinstance(value, Mapping) else type(value).__name__
    )


_EXPECTED: Final[dict[type, str]] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


def _scalar(value: Any, cls: type) -> Any:
    if cls is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not cls:
        raise TypeError(wrong_kind(value, _EXPECTED[cls]))
    if isinstance(value, str) and not _is_text(value):
        raise ValueError(f"{shown(value)} holds half of a surrogate pair, which is no text")
    return value


def _is_text(value: str) -> bool:
    """Whether a text can be written as UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _enum(value: Any, cls: type[Enum]) -> Enum:
    try:
        return cls(value)
    except ValueError:
        raise ValueError(
            f"unknown value {shown(value)}, {nearest(shown(value), [member.value for member in cls])}"
        ) from None


def _duration(value: Any, _cls: object) -> Duration:
    if not isinstance(value, str):
        raise TypeError(wrong_kind(value, "a duration such as 15m or 24h"))
    return parse_duration(value)
