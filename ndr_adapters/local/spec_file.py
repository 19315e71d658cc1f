"""JobSpec files: YAML, or JSON, which is YAML too."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml
from attrs import define, field, frozen

from ndr_adapters.home import with_home
from ndr_core.deltas.spec import JobSpec
from ndr_core.errors import SpecError, shown
from ndr_core.spec_kinds import AnySpec, SpecT, expect, parse_spec

if TYPE_CHECKING:
    _Loader = yaml.SafeLoader
else:
    _Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_SPEC_BYTES: Final = 400_000
"""A table item of DynamoDB holds no larger spec either."""
MAX_DEPTH: Final = 32
MAX_CONTENT: Final = 2_000_000
"""Characters of all values, counting ten more for each, when aliases are followed."""
_OF_A_VALUE: Final = 10


@frozen
class JobSpecFile:
    """The JobSpec in one file."""

    path: Path = field(converter=with_home)

    def load(self) -> JobSpec:
        """The spec of a delta job. Raises SpecError, naming line or key, where there is no valid one."""
        return self.load_as(JobSpec)

    def load_as(self, cls: type[SpecT]) -> SpecT:
        """The spec of that kind. Raises SpecError, naming line or key, where there is no valid one."""
        return expect(self.load_any(), cls, self._origin)

    def load_any(self) -> AnySpec:
        """The spec of whatever kind. Raises SpecError, naming line or key, where there is no valid one."""
        try:
            text = self._text()
            _refuse_bombs(text)
            data = yaml.load(text, Loader=_StrictLoader)  # noqa: S506
        except OSError as error:
            raise SpecError(f"spec {self.path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise SpecError(f"spec {self.path}: is not UTF-8 text") from error
        except yaml.MarkedYAMLError as error:
            # What is missing at the end is missed behind the last line.
            line = min(error.problem_mark.line, text.count("\n")) + 1 if error.problem_mark else 1
            raise SpecError(f"spec {self.path}, line {line}: {error.problem}") from error
        except yaml.YAMLError as error:
            raise SpecError(f"spec {self.path}: {error}") from error
        return parse_spec(data, self._origin)

    @property
    def _origin(self) -> str:
        return f"spec {self.path}"

    def _text(self) -> str:
        with self.path.open("rb") as stream:
            content = stream.read(MAX_SPEC_BYTES + 1)
        if len(content) > MAX_SPEC_BYTES:
            raise SpecError(f"spec {self.path}: is larger than {MAX_SPEC_BYTES:,} bytes; not read")
        return content.decode("utf-8")


class _StrictLoader(_Loader):
    """Refuses a repeated key, of which YAML readers silently keep the last, and tells where a value is wrong."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                continue  # refused by the loader itself
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {shown(key)} is given twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (
            ValueError,
            OverflowError,
        ) as error:  # a date that does not exist, a number without end
            raise yaml.constructor.ConstructorError(
                None, None, f"a value can't be read: {error}", node.start_mark
            ) from error


def _refuse_bombs(text: str) -> None:
    """Raise MarkedYAMLError for text that is small, but takes much to load: deep, or by its aliases."""
    content = _Content()
    for event in yaml.parse(text, Loader=_Loader):
        content.add(event)
        if content.depth > MAX_DEPTH:
            _refuse(f"is nested more than {MAX_DEPTH} levels deep", event)
        if content.size > MAX_CONTENT:
            _refuse("holds too much when its aliases are followed", event)


def _refuse(problem: str, event: yaml.Event) -> None:
    mark: Any = event.start_mark
    raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


@define
class _Content:
    """How much the part of a document holds that was seen so far, aliases followed."""

    size: int = 0
    anchored: dict[str, int] = field(factory=dict)
    open: list[tuple[str | None, int]] = field(factory=list)
    """Anchors of open collections, and the size at their begin."""

    @property
    def depth(self) -> int:
        return len(self.open)

    def add(self, event: yaml.Event) -> None:
        match event:
            case yaml.AliasEvent():
                if any(anchor == event.anchor for anchor, _ in self.open):
                    _refuse(f"{shown(event.anchor)} holds an alias of itself", event)
                self.size += self.anchored.get(str(event.anchor), 0) + _OF_A_VALUE
            case yaml.ScalarEvent():
                own = len(event.value) + _OF_A_VALUE
                self._anchor(event.anchor, own)
                self.size += own
            case yaml.CollectionStartEvent():
                self.open.append((event.anchor, self.size))
                self.size += _OF_A_VALUE
            case yaml.CollectionEndEvent():
                anchor, before = self.open.pop()
                self._anchor(anchor, self.size - before)

    def _anchor(self, name: str | None, size: int) -> None:
        if name is not None:
            self.anchored[name] = size
